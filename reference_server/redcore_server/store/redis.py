"""Redis: clients from a URL, for one server or a cluster, and scripts to run with them.

Every command is sent once: the token scripts are not idempotent, and a script repeated after a lost answer
would look like the theft of a refresh token. So a Redis that is away is an error at once, never a wait.
"""

# redis-py leaves the keyword arguments of these constructors and `ping` untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, cast

import hiredis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisClusterException, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from redcore_server.store.address import REDIS_VARIABLE, StoreError, without_password
from redcore_server.store.batch import Batch

AsyncRedis = redis.asyncio.Redis

_TIMEOUT_S: Final = 2.0
_CLUSTER: Final = {"redis+cluster": "redis", "rediss+cluster": "rediss"}

Argument = str | int | float
Command = tuple[Argument, ...]

_pack = cast("Callable[[Command], bytes]", hiredis.pack_command)  # its types know commands of one word only


class Script(Protocol):
    """A Lua script that runs as one atomic step; its keys share a hash tag, or a cluster refuses them."""

    def __call__(self, keys: Sequence[str], args: Sequence[Argument]) -> Awaitable[Any]:
        """Ask for it to be run, and return the answer to come."""
        ...


class Scripts:
    """The Lua scripts of a client; calls that come up while others are under way travel together, in their order.

    A script is sent to a server once and then called by its digest.
    """

    def __init__(self, client: AsyncRedis) -> None:
        """Start without scripts.

        Args:
            client: to run them with.
        """
        self._client: AsyncRedis | redis.asyncio.RedisCluster = client
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

    async def _call(self, commands: Sequence[Command]) -> list[Any]:
        answers = await self._send(commands)
        unknown = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            for source in self._sources:
                await self._client.script_load(source)
            again = await self._send([commands[index] for index in unknown])
            for index, answer in zip(unknown, again, strict=True):
                answers[index] = answer
        return answers

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        if isinstance(self._client, redis.asyncio.RedisCluster):
            return await _send_to_cluster(self._client, commands)
        return await _send_to_server(self._client, commands)


async def _send_to_server(client: AsyncRedis, commands: Sequence[Command]) -> list[Any]:
    """Return the answers, errors of single commands among them; together they have one deadline.

    A pipeline of redis-py costs three times as much: it packs in Python, and sets a timeout for each answer.
    """
    pool = client.connection_pool
    connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call]
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await connection.send_packed_command(b"".join(map(_pack, commands)))
            return [await _answer(connection) for _ in commands]
    except TimeoutError:
        raise RedisTimeoutError("no answer in time") from None
    finally:
        await pool.release(connection)  # which has been closed if an answer was left unread


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response(timeout=math.inf)  # pyright: ignore[reportUnknownVariableType]
    except ResponseError as error:
        return error


async def _send_to_cluster(client: redis.asyncio.RedisCluster, commands: Sequence[Command]) -> list[Any]:
    """Return the same from the nodes that have the keys."""
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    return await pipeline.execute(raise_on_error=False)  # which gives its connections back


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
