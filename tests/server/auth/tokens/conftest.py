"""A database for signing keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.server.support.databases import migrated_database
from tests.server.support.tenants import Addresses

from redcore_server.store.postgres import Pool, sync_pool


@pytest.fixture
def pool(addresses: Addresses) -> Iterator[Pool]:
    """Return a pool on a migrated database without any key."""
    with migrated_database(addresses) as own, sync_pool(own.database_url) as pool:
        yield pool
