"""The same tokens on a Redis cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import pytest
from tests.server.support.authorizing import signed_in
from tests.server.support.devices import start
from tests.server.support.nodes import BUSY_MACHINE, node
from tests.server.support.redis_cluster import cluster_in
from tests.server.support.still_clock import StillClock
from tests.server.support.tenants import ISSUER, Addresses, Client, Organisation

from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken
from redcore_server.gateway.admission import Admission
from redcore_server.gateway.limits import Limits
from redcore_server.settings import Settings
from redcore_server.store import open_stores

pytestmark = pytest.mark.anyio


@pytest.fixture
def cluster_url(tmp_path: Path) -> Iterator[str]:
    with cluster_in(tmp_path) as url:
        yield url


@pytest.fixture
def clock() -> StillClock:
    return StillClock(int(time.time()))


async def test_tokens_live_and_die_on_a_cluster(
    addresses: Addresses, cluster_url: str, client: Client, organisation: Organisation, clock: StillClock
) -> None:
    """Issue, verify, count, refresh, reuse, revoke by token, by user: every step uses one slot at a time."""
    issue = {"grant_type": "client_credentials"}
    async with (
        open_stores(addresses.database_url, cluster_url, BUSY_MACHINE) as stores,
        node(addresses, stores, clock) as auth,
        httpx.AsyncClient(transport=httpx.ASGITransport(auth.app), base_url=ISSUER, auth=client.basic) as http,
    ):
        first = (await http.post("/oauth/token", data=issue)).json()
        refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = (await http.post("/oauth/token", data=refresh)).json()
        await auth.verifier.verify(second["access_token"])
        admission = Admission(auth.verifier, Limits(stores.scripts, clock, Settings()), clock)
        assert [(await admission.check(second["access_token"]))[1].remaining for _ in range(2)] == [9, 8]

        assert (await http.post("/oauth/token", data=refresh)).json()["error"] == "invalid_grant"
        with pytest.raises(InvalidToken):
            await auth.verifier.verify(second["access_token"])

        third = (await http.post("/oauth/token", data=issue)).json()
        await http.post("/oauth/revoke", data={"token": third["access_token"]})
        await http.post("/oauth/revoke", data={"token": third["refresh_token"]})
        fourth = (await http.post("/oauth/token", data=issue)).json()
        assert await auth.revocation.revoke_user(organisation.owner_id) == 3
        for token in (third, fourth):
            with pytest.raises(InvalidToken):
                await auth.verifier.verify(token["access_token"])


async def test_device_logins_on_a_cluster(
    addresses: Addresses, cluster_url: str, client: Client, organisation: Organisation, clock: Clock
) -> None:
    """Start, guess wrong, approve, fetch, and expire an approval that was not fetched."""
    async with (
        open_stores(addresses.database_url, cluster_url, BUSY_MACHINE) as stores,
        node(attrs.evolve(addresses, redis_url=cluster_url), stores, clock) as auth,
        httpx.AsyncClient(transport=httpx.ASGITransport(auth.app), base_url=ISSUER) as http,
    ):
        browser = await signed_in(http, stores, clock, organisation.owner_id)
        fetched, left = await start(http, client), await start(http, client)
        assert (await browser.get("/oauth/device", user_code="wrong")).status_code == 400
        for login in (fetched, left):
            assert (await login.decide(browser, "allow")).status_code == 200

        assert [await fetched.outcome() for _ in range(2)] == ["tokens", "invalid_grant"]
        await auth.revocation.revoke_user(organisation.owner_id)
        assert await left.outcome() == "invalid_grant"
