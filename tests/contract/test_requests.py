"""No request of the SDK violates the spec: every operation, with few arguments and with all, is checked."""

from __future__ import annotations

import datetime as dt
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from tests.contract.judge import Judge

from redcore import Client, ConfigurationError, RedcoreError, TokenSet
from redcore._spec import operations

DESCRIBED: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in inspect.getmembers(operations, inspect.isfunction)
    if function.__module__ == operations.__name__
}
EXAMPLES: dict[str, Any] = {
    "active": True,
    "code": "c0de",
    "code_verifier": "v" * 43,
    "content_type": "text/csv",
    "email": "ada@example.com",
    "expires_at": dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
    "file": b"a,b",
    "grant_type": "refresh_token",
    "grant_types": ["authorization_code"],
    "include_total": True,
    "input": {"format": "csv"},
    "limit": 20,
    "mode": "live",
    "name": "Ada Lovelace",
    "offset": 40,
    "partial": True,
    "price": 4999,
    "q": "ada & co",
    "redirect_uris": ["https://shop.example.com/callback"],
    "role": "editor",
    "scope": "users:read",
    "scopes": ["users:read"],
    "sku": "BR-1",
    "status": "active",
    "stock": 7,
    "token": "a-token",
    "token_type_hint": "access_token",
    "type": "confidential",
    "workflow_name": "catalog_export",
}
STATUSES = {"products": "available", "workflows": "queued"}


def arguments(name: str, *, all_of_them: bool) -> dict[str, Any]:
    """Return arguments of an operation: the required ones, or all."""
    chosen = {
        parameter.name: EXAMPLES.get(parameter.name, f"{parameter.name}_1")
        for parameter in inspect.signature(DESCRIBED[name]).parameters.values()
        if all_of_them or parameter.default is inspect.Parameter.empty
    }
    if "status" in chosen:
        chosen["status"] = STATUSES.get(name.partition("_")[0], chosen["status"])
    return chosen


class Platform(httpx.BaseTransport):
    """Judges each request, and answers it with tokens, or with a refusal."""

    def __init__(self) -> None:
        self.judge = Judge()
        self.asked: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.judge.rule_request(request)
        self.asked[request.url.path] += 1
        if request.url.path == "/oauth/token":
            pair = {"access_token": "access-1", "refresh_token": "refresh-1", "token_type": "Bearer"}
            return httpx.Response(200, json={**pair, "expires_in": 3600})
        return httpx.Response(404, json={"error": {"code": "RESOURCE_NOT_FOUND", "message": "no", "docs": ""}})


@pytest.fixture(scope="module")
def platform() -> Platform:
    return Platform()


@pytest.fixture
def client(request: pytest.FixtureRequest, platform: Platform) -> Iterator[Client]:
    """A client with one kind of credentials."""
    with httpx.Client(transport=platform, trust_env=False) as http:
        options: Any = {"http_client": http, "base_url": "https://api.blueround.com/v1", "max_retries": 0}
        pair = TokenSet(access_token="access-0", refresh_token="refresh-0", expires_at=0.0)
        made: dict[str, Callable[[], Client]] = {
            "key": lambda: Client(api_key="rk_test_1", **options),
            "application": lambda: Client(client_id="app_1", client_secret="s3cret", **options),
            "person": lambda: Client.from_tokens(pair, client_id="app_1", client_secret="s3cret", **options),
            "public": lambda: Client.from_tokens(pair, client_id="app_1", **options),
        }
        yield made[request.param]()


def kinds(name: str) -> list[str]:
    """Return the kinds of credentials that an operation accepts."""
    oauth = DESCRIBED[name](**arguments(name, all_of_them=False)).auth == "client"
    if name == "auth_introspect":  # RFC 7662 section 2.1: by authenticated clients only
        return ["application", "person"]
    return ["application", "public"] if oauth else ["key", "application", "person", "public"]


@pytest.mark.parametrize("all_of_them", [False, True], ids=["few arguments", "all arguments"])
@pytest.mark.parametrize(
    ("name", "client"), [(name, kind) for name in DESCRIBED for kind in kinds(name)], indirect=["client"]
)
def test_a_request_follows_the_spec(client: Client, platform: Platform, name: str, *, all_of_them: bool) -> None:
    """Path, query, headers, body and credentials of each operation, with each kind of credentials."""
    before = platform.asked.total()

    with suppress(RedcoreError):  # it is refused, once it was judged
        client._execute(DESCRIBED[name](**arguments(name, all_of_them=all_of_them)))

    assert platform.asked.total() > before


@pytest.mark.parametrize("client", ["public"], indirect=True)
def test_a_request_that_would_violate_the_spec_is_not_sent(client: Client, platform: Platform) -> None:
    """Introspection needs a client secret, which public clients lack."""
    before = platform.asked.total()

    with pytest.raises(ConfigurationError, match="auth_introspect needs client_secret"):
        client.auth.introspect(token="a-token")

    assert platform.asked.total() == before
