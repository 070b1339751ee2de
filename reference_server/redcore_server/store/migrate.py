"""Brings a database to the schema this server needs; procrastinate's tables included.

Safe when several processes start at once, and quick when there is nothing to do: one connection, one query.
It never downgrades; a database migrated by a newer server is left unchanged, so that nodes can be replaced one by one.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import psycopg

from redcore_server.clock import Clock
from redcore_server.store.address import DATABASE_VARIABLE, StoreError, without_password
from redcore_server.store.postgres import connect

_OWN: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x7265_6463_6F72_65  # "redcore"
_BASELINE: Final = "procrastinate/schema"
_BOOKKEEPING: Final = (
    "create table if not exists schema_migrations (name text primary key, applied_at timestamptz not null)"
)

_Connection = psycopg.Connection[tuple[Any, ...]]


@attrs.frozen
class _Migration:
    name: str
    path: Path
    implied: tuple[str, ...] = ()  # migrations whose effect a complete schema already has


def migrate(database_url: str, *, clock: Clock) -> list[str]:
    """Apply the missing migrations.

    Args:
        database_url: URL of the database to migrate.
        clock: Source of the times in `schema_migrations`.

    Returns:
        The names of the migrations applied now, in order; empty if the database was up to date.

    Raises:
        StoreError: The database cannot be used.
    """
    with _connected(database_url) as connection:
        if not _missing(_applied(connection)):
            return []
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))  # released when the connection closes
        connection.execute(_BOOKKEEPING)
        # Read again: another process may have migrated while we waited for the lock.
        missing = _missing(_applied(connection))
        for migration in missing:
            _apply(connection, migration, clock)
        return [migration.name for migration in missing]


def require_migrated(database_url: str) -> None:
    """Check that a database has the schema this server needs, without changing it.

    Args:
        database_url: Database URL.

    Raises:
        StoreError: Migrations are missing, or the database cannot be used.
    """
    with _connected(database_url) as connection:
        missing = _missing(_applied(connection))
    if missing:
        names = ", ".join(migration.name for migration in missing[:3])
        raise StoreError(f"The database lacks {len(missing)} migrations ({names} …). Run `redcore-server migrate`.")


@contextlib.contextmanager
def _connected(database_url: str) -> Generator[_Connection]:
    """Yield a connection; PostgreSQL errors on it become one line for the operator."""
    with connect(database_url, attributes="read-write") as connection:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreError(f"The database has the encoding {encoding}; it must be UTF8. Check {DATABASE_VARIABLE}.")
        try:
            yield connection
        except psycopg.Error as error:
            reason = str(error).strip().partition("\n")[0]
            raise StoreError(
                f"PostgreSQL at {without_password(database_url)} cannot be used ({reason}). Check {DATABASE_VARIABLE}."
            ) from error


def _applied(connection: _Connection) -> set[str]:
    try:
        return {row[0] for row in connection.execute("select name from schema_migrations")}
    except psycopg.errors.UndefinedTable:
        return set()


def _missing(applied: set[str]) -> list[_Migration]:
    return [
        migration
        for migration in (*_own(), *_procrastinate(fresh=_BASELINE not in applied))
        if migration.name not in applied
    ]


def _own() -> Iterator[_Migration]:
    for path in sorted(_OWN.glob("*.sql")):
        yield _Migration(path.stem, path)


def _procrastinate(*, fresh: bool) -> Iterator[_Migration]:
    """Yield its complete schema for a fresh database, its single migrations for an older one.

    Only the package's folder is located: importing it costs more than the whole check.
    """
    spec = importlib.util.find_spec("procrastinate")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("procrastinate is not installed: pip install 'redcore-sdk[server]'")
    sql = Path(spec.origin).parent / "sql"
    steps = [(f"procrastinate/{path.stem}", path) for path in sorted((sql / "migrations").glob("*.sql"))]
    if fresh:
        yield _Migration(_BASELINE, sql / "schema.sql", implied=tuple(name for name, _ in steps))
    else:
        yield from (_Migration(name, path) for name, path in steps)


def _apply(connection: _Connection, migration: _Migration, clock: Clock) -> None:
    # One transaction each: PostgreSQL does not allow using a new enum value in the transaction that added it.
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(migration.path.read_bytes())
        cursor.executemany(
            "insert into schema_migrations (name, applied_at) values (%s, %s)",
            [(name, clock.now()) for name in (migration.name, *migration.implied)],
        )
