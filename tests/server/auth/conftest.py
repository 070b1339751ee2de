"""Applications of the organisation that people log in to."""

from __future__ import annotations

import httpx
import pytest
from tests.server.support.authorizing import Flow, register, signed_in
from tests.server.support.tenants import Client, Organisation

from redcore_server.clock import Clock
from redcore_server.store import Stores


@pytest.fixture
async def storefront(stores: Stores, clock: Clock, organisation: Organisation) -> Client:
    """Return an application with a secret."""
    return await register(stores, clock, organisation)


@pytest.fixture
async def flow(
    http: httpx.AsyncClient, stores: Stores, clock: Clock, organisation: Organisation, storefront: Client
) -> Flow:
    """Return an authorization by the organisation's owner, who is signed in."""
    return Flow(await signed_in(http, stores, clock, organisation.owner_id), storefront)


@pytest.fixture
async def cli(stores: Stores, clock: Clock, organisation: Organisation) -> Client:
    """Return a public application of the organisation."""
    return await register(stores, clock, organisation, is_public=True)
