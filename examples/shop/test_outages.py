"""The shop when the platform, or the network, fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from back_office import BackOffice
from shop import Shop

from redcore import Client, NetworkError, ResponseError
from redcore.testing import Fault

Inject = Callable[..., None]


@pytest.fixture
def impatient(redcore_client: Client) -> BackOffice:
    """A back office that tries once."""
    return BackOffice(redcore_client.with_options(max_retries=0))


def test_an_outage_is_survived(back_office: BackOffice, redcore_faults: Inject) -> None:
    redcore_faults(
        "GET",
        "/v1/products",
        Fault(status=503, retry_after=0),
        Fault(status=503, retry_after=0),
    )
    assert back_office.status() == "open, 0 products"


def test_an_outage_that_lasts_is_shown(
    back_office: BackOffice, redcore_faults: Inject
) -> None:
    redcore_faults("GET", "/v1/products", *[Fault(status=503, retry_after=0)] * 3)
    assert back_office.status() == "closed: BlueRound is away"


def test_a_busy_platform_is_shown(
    impatient: BackOffice, redcore_faults: Inject
) -> None:
    redcore_faults("GET", "/v1/products", Fault(status=429, retry_after=7))
    assert impatient.status() == "busy, again in 7 s"


@pytest.mark.usefixtures(
    "redcore_time"
)  # the wait before the second attempt is over at once
def test_a_truncated_answer_creates_nothing_twice(
    shop: Shop, redcore_faults: Inject
) -> None:
    redcore_faults("POST", "/v1/products", Fault(truncate=True))
    shop.stock_up("E-1", "Engine", 129900, 1)
    assert list(shop.catalog()) == ["Engine"]


def test_a_connection_that_is_cut_for_good(
    impatient: BackOffice, redcore_faults: Inject
) -> None:
    redcore_faults("GET", "/v1/products", Fault(drop=True))
    with pytest.raises(NetworkError):
        impatient.status()


def test_a_page_from_something_in_between(
    impatient: BackOffice, redcore_faults: Inject
) -> None:
    redcore_faults("GET", "/v1/products", Fault(status=200, body="<html>"))
    with pytest.raises(ResponseError):
        impatient.status()
