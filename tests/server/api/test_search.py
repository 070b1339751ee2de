"""Search in users and products: what `q` finds, and that an index is used."""

from __future__ import annotations

import httpx
import pytest
from tests.server.support.callers import rows
from tests.server.support.tenants import Organisation

from redcore_server.api.handler import Row
from redcore_server.api.listing import cut_of
from redcore_server.store import Stores
from redcore_server.store.postgres import queries

pytestmark = pytest.mark.anyio

NAMES = ("Analytical Engine", "engine oil", "100% wool", "snow_flake", "ÜBERGRÖSSE", "ab")


@pytest.fixture
async def catalog(caller: httpx.AsyncClient) -> httpx.AsyncClient:
    for number, name in enumerate(NAMES):
        await caller.post("/v1/products", json={"name": name, "sku": f"SKU-{number}", "price": 1})
    return caller


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("ENGINE", {"Analytical Engine", "engine oil"}),
        ("gine o", {"engine oil"}),
        ("%", {"100% wool"}),
        ("w_f", {"snow_flake"}),
        ("übergrö", {"ÜBERGRÖSSE"}),
        ("ab", {"ab"}),
        ("b", {"ab", "ÜBERGRÖSSE"}),
        ("sku-3", {"snow_flake"}),
        ("Engine SKU", set()),
        ("nothing", set()),
    ],
)
async def test_text_is_found_wherever_it_stands(catalog: httpx.AsyncClient, q: str, found: set[str]) -> None:
    """In a name or a sku but not across both, in any case, also shorter than the n-grams of the index."""
    listed = (await catalog.get("/v1/products", params={"q": q})).json()

    assert {product["name"] for product in listed["data"]} == found
    assert listed["meta"]["total"] == len(found)


@pytest.mark.parametrize(
    ("name", "q"),
    [
        ("Caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300"),
        ("Cafe\u0301 cre\u0300me", "CAF\u00c9"),
        ("\u039f\u0394\u039f\u03a3 2", "\u03bf\u03b4\u03bf\u03c2"),
        ("\u03bf\u03b4\u03bf\u03c2", "\u039f\u0394\u039f\u03a3"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER A}BC", "abc"),
        ("\N{LATIN SMALL LIGATURE FI}sh", "FISH"),
        ("100% wool", "\N{FULLWIDTH PERCENT SIGN} w"),
        ("e\u0301", "\u00c9"),
        ("Stra\u00dfe", "STRASSE"),
        ("GROSSE", "gro\u00df"),
        ("WEI\u1e9e", "ss"),
        ("Strasse", "\u00df"),
    ],
)
async def test_text_is_found_in_any_unicode_form(caller: httpx.AsyncClient, name: str, q: str) -> None:
    """Composed or not, wide or not, with a final sigma or not, with a sharp s or two; short texts too."""
    await caller.post("/v1/products", json={"name": name, "sku": "A", "price": 1})
    await caller.post("/v1/products", json={"name": "Something else", "sku": "B", "price": 1})
    await caller.post("/v1/users", json={"email": "a@x.example", "name": name})

    for path in ("/v1/products", "/v1/users"):
        listed = (await caller.get(path, params={"q": q})).json()
        assert [item["name"] for item in listed["data"]] == [name]


async def test_users_are_found_by_name_and_address(caller: httpx.AsyncClient) -> None:
    """A part of either is enough."""
    await caller.post("/v1/users", json={"email": "Grace.Hopper@example.com", "name": "Amazing"})

    async def found(q: str) -> list[str]:
        return [user["name"] for user in (await caller.get("/v1/users", params={"q": q})).json()["data"]]

    assert await found("hopper@EX") == ["Amazing"]
    assert await found("mazin") == ["Amazing"]


@pytest.mark.parametrize(
    ("table", "insert"),
    [
        (
            "products",
            """insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
               select 'prod_' || gen_random_uuid(), %s, 'Product ' || i, %s || i, 1, 1, 'available', now(), now()
               from generate_series(1, 5000) as i returning 1""",
        ),
        (
            "users",
            """insert into users (id, organisation_id, email, email_key, name, role, status, created_at, updated_at)
               select 'usr_' || gen_random_uuid(), %s, i || '@x.example', %s || i, 'User ' || i, 'viewer',
                      'pending_invite', now(), now()
               from generate_series(1, 5000) as i returning 1""",
        ),
    ],
)
async def test_an_index_is_used(stores: Stores, organisation: Organisation, table: str, insert: str) -> None:
    """Of five thousand rows, only those with the text are read."""
    await rows(stores, insert, organisation.id, "k")
    parameters = {
        "organisation_id": organisation.id,
        "status": None,
        "role": None,
        "limit": 20,
        "offset": 0,
        "after_time": None,
        "after_id": None,
    }
    asked = {**parameters, "q": "4999"}
    async with stores.postgres.connection() as connection:
        await connection.execute(f"vacuum analyze {table}".encode())
        cursor = await connection.execute(
            b"explain " + cut_of(queries(table)["matching"], is_counted=True, is_search=True), asked
        )
        plan = "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())

    assert f"Bitmap Index Scan on {table}_search" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("q", ["q", "qz", "Q\N{FULLWIDTH LATIN SMALL LETTER Z}"])
async def test_an_index_is_used_for_one_and_two_letters(stores: Stores, organisation: Organisation, q: str) -> None:
    """Of five thousand rows, only those with the letters are read."""
    insert = """insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
                select 'prod_' || gen_random_uuid(), %s, case i when 7 then 'Aqz' else 'Item' end, 'S' || i, 1, 1,
                       'available', now(), now()
                from generate_series(1, 5000) as i returning 1"""
    await rows(stores, insert, organisation.id)
    asked = {"organisation_id": organisation.id, "status": None, "limit": 20, "offset": 0, "q": q}
    query = b"explain " + cut_of(queries("products")["matching"], is_counted=True, is_search=True)
    async with stores.postgres.connection() as connection:
        await connection.execute(b"vacuum analyze products")
        cursor = await connection.execute(query, {**asked, "after_time": None, "after_id": None})
        plan = "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())

    assert "Bitmap Index Scan on products_letters" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("counted", ["true", "false"])
async def test_an_offset_beyond_any_end_finds_nothing(catalog: httpx.AsyncClient, counted: str) -> None:
    """The largest offset plus a page exceeds PostgreSQL's integer."""
    query = f"q=e&offset={2**31 - 1}&limit=100&include_total={counted}"

    response = await catalog.get(f"/v1/products?{query}")

    assert (response.status_code, response.json()["data"]) == (200, [])


@pytest.mark.parametrize("is_counted", [True, False])
async def test_pagination_of_a_search_in_a_long_listing(
    stores: Stores, organisation: Organisation, *, is_counted: bool
) -> None:
    """Common and rare letters, far behind the rows that are walked; from an offset, behind a cursor, past the end."""
    insert = """insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
                select 'prod_' || gen_random_uuid(), %s,
                       case when i %% 100 = 7 and i < 4000 then 'Aqz' else 'Item' end || i, 'S' || i, 1, 1, 'available',
                       timestamptz '2026-01-01' + i * interval '1 second', now()
                from generate_series(1, 5000) as i returning 1"""
    await rows(stores, insert, organisation.id)
    asked = {"organisation_id": organisation.id, "status": None, "after_time": None, "after_id": None}
    matching = queries("products")["matching"]

    async def cut(q: str, offset: int, after: Row | None, *, is_search: bool) -> list[Row]:
        behind = {"after_time": after["created_at"], "after_id": after["id"]} if after else {}
        parameters = {**asked, "q": q, "limit": 20, "offset": offset, **behind}
        query = cut_of(matching, is_counted=is_counted, is_search=is_search)
        return await stores.reader.all(query, parameters)

    for q in ("z", "qz", "aqz", "it", "item", "item49", "nowhere"):
        for offset in (0, 15, 100):
            walked = await cut(q, offset, None, is_search=False)
            assert await cut(q, offset, None, is_search=True) == walked
        if (last := (await cut(q, 0, None, is_search=False))[-1:]) and last[0]["id"]:
            assert await cut(q, 0, last[0], is_search=True) == await cut(q, 0, last[0], is_search=False)
