"""Reads without a transaction: a row by its id, in a round trip shared by concurrent reads."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.clock import Clock
from redcore_server.store import Stores
from redcore_server.store.postgres import queries
from redcore_server.store.reader import Reader

pytestmark = pytest.mark.anyio

GET = queries("users")["get"]
ODD_IDS = ["", " ", "'", '"', "\\", "{", "}", ",", "null", "é", "\U0001f600", "usr_%(id)s", "a" * 5000]


async def test_concurrent_reads_by_id_each_get_their_own_row(stores: Stores, clock: Clock) -> None:
    """Whatever the order of the rows that PostgreSQL returns, with a missing one among them."""
    owners = [await make_organisation(stores, clock) for _ in range(3)]
    asked = [(each.owner_id, each.id) for each in owners]

    rows = await asyncio.gather(*(stores.reader.find(GET, *key) for key in [*asked, ("usr_0", owners[0].id), asked[0]]))

    assert [row and row["id"] for row in rows] == [*(user_id for user_id, _ in asked), None, asked[0][0]]


async def test_a_read_by_id_returns_the_row_of_its_query(stores: Stores, organisation: Organisation) -> None:
    """The number that matches rows to their reads is not part of them."""
    async with stores.postgres.connection() as connection:
        key = {"id": organisation.owner_id, "organisation_id": organisation.id}
        expected = await (await connection.execute(GET, key)).fetchone()

    assert await stores.reader.find(GET, organisation.owner_id, organisation.id) == expected


async def test_a_row_of_another_organisation_is_not_found(
    stores: Stores, clock: Clock, organisation: Organisation
) -> None:
    """Also beside a read of the organisation that owns it, in the same round trip."""
    other = await make_organisation(stores, clock)

    own, foreign = await asyncio.gather(
        stores.reader.find(GET, organisation.owner_id, organisation.id),
        stores.reader.find(GET, organisation.owner_id, other.id),
    )

    assert own is not None
    assert foreign is None


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_an_invalid_id_is_not_found(stores: Stores, organisation: Organisation, odd: str) -> None:
    """And affects no read beside it."""
    found, missing = await asyncio.gather(
        stores.reader.find(GET, organisation.owner_id, organisation.id), stores.reader.find(GET, odd, organisation.id)
    )

    assert found is not None
    assert missing is None


async def test_concurrent_reads_by_id_share_a_connection(stores: Stores, organisation: Organisation) -> None:
    """The pool is asked once for all that wait."""
    reader = Reader(stores.postgres)
    await reader.find(GET, organisation.owner_id, organisation.id)
    before = stores.postgres.get_stats()["requests_num"]

    await asyncio.gather(*(reader.find(GET, organisation.owner_id, organisation.id) for _ in range(50)))

    assert stores.postgres.get_stats()["requests_num"] == before + 1


async def test_a_cancelled_read_does_not_cancel_those_beside_it(stores: Stores, organisation: Organisation) -> None:
    """They only share a round trip."""
    reads = [asyncio.ensure_future(stores.reader.find(GET, organisation.owner_id, organisation.id)) for _ in range(3)]
    await asyncio.sleep(0)
    reads[0].cancel()

    rows = await asyncio.gather(*reads, return_exceptions=True)

    assert isinstance(rows[0], asyncio.CancelledError)
    assert all(isinstance(row, dict) for row in rows[1:])
