"""Redis: clients from a URL, for one server or a cluster, and scripts to run with them.

Every command is sent once: the token scripts are not idempotent, and a script repeated after a lost answer would look
like the theft of a refresh token. So an unavailable Redis is an immediate error, never a wait.
"""

# redis-py leaves the keyword arguments of these constructors and `ping` untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import attrs
import redis.asyncio
import redis.exceptions
from redis.asyncio.connection import BlockingConnectionPool, Connection, parse_url
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError
from redis.maint_notifications import MaintNotificationsConfig

from redcore_server.settings.values import hosts_of
from redcore_server.store.address import REDIS_VARIABLE, EmbeddedUrl, StoreError, without_password
from redcore_server.store.redis_cluster import Address, Cluster, ClusterRedis
from redcore_server.store.redis_node import ANSWER_S, Argument, AsyncRedis, Command, Node

__all__ = ["Argument", "AsyncRedis", "RedisOptions", "Script", "Scripts", "async_redis", "check", "open_redis"]

_CLUSTER: Final = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
_PORT: Final = 6379  # Redis's own
_CONNECT_SHARE: Final = 0.5  # fraction of the time for an answer; connecting within one network takes a millisecond
_FIRST_CHECKS: Final = 20  # with the default time-outs, ten seconds: a machine that starts all at once is slow


@attrs.frozen(kw_only=True)
class RedisOptions:
    """How a process uses Redis.

    Attributes:
        connections: Maximum number of connections to each server.
        answer_s: Timeout in seconds for an answer; connecting may take half of it.
    """

    connections: int = 20
    answer_s: float = ANSWER_S


class Script(Protocol):
    """A Lua script that runs as one atomic step; its keys must share a hash tag, or a cluster rejects them."""

    def __call__(self, keys: Sequence[str], args: Sequence[Argument]) -> Awaitable[Any]:
        """Start the script, and return a future of its answer."""
        ...


class _Servers(Protocol):
    """A Redis server or a cluster."""

    def ask(self, key: str | None, command: Command) -> Awaitable[Any]: ...

    async def confirm(self, fences: Iterable[str]) -> None: ...


class Scripts:
    """The Lua scripts of a client; calls made while others are running share a round trip, in order.

    A script is called by its digest; a server without it gets its source once.
    """

    def __init__(self, client: AsyncRedis, *, answer_s: float | None = None) -> None:
        """Start without scripts.

        Args:
            client: Client that runs the scripts, as `async_redis` returns it.
            answer_s: Timeout in seconds for the answers of one round trip; None is that of the client. A cluster client
                has its own.
        """
        self._servers: _Servers
        if isinstance(client, ClusterRedis):
            self._servers = client.topology
        else:
            of_client: float = client.connection_pool.connection_kwargs["socket_timeout"]
            self._servers = _OneServer(Node(client, answer_s=of_client if answer_s is None else answer_s))

    def script(self, source: str) -> Script:
        """Return a callable script.

        Args:
            source: Lua source.
        """
        name = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()  # what Redis calls it

        def call(keys: Sequence[str], args: Sequence[Argument]) -> Awaitable[Any]:
            command = Command(("EVALSHA", name, len(keys), *keys, *args), source)
            return self._servers.ask(keys[0] if keys else None, command)

        return call

    async def replicated(self, keys: Iterable[str]) -> None:
        """Wait until the writes to these keys so far would survive the loss of a master.

        Without a replica it returns at once.

        Args:
            keys: Keys written before, by any client.

        Raises:
            NotReplicated: A replica did not confirm in time.
        """
        await self._servers.confirm(f"fence:{{{_hash_tag(key)}}}" for key in keys)


@attrs.frozen
class _OneServer:
    node: Node

    def ask(self, key: str | None, command: Command) -> Awaitable[Any]:
        del key
        return self.node.ask(command)

    async def confirm(self, fences: Iterable[str]) -> None:
        fence = next(iter(fences), None)
        if fence is not None:
            await self.node.confirm(fence)


def async_redis(url: str, options: RedisOptions | None = None) -> AsyncRedis:
    """Return an asyncio client; it connects on first use.

    Args:
        url: `redis://`, `rediss://`, or either with `+cluster` and the addresses of one or several nodes.
        options: Redis options of this process.

    Raises:
        StoreError: The URL is not valid.
    """
    options = options or RedisOptions()
    scheme, _, rest = url.partition("://")
    try:
        if scheme in _CLUSTER:
            return _cluster(f"{_CLUSTER[scheme]}://{rest}", options)
        address: dict[str, Any] = {**parse_url(url)}
        if isinstance(url, EmbeddedUrl):
            address |= {"connection_class": _EmbeddedConnection, "url": url}
        return redis.asyncio.Redis.from_pool(_pool(address, options))
    except ValueError:
        raise _unreadable() from None


class _EmbeddedConnection(Connection):
    """A connection to an embedded Redis, on the port that it has at that moment."""

    def __init__(self, *, url: EmbeddedUrl, **options: Any) -> None:
        super().__init__(**options)
        self._url = url

    async def connect(self) -> None:
        """Connect; see `redis.asyncio.connection.Connection`."""
        self.port = parse_url(self._url.current).get("port", _PORT)
        await super().connect()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def open_redis(url: str, options: RedisOptions | None = None) -> AsyncGenerator[AsyncRedis]:
    """Yield a client whose server answers, and close it at the end.

    A first answer may come late, as no request waits for it yet.

    Args:
        url: See `async_redis`.
        options: Redis options of this process.

    Raises:
        StoreError: The server cannot be used.
    """
    client = async_redis(url, options)
    try:
        await _first_check(client, url)
        yield client
    finally:
        await client.aclose()


async def _first_check(client: AsyncRedis, url: str) -> None:
    for _ in range(_FIRST_CHECKS - 1):
        try:
            return await check(client, url)
        except StoreError as error:
            if not isinstance(error.__cause__, redis.exceptions.TimeoutError):
                raise
    return await check(client, url)


async def check(client: AsyncRedis, url: str) -> None:
    """Check once that the server, or the cluster, answers.

    Args:
        client: Client created from the URL.
        url: URL, shown in the error without its password.

    Raises:
        StoreError: It does not.
    """
    try:
        if isinstance(client, ClusterRedis):
            await client.topology.read()
        else:
            await client.ping()
    except (RedisError, RedisClusterException) as error:
        raise _unusable(url, error) from error


def _cluster(url: str, options: RedisOptions) -> ClusterRedis:
    parts = urlsplit(url)
    starts = [(host, port or _PORT) for host, port in hosts_of(url)]
    if not starts:
        raise ValueError("no host")
    user, at, _ = parts.netloc.rpartition("@")
    shared = dict(parse_url(parts._replace(netloc=f"{user}{at}node").geturl()))

    def open_node(address: Address) -> Node:
        host, port = address
        pool = _pool({**shared, "host": host, "port": port, "db": 0}, options)  # a cluster has one database
        return Node(redis.asyncio.Redis.from_pool(pool), answer_s=options.answer_s)

    return ClusterRedis(Cluster(starts, open_node), decode_responses=True)


def _pool(address: Any, options: RedisOptions) -> BlockingConnectionPool:
    return BlockingConnectionPool(
        max_connections=options.connections,
        timeout=options.answer_s,
        retry=AsyncRetry(NoBackoff(), 0),
        decode_responses=True,
        socket_connect_timeout=options.answer_s * _CONNECT_SHARE,
        socket_timeout=options.answer_s,
        # With them, redis-py does not check whether the server closed an idle connection before reusing it.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        **address,
    )


def _hash_tag(key: str) -> str:
    """Return the part of a key that determines its slot."""
    _, brace, rest = key.partition("{")
    tag, end, _ = rest.partition("}")
    return tag if brace and end and tag else key


def _unreadable() -> StoreError:
    return StoreError(f"{REDIS_VARIABLE} is not a Redis URL. Give redis://:password@host:port/0.")


def _unusable(url: str, error: Exception) -> StoreError:
    return StoreError(f"Redis at {without_password(url)} cannot be used ({error}). Check {REDIS_VARIABLE}.")
