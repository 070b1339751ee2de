"""Pagination by cursor: every listing, bound to its query, counted only on request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
async def names(caller: httpx.AsyncClient, stores: Stores, organisation: Organisation) -> list[str]:
    """Return the names of nine products created at one moment, in the order of the listing."""
    insert = """insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
                select 'prod_' || gen_random_uuid(), %s, 'Product ' || i, 'S' || i, 1, 1, 'available', now(), now()
                from generate_series(1, 9) as i returning 1"""
    await rows(stores, insert, organisation.id)
    return [item["name"] for item in (await listed(caller))["data"]]


async def listed(caller: httpx.AsyncClient, path: str = "/v1/products", **query: Any) -> Any:
    answer = await caller.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def issues(caller: httpx.AsyncClient, path: str = "/v1/products", **query: Any) -> list[str]:
    answer = await caller.get(path, params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    return [detail["field"] for detail in answer.json()["error"]["details"]]


async def test_pagination_by_cursor_visits_each_item_once(caller: httpx.AsyncClient, names: list[str]) -> None:
    """Items of the same moment come once and in order; the last page's cursor is null."""
    page = await listed(caller, limit=4)
    pages = [page]
    while cursor := page["meta"]["next_cursor"]:
        page = await listed(caller, limit=4, cursor=cursor)
        pages.append(page)

    assert [len(each["data"]) for each in pages] == [4, 4, 1]
    assert [item["name"] for each in pages for item in each["data"]] == names


async def test_a_page_reached_by_cursor_is_not_counted(caller: httpx.AsyncClient, names: list[str]) -> None:
    """It has neither total nor offset, unless they are requested."""
    cursor = (await listed(caller, limit=2))["meta"]["next_cursor"]

    plain = await listed(caller, limit=3, cursor=cursor)
    counted = await listed(caller, limit=3, cursor=cursor, include_total="true")

    assert plain["meta"].keys() == {"request_id", "version", "limit", "next_cursor"}
    assert (counted["meta"]["total"], counted["meta"]["offset"]) == (len(names), 2)
    assert counted["data"] == plain["data"]


async def test_the_first_page_need_not_be_counted(caller: httpx.AsyncClient, names: list[str]) -> None:
    """With include_total=false a page by offset has no total either."""
    page = await listed(caller, limit=3, offset=1, include_total="false")

    assert [item["name"] for item in page["data"]] == names[1:4]
    assert "total" not in page["meta"]
    assert page["meta"]["next_cursor"]


async def test_changes_during_pagination_shift_nothing(caller: httpx.AsyncClient, names: list[str]) -> None:
    """Even the item that the cursor names may be deleted."""
    page = await listed(caller, limit=3)
    await caller.delete(f"/v1/products/{page['data'][-1]['id']}")
    await caller.post("/v1/products", json={"name": "New", "sku": "new", "price": 1})

    behind = await listed(caller, limit=3, cursor=page["meta"]["next_cursor"])

    assert [item["name"] for item in behind["data"]] == names[3:6]


async def test_a_cursor_belongs_to_its_query(caller: httpx.AsyncClient, names: list[str]) -> None:
    """Not to another listing, nor to the same one with another filter."""
    cursor = (await listed(caller, limit=2, status="available"))["meta"]["next_cursor"]

    assert await issues(caller, cursor=cursor) == ["cursor"]
    assert await issues(caller, cursor=cursor, status="discontinued") == ["cursor"]
    assert await issues(caller, "/v1/users", cursor=cursor, status="active") == ["cursor"]
    assert len((await listed(caller, cursor=cursor, status="available", limit=9))["data"]) == len(names) - 2


async def test_a_cursor_belongs_to_its_organisation(
    callers: Callers, caller: httpx.AsyncClient, names: list[str], stores: Stores, clock: Clock
) -> None:
    """Another organisation's is refused, so that its items are not revealed."""
    cursor = (await listed(caller, limit=2))["meta"]["next_cursor"]

    stranger = await callers.of(await make_organisation(stores, clock))

    assert await issues(stranger, cursor=cursor) == ["cursor"]


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "!" * 40, "A" * 1000, " ", "null"])
async def test_a_forged_cursor_is_refused(caller: httpx.AsyncClient, names: list[str], cursor: str) -> None:
    """Whatever its content."""
    assert await issues(caller, cursor=cursor) == ["cursor"]


async def test_a_changed_cursor_is_refused(caller: httpx.AsyncClient, names: list[str]) -> None:
    """Any changed character invalidates it."""
    cursor = (await listed(caller, limit=2))["meta"]["next_cursor"]

    assert await issues(caller, cursor=cursor + "!") == ["cursor"]
    assert await issues(caller, cursor=cursor + "=") == ["cursor"]
    for place in (0, len(cursor) // 2, len(cursor) - 2):
        other = "A" if cursor[place] != "A" else "B"
        assert await issues(caller, cursor=cursor[:place] + other + cursor[place + 1 :]) == ["cursor"]


async def test_a_cursor_with_an_offset_is_refused(caller: httpx.AsyncClient, names: list[str]) -> None:
    """They name two places."""
    cursor = (await listed(caller, limit=2))["meta"]["next_cursor"]

    assert await issues(caller, cursor=cursor, offset=1) == ["offset"]
    assert await issues(caller, include_total="yes") == ["include_total"]


async def test_workflow_definitions_have_cursors_too(caller: httpx.AsyncClient) -> None:
    """A listing without a table has the same pagination."""
    page = await listed(caller, "/v1/workflows", limit=3)
    rest = await listed(caller, "/v1/workflows", cursor=page["meta"]["next_cursor"], include_total="true")

    assert len(page["data"]) + len(rest["data"]) == page["meta"]["total"] == rest["meta"]["total"]
    assert rest["meta"]["offset"] == 3
    assert rest["meta"]["next_cursor"] is None
    assert await issues(caller, "/v1/workflows", cursor="AAAA") == ["cursor"]
