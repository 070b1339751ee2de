"""A node of the server on the stores of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.server.support.tenants import AUDIENCE, ISSUER, SCOPES, SIGNING_KEY_PERIOD, Addresses

from redcore_server.auth.app import Auth, open_auth
from redcore_server.clock import Clock
from redcore_server.store import StoreOptions, Stores
from redcore_server.store.redis import RedisOptions

# Fifty requests at once take longer than a second on a busy machine; they are not a test of slow stores.
BUSY_MACHINE = StoreOptions(redis=RedisOptions(answer_s=30.0))


@asynccontextmanager
async def node(addresses: Addresses, stores: Stores, clock: Clock) -> AsyncIterator[Auth]:
    """Open the auth service of a node."""
    async with open_auth(
        stores=stores,
        database_url=addresses.database_url,
        issuer=ISSUER,
        audience=AUDIENCE,
        scopes=SCOPES,
        clock=clock,
        signing_key_period=SIGNING_KEY_PERIOD,
    ) as auth:
        yield auth
