"""Clients of redis-py: created from a URL, or passed by the application. Knows nothing about tokens."""

# redis-py leaves `parse_url` and the keyword arguments of its constructors untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import finalize

from redcore.exceptions import ConfigurationError

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT_S = 2.0  # to connect, and to receive a reply
CLUSTER = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
FORMS = "redis://, rediss://, unix://, redis+cluster:// or rediss+cluster://"


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
        url: URL of the Redis server.

    Raises:
        ConfigurationError: the URL is invalid, or redis-py is not installed.
    """

    def __init__(self, url: str) -> None:
        scheme, colon, rest = url.partition("://")
        self._url = f"{CLUSTER.get(scheme, scheme)}{colon}{rest}"
        self._is_cluster = scheme in CLUSTER
        self._clients: dict[int, Redis] = {}
        finalize(self, close, self._clients)
        self.address: str = address_in(self._url)
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
        from redis.retry import Retry  # noqa: PLC0415 (of the extra)

        kind = redis.RedisCluster if self._is_cluster else redis.Redis
        # One retry after a lost connection: every command may be sent twice.
        options = {"socket_connect_timeout": TIMEOUT_S, "socket_timeout": TIMEOUT_S, "retry": Retry(NoBackoff(), 1)}
        return cast("Redis", kind.from_url(self._url, **options))  # a cluster's has the same methods


def close(clients: dict[int, Redis]) -> None:
    """Close the client of this process."""
    client = clients.get(os.getpid())
    if client is not None:
        client.close()


def address_in(url: str) -> str:
    """A URL without user, password and options.

    Raises:
        ConfigurationError: redis-py cannot read it, or is not installed.
    """
    try:
        from redis.connection import parse_url  # noqa: PLC0415 (of the extra)
    except ImportError as problem:
        raise ConfigurationError("RedisCache needs redis-py: pip install 'redcore-sdk[redis]'") from problem
    try:
        told = cast("dict[str, Any]", parse_url(url))  # type: ignore[no-untyped-call]
    except ValueError:  # not chained: it may quote the password
        raise ConfigurationError(f"this is no URL of Redis: give {FORMS}") from None
    return str(told.get("path") or f"{told.get('host', 'localhost')}:{told.get('port', 6379)}")
