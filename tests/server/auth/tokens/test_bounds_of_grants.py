"""What an application makes Redis keep is bounded, however often it asks for tokens or refreshes them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.server.support.tenants import Client, Organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.tokens import grant_store, redis_keys
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

MOST = 3


@pytest.fixture(autouse=True)
def most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grant_store, "MOST", MOST)


async def tokens(http: httpx.AsyncClient, client: Client, **form: str) -> dict[str, Any]:
    answer = await http.post("/oauth/token", data=form or {"grant_type": "client_credentials"}, auth=client.basic)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def refreshed(http: httpx.AsyncClient, client: Client, pair: dict[str, Any]) -> dict[str, Any]:
    return await tokens(http, client, grant_type="refresh_token", refresh_token=pair["refresh_token"])


async def test_the_longest_unused_grants_of_an_application_for_itself_end(
    auth: Auth, http: httpx.AsyncClient, client: Client, organisation: Organisation, clock: Clock
) -> None:
    """A program that asks for a token for each call; one that refreshes meanwhile keeps its grant."""
    pairs: list[dict[str, Any]] = []
    for _ in range(MOST):
        pairs.append(await tokens(http, client))
        clock.advance(1)
    pairs[0] = await refreshed(http, client, pairs[0])
    clock.advance(1)

    last = await tokens(http, client)

    with pytest.raises(InvalidToken):
        await auth.verifier.verify(pairs[1]["access_token"])
    for pair in (pairs[0], pairs[2], last):
        await auth.verifier.verify(pair["access_token"])
    assert await auth.revocation.revoke_user(organisation.owner_id) == MOST


async def test_the_newest_used_refresh_tokens_of_a_grant_are_remembered(
    auth: Auth, http: httpx.AsyncClient, client: Client, stores: Stores, clock: Clock
) -> None:
    """An older one is refused without further effect; the reuse of a newer one still ends the family."""
    pairs = [await tokens(http, client)]
    for _ in range(MOST + 1):
        pairs.append(await refreshed(http, client, pairs[-1]))
        clock.advance(1)
    dead = redis_keys.dead(pairs[0]["refresh_token"].partition(".")[0])

    async def reuse(pair: dict[str, Any]) -> int:
        form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
        return (await http.post("/oauth/token", data=form, auth=client.basic)).status_code

    assert await stores.redis.zcard(dead) == MOST
    assert await reuse(pairs[0]) == 400
    await auth.verifier.verify(pairs[-1]["access_token"])
    assert await reuse(pairs[1]) == 400
    with pytest.raises(InvalidToken):
        await auth.verifier.verify(pairs[-1]["access_token"])
