"""Fixtures for pytest, found by it when `redcore-sdk[testing,server]` is installed: one server for a test session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest loads this module in every run; the SDK only when a fixture is asked for
    from redcore.testing.lab import Lab
    from redcore.testing.server import ReferenceServer


@pytest.fixture(scope="session")
def redcore_server() -> Iterator[ReferenceServer]:
    """A reference server in test mode, for the whole session."""
    from redcore.testing.server import ReferenceServer  # noqa: PLC0415 (as above)

    with ReferenceServer() as server:
        yield server


@pytest.fixture
def redcore_lab(redcore_server: ReferenceServer) -> Iterator[Lab]:
    """The server's laboratory; data, clock, faults and limits are as new before and after the test."""
    redcore_server.lab.reset()
    yield redcore_server.lab
    redcore_server.lab.reset()
