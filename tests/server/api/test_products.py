"""The catalog, through the gateway on real stores."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from redcore_server.api.products import with_status

pytestmark = pytest.mark.anyio

ENGINE = {"name": "Analytical Engine", "sku": "ENG-1", "price": 129900, "stock": 12}


async def create(caller: httpx.AsyncClient, **fields: object) -> dict[str, Any]:
    response = await caller.post("/v1/products", json={**ENGINE, **fields})
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


async def test_a_product_is_created_and_found(caller: httpx.AsyncClient) -> None:
    """201 with Location, then GET returns the same."""
    response = await caller.post("/v1/products", json=ENGINE)

    product = response.json()["data"]
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/products/{product['id']}"
    assert product == {
        **ENGINE,
        "id": product["id"],
        "status": "available",
        "created_at": product["created_at"],
        "updated_at": product["created_at"],
    }
    assert (await caller.get(f"/v1/products/{product['id']}")).json()["data"] == product


@pytest.mark.parametrize(
    ("before", "changes", "status"),
    [
        ((0, "available"), {}, "out_of_stock"),
        ((5, "available"), {"stock": 0}, "out_of_stock"),
        ((5, "discontinued"), {"stock": 0}, "discontinued"),
        ((0, "out_of_stock"), {"status": "available"}, "out_of_stock"),
        ((0, "out_of_stock"), {"status": "discontinued"}, "discontinued"),
        ((0, "out_of_stock"), {"stock": 5}, "available"),
        ((5, "out_of_stock"), {"stock": 6}, "available"),
        ((5, "out_of_stock"), {"name": "new"}, "out_of_stock"),
        ((0, "out_of_stock"), {"stock": 5, "status": "out_of_stock"}, "out_of_stock"),
        ((0, "discontinued"), {"stock": 5}, "discontinued"),
        ((0, "discontinued"), {"status": "available"}, "out_of_stock"),
        ((5, "available"), {"status": "out_of_stock"}, "out_of_stock"),
    ],
)
def test_the_stock_rule(before: tuple[int, str], changes: dict[str, Any], status: str) -> None:
    """No stock is `out_of_stock` unless discontinued; new stock is `available` unless another status is given."""
    stock, old = before

    assert with_status({"stock": stock, "status": old}, changes)["status"] == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "available"),
        ({"stock": 0}, "out_of_stock"),
        ({"stock": 0, "status": "available"}, "out_of_stock"),
        ({"stock": 0, "status": "discontinued"}, "discontinued"),
    ],
)
async def test_the_stock_rule_holds_at_creation(caller: httpx.AsyncClient, fields: dict[str, Any], status: str) -> None:
    """The status in the answer is the stored one."""
    assert (await create(caller, **fields))["status"] == status


async def test_the_stock_rule_holds_for_changes(caller: httpx.AsyncClient) -> None:
    """Sold out, then restocked."""
    path = f"/v1/products/{(await create(caller))['id']}"

    statuses = [(await caller.patch(path, json={"stock": stock})).json()["data"]["status"] for stock in (0, 0, 7)]

    assert statuses == ["out_of_stock", "out_of_stock", "available"]


async def test_stock_defaults_to_zero(caller: httpx.AsyncClient) -> None:
    """0 pieces, so out of stock."""
    body = {name: ENGINE[name] for name in ("name", "sku", "price")}

    product = (await caller.post("/v1/products", json=body)).json()["data"]

    assert (product["stock"], product["status"]) == (0, "out_of_stock")


async def test_a_whole_number_may_have_a_fraction_of_zero(caller: httpx.AsyncClient) -> None:
    """`5.0` is an integer in JSON Schema; it is stored and answered as 5."""
    response = await caller.post(
        "/v1/products",
        content=b'{"name": "x", "sku": "x", "price": 1e3, "stock": 5.0}',
        headers={"Content-Type": "application/json"},
    )

    assert b'"price":1000,"stock":5,' in response.content


async def test_a_sku_is_unique_in_the_catalog(caller: httpx.AsyncClient) -> None:
    """At creation and at a change."""
    await create(caller)
    other = await create(caller, sku="ENG-2")

    created = await caller.post("/v1/products", json=ENGINE)
    changed = await caller.patch(f"/v1/products/{other['id']}", json={"sku": "ENG-1"})

    for response in (created, changed):
        body = response.json()["error"]
        assert (response.status_code, body["code"]) == (409, "DUPLICATE_RESOURCE")
        assert body["message"] == "A product with the sku ENG-1 exists already."


async def test_an_update_changes_only_the_given_fields(caller: httpx.AsyncClient) -> None:
    """Other fields stay; an empty update changes nothing."""
    product = await create(caller)
    path = f"/v1/products/{product['id']}"

    after = (await caller.patch(path, json={"price": 5})).json()["data"]
    same = (await caller.patch(path, json={})).json()["data"]

    assert after == {**product, "price": 5, "updated_at": after["updated_at"]}
    assert same == after


async def test_a_deleted_product_is_gone(caller: httpx.AsyncClient) -> None:
    """204, then 404 for every operation."""
    path = f"/v1/products/{(await create(caller))['id']}"

    statuses = [
        (await caller.delete(path)).status_code,
        (await caller.delete(path)).status_code,
        (await caller.get(path)).status_code,
        (await caller.patch(path, json={"price": 1})).status_code,
    ]

    assert statuses == [204, 404, 404, 404]


async def test_filters_and_search_narrow_the_list(caller: httpx.AsyncClient) -> None:
    """By status, and by a part of name or sku in any case."""
    await create(caller, sku="A-1", name="Lamp")
    await create(caller, sku="A-2", name="Désk", stock=0)
    await create(caller, sku="B-1", name="desk lamp")

    async def found(**query: str) -> list[str]:
        page = (await caller.get("/v1/products", params=query)).json()
        assert page["meta"]["total"] == len(page["data"])
        return [product["sku"] for product in page["data"]]

    assert await found() == ["B-1", "A-2", "A-1"]
    assert await found(status="out_of_stock") == ["A-2"]
    assert await found(q="LAMP") == ["B-1", "A-1"]
    assert await found(q="a-") == ["A-2", "A-1"]
    assert await found(q="DÉSK") == ["A-2"]
    assert await found(q="lamp", status="discontinued") == []
