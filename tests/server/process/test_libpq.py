"""PostgreSQL settings of the environment and of databases that are meant for other programs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.server.process.test_up import up
from tests.server.support.tenants import Addresses

from redcore_server.clock import Clock
from redcore_server.process.libpq import isolate
from redcore_server.store.address import StoreError
from redcore_server.store.migrate import migrate

HOSTILE = {
    "PGSSLMODE": "require",
    "PGSERVICE": "nosuch",
    "PGCLIENTENCODING": "LATIN1",
    "PGOPTIONS": "-c datestyle=SQL",
    "PGTARGETSESSIONATTRS": "standby",
    "PGCHANNELBINDING": "require",
    "PGREQUIREAUTH": "md5",
    "PGHOSTADDR": "192.0.2.1",
    "PGDATESTYLE": "SQL, DMY",
}


def test_no_variable_of_libpq_reaches_the_embedded_postgresql(tmp_path: Path) -> None:
    """It starts, and keeps every character."""
    with up(tmp_path / "data", **HOSTILE) as server, server.client as client:
        created = client.post("products", json={"name": "日本語", "sku": "A1", "price": 1})

        assert (created.status_code, created.json()["data"]["name"]) == (201, "日本語")


def test_variables_for_an_external_postgresql_stay() -> None:
    """Passwords and certificates; variables that the server relies on are set."""
    environ = {"PGPASSFILE": "a", "PGSSLROOTCERT": "b", "PGCLIENTENCODING": "LATIN1", "PGTZ": "x", "HOME": "c"}

    isolate(is_embedded=False, environ=environ)

    assert environ == {"PGPASSFILE": "a", "PGSSLROOTCERT": "b", "HOME": "c", "PGDATESTYLE": "ISO"}


@contextlib.contextmanager
def database(addresses: Addresses, options: str) -> Iterator[str]:
    """Yield the URL of a database of its own."""
    name = f"edges_{os.getpid()}"
    with psycopg.connect(addresses.database_url, autocommit=True) as connection:
        connection.execute(f"create database {name} {options}".encode())
        try:
            yield addresses.database_url.replace("/postgres?", f"/{name}?")
        finally:
            connection.execute(f"drop database {name} with (force)".encode())


def test_settings_of_a_database_have_no_effect(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """A date style, a client encoding and a time zone, set for other programs."""
    monkeypatch.setenv("PGDATESTYLE", "ISO")  # as `isolate` does
    with database(addresses, "") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for setting in ("datestyle='SQL, DMY'", "client_encoding='LATIN1'", "timezone='Asia/Tokyo'"):
                name = connection.info.dbname
                connection.execute(f"alter database {name} set {setting}".encode())

        assert migrate(url, clock=Clock()) != []
        assert migrate(url, clock=Clock()) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [("encoding 'LATIN1' locale 'C' template template0 locale_provider libc", "has the encoding LATIN1")],
)
def test_an_unusable_database_is_one_line(addresses: Addresses, options: str, reason: str) -> None:
    """With what to correct."""
    with database(addresses, options) as url, pytest.raises(StoreError, match=f"{reason}.*REDCORE_SERVER_DATABASE_URL"):
        migrate(url, clock=Clock())


def test_a_database_without_the_right_to_create_tables_is_one_line(addresses: Addresses) -> None:
    """The role may connect, and no more."""
    with database(addresses, "") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(b"alter database edges_%d set default_transaction_read_only = on" % os.getpid())

        with pytest.raises(StoreError, match=r"cannot be used \(.*\)"):
            migrate(url, clock=Clock())
