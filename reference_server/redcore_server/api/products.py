"""The catalog, and the rule that ties a product's status to its stock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg

from redcore_server.api import listing
from redcore_server.api.handler import Call, Handler, Reply, Row
from redcore_server.errors import Duplicate, NotFound
from redcore_server.ids import new_id
from redcore_server.store.postgres import queries

_QUERIES: Final = queries("products")
_NEW: Final[Mapping[str, Any]] = {"stock": 0, "status": "available"}


def with_status(product: Mapping[str, Any], changes: Mapping[str, Any]) -> Row:
    """Return a product after a change, with the status set by the stock rule.

    Without stock it is `out_of_stock`, unless `discontinued`. New stock makes an `out_of_stock` product `available`,
    unless the change sets a status itself.

    Args:
        product: Product before the change.
        changes: The given fields.
    """
    changed = {**product, **changes}
    if changed["stock"] == 0 and changed["status"] == "available":
        changed["status"] = "out_of_stock"
    elif "status" not in changes and changes.get("stock", 0) > 0 and product["status"] == "out_of_stock":
        changed["status"] = "available"
    return changed


async def products_list(call: Call) -> Reply:
    """Return one page of the catalog."""
    return await listing.page(call, _QUERIES["matching"])


async def products_get(call: Call) -> Reply:
    """Return a product."""
    return Reply(data=await call.found("Product", _QUERIES["get"], call.path["product_id"]))


async def products_create(call: Call) -> Reply:
    """Create a product."""
    product = with_status(_NEW, call.body)
    product_id = new_id("prod")
    try:
        row = await call.one(_QUERIES["add"], **product, id=product_id)
    except psycopg.errors.UniqueViolation as error:
        raise _taken(product["sku"]) from error
    return Reply(data=row, status=201, location=f"/v1/products/{product_id}")


async def products_update(call: Call) -> Reply:
    """Change the given fields, and the status if the stock rule requires it."""
    before = await _found(call, "lock")
    if not call.body:
        return Reply(data=before)
    product = with_status(before, call.body)
    try:
        return Reply(data=await call.one(_QUERIES["update"], **product))
    except psycopg.errors.UniqueViolation as error:
        raise _taken(product["sku"]) from error


async def products_delete(call: Call) -> Reply:
    """Delete a product."""
    await _found(call, "delete")
    return Reply(status=204)


async def _found(call: Call, query: str) -> Row:
    product_id = call.path["product_id"]
    row = await call.one(_QUERIES[query], id=product_id)
    if row is None:
        raise NotFound.named("Product", product_id)
    return row


def _taken(sku: str) -> Duplicate:
    return Duplicate(f"A product with the sku {sku} exists already.")


HANDLERS: Final[Mapping[str, Handler]] = {
    "products_list": products_list,
    "products_get": products_get,
    "products_create": products_create,
    "products_update": products_update,
    "products_delete": products_delete,
}
