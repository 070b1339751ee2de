"""PostgreSQL: connection pools and SQL by name.

A URL may name several servers, as in libpq; writers are connected to the server that accepts writes, so a failover
needs no new URL. While there is no such server, requests fail at once; half a second after one is back it is used.

The API and the worker use an async pool, the auth service a sync one, because Authlib is sync. SQL is kept in
`queries/*.sql`, one block per `-- name:` heading; no SQL is built from parts.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from redcore_server.store.address import DATABASE_VARIABLE, EmbeddedUrl, StoreError, without_password

AsyncPostgres = psycopg.AsyncConnection[DictRow]
Postgres = psycopg.Connection[DictRow]
Pool = ConnectionPool[Postgres]

_QUERIES: Final = Path(__file__).with_name("queries")
_WAIT_S: Final = 5.0  # how long a request waits for a connection before it is answered 503
_NOTICE_S: Final = 1.0  # after which a waiting request checks whether PostgreSQL is unavailable
_AWAY_WAIT_S: Final = 0.2  # how long a request waits while PostgreSQL is known to be unavailable
_RECONNECT_S: Final = 0.5  # between attempts to connect; psycopg's own pauses double, up to minutes
_CONNECT_S: Final = 2  # libpq takes no less
# A crashed machine does not close its connections: the kernel gives up on them after five seconds, idle or not.
_LOST: Final = {"tcp_user_timeout": 5000, "keepalives_idle": 3, "keepalives_interval": 1, "keepalives_count": 2}
# Set on every connection, so that settings of database or role do not apply; the API writes times as they are read,
# in UTC. Not in libpq's `options`: PgBouncer refuses those that it does not know.
_SET: Final = "select set_config('timezone', 'UTC', false), set_config('statement_timeout', %(milliseconds)s, false)"
CONNECTIONS: Final = 20  # of each process: five share the 100 that PostgreSQL allows by default
_HEADING: Final = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries(name: str) -> Mapping[str, bytes]:
    """Return the blocks of `queries/NAME.sql` by their names.

    They are bytes because psycopg accepts only a `str` that a type checker can prove to be literal.

    Args:
        name: File name without `.sql`.
    """
    _, *parts = _HEADING.split((_QUERIES / f"{name}.sql").read_text(encoding="utf-8"))
    return {heading: sql.strip().encode() for heading, sql in zip(parts[::2], parts[1::2], strict=True)}


class ReadOnlyStore(psycopg.OperationalError):
    """The server for writes no longer accepts them; another one may."""


class AsyncPool(AsyncConnectionPool[AsyncPostgres]):
    """A pool of connections in autocommit mode, whose rows are dictionaries.

        there ── an attempt to connect fails for half a second ──> away: requests fail after 0.2 s
          ^                                                           │
          └──────────────── a connection is made ─────────────────────┘

    In autocommit mode a single statement is one round trip instead of three; statements that belong together are put
    into `connection.transaction()`.
    """

    def __init__(
        self, url: str, *, attributes: str, min_size: int, max_size: int, name: str, statement_s: float = 0
    ) -> None:
        """Return a closed pool; the caller opens and closes it.

        Args:
            url: Database URL; may name several servers.
            attributes: Libpq's `target_session_attrs`, unless the URL has its own.
            min_size: Number of connections kept open.
            max_size: Maximum number of connections; further callers wait.
            name: Name in the log.
            statement_s: Statement timeout in seconds; 0 disables it.
        """
        self._statement = _statement_timeout(statement_s)
        super().__init__(
            _conninfo(url),
            connection_class=AsyncPostgres,
            kwargs={"row_factory": dict_row, **_options(url, attributes)},
            configure=self._connected,
            reconnect_failed=self._not_connected,
            reconnect_timeout=_RECONNECT_S,
            min_size=min_size,
            max_size=max_size,
            timeout=_WAIT_S,
            open=False,
            name=name,
        )
        self.is_away = False
        self._checking: asyncio.Task[None] | None = None

    async def getconn(self, timeout: float | None = None) -> AsyncPostgres:  # noqa: ASYNC109 - psycopg_pool's signature
        """Return a connection; see `psycopg_pool.AsyncConnectionPool.getconn`.

        Raises:
            PoolTimeout: No connection became available in time.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        try:
            return await super().getconn(_AWAY_WAIT_S if self.is_away else min(_NOTICE_S, self.timeout))
        except PoolTimeout:
            left = deadline - time.monotonic()
            if self.is_away or left <= 0:
                raise
            return await super().getconn(left)

    async def putconn(self, conn: AsyncPostgres) -> None:
        """Return a connection to the pool; if it is broken, check the idle ones too."""
        is_broken = conn.broken
        await super().putconn(conn)
        if is_broken and self._checking is None and not self.closed:
            self._checking = asyncio.create_task(self._check_idle())

    async def checked(self) -> None:
        """Wait until the idle connections are checked, if one was found broken."""
        if self._checking is not None:
            await asyncio.wait([self._checking])

    @asynccontextmanager
    async def connection(  # psycopg_pool's signature
        self,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncGenerator[AsyncPostgres]:
        """Lend a connection; see `psycopg_pool.AsyncConnectionPool.connection`.

        Raises:
            ReadOnlyStore: The server no longer accepts writes; the connection is closed, and the next one finds the
                primary.
        """
        async with super().connection(timeout) as connection:
            try:
                yield connection
            except psycopg.errors.ReadOnlySqlTransaction as error:
                await connection.close()
                raise ReadOnlyStore("the server takes no writes") from error

    async def close(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - psycopg_pool's signature
        """Close the pool; see `psycopg_pool.AsyncConnectionPool.close`."""
        if self._checking is not None:
            self._checking.cancel()
        await super().close(timeout)

    async def _check_idle(self) -> None:
        try:
            await self.check()
        finally:
            self._checking = None

    async def _connected(self, connection: AsyncPostgres) -> None:
        # Not among the pool's arguments: procrastinate passes them again with its own `autocommit`.
        await connection.set_autocommit(True)
        await connection.execute(_SET, self._statement)
        self.is_away = False

    def _not_connected(self, _: object) -> None:
        self.is_away = True


class _SyncPool(Pool):
    """A pool that closes connections to a server which no longer accepts writes, as `AsyncPool` does."""

    @contextmanager
    def connection(self, timeout: float | None = None) -> Generator[Postgres]:
        """Lend a connection; see `AsyncPool.connection`.

        Raises:
            ReadOnlyStore: See there.
        """
        with super().connection(timeout) as connection:
            try:
                yield connection
            except psycopg.errors.ReadOnlySqlTransaction as error:
                connection.close()
                raise ReadOnlyStore("the server takes no writes") from error


def connect(url: str, *, attributes: str = "any") -> psycopg.Connection[tuple[Any, ...]]:
    """Return one sync connection in autocommit mode, for migrations and the command line.

    Args:
        url: Database URL.
        attributes: Libpq's `target_session_attrs`, unless the URL has its own.

    Raises:
        StoreError: The URL is not valid, or no usable PostgreSQL answers.
    """
    try:
        return psycopg.connect(url, autocommit=True, **_options(url, attributes))
    except psycopg.OperationalError as error:
        raise StoreError(
            f"PostgreSQL at {without_password(url)} cannot be used ({_reason(error)}). Check {DATABASE_VARIABLE}."
        ) from error
    except psycopg.ProgrammingError:
        # Its message quotes the part that it could not parse, which may be the password.
        raise StoreError(
            f"{DATABASE_VARIABLE} is not a PostgreSQL URL. Give postgresql://user:password@host:port/database."
        ) from None


def async_pool(url: str, *, min_size: int = 2, max_size: int = CONNECTIONS, statement_s: float = 0) -> AsyncPool:
    """Return a closed pool for writes; the caller opens and closes it.

    Args:
        url: Database URL.
        min_size: Number of connections kept open.
        max_size: Maximum number of connections; further callers wait.
        statement_s: Statement timeout in seconds; 0 disables it.
    """
    return AsyncPool(
        url, attributes="read-write", min_size=min_size, max_size=max_size, name="postgres", statement_s=statement_s
    )


def replica_pool(url: str, *, max_size: int = CONNECTIONS, statement_s: float = 0) -> AsyncPool:
    """Return a closed pool for reads, on a replica if there is one; the caller opens and closes it.

    Args:
        url: URL of the replica, or of all servers.
        max_size: Maximum number of connections; further callers wait.
        statement_s: Statement timeout in seconds; 0 disables it.
    """
    return AsyncPool(
        url,
        attributes="prefer-standby",
        min_size=1,
        max_size=max_size,
        name="postgres-replica",
        statement_s=statement_s,
    )


def sync_pool(url: str, *, min_size: int = 0, max_size: int = 2, statement_s: float = 0) -> Pool:
    """Return a closed pool in autocommit mode, for the single statements of the auth service's threads.

    Args:
        url: Database URL.
        min_size: Number of connections kept open.
        max_size: Maximum number of connections; further callers wait.
        statement_s: Statement timeout in seconds; 0 disables it.
    """
    statement = _statement_timeout(statement_s)

    def connected(connection: Postgres) -> None:
        connection.execute(_SET, statement)

    return _SyncPool(
        _conninfo(url),
        connection_class=Postgres,
        kwargs={"row_factory": dict_row, "autocommit": True, **_options(url, "read-write")},
        configure=connected,
        reconnect_timeout=_RECONNECT_S,
        min_size=min_size,
        max_size=max_size,
        timeout=_WAIT_S,
        open=False,
        name="postgres-auth",
    )


class Lent:
    """A connection of an async pool for statements that each commit on their own.

    `pool.connection()` also ends a transaction, which does not exist here; that would double the cost.
    """

    def __init__(self, pool: AsyncPool) -> None:
        """Create it without taking a connection.

        Args:
            pool: An open pool.
        """
        self._pool = pool

    async def __aenter__(self) -> AsyncPostgres:
        """Take a connection from the pool."""
        self._connection = await self._pool.getconn()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        """Return it; the pool replaces a broken one."""
        await self._pool.putconn(self._connection)


def _conninfo(url: str) -> str | Callable[[], str]:
    """Return what a pool asks for the address of each new connection."""
    return (lambda: url.current) if isinstance(url, EmbeddedUrl) else url


def _options(url: str, attributes: str) -> dict[str, Any]:
    """Return the parameters of every connection, except those set in the URL."""
    options: dict[str, Any] = {"connect_timeout": _CONNECT_S, "target_session_attrs": attributes, **_LOST}
    options["client_encoding"] = "UTF8"
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # the attempt to connect says so
        return {}
    return {name: value for name, value in options.items() if name not in given}


def _statement_timeout(seconds: float) -> dict[str, str]:
    return {"milliseconds": str(round(seconds * 1000))}


def _reason(error: psycopg.OperationalError) -> str:
    """Return the first line of libpq's message: the cause, without the advice."""
    return str(error).strip().partition("\n")[0]
