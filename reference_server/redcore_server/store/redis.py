"""Redis: clients from a URL, for one server or a cluster.

Every command is sent once: the token scripts are not idempotent, and a script repeated after a lost answer
would look like the theft of a refresh token. So a Redis that is away is an error at once, never a wait.
"""

# redis-py leaves the keyword arguments of these constructors and `ping` untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, cast

import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from redcore_server.store.address import REDIS_VARIABLE, StoreError, without_password
from redcore_server.store.batch import Batch

AsyncRedis = redis.asyncio.Redis

_TIMEOUT_S: Final = 2.0
_CLUSTER: Final = {"redis+cluster": "redis", "rediss+cluster": "rediss"}


Argument = str | int | float


class Script(Protocol):
    """A Lua script that runs as one atomic step; its keys share a hash tag, or a cluster refuses them."""

    def __call__(self, keys: Sequence[str], args: Sequence[Argument]) -> Awaitable[Any]:
        """Run it, when the event loop is next free, and return what it returns."""
        ...


class Scripts:
    """The Lua scripts of a client; the calls of one turn of the event loop travel together, in their order.

    A script is sent to a server once and then called by its digest.
    """

    def __init__(self, client: AsyncRedis) -> None:
        """Start without scripts.

        Args:
            client: to run them with.
        """
        self._client = client
        self._sources: list[str] = []
        self._calls = Batch(self._call)

    def script(self, source: str) -> Script:
        """Return a script that can be called.

        Args:
            source: in Lua.
        """
        self._sources.append(source)
        name = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()  # what Redis calls it

        def call(keys: Sequence[str], args: Sequence[Argument]) -> Awaitable[Any]:
            return self._calls.answer(("EVALSHA", name, len(keys), *keys, *args))

        return call

    async def _call(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        answers = await self._send(commands)
        unknown = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            for source in self._sources:
                await self._client.script_load(source)
            again = await self._send([commands[index] for index in unknown])
            for index, answer in zip(unknown, again, strict=True):
                answers[index] = answer
        return answers

    async def _send(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)  # which gives its connection back


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


@asynccontextmanager
async def open_redis(url: str) -> AsyncGenerator[AsyncRedis]:
    """Yield a client whose server answers, and close it at the end.

    Args:
        url: see `async_redis`.

    Raises:
        StoreError: the server cannot be used.
    """
    client = async_redis(url)
    try:
        await check(client, url)
        yield client
    finally:
        await client.aclose()


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
