"""Caches in Redis: real servers, a single one and a cluster, through every kind of client."""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

import attrs
import pytest
import redis
import redis.asyncio
from anyio.from_thread import BlockingPortal
from cryptography.fernet import Fernet
from tests.client.colours import Colour
from tests.client.loopback import Loopback
from tests.client.test_single_flight_over_the_wire import Rotating

from redcore import AsyncClient
from redcore.exceptions import ConfigurationError, TokenCacheError
from redcore.tokens import AsyncRedisCache, AsyncSharedTokenCache, RedisCache, SharedTokenCache, TokenSet

PAIR = TokenSet(
    access_token="access-canary", refresh_token="refresh-canary", expires_at=5.5, scope="ä b", issued_at=1.5
)
NEWER = TokenSet(access_token="access-newer", refresh_token="refresh-newer")
LEASE_S = 30.0
KEPT_MS = 30 * 24 * 3600 * 1000
UNREACHABLE = "redis://:canary@127.0.0.1:9"  # the port of the discard service, where nothing runs
KEY = Fernet.generate_key()

Raw: TypeAlias = "redis.Redis | redis.RedisCluster"


@attrs.frozen
class Store:
    """A store as a test sees it: caches on it, called as if they blocked, and its content."""

    raw: Any
    make: Callable[..., Any]
    call: Callable[..., Any]


@pytest.fixture(params=["url", "given", "decoding", "cluster", "given cluster", "asyncio", "asyncio cluster"])
def store(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Iterator[Store]:
    name: str = request.param
    url: str = request.getfixturevalue("redis_cluster_url" if "cluster" in name else "redis_url")
    plain = f"redis://{url.rpartition(',')[2]}" if "cluster" in name else url
    with (redis.RedisCluster if "cluster" in name else redis.Redis).from_url(plain) as raw:
        raw.flushall()
        if "asyncio" not in name:
            decoding = redis.Redis.from_url(plain, decode_responses=True)
            given = {"given": raw, "given cluster": raw, "decoding": decoding}.get(name, url)
            yield Store(raw, partial(RedisCache, given), lambda function, *args: function(*args))
            decoding.close()
            return
        later = (redis.asyncio.RedisCluster if "cluster" in name else redis.asyncio.Redis).from_url(plain)
        call = portals["asyncio"].call
        yield Store(raw, partial(AsyncRedisCache, later), call)
        call(later.aclose)


def test_stored_tokens_are_found_by_another_cache(store: Store) -> None:
    """Each key is separate, in another object."""
    first, other = store.make(), store.make()
    store.call(first.set, "one", PAIR)
    store.call(first.set, "two", NEWER)

    assert [store.call(other.get, key) for key in ("one", "two", "three")] == [PAIR, NEWER, None]


def test_deleted_tokens_are_gone(store: Store) -> None:
    """Deleting twice is fine; the other keys stay."""
    cache = store.make()
    store.call(cache.set, "one", PAIR)
    store.call(cache.set, "two", PAIR)

    store.call(cache.delete, "one")
    store.call(cache.delete, "one")

    assert [store.call(cache.get, key) for key in ("one", "two")] == [None, PAIR]


def test_the_lock_is_shared(store: Store) -> None:
    """The lock has one holder until it is released; each key has its own."""
    first, other = store.make(), store.make()

    assert store.call(first.try_lock, "one", LEASE_S)
    assert not store.call(other.try_lock, "one", LEASE_S)
    assert store.call(other.try_lock, "two", LEASE_S)
    store.call(other.unlock, "one")  # not its own
    assert not store.call(other.try_lock, "one", LEASE_S)

    store.call(first.unlock, "one")
    assert store.call(other.try_lock, "one", LEASE_S)


def test_a_lock_expires_with_its_lease(store: Store) -> None:
    """A holder that was killed no longer blocks the others."""
    store.call(store.make().try_lock, "one", LEASE_S)

    assert 0 < store.raw.pttl("redcore:{one}:lock") <= LEASE_S * 1000


def lose_the_lock(store: Store) -> Any:
    """Make a cache whose lease has expired, and whose lock another took and released."""
    slow, other = store.make(), store.make()
    store.call(slow.try_lock, "one", LEASE_S)
    store.raw.delete("redcore:{one}:lock")  # what Redis does when the lease expires
    store.call(other.try_lock, "one", LEASE_S)
    store.call(other.set, "one", NEWER)
    store.call(other.unlock, "one")
    return slow


def test_a_lost_lock_overwrites_no_newer_pair(store: Store) -> None:
    """A refresh that outlived its lease leaves a newer pair alone."""
    slow = lose_the_lock(store)

    store.call(slow.set, "one", PAIR)

    assert store.call(slow.get, "one") == NEWER


def test_a_lost_lock_is_not_released_for_its_new_holder(store: Store) -> None:
    """The new holder keeps the lock."""
    slow, third = lose_the_lock(store), store.make()
    store.call(third.try_lock, "one", LEASE_S)

    store.call(slow.unlock, "one")

    assert store.raw.exists("redcore:{one}:lock")


def test_an_expired_lease_without_a_new_holder_loses_nothing(store: Store) -> None:
    """The new pair is stored, late as it is, if no other process began to refresh."""
    slow = store.make()
    store.call(slow.try_lock, "one", LEASE_S)
    store.raw.delete("redcore:{one}:lock")

    store.call(slow.set, "one", PAIR)

    assert store.call(slow.get, "one") == PAIR


def test_entries_expire(store: Store) -> None:
    """An entry with a refresh token expires 30 days after it was stored; the traces of a lock expire too."""
    cache = store.make()
    store.call(cache.try_lock, "one", LEASE_S)
    assert KEPT_MS - 60_000 < store.raw.pttl("redcore:{one}") <= KEPT_MS

    store.raw.pexpire("redcore:{one}", 5)
    store.call(cache.set, "one", PAIR)

    assert KEPT_MS - 60_000 < store.raw.pttl("redcore:{one}") <= KEPT_MS


def test_an_access_token_alone_expires(store: Store) -> None:
    """A token that cannot be refreshed is kept as long as it is valid."""
    cache = store.make()
    cache._entries = attrs.evolve(cache._entries, now=lambda: 1000.0)

    store.call(cache.set, "one", TokenSet(access_token="a", expires_at=1060.0))

    assert 55_000 < store.raw.pttl("redcore:{one}") <= 60_000


def test_the_store_sees_no_token(store: Store) -> None:
    """With a key nothing in Redis shows a token, and the key decrypts it."""
    cache = store.make(encryption_key=KEY, prefix="own:")

    store.call(cache.set, "one", PAIR)

    kept = store.raw.hgetall("own:{one}")
    assert b"canary" not in b"".join(kept.values())
    assert store.call(cache.get, "one") == PAIR


def test_keys_can_be_changed(store: Store) -> None:
    """The new key first, the old one after it: stored tokens can still be read."""
    new = Fernet.generate_key()
    store.call(store.make(encryption_key=KEY).set, "one", PAIR)

    assert store.call(store.make(encryption_key=(new, KEY)).get, "one") == PAIR


@pytest.mark.parametrize("key", [None, KEY], ids=["no key", "another key"])
def test_another_key_is_an_error_that_says_what_to_do(store: Store, key: bytes | None) -> None:
    """Also for a value stored without a key, as another program may have written it."""
    store.call(store.make(encryption_key=key).set, "one", PAIR)
    cache = store.make(encryption_key=Fernet.generate_key())

    with pytest.raises(TokenCacheError, match="cannot be decrypted with encryption_key; give all processes the same"):
        store.call(cache.get, "one")


def test_entries_cannot_be_swapped(store: Store) -> None:
    """An encrypted entry copied to another key is not accepted."""
    cache = store.make(encryption_key=KEY)
    store.call(cache.set, "one", PAIR)
    store.raw.hset("redcore:{two}", "tokens", store.raw.hget("redcore:{one}", "tokens"))

    with pytest.raises(TokenCacheError, match="belongs to another entry"):
        store.call(cache.get, "two")


def test_errors_of_redis_are_not_quoted(store: Store) -> None:
    """Redis repeats commands that it refuses, with tokens; the error does not."""
    cache = store.make()
    store.raw.set("redcore:{one}", "a string, no hash")

    with pytest.raises(TokenCacheError, match=r"cannot be used \(ResponseError\); see that it runs") as caught:
        store.call(cache.set, "one", PAIR)

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_down_redis_is_bridged_with_one_warning(call: Colour, make: Any, server: Loopback) -> None:
    """Calls continue with tokens in memory, and the warning has the address of Redis, not the password."""
    server.answer = Rotating()
    cache = RedisCache(UNREACHABLE)
    client = make(client_id="app_1", refresh_token="refresh-1", token_cache=cache)

    with pytest.warns(RuntimeWarning, match=r"Redis at 127\.0\.0\.1:9 cannot be used \(ConnectionError\)") as warned:
        call(client.users.get, "usr_1")
    call(client.users.get, "usr_1")

    assert len(warned) == 1
    assert "canary" not in str(warned[0].message)


def test_a_down_redis_is_an_error_if_strict(call: Colour, make: Any, server: Loopback) -> None:
    """The call fails before anything is sent."""
    server.answer = Rotating()
    client = make(client_id="app_1", refresh_token="refresh-1", token_cache=RedisCache(UNREACHABLE, strict=True))

    with pytest.raises(TokenCacheError, match=r"Redis at 127\.0\.0\.1:9 cannot be used"):
        call(client.users.get, "usr_1")

    assert server.asked("/oauth/token") == []


def test_a_down_cluster_is_an_error_too() -> None:
    """The connection is made at first use, not when the cache is made."""
    cache = RedisCache(UNREACHABLE.replace("redis", "redis+cluster"))

    with pytest.raises(TokenCacheError, match=r"127\.0\.0\.1:9 cannot be used"):
        cache.get("one")


@pytest.mark.parametrize(("scheme", "first_byte"), [("redis", b"*"), ("rediss", b"\x16")], ids=["plain", "tls"])
def test_a_cluster_url_names_several_nodes(scheme: str, first_byte: bytes) -> None:
    """A node that is down is skipped, and TLS is used for each of them."""
    heard: list[bytes] = []

    def listen(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    heard.append(connection.recv(1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
        cache = RedisCache(f"{scheme}+cluster://127.0.0.1:9,127.0.0.1:{listener.getsockname()[1]},127.0.0.1:9")

        with pytest.raises(TokenCacheError, match=r"Redis at 127\.0\.0\.1:9, 127\.0\.0\.1:\d+, 127\.0\.0\.1:9 cannot"):
            cache.get("one")

    assert heard[0] == first_byte


def test_both_colours_share_a_url(call: Colour, make: Any, server: Loopback, redis_url: str) -> None:
    """Whichever refreshes first, the other finds the pair; trio too."""
    server.answer = Rotating()
    prefix = f"{call.name}:"
    options = {"client_id": "app_1", "refresh_token": "refresh-1"}

    for _ in range(2):
        client = make(token_cache=RedisCache(redis_url, prefix=prefix, strict=True), **options)
        call(client.users.get, "usr_1")

    assert len(server.asked("/oauth/token")) == 1


def test_one_url_in_two_event_loops(server: Loopback, redis_url: str) -> None:
    """A cache that was used in one loop works in the next."""
    server.answer = Rotating()
    cache = RedisCache(redis_url, prefix="loops:", strict=True)

    async def one_call() -> None:
        async with AsyncClient(
            base_url=server.base_url, client_id="app_1", refresh_token="refresh-1", token_cache=cache
        ) as client:
            await client.users.get("usr_1")

    asyncio.run(one_call())
    asyncio.run(one_call())

    assert len(server.asked("/oauth/token")) == 1


def test_a_client_of_asyncio_serves_a_client(server: Loopback, redis_url: str) -> None:
    """Without any thread, in its own loop."""
    server.answer = Rotating()

    async def calls() -> None:
        async with redis.asyncio.Redis.from_url(redis_url) as given:
            for _ in range(2):
                cache = AsyncRedisCache(given, prefix="asyncio:", strict=True)
                async with AsyncClient(
                    base_url=server.base_url, client_id="app_1", refresh_token="refresh-1", token_cache=cache
                ) as client:
                    await asyncio.gather(*(client.users.get("usr_1") for _ in range(20)))

    asyncio.run(calls())

    assert len(server.asked("/oauth/token")) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows cannot fork")
@pytest.mark.parametrize("url", ["redis_url", "redis_cluster_url"])
def test_a_forked_child_has_its_own_connections(request: pytest.FixtureRequest, url: str) -> None:
    """Parent and child continue, neither reading the other's answers."""
    cache = RedisCache(request.getfixturevalue(url), prefix="fork:", strict=True)
    cache.set("one", PAIR)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about forking with other threads, which is intended
        child = os.fork()
    if child == 0:
        good = [cache.get("one") == PAIR for _ in range(50)]
        os._exit(0 if all(good) else 1)
    good = [cache.get("two") is None for _ in range(50)]

    assert os.waitpid(child, 0)[1] == 0
    assert all(good)


def test_a_client_of_the_other_colour_is_refused() -> None:
    """At once, with the class to use."""
    with pytest.raises(ConfigurationError, match="give this one to AsyncRedisCache"):
        RedisCache(redis.asyncio.Redis())
    with pytest.raises(ConfigurationError, match="give this one to RedisCache"):
        AsyncRedisCache(redis.Redis())


def test_the_repr_of_a_redis_cache() -> None:
    """The address, and neither password nor key."""
    assert repr(RedisCache("redis://u:canary@h:1?password=canary", encryption_key=KEY)) == "RedisCache('h:1')"
    assert repr(RedisCache(redis.Redis(password="canary"))) == "RedisCache('the given Redis')"
    assert repr(AsyncRedisCache(redis.asyncio.Redis())) == "AsyncRedisCache('the given Redis')"


def test_no_pickle_holds_its_secrets() -> None:
    """Password and key stay in the process."""
    with pytest.raises(ConfigurationError, match="make the RedisCache where it is needed"):
        pickle.dumps(RedisCache("redis://:canary@h:1"))


def test_the_protocols() -> None:
    """Both are caches that processes share."""
    assert isinstance(RedisCache(redis.Redis()), SharedTokenCache)
    assert isinstance(AsyncRedisCache(redis.asyncio.Redis()), AsyncSharedTokenCache)
