"""The shop's tests: `pytest examples/shop` on the platform in process, `--redcore=server` on a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shop import Shop

from redcore import Client, NetworkError, PermissionError, Product, ResponseError, ValidationError  # noqa: A004
from redcore.testing import FakeBlueRound, Fault, Lab, make

Inject = Callable[..., None]


@pytest.fixture
def shop(redcore_client: Client) -> Shop:
    return Shop(redcore_client)


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


def test_somebody_is_hired(shop: Shop) -> None:
    assert shop.hire("ada@example.com", "Ada").status == "pending_invite"


def test_hiring_twice_does_nothing(shop: Shop) -> None:
    assert shop.hire("ada@example.com", "Ada").id == shop.hire("ada@example.com", "Ada").id


def test_all_pages_of_the_catalog_are_read(shop: Shop) -> None:
    for number in range(5):
        shop.stock_up(f"E-{number}", f"Engine {number}", 100, 1)
    assert list(shop.catalog(page_size=2)) == [f"Engine {number}" for number in reversed(range(5))]


def test_the_catalog_is_exported(shop: Shop) -> None:
    shop.stock_up("E-1", "Engine", 129900, 1)
    assert b"E-1,Engine,129900" in shop.export()


def test_an_outage_is_survived(shop: Shop, redcore_faults: Inject) -> None:
    redcore_faults("GET", "/v1/products", Fault(status=503, retry_after=0), Fault(status=503, retry_after=0))
    assert shop.status() == "open, 0 products"


def test_an_outage_that_lasts_is_shown(shop: Shop, redcore_faults: Inject) -> None:
    redcore_faults("GET", "/v1/products", *[Fault(status=503, retry_after=0)] * 3)
    assert shop.status() == "closed: BlueRound is away"


def test_a_busy_platform_is_shown(redcore_client: Client, redcore_faults: Inject) -> None:
    redcore_faults("GET", "/v1/products", Fault(status=429, retry_after=7))
    assert Shop(redcore_client.with_options(max_retries=0)).status() == "busy, again in 7 s"


@pytest.mark.usefixtures("redcore_time")  # the wait before the second attempt is over at once
def test_a_truncated_answer_creates_nothing_twice(shop: Shop, redcore_faults: Inject) -> None:
    redcore_faults("POST", "/v1/products", Fault(truncate=True))
    shop.stock_up("E-1", "Engine", 129900, 1)
    assert list(shop.catalog()) == ["Engine"]


def test_a_connection_that_is_cut_for_good(redcore_client: Client, redcore_faults: Inject) -> None:
    redcore_faults("GET", "/v1/products", Fault(drop=True))
    with pytest.raises(NetworkError):
        Shop(redcore_client.with_options(max_retries=0)).status()


def test_a_page_from_something_in_between(redcore_client: Client, redcore_faults: Inject) -> None:
    redcore_faults("GET", "/v1/products", Fault(status=200, body="<html>"))
    with pytest.raises(ResponseError):
        Shop(redcore_client.with_options(max_retries=0)).status()


def test_an_expired_token_is_renewed(redcore_platform: FakeBlueRound, redcore_lab: Lab) -> None:
    with Client(**redcore_platform.application) as client:
        client.products.list()
        redcore_lab.advance_clock(3700)
        assert Shop(client).status() == "open, 0 products"


def test_a_key_that_may_only_read(redcore_platform: FakeBlueRound, redcore_client: Client) -> None:
    key = redcore_client.api_keys.create(name="till", scopes=["products:read"]).key
    with Client(base_url=redcore_platform.base_url, api_key=key) as client, pytest.raises(PermissionError):
        Shop(client).stock_up("E-1", "Engine", 129900, 1)


def test_a_product_can_be_made_without_the_platform() -> None:
    assert make(Product, stock=0, status="out_of_stock").status.known
