"""The pool when servers go down, come back and change their roles."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg_pool import PoolTimeout
from tests.server.support.gate import Gate
from tests.server.support.tenants import Addresses

from redcore_server.store.address import StoreError, without_password
from redcore_server.store.postgres import AsyncPool, Lent, ReadOnlyStore, async_pool, connect, sync_pool

pytestmark = pytest.mark.anyio


def at(url: str, hosts: str) -> str:
    """Return the URL with other hosts."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@{hosts}").geturl()


@pytest.fixture
async def gate(addresses: Addresses) -> AsyncIterator[Gate]:
    gate = Gate(urlsplit(addresses.database_url).port or 5432)
    await gate.open()
    yield gate
    await gate.shut()


async def number(pool: AsyncPool) -> int:
    async with Lent(pool) as connection:
        row = await (await connection.execute(b"select 2 as number")).fetchone()
    assert row is not None
    return int(row["number"])


async def sleep(pool: AsyncPool) -> None:
    async with pool.connection() as connection:
        await connection.execute(b"select pg_sleep(30)")


async def write(pool: AsyncPool) -> None:
    async with pool.connection() as connection:
        await connection.execute(b"create temporary table written (id int)")


async def test_down_is_an_error_and_back_is_used_at_once(addresses: Addresses, gate: Gate) -> None:
    """Requests fail without waiting for the pool's five seconds, and the first one afterwards is answered."""
    url = at(addresses.database_url, f"127.0.0.1:{gate.port}")
    async with async_pool(url, min_size=3, max_size=3) as pool:
        await pool.wait()
        await gate.shut()
        while not pool.is_away:
            with pytest.raises(psycopg.OperationalError):
                await number(pool)
        with pytest.raises(PoolTimeout):
            await number(pool)
        await gate.open()

        while pool.is_away:  # for half a second at most
            with contextlib.suppress(PoolTimeout):
                await number(pool)
        assert await number(pool) == 2


async def test_one_broken_connection_makes_the_pool_check_the_idle_ones(addresses: Addresses, gate: Gate) -> None:
    """A restart of PostgreSQL breaks them all; one request finds out, not one for each."""
    url = at(addresses.database_url, f"127.0.0.1:{gate.port}")
    async with async_pool(url, min_size=3, max_size=3) as pool:
        await pool.wait()
        await gate.shut()
        await gate.open()
        with pytest.raises(psycopg.OperationalError):
            await number(pool)
        await pool.checked()

        assert [await number(pool) for _ in range(3)] == [2, 2, 2]


async def test_a_server_that_became_read_only_is_left(addresses: Addresses) -> None:
    """Its connection is not used again: the next one is made anew, to a server that accepts writes."""
    async with async_pool(addresses.database_url, min_size=1, max_size=1) as pool:
        async with Lent(pool) as demoted:
            await demoted.execute(b"set default_transaction_read_only = on")

        with pytest.raises(ReadOnlyStore):
            await write(pool)

        assert demoted.closed
        await write(pool)


async def test_a_read_only_server_is_refused(addresses: Addresses) -> None:
    """A replica as REDCORE_SERVER_DATABASE_URL is an error of the settings, and says why."""
    url = f"{addresses.database_url}&options=-c%20default_transaction_read_only%3Don"

    with pytest.raises(StoreError, match=r"PostgreSQL at .* cannot be used .*read-only.* REDCORE_SERVER_DATABASE_URL"):
        connect(url, attributes="read-write")
    connect(url).close()


async def test_several_hosts_are_tried_in_turn(addresses: Addresses) -> None:
    """As libpq does, in both places where they can be named."""
    port = urlsplit(addresses.database_url).port
    url = at(addresses.database_url, f"127.0.0.1:1,127.0.0.1:{port}")
    in_query = (
        f"{at(addresses.database_url, '')}&host=127.0.0.1,127.0.0.1&port=1,{port}&target_session_attrs=read-write"
    )

    for each in (url, in_query):
        connect(each).close()
        async with async_pool(each, min_size=1, max_size=1) as pool:
            assert await number(pool) == 2
        assert without_password(each).startswith(f"127.0.0.1:1,127.0.0.1:{port}/")


async def test_a_statement_of_a_request_has_a_timeout(addresses: Addresses) -> None:
    """It ends as a database error that is answered 503, and the connection stays usable."""
    async with async_pool(addresses.database_url, statement_s=0.05) as pool:
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            await sleep(pool)

        assert isinstance(caught.value, psycopg.OperationalError)
        assert await number(pool) == 2


@pytest.mark.parametrize("statement_s", [0, 20])
async def test_timeouts_of_the_database_are_overridden(addresses: Addresses, statement_s: float) -> None:
    """A statement timeout of the role or the database would cut imports off; ours is set on every connection."""
    url = f"{addresses.database_url}&options=-c%20statement_timeout%3D1"
    async with async_pool(url, statement_s=statement_s) as pool, Lent(pool) as connection:
        row = await (await connection.execute(b"show statement_timeout")).fetchone()

    assert row == {"statement_timeout": f"{statement_s}s" if statement_s else "0"}


async def test_times_are_read_in_utc_whatever_the_database_is_set_to(addresses: Addresses) -> None:
    """The API writes them as they are read, with `Z` (contract section 3)."""
    url = f"{addresses.database_url}&options=-c%20timezone%3DAsia/Tokyo"
    async with async_pool(url) as pool, Lent(pool) as connection:
        row = await (await connection.execute(b"select timestamptz '2026-01-15 12:00+02' as moment")).fetchone()

    assert row is not None
    assert row["moment"].isoformat() == "2026-01-15T10:00:00+00:00"


def test_a_statement_of_the_auth_services_threads_has_a_timeout(addresses: Addresses) -> None:
    """The pool of the threads sets the same on its connections."""
    with sync_pool(addresses.database_url, statement_s=20) as pool, pool.connection() as connection:
        row = connection.execute(b"show statement_timeout").fetchone()

    assert row == {"statement_timeout": "20s"}


def test_the_auth_services_threads_leave_a_server_that_became_read_only(addresses: Addresses) -> None:
    """The pool would keep its connection for an hour: it still answers reads."""
    with sync_pool(addresses.database_url, min_size=1, max_size=1) as pool:
        with pool.connection() as demoted:
            demoted.execute(b"set default_transaction_read_only = on")

        with pytest.raises(ReadOnlyStore), pool.connection() as connection:
            connection.execute(b"create table unwritable (id int)")

        assert demoted.closed
        with pool.connection() as connection:
            assert connection.execute(b"show transaction_read_only").fetchone() == {"transaction_read_only": "off"}
