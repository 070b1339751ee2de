"""Answers that a strict decoder refuses although the RFCs allow them, and answers that no RFC allows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from redcore._spec.models import Page, Product
from redcore._wire.decoding import Envelope, decoded, kind_of

PRODUCT = {
    "id": "prod_1",
    "name": "2026-01-15T10:00Z",
    "sku": "a",
    "price": 1,
    "stock": 2,
    "status": "available",
    "created_at": "2026-01-15T10:00:00Z",
    "updated_at": "2026-01-15T10:00:00Z",
}


def product(**changes: str) -> Product:
    """Return a product decoded from JSON with some values written as given."""
    text = msgspec.json.encode({"data": {**PRODUCT, **dict.fromkeys(changes, "{}")}}).decode()
    for value in (changes[name] for name in PRODUCT if name in changes):
        text = text.replace('"{}"', value, 1)
    read: Any = decoded(text.encode(), kind_of(Envelope, Product))
    found: Product = read.data
    return found


@pytest.mark.parametrize(
    ("written", "meant"), [("1.0", 1), ("1e3", 1000), ("-0.0", 0), ("12.50e1", 125), ("-9007199254740991.0", 1 - 2**53)]
)
def test_an_integer_may_be_written_with_a_point_or_an_exponent(written: str, meant: int) -> None:
    """JSON Schema 2020-12: a number without a fraction is an integer."""
    read = product(price=written, stock=written)

    assert (read.price, type(read.price), read.stock) == (meant, int, meant)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2016-12-31T23:59:60Z", dt.datetime(2017, 1, 1, tzinfo=dt.UTC)),
        ("2016-12-31T23:59:60.5Z", dt.datetime(2017, 1, 1, tzinfo=dt.UTC)),
        ("2016-12-31t15:59:60-08:00", dt.datetime(2017, 1, 1, tzinfo=dt.UTC)),
        ("2026-01-15T24:00:00Z", dt.datetime(2026, 1, 16, tzinfo=dt.UTC)),
        ("2026-01-15 10:00z", dt.datetime(2026, 1, 15, 10, tzinfo=dt.UTC)),
        ("9999-12-31T23:59:59.9999999Z", dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, dt.UTC)),  # "never" of .NET
        ("2026-01-15T10:00-00:00", dt.datetime(2026, 1, 15, 10, tzinfo=dt.UTC)),
        ("2026-01-15 10:00:00.25+00", dt.datetime(2026, 1, 15, 10, 0, 0, 250_000, dt.UTC)),  # PostgreSQL
        ("2026-01-15T10:00:00,5-0130", dt.datetime(2026, 1, 15, 11, 30, 0, 500_000, dt.UTC)),  # ISO 8601
    ],
)
def test_a_time_may_be_written_as_standards_allow(written: str, meant: dt.datetime) -> None:
    """RFC 3339 section 5.6 and ISO 8601; a text that looks like a time stays as it is."""
    read = product(created_at=f'"{written}"')

    assert (read.created_at, read.name) == (meant, PRODUCT["name"])


def test_all_items_of_a_page_are_read() -> None:
    """Several places may need tolerance, in each item."""
    odd = {**PRODUCT, "price": 3.0, "stock": 4.0, "created_at": "2026-01-15T24:00:00Z"}
    page = {
        "data": [PRODUCT, odd, odd],
        "meta": {"request_id": "r", "version": "1", "total": 3, "limit": 20, "offset": 0},
    }

    read: Any = decoded(msgspec.json.encode(page), kind_of(Page, Product))

    assert [(item.price, item.stock) for item in read.data] == [(1, 2), (3, 4), (3, 4)]


@pytest.mark.parametrize(
    "changes",
    [
        {"price": "1.5"},
        {"price": "9007199254740993.0"},
        {"price": "1e30"},
        {"price": '"1"'},
        {"price": "true"},
        {"price": "null"},
        {"created_at": "5.0"},
        {"created_at": '"soon"'},
        {"created_at": '"2016-12-31T23:59:61Z"'},
        {"created_at": '"2016-12-31T24:00:01Z"'},
        {"created_at": '"2016-13-31T23:59:60Z"'},
        {"created_at": '"9999-12-31T23:59:60Z"'},
        {"created_at": '"2016-12-31T10:00"'},
        {"price": "1.0", "stock": "1.5"},
    ],
    ids=str,
)
def test_invalid_values_are_refused(changes: dict[str, str]) -> None:
    """The error names the place."""
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.data\.{list(changes)[-1]}"):
        product(**changes)
