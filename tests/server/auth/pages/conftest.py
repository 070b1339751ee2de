"""A page that asks for a sign-in, and a browser of the person who can give it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.server.support.browsing import Browser
from tests.server.support.client_addresses import new_address
from tests.server.support.door import Door, give_password
from tests.server.support.tenants import ISSUER, Organisation

from redcore_server.auth.people.login_throttle import (
    WINDOW_S,
)
from redcore_server.clock import Clock
from redcore_server.store import Stores


@pytest.fixture
def door(stores: Stores, clock: Clock, organisation: Organisation) -> Door:
    clock.advance(-clock.time() % WINDOW_S)  # no window ends in the middle of a test
    return Door(stores, clock, organisation, address=new_address())


@pytest.fixture
async def browser(door: Door, stores: Stores, organisation: Organisation) -> AsyncIterator[Browser]:
    await give_password(stores, organisation)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url=ISSUER) as http:
        yield Browser(http)
