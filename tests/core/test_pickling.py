"""Clients as pickles and as copies."""

from __future__ import annotations

import copy
import pickle
from typing import Any, cast

import httpx
import pytest

from redcore import AsyncClient, Client, ConfigurationError, TokenSet
from redcore.tokens import MemoryCache

ADDRESS = "https://api.example.com/v1"


def note(_: dict[str, Any]) -> None:
    """A callback that a pickle can name."""


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_a_client_of_the_environment(cls: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same elsewhere, with the secret of that environment."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_canary_here")
    client = cls(base_url=ADDRESS, timeout=5, on_token_refreshed=note).with_options(headers={"X-Trace": "1"})

    pickled = pickle.dumps(client)
    monkeypatch.setenv("REDCORE_API_KEY", "rk_there")
    again = pickle.loads(pickled)  # noqa: S301 (our own)

    assert b"canary" not in pickled
    assert type(again) is cls
    assert again._engine.base_url == ADDRESS
    assert again._options == client._options
    assert again._engine.auth._credentials.api_key == "rk_there"
    assert again._engine.auth._on_token_refreshed is note
    assert again._transport is not client._transport
    assert again._owner


@pytest.mark.parametrize("name", ["direct", "httpcore", "aiohttp"])
def test_a_client_with_a_transport(monkeypatch: pytest.MonkeyPatch, name: Any) -> None:
    """The transport is the same again."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_key")
    client = AsyncClient(transport=name).with_options(timeout=5)

    assert type(pickle.loads(pickle.dumps(client))._transport) is type(client._transport)  # noqa: S301 (our own)


def test_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """The id and the scope are not secrets."""
    pickled = pickle.dumps(Client(client_id="app", client_secret="canary-secret", scope="users.read"))
    monkeypatch.setenv("REDCORE_CLIENT_SECRET", "other")

    known = pickle.loads(pickled)._engine.auth._credentials  # noqa: S301 (our own)

    assert b"canary" not in pickled
    assert (known.client_id, known.client_secret, known.scope) == ("app", "other", "users.read")


@pytest.mark.parametrize(
    ("credentials", "env", "expected"),
    [
        ({"api_key": "rk_canary"}, {}, "set REDCORE_API_KEY where it is unpickled"),
        ({"client_id": "a", "client_secret": "canary"}, {}, "set REDCORE_CLIENT_SECRET where it is unpickled"),
        (
            {"client_id": "a", "client_secret": "canary"},
            {"REDCORE_CLIENT_ID": "b", "REDCORE_CLIENT_SECRET": "s"},
            "that of another REDCORE_CLIENT_ID",
        ),
        ({"access_token": "canary"}, {"REDCORE_API_KEY": "rk"}, "make one with the tokens"),
        ({"refresh_token": "canary", "client_id": "a"}, {"REDCORE_CLIENT_SECRET": "s"}, "make one with the tokens"),
    ],
)
def test_missing_secrets(
    credentials: dict[str, str], env: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets are in no pickle; unpickling says what is missing, and never uses another identity."""
    pickled = pickle.dumps(Client(**credentials))  # type: ignore[arg-type]
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=expected):
        pickle.loads(pickled)  # noqa: S301 (our own)
    assert b"canary" not in pickled


def test_the_client_of_a_person() -> None:
    """Its tokens are in no pickle, and neither are those of a cache in memory."""
    client = Client.from_tokens(TokenSet(access_token="canary"), client_id="app", token_cache=MemoryCache())
    pickled = pickle.dumps(client)

    assert b"canary" not in pickled
    with pytest.raises(ConfigurationError, match="make one with the tokens"):
        pickle.loads(pickled)  # noqa: S301 (our own)


def test_a_given_http_client() -> None:
    """It cannot be pickled, and the error says so before a pickle is made."""
    with httpx.Client() as brought, pytest.raises(ConfigurationError, match="http_client cannot be pickled"):
        pickle.dumps(Client(api_key="rk_key", http_client=brought))


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_copies(make: Any) -> None:
    """A copy shares connections and tokens, and does not close them."""
    client = Client(api_key="rk_key", timeout=5)
    sent_over = cast("Any", client._transport)._own

    copied = make(client)
    copied.close()

    assert copied._engine is client._engine
    assert copied._options == client._options
    assert not sent_over.closed


class Tenant(Client):
    """A client of an application, with an attribute of its own."""

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(**options)
        self.tenant = tenant
        self.seen: list[str] = []


class AsyncTenant(AsyncClient):
    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(**options)
        self.tenant = tenant
        self.seen: list[str] = []


@pytest.mark.parametrize("cls", [Tenant, AsyncTenant])
def test_a_subclass_keeps_its_attributes(cls: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Attributes of a subclass survive `with_options`, copies and pickles; a pickle has its own copy of them."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_key")
    client = cls("acme", timeout=5)
    client.seen.append("usr_1")

    derived = client.with_options(max_retries=0)
    shallow, deep = copy.copy(client), copy.deepcopy(client)
    pickled = pickle.loads(pickle.dumps(client))  # noqa: S301 (our own)

    for twin in (derived, shallow, deep, pickled):
        assert (type(twin), twin.tenant, twin.seen) == (cls, "acme", ["usr_1"])
    assert derived.seen is client.seen
    assert deep.seen is client.seen
    assert pickled.seen is not client.seen


class SlottedTenant(Client):
    __slots__ = ("tenant",)

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(**options)
        self.tenant = tenant


def test_a_subclass_keeps_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its attributes that are not in `__dict__` survive too."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_key")
    client = SlottedTenant("acme")

    twins = [client.with_options(), copy.copy(client), copy.deepcopy(client), pickle.loads(pickle.dumps(client))]  # noqa: S301 (our own)

    assert [twin.tenant for twin in twins] == ["acme"] * 4


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_resources_belong_to_their_client(cls: type[Any]) -> None:
    """A derived client does not take over the resources of the original client."""
    client = cls(api_key="rk_key")
    names = ("users", "files", "workflows", "auth", "raw")
    for name in names:
        assert getattr(client, name) is getattr(client, name)

    derived = client.with_options(timeout=1)

    assert [name for name in names if getattr(derived, name) is getattr(client, name)] == []
