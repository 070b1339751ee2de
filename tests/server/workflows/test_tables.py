"""Tests of reading imported files: how much of a file is read at once, and what is not parsed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from obstore.store import MemoryStore

from redcore_server.store.objects import Objects
from redcore_server.workflows import tables
from redcore_server.workflows.tables import Batch

pytestmark = pytest.mark.anyio

COLUMNS = frozenset({"sku", "name", "price", "stock"})
REQUIRED = frozenset({"sku", "name", "price"})
GOOD_JSON = b'{"sku":"a","name":"b","price":1}\n'


async def read(name: str, content: bytes, *, is_brief: bool = True) -> list[Batch]:
    """Return all batches of a file."""

    async def pieces() -> AsyncGenerator[bytes]:
        yield content

    objects = Objects(MemoryStore())
    await objects.put("rows", pieces())
    file = {"key": "rows", "size": len(content), "name": name, "content_type": "text/plain"}
    return [batch async for batch in tables.batches(objects, file, COLUMNS, REQUIRED, lambda: is_brief)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"sku,name,price\na,b,\na,b,1\n\n,,\n , \nab\na,b,2\n"),
        ("a.csv", b"sku,name,price\r\na,b,\r\na,b,1\r\n\r\n,,\r\n , \r\nab\r\na,b,2"),
        ("a.csv", b'sku\tname\tstock\tprice\na\tb\t1\na\tb\t\t1\n\n\t\t\n \t \n"\tb\na\tb\t\t2\n'.replace(b'"', b"c")),
        ("a.jsonl", b"{}\n" + GOOD_JSON + b"\n \n0\n" + GOOD_JSON.rstrip()),
    ],
)
async def test_rows_that_are_too_short_are_counted_and_not_parsed(name: str, content: bytes) -> None:
    """Blank ones are no rows; the numbers of the others are as if all were parsed."""
    (batch,) = await read(name, content)

    assert batch.skipped == 2
    assert [row.number for row in batch.rows] == [2, 4]
    assert all(row.values.keys() == REQUIRED for row in batch.rows)


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b"sku,name,price\na\n,,\na,b\na,b,1\n"), ("a.jsonl", b"{}\n\n0\n" + GOOD_JSON)]
)
async def test_all_rows_are_parsed_while_their_problems_are_described(name: str, content: bytes) -> None:
    """Also those that are too short."""
    (batch,) = await read(name, content, is_brief=False)

    assert batch.skipped == 0
    assert [(row.number, bool(row.issue)) for row in batch.rows][:1] == [(1, name == "a.csv")]
    assert [row.number for row in batch.rows] == [1, 2, 3]


async def test_a_short_line_within_quotes_is_part_of_a_row() -> None:
    """A row with a quote is parsed, however short its lines are."""
    (batch,) = await read("a.csv", b'sku,name,price\n"a\nb\nc",d,1\nx\n"e",f,2\n')

    assert [(row.number, row.values["sku"]) for row in batch.rows] == [(1, "a\nb\nc"), (3, "e")]
    assert batch.skipped == 1


@pytest.mark.parametrize("line", [b"\n", b"\r", b",,\n", b"a\n", b'"a\n"\n', b"{}\n"])
@pytest.mark.parametrize(("name", "start"), [("a.csv", b"sku,name,price\n"), ("a.jsonl", b"")])
async def test_a_batch_is_bounded_whatever_the_lines_are(name: str, start: bytes, line: bytes) -> None:
    """So that a file without rows, too, is read in steps, between which a run can be cancelled."""
    batches = await read(name, start + line * 10_000)

    positions = [batch.position for batch in batches]
    assert len(batches) >= 10
    assert positions == sorted(positions)
    assert positions[-1] == 1
    assert all(len(batch.rows) + batch.skipped <= 1000 for batch in batches)


async def test_a_file_without_anything_has_no_rows() -> None:
    """JSON Lines has no heading."""
    (batch,) = await read("a.jsonl", b"")

    assert (batch.rows, batch.skipped, batch.position) == ([], 0, 1)
