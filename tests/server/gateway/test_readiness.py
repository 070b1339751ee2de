"""Which probes ask of the stores."""

from __future__ import annotations

import pytest

from redcore_server.gateway.readiness import Readiness


@pytest.mark.parametrize(
    ("query", "asks"),
    [
        (b"stores", True),
        (b"stores=", True),
        (b"x=1&stores", True),
        (b"stores=1&x", True),
        (b"", False),
        (b"storesx", False),
        (b"x=stores", False),
        (b"xstores&x", False),
        (b"&a" * 30_000, False),
    ],
)
def test_a_probe_asks_of_the_stores_by_name(query: bytes, *, asks: bool) -> None:
    """With or without a value, beside other parameters."""
    assert Readiness.asks_of_stores(query) is asks
