"""Imports of catalogs and users: what a file may hold, and what becomes of rows with problems."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.runs import HEADING, Runs, catalog, start, upload
from tests.server.support.tenants import make_organisation

from redcore_server.api.products import with_status
from redcore_server.errors import Detail
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects
from redcore_server.worker.workflows import WorkflowRunner
from redcore_server.workflows import WORKFLOWS, tables
from redcore_server.workflows.definition import MAX_DETAILS
from redcore_server.workflows.imports import Problems
from redcore_server.workflows.rows import row_problem

pytestmark = pytest.mark.anyio

GOOD_JSON = '{{"sku": "G1", "name": "x", "price": 1}}\n{}\n{{"sku": "G2", "name": "y", "price": 2}}\n'


GOOD_CSV = "sku,name,price\nG1,x,1\n{}\nG2,y,2\n"


NOTHING = "{} rows have problems, so nothing was imported."


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_the_catalog_is_exported_and_imported_again(
    caller: httpx.AsyncClient, run: Runs, callers: Callers, kind: str
) -> None:
    """The import restores what was exported, whatever names and skus hold."""
    names = ["plain", 'with "quotes", commas', "in  blanks", "Überraschung"]
    skus = ['"S", 1', "S", "two  blanks", "Ü"]
    for number, (name, sku) in enumerate(zip(names, skus, strict=True)):
        await caller.post("/v1/products", json={"name": name, "sku": sku, "price": number, "stock": number})
    before = await catalog(caller)

    exported = await run("catalog_export", format=kind)

    assert (exported["status"], exported["progress"]) == ("succeeded", 1)
    file = (await caller.get(f"/v1/files/{exported['result']['file_id']}")).json()["data"]
    assert file["name"] == f"catalog.{kind}"
    content = (await caller.get(f"/v1/files/{file['id']}/content")).content.decode()
    lines = io.StringIO(content, newline="")
    read = list(csv.DictReader(lines) if kind == "csv" else map(json.loads, lines))
    assert [row["name"] for row in read] == names
    assert [row["sku"] for row in read] == skus
    assert all(row["created_at"].endswith("Z") for row in read)
    for product in (await caller.get("/v1/products")).json()["data"][:2]:
        await caller.delete(f"/v1/products/{product['id']}")
    imported = await run("catalog_import", file_id=file["id"])
    assert imported["result"] == {"created": 2, "updated": 2, "failed": 0, "problems": []}
    assert await catalog(caller) == before


async def test_a_catalog_without_products_is_a_heading(caller: httpx.AsyncClient, run: Runs) -> None:
    """The export succeeds."""
    exported = await run("catalog_export")

    content = await caller.get(f"/v1/files/{exported['result']['file_id']}/content")
    assert content.text == "id,sku,name,price,stock,status,created_at,updated_at\r\n"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["=cmd|/C calc!A0", "+1", "-x", "@SUM(A1)", "plain"]),
        ({"safe_for_spreadsheets": True}, ["'=cmd|/C calc!A0", "'+1", "'-x", "'@SUM(A1)", "plain"]),
    ],
)
async def test_an_export_can_be_made_safe_for_spreadsheets(
    caller: httpx.AsyncClient, run: Runs, given: dict[str, Any], expected: list[str]
) -> None:
    """A text that would be a formula gets an apostrophe; without the input a file can be imported again as it is."""
    for number, name in enumerate(["=cmd|/C calc!A0", "+1", "-x", "@SUM(A1)", "plain"]):
        await caller.post("/v1/products", json={"name": name, "sku": f"S{number}", "price": 0})

    exported = await run("catalog_export", **given)

    content = (await caller.get(f"/v1/files/{exported['result']['file_id']}/content")).text
    read = list(csv.DictReader(io.StringIO(content, newline="")))
    assert ([row["name"] for row in read], {row["price"] for row in read}) == (expected, {"0"})


async def test_an_import_is_all_or_nothing(caller: httpx.AsyncClient, run: Runs) -> None:
    """One bad row, and nothing is imported; the error names row and field."""
    file_id = await upload(caller, f"{HEADING}A,Good,100,1,\nB,,x,-1,gone\nA,Again,1,,\n")

    ended = await run("catalog_import", file_id=file_id)

    assert (ended["status"], ended["result"]) == ("failed", None)
    assert ended["error"]["message"] == NOTHING.format("2")
    assert {(d["field"], d["issue"]) for d in ended["error"]["details"]} == {
        ("row 2.name", "is required"),
        ("row 2.price", "must be a whole number"),
        ("row 2.stock", "must be at least 0"),
        ("row 2.status", "must be one of available, out_of_stock, discontinued"),
        ("row 3.sku", "is that of row 1"),
    }
    assert await catalog(caller) == {}


async def test_a_partial_import_imports_the_good_rows(caller: httpx.AsyncClient, run: Runs) -> None:
    """They are imported, the others reported."""
    file_id = await upload(caller, f"{HEADING}A,Good,100,1,\nB,Bad,x,,\nA,Again,1,,\n")

    ended = await run("catalog_import", file_id=file_id, partial=True)

    assert (ended["status"], ended["result"]["created"], ended["result"]["failed"]) == ("succeeded", 1, 2)
    assert [problem["field"] for problem in ended["result"]["problems"]] == ["row 2.price", "row 3.sku"]
    assert await catalog(caller) == {"A": ("Good", 100, 1, "available")}


async def test_an_import_knows_a_sku_in_any_unicode_form(caller: httpx.AsyncClient, run: Runs) -> None:
    """It changes the product with that sku, and of two rows with the same sku the second is a problem."""
    await caller.post("/v1/products", json={"name": "x", "sku": "Caf\u00e9", "price": 1})
    content = "sku,name,price\nCafe\u0301,y,2\nCaf\u00e9,z,3\nA\u200bB,z,3\n"

    ended = await run("catalog_import", file_id=await upload(caller, content), partial=True)

    assert (ended["result"]["created"], ended["result"]["updated"]) == (0, 1)
    assert {problem["field"] for problem in ended["result"]["problems"]} == {"row 2.sku", "row 3.sku"}
    assert list(await catalog(caller)) == ["Caf\u00e9"]


async def test_an_import_follows_the_stock_rule(caller: httpx.AsyncClient, run: Runs) -> None:
    """Row by row as `with_status` has it for requests, whatever the present values."""
    befores = [None, *itertools.product([0, 5], ["available", "out_of_stock", "discontinued"])]
    changes = list(itertools.product([None, 0, 5], [None, "available", "out_of_stock", "discontinued"]))
    expected, lines = {}, []
    for number, (before, (stock, status)) in enumerate(itertools.product(befores, changes)):
        sku, old = f"S{number:03}", {"stock": 0, "status": "available"}
        if before is not None:
            body = {"name": "x", "sku": sku, "price": 1, "stock": before[0], "status": before[1]}
            old = (await caller.post("/v1/products", json=body)).json()["data"]
        given = {name: value for name, value in (("stock", stock), ("status", status)) if value is not None}
        expected[sku] = with_status(old, given)["status"]
        lines.append(json.dumps({"sku": sku, "name": "x", "price": 1, **given}))
    file_id = await upload(caller, "\n".join(lines), "rows.jsonl")

    ended = await run("catalog_import", file_id=file_id)

    assert ended["status"] == "succeeded", ended
    assert {sku: product[3] for sku, product in (await catalog(caller)).items()} == expected


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "The first line must name columns"),
        (b"sky;name;price\nA;x;1\n", "a.csv", "that do not exist: 'sky'. Separated by semicolons, they can be: "),
        (b"sku,sku\nA,A\n", "a.csv", "The first line must name columns, each once"),
        (b'sku,name,price\nA,"x,1\n', "a.csv", "Line 2 is not CSV: unexpected end of data."),
        (b"sku,name,price\nA,%b,1\n" % (b"x" * 200_000), "a.csv", "field larger than field limit"),
        (b"sku,name,price\nA,%b,1\n" % (b"x" * 2_000_000), "a.csv", "Line 2 is longer than 1048576 characters."),
        (b"sku,name,pr\xeds\nA,x,1\n", "a.csv", "Line 1 is not UTF-8, but perhaps Latin-1"),
        ("sku,name,price\nA,x,1\n".encode("utf-16"), "a.csv", "Line 1 is not UTF-8 but UTF-16"),
        ("sku,name,price\nA,x,1\n".encode("utf-16-le"), "a.csv", "Line 1 is not UTF-8 but UTF-16"),
        (b"PK\x03\x04rest", "a.xlsx", "The file is a spreadsheet or an archive: save it as CSV"),
        (b'[\n{"sku": "A"}\n]', "a.jsonl", "Line 1 is not a JSON object: write one object a line"),
        (b'sku,name,price\nA,"' + b'a","b\n' * 200_000, "a.csv", "is in is longer than 1048576 characters."),
    ],
)
async def test_a_file_that_cannot_be_parsed_fails_the_run(
    caller: httpx.AsyncClient, run: Runs, content: bytes, name: str, message: str
) -> None:
    """The run says where; nothing is changed, also when it should be partial."""
    file_id = await upload(caller, content, name)

    ended = await run("catalog_import", file_id=file_id, partial=True)

    assert (ended["status"], ended["error"]["details"]) == ("failed", [])
    assert message in ended["error"]["message"]
    assert await catalog(caller) == {}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("B,x", ("row 2", "has 2 fields; the heading has 3")),
        ("B,x,1,more", ("row 2", "has 4 fields; the heading has 3")),
        ('B,"x"y,1', ("row 2", "is not CSV in line 3 of the file: ',' expected after '\"'")),
        ("B,\0,1", ("row 2.name", "must not contain the character U+0000")),
        (
            b"B,J\xfcrgen,1",
            ("row 2.name", "is not UTF-8 in line 3 of the file, but perhaps Latin-1: save the file as UTF-8"),
        ),
        ("B,,1", ("row 2.name", "is required")),
        ('B,x,"13,75"', ("row 2.price", "must be a whole number")),
        ("B,x,99999999999999999999", ("row 2.price", "must be at most 1000000000000")),
        ("{bad", ("row 2", "is not JSON: ")),
        ("[1]", ("row 2", "is not a JSON object (line 2)")),
        ('{"sku": "\\ud800", "name": "x", "price": 1}', ("row 2", "is not JSON: ")),
        (
            '{"sku": "B", "name": "x", "price": 1, "color": "red"}',
            ("row 2", "has a field 'color'; there are: created_at, id, name, price, sku, status, stock, updated_at"),
        ),
        ('{"sku": "B", "name": "x", "price": 1, "a\\u0000": 1}', ("row 2", "has a field 'a\\x00'; there are: ")),
        ('{"sku": "B", "name": ["x"], "price": 1}', ("row 2.name", "must not be a list or an object")),
        ('{"sku": "B", "name": {"x": 1}, "price": 1}', ("row 2.name", "must not be a list or an object")),
        ('{"sku": "B", "name": "\\u0000", "price": 1}', ("row 2.name", "must not contain the character U+0000")),
        (
            f'{{"sku": {"[" * 900}{"]" * 900}, "name": "x", "price": 1}}',
            ("row 2.sku", "must not be a list or an object"),
        ),
    ],
)
async def test_a_problem_of_one_row_does_not_affect_the_others(
    caller: httpx.AsyncClient, run: Runs, line: str | bytes, problem: tuple[str, str]
) -> None:
    """With `partial` the rows around it are imported; without it nothing is, and the problem is named all the same."""
    raw = line if isinstance(line, bytes) else line.encode()
    is_json = raw[:1] in b"{["
    content = (GOOD_JSON if is_json else GOOD_CSV).format("@").encode().replace(b"@", raw)
    file_id = await upload(caller, content, "a.jsonl" if is_json else "a.csv")

    strict = await run("catalog_import", file_id=file_id)
    partial = await run("catalog_import", file_id=file_id, partial=True)

    (detail,) = strict["error"]["details"]
    assert (strict["status"], strict["error"]["message"]) == ("failed", "1 row has problems, so nothing was imported.")
    assert (detail["field"], detail["issue"].startswith(problem[1])) == (problem[0], True), detail
    assert partial["result"] == {"created": 2, "updated": 0, "failed": 1, "problems": [detail]}
    assert set(await catalog(caller)) == {"G1", "G2"}


async def test_all_bad_rows_are_named_at_once_up_to_a_limit(caller: httpx.AsyncClient, run: Runs) -> None:
    """A hundred of them, and their number."""
    file_id = await upload(caller, "sku,name,price\n" + "A,x\n" * 150)

    ended = await run("catalog_import", file_id=file_id)

    assert ended["error"]["message"] == NOTHING.format(150)
    assert [detail["field"] for detail in ended["error"]["details"]] == [f"row {n}" for n in range(1, 101)]


@pytest.mark.parametrize(
    "content",
    [
        " SKU , Name,PRICE \nA, x ,1\nB,y,2\n",
        "sku,name,price,,\nA,x,1,,\nB,y,2,,\n",
        "sku;name;price\nA;x;1\nB;y;2\n",
        "sku\tname\tprice\nA\tx\t1\nB\ty\t2\n",
        "sep=;\r\nsku;name;price\r\nA;x;1\r\nB;y;2\r\n",
        "\ufeffsep=,\nsku,name,price\nA,x,1\nB,y,2\n",
        "sku,name,price\n,,\nA,x,1\n , ,\n\nB,y,2\n,,\n",
        "sku,name,price\rA,x,1\rB,y,2\r",
        'sku,name,price\n"A","x","1"\n"B","y ","2"\n',
    ],
)
async def test_a_file_is_read_as_spreadsheets_write_it(caller: httpx.AsyncClient, run: Runs, content: str) -> None:
    """Blanks and other case in headings, blank rows and columns, other separators and line ends."""
    ended = await run("catalog_import", file_id=await upload(caller, content))

    assert ended["result"] == {"created": 2, "updated": 0, "failed": 0, "problems": []}, ended
    assert await catalog(caller) == {"A": ("x", 1, 0, "out_of_stock"), "B": ("y", 2, 0, "out_of_stock")}


async def test_long_rows_are_read_a_few_at_a_time(
    caller: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as fit into the size of the longest row, so that a file of long rows does not fill the memory."""
    monkeypatch.setattr("redcore_server.workflows.lines.MAX_ROW_CHARACTERS", 10_000)
    content = b"sku,name\n" + b"A,%b\n" % (b"x" * 3000) * 10
    (settings.objects / "rows").write_bytes(content)
    file = {"key": "rows", "size": len(content), "name": "rows.csv", "content_type": "text/csv"}

    columns = frozenset({"sku", "name"})
    batches = tables.batches(open_objects(settings), file, columns, columns, lambda: True)
    read = [len(batch.rows) async for batch in batches]

    assert read == [4, 4, 2]


async def test_a_whole_number_may_have_a_fraction_of_zero(caller: httpx.AsyncClient, run: Runs) -> None:
    """As in a request to the API: 5.0 is 5."""
    file_id = await upload(caller, '{"sku": "A", "name": "x", "price": 5.0}', "rows.jsonl")

    assert (await run("catalog_import", file_id=file_id))["status"] == "succeeded"
    assert (await catalog(caller))["A"][1] == 5


async def test_one_sku_in_every_row_is_fast(caller: httpx.AsyncClient, run: Runs) -> None:
    """The first row counts; all others are counted, and the first hundred reported."""
    file_id = await upload(caller, "sku,name,price\n" + "A,x,1\n" * 20_000)

    ended = await run("catalog_import", file_id=file_id, partial=True)  # a minute, if each were compared with each

    assert (ended["result"]["created"], ended["result"]["failed"]) == (1, 19_999)
    assert len(ended["result"]["problems"]) == 100


async def test_an_import_reverts_no_concurrent_change(
    caller: httpx.AsyncClient, runner: WorkflowRunner, stores: Stores
) -> None:
    """If the file leaves the stock out, a change made while the import waits for the row is kept."""
    product = {"name": "x", "sku": "A", "price": 1, "stock": 5}
    product_id = (await caller.post("/v1/products", json=product)).json()["data"]["id"]
    started = await start(caller, "catalog_import", file_id=await upload(caller, "sku,name,price\nA,x,2\n"))
    async with stores.postgres.connection() as connection, connection.transaction():
        await connection.execute("update products set stock = 99 where id = %s", (product_id,))
        importing = asyncio.create_task(runner.run(started["id"]))
        while not await rows(stores, "select 1 from pg_locks where not granted"):  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.01)
    await importing

    assert await catalog(caller) == {"A": ("x", 2, 99, "available")}


async def test_a_byte_order_mark_and_lone_line_feeds_are_read(caller: httpx.AsyncClient, run: Runs) -> None:
    """As spreadsheets write them; empty lines are skipped."""
    file_id = await upload(caller, b"\xef\xbb\xbfsku,name,price\r\nA,x,1\r\n\r\nB,y,2\r\n")

    assert (await run("catalog_import", file_id=file_id))["result"]["created"] == 2


@pytest.mark.parametrize(
    "name", [name for name in WORKFLOWS if "file_id" in WORKFLOWS[name].input_schema["properties"]]
)
async def test_a_file_of_another_organisation_is_not_found(run: Runs, callers: Callers, name: str) -> None:
    """The run fails as for an unknown file, in every workflow that takes one."""
    other = await callers.of(await make_organisation(callers.stores, callers.clock))
    file_id = await upload(other, f"{HEADING}A,x,1,,\n")

    ended = await run(name, file_id=file_id)

    assert ended["error"]["message"] == f"File {file_id} does not exist."


async def test_users_are_imported_and_invited(caller: httpx.AsyncClient, run: Runs, stores: Stores) -> None:
    """Each is pending with one invitation and one job; problems are reported by row."""
    await caller.post("/v1/users", json={"email": "Old@example.com", "name": "Old"})
    content = "email,name,role\nnew@example.com,New,editor\nold@EXAMPLE.com,Old,\nNEW@example.com,Twice,\nbad,Bad,\n"
    file_id = await upload(caller, content)

    strict = await run("user_import", file_id=file_id)
    partial = await run("user_import", file_id=file_id, partial=True)

    assert (strict["status"], strict["error"]["message"]) == (
        "failed",
        "3 rows have problems, so nothing was imported.",
    )
    assert partial["result"]["created"] == 1
    assert {problem["field"] for problem in partial["result"]["problems"]} == {f"row {n}.email" for n in (2, 3, 4)}
    (user,) = (await caller.get("/v1/users?q=new@")).json()["data"]
    assert (user["name"], user["role"], user["status"]) == ("New", "editor", "pending_invite")
    jobs = """select 1 from procrastinate_jobs as job join invitations on invitations.id = job.args->>'invitation_id'
              where invitations.user_id = %s"""
    assert len(await rows(stores, jobs, user["id"])) == 1


async def test_a_queue_that_an_import_makes_long_is_planned_for(
    caller: httpx.AsyncClient, run: Runs, stores: Stores
) -> None:
    """Statistics of the empty queue would let each worker that takes a job sort all jobs, or compare each with each."""
    async with stores.postgres.connection() as connection:
        await connection.execute("analyze procrastinate_jobs")
    people = "".join(f"{number}@example.com,New,\n" for number in range(300))

    await run("user_import", file_id=await upload(caller, f"email,name,role\n{people}"))

    (table,) = await rows(stores, "select reltuples from pg_class where relname = 'procrastinate_jobs'")
    assert table["reltuples"] >= 300


async def test_an_import_accepts_addresses_in_any_script(caller: httpx.AsyncClient, run: Runs) -> None:
    """In another Unicode form it is the same address, as in the API."""
    await caller.post("/v1/users", json={"email": "ren\u00e9@example.com", "name": "Old"})
    addresses = ["rene\u0301@example.com", "用户@例え.jp", "ZOË@example.com", "zoe\u0308@example.com"]
    file_id = await upload(caller, "\n".join(["email,name,role", *(f"{address},New," for address in addresses)]))

    ended = await run("user_import", file_id=file_id, partial=True)

    assert ended["result"]["created"] == 2
    assert {problem["field"] for problem in ended["result"]["problems"]} == {"row 1.email", "row 4.email"}


async def test_problems_beyond_the_limit_are_only_counted() -> None:
    """A description costs ten times as much as the check, so only those that are shown are made."""
    problems, described = Problems(), list[int]()

    def describe(number: int) -> Iterator[Detail]:
        described.append(number)
        yield row_problem(number, "sku", "is required")

    for number in range(MAX_DETAILS + 50):
        problems.add(describe(number))

    assert (problems.count, len(problems.details), len(described)) == (MAX_DETAILS + 50, MAX_DETAILS, MAX_DETAILS)
