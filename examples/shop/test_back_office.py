"""The back office with people and exports."""

from __future__ import annotations

from back_office import BackOffice
from shop import Shop

from redcore import Client
from redcore.testing import FakeBlueRound, Lab


def test_a_person_is_hired(back_office: BackOffice) -> None:
    assert back_office.hire("ada@example.com", "Ada").status == "pending_invite"


def test_hiring_twice_does_nothing(back_office: BackOffice) -> None:
    first = back_office.hire("ada@example.com", "Ada")
    assert back_office.hire("ada@example.com", "Ada").id == first.id


def test_the_catalog_is_exported(shop: Shop, back_office: BackOffice) -> None:
    shop.stock_up("E-1", "Engine", 129900, 1)
    assert b"E-1,Engine,129900" in back_office.export()


def test_an_expired_token_is_renewed(
    redcore_platform: FakeBlueRound, redcore_lab: Lab
) -> None:
    with Client(**redcore_platform.application) as client:
        client.products.list()
        redcore_lab.advance_clock(3700)
        assert BackOffice(client).status() == "open, 0 products"
