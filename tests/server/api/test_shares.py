"""The database connections of the pool are shared fairly among organisations."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.server.support.callers import callers_of, rows, whole_app
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.api.shares import Shares
from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

WAITING = "select 1 from pg_locks where not granted"


async def test_requests_beyond_the_share_wait_without_a_connection(
    stores: Stores, auth: Auth, clock: Clock, organisation: Organisation, tmp_path: Path
) -> None:
    """Of five that a lock delays, two have one; another organisation is answered meanwhile, and all in the end."""
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path, database_connections=4))
    async with callers_of(app, stores, clock) as callers:
        slow, other = await callers.of(organisation), await callers.of(await make_organisation(stores, clock))
        async with stores.postgres.connection() as connection, connection.transaction():
            await connection.execute("select id from organisations where id = %s for update", (organisation.id,))
            held = [
                asyncio.create_task(slow.post("/v1/users", json={"email": f"{number}@example.com", "name": "A"}))
                for number in range(5)
            ]
            async with asyncio.timeout(60):
                while len(await rows(stores, WAITING)) < 2:
                    pass  # the query takes a moment: the others continue meanwhile
            met = await other.post("/v1/users", json={"email": "a@example.com", "name": "A"})
            waiting = len(await rows(stores, WAITING))
        answers = await asyncio.gather(*held)

    assert (met.status_code, waiting) == (201, 2)
    assert [answer.status_code for answer in answers] == [201] * 5


async def test_an_unused_share_is_forgotten() -> None:
    """So that organisations of the past take no memory; even a single connection can be shared."""
    shares = Shares(1)
    first = shares.of("org_1")

    async with first:
        assert shares.of("org_1") is first
        assert first.locked()
        assert not shares.of("org_2").locked()
    del first

    assert not shares.of("org_1").locked()
