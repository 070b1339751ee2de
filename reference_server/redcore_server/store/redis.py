"""Redis: clients from a URL, for one server or a cluster.

Every command is sent once: the token scripts are not idempotent, and a script repeated after a lost answer
would look like the theft of a refresh token. So a Redis that is away is an error at once, never a wait.
"""

# redis-py leaves the keyword arguments of these constructors and `ping` untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from redcore_server.store.address import REDIS_VARIABLE, StoreError, without_password

AsyncRedis = redis.asyncio.Redis
Redis = redis.Redis

_TIMEOUT_S: Final = 2.0
_CLUSTER: Final = {"redis+cluster": "redis", "rediss+cluster": "rediss"}


Argument = str | int | float


class AsyncScript(Protocol):
    """A Lua script that runs as one atomic step; its keys share a hash tag, or a cluster refuses them."""

    async def __call__(self, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run it and return what it returns."""


class Script(Protocol):
    """The same for threads."""

    def __call__(self, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run it and return what it returns."""


def async_script(client: AsyncRedis, source: str) -> AsyncScript:
    """Return a script bound to a client; it is sent to a server once and then called by its digest.

    Args:
        client: to run it with.
        source: in Lua.
    """
    return cast("AsyncScript", client.register_script(source))


def sync_script(client: Redis, source: str) -> Script:
    """Return the same for threads.

    Args:
        client: to run it with.
        source: in Lua.
    """
    return cast("Script", client.register_script(source))


def async_redis(url: str) -> AsyncRedis:
    """Return a client for asyncio; it connects when first used.

    Args:
        url: `redis://`, `rediss://`, or either with `+cluster` for a cluster.

    Raises:
        StoreError: the URL has another form.
    """
    scheme, plain = _split(url)
    retry = AsyncRetry(NoBackoff(), 0)
    try:
        if scheme in _CLUSTER:
            # The cluster client answers every command the server uses, as the plain one does.
            return cast("AsyncRedis", redis.asyncio.RedisCluster.from_url(plain, retry=retry, **_options()))
        return redis.asyncio.Redis.from_url(plain, retry=retry, **_options())
    except ValueError:
        raise _unreadable() from None


def sync_redis(url: str) -> Redis:
    """Return a client for threads; it connects when first used (to a cluster: at once).

    Args:
        url: as for `async_redis`.

    Raises:
        StoreError: the URL has another form, or the cluster does not answer.
    """
    scheme, plain = _split(url)
    retry = Retry(NoBackoff(), 0)
    try:
        if scheme in _CLUSTER:
            return cast("Redis", redis.RedisCluster.from_url(plain, retry=retry, **_options()))
        return redis.Redis.from_url(plain, retry=retry, **_options())
    except ValueError:
        raise _unreadable() from None
    except (RedisError, RedisClusterException) as error:
        raise _unusable(url, error) from error


async def check(client: AsyncRedis, url: str) -> None:
    """Ask the server once whether it answers.

    Args:
        client: made from that URL.
        url: named in the error, without its password.

    Raises:
        StoreError: it does not.
    """
    try:
        await client.ping()
    except (RedisError, RedisClusterException) as error:
        raise _unusable(url, error) from error


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": _TIMEOUT_S,
        "socket_timeout": _TIMEOUT_S,
    }


def _split(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    return scheme, f"{_CLUSTER.get(scheme, scheme)}://{rest}"


def _unreadable() -> StoreError:
    return StoreError(f"{REDIS_VARIABLE} is not a Redis URL. Give redis://:password@host:port/0.")


def _unusable(url: str, error: Exception) -> StoreError:
    return StoreError(f"Redis at {without_password(url)} cannot be used ({error}). Check {REDIS_VARIABLE}.")
