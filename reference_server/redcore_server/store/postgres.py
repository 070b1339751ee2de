"""PostgreSQL: connection pools and SQL by name.

The API and the worker use an async pool, the auth service a sync one, because Authlib is sync. SQL is kept in
`queries/*.sql`, one block per `-- name:` heading; nothing here builds SQL from parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from redcore_server.store.address import DATABASE_VARIABLE, StoreError, without_password

AsyncPostgres = psycopg.AsyncConnection[DictRow]
AsyncPool = AsyncConnectionPool[AsyncPostgres]
Postgres = psycopg.Connection[DictRow]
Pool = ConnectionPool[Postgres]

_QUERIES: Final = Path(__file__).with_name("queries")
_PATIENCE_S: Final = 5.0  # how long a request waits for a connection before it is answered 503
_HEADING: Final = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries(name: str) -> Mapping[str, bytes]:
    """Return the blocks of `queries/NAME.sql` by their names.

    They are bytes because psycopg refuses a `str` that a type checker cannot prove to be literal.

    Args:
        name: of the file, without `.sql`.
    """
    _, *parts = _HEADING.split((_QUERIES / f"{name}.sql").read_text(encoding="utf-8"))
    return {heading: sql.strip().encode() for heading, sql in zip(parts[::2], parts[1::2], strict=True)}


def connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Return one sync connection in autocommit mode, for migrations and the command line.

    Args:
        url: of the database.

    Raises:
        StoreError: the address cannot be read, or no usable PostgreSQL answers there.
    """
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise StoreError(
            f"PostgreSQL at {without_password(url)} cannot be used ({_reason(error)}). Check {DATABASE_VARIABLE}."
        ) from error
    except psycopg.ProgrammingError:
        # Its message quotes the part it could not read, which may be the password.
        raise StoreError(
            f"{DATABASE_VARIABLE} is not a PostgreSQL URL. Give postgresql://user:password@host:port/database."
        ) from None


def async_pool(url: str, *, min_size: int = 2, max_size: int = 20) -> AsyncPool:
    """Return a closed pool whose rows are dictionaries; the caller opens and closes it.

    In autocommit mode a single statement is one round trip instead of three; statements that belong together are put
    into `connection.transaction()`.

    Args:
        url: of the database.
        min_size: connections kept open.
        max_size: connections at most; further callers wait.
    """
    return AsyncConnectionPool(
        url,
        connection_class=AsyncPostgres,
        kwargs={"row_factory": dict_row},
        configure=_commit_each_statement,
        min_size=min_size,
        max_size=max_size,
        timeout=_PATIENCE_S,
        open=False,
        name="postgres",
    )


def sync_pool(url: str, *, min_size: int = 2, max_size: int = 20) -> Pool:
    """Return a closed pool in autocommit mode, for the single reads of the auth service.

    Args:
        url: of the database.
        min_size: connections kept open.
        max_size: connections at most; further callers wait.
    """
    return ConnectionPool(
        url,
        connection_class=Postgres,
        kwargs={"row_factory": dict_row, "autocommit": True},
        min_size=min_size,
        max_size=max_size,
        timeout=_PATIENCE_S,
        open=False,
        name="postgres-auth",
    )


class Lent:
    """A connection of an async pool for statements that each commit by themselves.

    `pool.connection()` ends a transaction at the end, which here is none, and costs as much again.
    """

    def __init__(self, pool: AsyncPool) -> None:
        """Take nothing yet.

        Args:
            pool: an open one.
        """
        self._pool = pool

    async def __aenter__(self) -> AsyncPostgres:
        """Take the connection out of the pool."""
        self._connection = await self._pool.getconn()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        """Give it back; the pool replaces one that is broken."""
        await self._pool.putconn(self._connection)


async def _commit_each_statement(connection: AsyncPostgres) -> None:
    # Not among the pool's arguments: procrastinate repeats those with an `autocommit` of its own.
    await connection.set_autocommit(True)


def _reason(error: psycopg.OperationalError) -> str:
    """Return the first line of libpq's message: the cause, without the advice."""
    return str(error).strip().partition("\n")[0]
