"""No secret is in any log line, message or repr, whatever succeeds or fails."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from urllib.parse import urlsplit

import attrs
import httpx
import pytest
import structlog
from tests.server.support.nodes import node
from tests.server.support.tenants import ISSUER, Addresses, Client

from redcore_server.auth.app import Auth
from redcore_server.auth.tokens.grant_store import GrantStore
from redcore_server.clock import Clock
from redcore_server.errors import ApiError
from redcore_server.store import Stores
from redcore_server.store.redis import async_redis

pytestmark = pytest.mark.anyio


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collect every line that any logger writes, at the finest level."""
    collected: list[str] = []
    caplog.set_level(logging.DEBUG)

    def collect(_logger: object, _name: str, event: structlog.typing.EventDict) -> str:
        error = event.pop("exc_info", None)
        trace = "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""
        collected.append(f"{event} {trace}")
        raise structlog.DropEvent

    with structlog.testing.capture_logs(processors=[collect]):
        yield collected
    collected.extend(record.getMessage() for record in caplog.records)


async def test_no_secret_reaches_a_log_or_an_error(
    auth: Auth, http: httpx.AsyncClient, client: Client, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Issue, refresh, reuse, revoke, introspect and fail: the canaries are nowhere."""
    form = {"grant_type": "client_credentials"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    second = (await http.post("/oauth/token", data=refresh, auth=client.basic)).json()
    spoken = [
        await http.post("/oauth/token", data=refresh, auth=client.basic),
        await http.post("/oauth/token", data={**refresh, "scope": "admin"}, auth=client.basic),
        await http.post("/oauth/token", data=form, auth=(client.id, "canary-secret")),
        await http.post("/oauth/token", data={**form, "client_secret": client.secret}, auth=client.basic),
        await http.post("/oauth/introspect", data={"token": token["access_token"]}, auth=client.basic),
        await http.post("/oauth/revoke", data={"token": second["refresh_token"]}, auth=client.basic),
    ]
    errors: list[str] = []
    for bearer in (token["access_token"], token["access_token"] + "x", "rk_live_canary-key", "canary-token"):
        with pytest.raises(ApiError) as caught:
            await auth.verifier.verify(bearer)
        errors.append("".join(traceback.format_exception(caught.value)))

    secrets = [client.secret, "canary"]
    for pair in (token, second):
        secrets += [pair["access_token"].rpartition(".")[2], pair["refresh_token"].partition(".")[2]]
    said = [response.text for response in spoken] + errors + lines
    said += [record.getMessage() for record in caplog.records] + [repr(auth)]
    assert not logging.getLogger("authlib").isEnabledFor(logging.DEBUG)  # where it logs token responses
    assert any("family revoked" in line for line in lines)
    for secret in secrets:
        assert [text for text in said if secret in text] == []


async def test_redis_away_is_503_without_its_password(
    stores: Stores, addresses: Addresses, client: Client, clock: Clock, lines: list[str]
) -> None:
    """Without Redis tokens are neither issued nor described; the log has no password."""
    service = node(addresses, attrs.evolve(stores, redis=async_redis("redis://:canary@127.0.0.1:1/0")), clock)
    async with service as auth:
        transport = httpx.ASGITransport(auth.app)
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER, auth=client.basic) as http:
            answers = [
                await http.post("/oauth/token", data={"grant_type": "client_credentials"}),
                await http.post("/oauth/revoke", data={"token": "grt_x.y"}),
                await http.post("/oauth/introspect", data={"token": "grt_x.y"}),
            ]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert {answer.json()["error"] for answer in answers} == {"temporarily_unavailable"}
    assert len(lines) >= 3
    assert [line for line in lines if "canary" in line] == []


async def test_records_hide_their_secrets(
    auth: Auth, stores: Stores, addresses: Addresses, http: httpx.AsyncClient, client: Client
) -> None:
    """The reprs of the service's objects contain no digest, no key and no password."""
    form = {"grant_type": "client_credentials"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()

    grant = await GrantStore(stores).of(token["refresh_token"])

    assert grant is not None
    assert grant.refresh in attrs.asdict(grant).values()
    assert grant.refresh not in repr(grant)
    for url in (addresses.redis_url, addresses.database_url):
        assert str(urlsplit(url).password) not in repr(auth)
