"""Redis clients: one server, a cluster, and a server that is down."""

# redis-py leaves the keyword arguments of its commands untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
import redis.asyncio
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from tests.server.support.tenants import Addresses

from redcore_server.store import Stores, open_stores
from redcore_server.store.address import StoreError
from redcore_server.store.redis import RedisOptions, Scripts, async_redis, check, open_redis

pytestmark = pytest.mark.anyio

ADD = "return redis.call('INCRBY', KEYS[1], ARGV[1])"


async def test_concurrent_scripts_run_in_their_order(stores: Stores) -> None:
    """They travel together, and each gets its own answer."""
    add = stores.scripts.script(ADD)

    assert await asyncio.gather(*(add(["n"], [number]) for number in (2, 3, 4))) == [2, 5, 9]
    await stores.redis.delete("n")


async def test_a_first_answer_may_come_late(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request waits for it, and a machine that starts all at once is slow."""
    ping, late = redis.asyncio.Redis.ping, iter([RedisTimeoutError("late")] * 3)

    def slow(client: redis.asyncio.Redis) -> Awaitable[bool]:
        for error in late:
            raise error
        return ping(client)

    monkeypatch.setattr(redis.asyncio.Redis, "ping", slow)

    async with open_redis(addresses.redis_url) as client:
        assert await client.ping()


async def test_a_server_that_never_answers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds, in which it is checked again and again."""
    checks: list[None] = []

    def silent(_client: redis.asyncio.Redis) -> Awaitable[bool]:
        checks.append(None)
        raise RedisTimeoutError("no answer")

    monkeypatch.setattr(redis.asyncio.Redis, "ping", silent)

    with pytest.raises(StoreError, match="no answer"):
        async with open_redis("redis://127.0.0.1:1"):
            pytest.fail("it was opened")
    assert len(checks) == 20


async def test_a_script_that_fails_fails_alone(stores: Stores) -> None:
    """Its error is for its caller; concurrent callers have their answers."""
    add, fail = stores.scripts.script(ADD), stores.scripts.script("return redis.error_reply('ERR no')")

    answers = await asyncio.gather(add(["n"], [2]), fail([], []), add(["n"], [3]), return_exceptions=True)
    await stores.redis.delete("n")

    assert (answers[0], answers[2]) == (2, 5)
    assert isinstance(answers[1], ResponseError)


async def test_scripts_unknown_to_redis_are_sent_again(stores: Stores) -> None:
    """A restarted Redis has no scripts; the caller does not notice, and nothing runs twice."""
    add = stores.scripts.script(ADD)
    await add(["n"], [2])
    await stores.redis.script_flush()

    assert await add(["n"], [3]) == 5
    await stores.redis.delete("n")


async def test_a_trip_that_takes_too_long_is_an_error(stores: Stores) -> None:
    """All its answers together have one deadline, and a late answer is read by no other caller."""
    hasty = Scripts(stores.redis, answer_s=0.05)
    add, echo = hasty.script(ADD), hasty.script("return ARGV[1]")
    await stores.redis.client_pause(10_000, all=False)

    answers = await asyncio.gather(echo([], ["1"]), add(["n"], [2]), return_exceptions=True)
    await stores.redis.client_unpause()

    assert [type(answer) for answer in answers] == [RedisTimeoutError] * 2
    assert await stores.scripts.script("return ARGV[1]")([], ["3"]) == "3"
    await stores.redis.delete("n")


async def test_scripts_have_the_time_that_their_client_has(stores: Stores, addresses: Addresses) -> None:
    """`REDCORE_SERVER_REDIS_MILLISECONDS` holds for them too: here Redis pauses for longer than the default."""
    patient = async_redis(addresses.redis_url, RedisOptions(answer_s=60.0))
    echo = Scripts(patient).script("return ARGV[1]")
    await echo([], ["connected"])
    await stores.redis.client_pause(1100, all=True)

    assert await echo([], ["1"]) == "1"

    await patient.aclose()


async def test_redis_away_is_an_error_that_names_the_setting() -> None:
    """The message says which Redis and which variable, without the password."""
    client = async_redis("redis://:canary@127.0.0.1:1/0")

    with pytest.raises(StoreError) as caught:
        await check(client, "redis://:canary@127.0.0.1:1/0")

    assert str(caught.value).startswith("Redis at 127.0.0.1:1/0 cannot be used")
    assert str(caught.value).endswith("Check REDCORE_SERVER_REDIS_URL.")
    assert "canary" not in str(caught.value)
    await client.aclose()


async def test_wrong_redis_password_is_not_repeated(addresses: Addresses) -> None:
    """The error says which store refuses, without the password."""
    url = addresses.redis_url.partition("@")[2]

    with pytest.raises(StoreError, match="REDCORE_SERVER_REDIS_URL") as caught:
        async with open_stores(addresses.database_url, f"redis://:canary@{url}"):
            pass

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://:canary@127.0.0.1", "canary"])
async def test_other_urls_are_refused(url: str) -> None:
    """An invalid Redis URL is refused before anything is opened."""
    with pytest.raises(StoreError, match="REDCORE_SERVER_REDIS_URL is not a Redis URL") as caught:
        async_redis(url)
    assert "canary" not in str(caught.value)


async def test_cluster_url_needs_a_cluster(addresses: Addresses) -> None:
    """The error says that a single server is not a cluster."""
    url = addresses.redis_url.replace("redis://", "redis+cluster://")

    with pytest.raises(StoreError, match=r"Redis at .* cannot be used .*[Cc]luster"):
        async with open_stores(addresses.database_url, url):
            pass
