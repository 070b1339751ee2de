"""Fixtures of the shop's tests.

`pytest` runs on the platform in process, `pytest --redcore=server` on a server.
"""

from __future__ import annotations

import pytest
from back_office import BackOffice
from shop import Shop

from redcore import Client


@pytest.fixture
def shop(redcore_client: Client) -> Shop:
    return Shop(redcore_client)


@pytest.fixture
def back_office(redcore_client: Client) -> BackOffice:
    return BackOffice(redcore_client)
