"""Clients of redis-py: created from a URL, or passed by the application. Knows nothing about tokens."""

# redis-py leaves `parse_url` and the keyword arguments of its constructors untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit
from weakref import finalize

from redcore.exceptions import ConfigurationError

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT_S = 2.0  # to connect, and to receive a reply
CLUSTER = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
FORMS = "redis://, rediss://, unix://, or redis+cluster:// or rediss+cluster:// with one or several nodes, no database"


class RedisClient(Protocol):
    """The part of a redis-py client that is used: `Redis`, `RedisCluster`, and both of `redis.asyncio`."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command; returns the reply, or an awaitable of it."""
        ...


def answers_later(client: RedisClient) -> bool:
    """Whether a client is an asyncio client."""
    return inspect.iscoroutinefunction(client.execute_command)


class RedisUrl:
    """Creates blocking clients for a URL, one per process, as connections do not survive a fork; closes them at exit.

    Args:
        url: URL of the Redis server; for a cluster, of one or several of its nodes, separated by commas.

    Raises:
        ConfigurationError: the URL is invalid, or redis-py is not installed.
    """

    def __init__(self, url: str) -> None:
        scheme, colon, rest = url.partition("://")
        self._is_cluster = scheme in CLUSTER
        self._urls = one_per_host(f"{CLUSTER.get(scheme, scheme)}{colon}{rest}") if self._is_cluster else [url]
        self._clients: dict[int, Redis] = {}
        finalize(self, close, self._clients)
        self.address: str = ", ".join(map(address_in, self._urls))
        """The URL for display: without user, password and options."""

    def client(self) -> RedisClient:
        """The client of this process; a cluster client connects when it is created."""
        process = os.getpid()
        if process not in self._clients:
            made = self._make()
            if self._clients.setdefault(process, made) is not made:  # another thread was faster
                made.close()
        return self._clients[process]

    def _make(self) -> Redis:
        import redis  # noqa: PLC0415 (of the extra)
        from redis.backoff import NoBackoff  # noqa: PLC0415 (of the extra)
        from redis.cluster import ClusterNode  # noqa: PLC0415 (of the extra)
        from redis.retry import Retry  # noqa: PLC0415 (of the extra)

        # One retry after a lost connection: every command may be sent twice.
        options: dict[str, Any] = {
            "socket_connect_timeout": TIMEOUT_S,
            "socket_timeout": TIMEOUT_S,
            "retry": Retry(NoBackoff(), 1),
        }
        *others, url = self._urls
        if not self._is_cluster:
            return redis.Redis.from_url(url, **options)
        node = cast("Callable[[str, int], ClusterNode]", ClusterNode)  # untyped in redis-py
        starts = [node(*host_and_port(parsed(other))) for other in others]
        made = redis.RedisCluster.from_url(url, startup_nodes=starts, **options)  # which adds the node of the URL
        return cast("Redis", made)  # it has the same methods


def close(clients: dict[int, Redis]) -> None:
    """Close the client of this process."""
    client = clients.get(os.getpid())
    if client is not None:
        client.close()


def one_per_host(url: str) -> list[str]:
    """Split `redis://user:password@a:7000,b:7000?…` into a URL for each host.

    Raises:
        ConfigurationError: it names no host, or a database, which a cluster does not have.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # not chained: it may quote the password
        raise no_url() from None
    login, at, hosts = parts.netloc.rpartition("@")
    urls = [parts._replace(netloc=f"{login}{at}{host.strip()}").geturl() for host in hosts.split(",") if host.strip()]
    if not urls or parsed(urls[0]).get("db"):
        raise no_url()
    return urls


def address_in(url: str) -> str:
    """A URL without user, password and options; raises as `parsed` does."""
    parts = parsed(url)
    host, port = host_and_port(parts)
    return str(parts.get("path") or f"{host}:{port}")


def host_and_port(parts: dict[str, Any]) -> tuple[str, int]:
    """Where a server is, with redis-py's defaults."""
    return parts.get("host", "localhost"), parts.get("port", 6379)


def parsed(url: str) -> dict[str, Any]:
    """What redis-py reads in a URL.

    Raises:
        ConfigurationError: redis-py cannot read it, or is not installed.
    """
    try:
        from redis.connection import parse_url  # noqa: PLC0415 (of the extra)
    except ImportError as problem:
        raise ConfigurationError("RedisCache needs redis-py: pip install 'redcore-sdk[redis]'") from problem
    try:
        parts = cast("dict[str, Any]", parse_url(url))  # type: ignore[no-untyped-call]
    except ValueError:  # not chained: it may quote the password
        raise no_url() from None
    if "," in str(parts.get("host", "")):
        raise no_url()
    return parts


def no_url() -> ConfigurationError:
    """The error of a URL that cannot be read."""
    return ConfigurationError(f"this is not a URL of Redis: give {FORMS}")
