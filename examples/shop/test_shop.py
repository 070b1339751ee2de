"""The shop with its products."""

from __future__ import annotations

import pytest
from shop import Shop

from redcore import Client, PermissionError, Product, ValidationError  # noqa: A004
from redcore.testing import FakeBlueRound, make


def test_a_new_product_is_created(shop: Shop) -> None:
    assert shop.stock_up("E-1", "Engine", 129900, 3).stock == 3


def test_a_known_product_gets_more_pieces(shop: Shop) -> None:
    shop.stock_up("E-1", "Engine", 129900, 3)
    assert shop.stock_up("E-1", "Engine", 129900, 4).stock == 7


def test_a_product_is_found_by_its_sku(shop: Shop) -> None:
    shop.stock_up("E-10", "Larger", 1, 1)
    made = shop.stock_up("E-1", "Engine", 1, 1)
    assert shop.find("E-1").id == made.id


def test_a_sku_that_nothing_has(shop: Shop) -> None:
    with pytest.raises(LookupError):
        shop.find("E-1")


def test_the_last_piece_is_sold(shop: Shop) -> None:
    product = shop.stock_up("E-1", "Engine", 129900, 1)
    assert shop.sell(product.id).status == "out_of_stock"


def test_nothing_is_sold_twice(shop: Shop) -> None:
    product = shop.sell(shop.stock_up("E-1", "Engine", 129900, 1).id)
    with pytest.raises(LookupError, match="Engine is sold out"):
        shop.sell(product.id)


def test_a_product_that_was_deleted(shop: Shop, redcore_client: Client) -> None:
    product = shop.stock_up("E-1", "Engine", 129900, 1)
    redcore_client.products.delete(product.id)
    with pytest.raises(LookupError):
        shop.sell(product.id)


def test_a_price_below_zero_is_refused(shop: Shop) -> None:
    with pytest.raises(ValidationError) as caught:
        shop.stock_up("E-1", "Engine", -1, 1)
    assert [detail.field for detail in caught.value.details] == ["price"]


def test_all_pages_of_the_catalog_are_read(shop: Shop) -> None:
    for number in range(5):
        shop.stock_up(f"E-{number}", f"Engine {number}", 100, 1)
    assert list(shop.catalog(page_size=2)) == [
        f"Engine {number}" for number in reversed(range(5))
    ]


def test_a_key_that_may_only_read(
    redcore_platform: FakeBlueRound, redcore_client: Client
) -> None:
    key = redcore_client.api_keys.create(name="till", scopes=["products:read"]).key
    with (
        Client(base_url=redcore_platform.base_url, api_key=key) as client,
        pytest.raises(PermissionError),
    ):
        Shop(client).stock_up("E-1", "Engine", 129900, 1)


def test_a_product_can_be_made_without_the_platform() -> None:
    assert make(Product, stock=0, status="out_of_stock").status.known
