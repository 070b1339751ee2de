"""The catalog, and the rule that ties a product's status to its stock."""

from __future__ import annotations

from collections.abc import Mapping
from unicodedata import normalize

from redcore.testing._fake.call import Call, Handler, Reply
from redcore.testing._fake.paging import page
from redcore.testing._fake.problem import Problem, not_found
from redcore.testing._fake.state import Row, State, contains

NEW: Row = {"stock": 0, "status": "available"}


def with_status(product: Row, changes: Row) -> Row:
    """A product after a change: without stock `out_of_stock`, with new stock `available`, unless said otherwise."""
    changed = {**product, **changes}
    if changed["stock"] == 0 and changed["status"] == "available":
        changed["status"] = "out_of_stock"
    elif "status" not in changes and changes.get("stock", 0) > 0 and product["status"] == "out_of_stock":
        changed["status"] = "available"
    return changed


def products_list(call: Call) -> Reply:
    """One page of the catalog."""
    wanted = [
        product
        for product in call.state.products.values()
        if call.query["status"] in {None, product["status"]} and contains(product, ("name", "sku"), call.query["q"])
    ]
    return page(call, wanted)


def products_get(call: Call) -> Reply:
    """A product."""
    return Reply(data=found(call))


def products_create(call: Call) -> Reply:
    """Create a product."""
    require_free(call.state, call.body["sku"], "")
    product = add_product(call.state, call.body)
    return Reply(data=product, location=f"/v1/products/{product['id']}")


def products_update(call: Call) -> Reply:
    """Change what is given, and the status with it if the stock rule says so."""
    product = found(call)
    if call.body:
        require_free(call.state, {**product, **call.body}["sku"], product["id"])
        call.state.change(product, with_status(product, call.body))
    return Reply(data=product)


def products_delete(call: Call) -> Reply:
    """Delete a product."""
    del call.state.products[found(call)["id"]]
    return Reply()


def add_product(state: State, fields: Row) -> Row:
    """Put a product into the catalog."""
    moment = state.moment()
    made: Row = {"id": state.new_id("prod"), **with_status(NEW, fields), "created_at": moment, "updated_at": moment}
    state.products[made["id"]] = made
    return made


def by_sku(state: State, sku: str) -> Row | None:
    """The product with a sku, in any Unicode form."""
    key = normalize("NFC", sku)
    return next((each for each in state.products.values() if normalize("NFC", each["sku"]) == key), None)


def require_free(state: State, sku: str, own_id: str) -> None:
    """Refuse a sku that another product has."""
    holder = by_sku(state, sku)
    if holder is not None and holder["id"] != own_id:
        raise Problem("DUPLICATE_RESOURCE", f"A product with the sku {sku} exists already.")


def found(call: Call) -> Row:
    """The product of the path."""
    product = call.state.products.get(call.path["product_id"])
    if product is None:
        raise not_found("Product", call.path["product_id"])
    return product


HANDLERS: Mapping[str, Handler] = {
    "products_list": products_list,
    "products_get": products_get,
    "products_create": products_create,
    "products_update": products_update,
    "products_delete": products_delete,
}
