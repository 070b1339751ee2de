"""Separate databases, for tests that need one without the rows of other tests."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import attrs
from tests.server.support.tenants import Addresses

from redcore_server.clock import Clock
from redcore_server.ids import new_id
from redcore_server.store.migrate import migrate
from redcore_server.store.postgres import connect


@contextlib.contextmanager
def empty_database(addresses: Addresses) -> Generator[Addresses]:
    """Yield the addresses with a new database that has no tables."""
    name = new_id("req").lower()
    with connect(addresses.database_url) as connection:
        connection.execute(f'create database "{name}"'.encode())
        yield attrs.evolve(addresses, database_url=addresses.database_url.replace("/postgres", f"/{name}"))
        connection.execute(f'drop database "{name}"'.encode())


@contextlib.contextmanager
def migrated_database(addresses: Addresses) -> Generator[Addresses]:
    """Yield the addresses with a new database that has all tables and no rows."""
    with empty_database(addresses) as own:
        migrate(own.database_url, clock=Clock())
        yield own
