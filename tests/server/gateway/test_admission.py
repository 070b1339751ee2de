"""A credential is checked and counted in one trip, and a revoked one is neither accepted nor counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisAway
from tests.server.support.callers import Callers, new_key
from tests.server.support.still_clock import StillClock
from tests.server.support.tenants import Client, Organisation, new_token

from redcore_server.auth.app import Auth
from redcore_server.errors import InvalidToken, ServiceUnavailable
from redcore_server.gateway.admission import Admission
from redcore_server.gateway.limits import API_KEY, Limits
from redcore_server.settings import Settings
from redcore_server.store import Stores, redis_node
from redcore_server.store.redis_node import Words

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> StillClock:
    return StillClock(int(time.time()))


@pytest.fixture
def admission(stores: Stores, auth: Auth, clock: StillClock) -> Admission:
    return Admission(auth.verifier, Limits(stores.scripts, clock, Settings()), clock)


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of scripts in each trip to Redis."""
    counted: list[int] = []
    exchange = redis_node._exchange

    async def counting(connection: AbstractConnection, commands: Sequence[Words]) -> list[Any]:
        if commands and commands[0][0] == "EVALSHA":
            counted.append(len(commands))
        return await exchange(connection, commands)

    monkeypatch.setattr(redis_node, "_exchange", counting)
    return counted


async def revoke(http: httpx.AsyncClient, client: Client, token: str) -> None:
    (await http.post("/oauth/revoke", data={"token": token}, auth=client.basic)).raise_for_status()


async def revoke_key(stores: Stores, organisation: Organisation, clock: StillClock) -> None:
    async with stores.postgres.connection() as connection:
        await connection.execute(
            "update api_keys set revoked_at = %s where organisation_id = %s", (clock.now(), organisation.id)
        )


def redis_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: AbstractConnection, __: Sequence[Words]) -> list[Any]:
        raise RedisAway

    monkeypatch.setattr(redis_node, "_exchange", away)


async def test_check_and_count_of_a_valid_token_are_one_trip(
    admission: Admission, http: httpx.AsyncClient, client: Client, clock: StillClock, trips: list[int]
) -> None:
    """From the second request of a second on; the first must be checked before its counter is known."""
    token = await new_token(http, client)
    remaining: list[int] = []
    trips.clear()

    for seconds in (0, 0, 1):
        clock.advance(seconds)
        _, verdict = await admission.check(token)
        remaining.append(verdict.remaining)

    assert trips == [1, 1, 2, 1, 1]
    assert remaining == [9, 8, 9]


async def test_a_cached_token_is_refused_once_it_is_revoked(
    admission: Admission, http: httpx.AsyncClient, client: Client
) -> None:
    """The cache admits no request by itself."""
    token = await new_token(http, client)
    await admission.check(token)

    await revoke(http, client, token)

    with pytest.raises(InvalidToken):
        await admission.check(token)


async def test_a_revoked_token_does_not_use_up_the_limit_of_its_successors(
    admission: Admission, http: httpx.AsyncClient, client: Client
) -> None:
    """In the second of its revocation one request is counted, the one that detects it; later ones are not."""
    stolen, successor = await new_token(http, client), await new_token(http, client)
    await admission.check(stolen)
    await revoke(http, client, stolen)

    for _ in range(5):
        with pytest.raises(InvalidToken):
            await admission.check(stolen)

    assert (await admission.check(successor))[1].remaining == 10 - 3


async def test_a_token_that_was_revoked_in_an_earlier_second_is_not_counted(
    admission: Admission, http: httpx.AsyncClient, client: Client, clock: StillClock
) -> None:
    """Nothing is cached into the next second."""
    stolen, successor = await new_token(http, client), await new_token(http, client)
    await admission.check(stolen)
    await revoke(http, client, stolen)
    clock.advance(1)

    with pytest.raises(InvalidToken):
        await admission.check(stolen)

    assert (await admission.check(successor))[1].remaining == 10 - 1


async def test_a_revoked_api_key_is_refused_at_once_too(
    admission: Admission, stores: Stores, organisation: Organisation, clock: StillClock
) -> None:
    """PostgreSQL is read each time, while Redis counts."""
    key = await new_key(stores, clock, organisation)
    remaining = [(await admission.check(key))[1].remaining for _ in range(2)]
    await revoke_key(stores, organisation, clock)

    with pytest.raises(InvalidToken):
        await admission.check(key)

    assert remaining == [API_KEY.per_minute - 1, API_KEY.per_minute - 2]


async def test_without_redis_a_cached_token_is_not_accepted(
    admission: Admission, http: httpx.AsyncClient, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might have been revoked since; the limit alone would let it pass (contract section 4)."""
    token = await new_token(http, client)
    await admission.check(token)

    redis_goes_away(monkeypatch)

    with pytest.raises(ServiceUnavailable):
        await admission.check(token)


async def test_without_redis_a_cached_api_key_passes_unlimited(
    admission: Admission,
    stores: Stores,
    organisation: Organisation,
    clock: StillClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Contract section 4."""
    key = await new_key(stores, clock, organisation)
    await admission.check(key)

    redis_goes_away(monkeypatch)

    assert (await admission.check(key))[1].remaining == API_KEY.per_minute


async def test_a_revoked_token_counts_for_the_clients_address(
    callers: Callers, http: httpx.AsyncClient, client: Client
) -> None:
    """Also in the second in which it was valid: the headers describe the address, not the credential."""
    token = await new_token(http, client)
    caller = await callers.bearing(token)
    good = await caller.get("/v1/users")
    await revoke(http, client, token)

    refused = await caller.get("/v1/users")

    assert [response.status_code for response in (good, refused)] == [200, 401]
    assert good.headers["X-RateLimit-Limit"] == "10"
    assert refused.headers["X-RateLimit-Limit"] == str(Settings().anonymous_per_minute)
