"""Redis clients: one server, a cluster, and a server that is away."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.tenants import Addresses

from redcore_server.store import open_stores
from redcore_server.store.address import StoreError
from redcore_server.store.redis import async_redis, async_script, check, sync_redis, sync_script

pytestmark = pytest.mark.anyio

ADD = "return redis.call('INCRBY', KEYS[1], ARGV[1])"


async def test_scripts_run_in_both_colours(addresses: Addresses) -> None:
    """The same script is one atomic step for asyncio and for threads."""
    asynchronous, synchronous = async_redis(addresses.redis_url), sync_redis(addresses.redis_url)

    results = [await async_script(asynchronous, ADD)(["n"], [2]), sync_script(synchronous, ADD)(["n"], [3])]
    synchronous.delete("n")

    assert results == [2, 5]
    await asynchronous.aclose()
    synchronous.close()


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
    """Opening the stores tells which one refuses, not with what."""
    url = addresses.redis_url.partition("@")[2]

    with pytest.raises(StoreError, match="REDCORE_SERVER_REDIS_URL") as caught:
        async with open_stores(addresses.database_url, f"redis://:canary@{url}"):
            pass

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://:canary@127.0.0.1", "canary"])
async def test_other_urls_are_refused(url: str) -> None:
    """What is no Redis URL is refused before anything is opened, in both colours."""
    for make in (async_redis, sync_redis):
        with pytest.raises(StoreError, match="REDCORE_SERVER_REDIS_URL is not a Redis URL") as caught:
            make(url)
        assert "canary" not in str(caught.value)


async def test_cluster_url_needs_a_cluster(addresses: Addresses) -> None:
    """A single server is no cluster, and the error says so."""
    url = addresses.redis_url.replace("redis://", "redis+cluster://")

    with pytest.raises(StoreError, match=r"Redis at .* cannot be used .*[Cc]luster"):
        await asyncio.to_thread(sync_redis, url)
    with pytest.raises(StoreError, match=r"Redis at .* cannot be used .*[Cc]luster"):
        async with open_stores(addresses.database_url, url):
            pass
