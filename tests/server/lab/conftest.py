"""The lab on a database of its own: a reset goes through every row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp
from tests.server.support.callers import new_key, whole_app
from tests.server.support.databases import migrated_database
from tests.server.support.tenants import Addresses, Organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.listening.address import listen
from redcore_server.settings import Settings
from redcore_server.store import Stores


@pytest.fixture(scope="package")
def addresses(addresses: Addresses) -> Iterator[Addresses]:
    """Return addresses with a database of the lab's own: a reset goes through every row."""
    with migrated_database(addresses) as own:
        yield own


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, lab=True)


@pytest.fixture
async def app(stores: Stores, auth: Auth, clock: Clock, settings: Settings, organisation: Organisation) -> ASGIApp:
    """Return the platform with a lab that has never run before: the organisation is its seed."""
    async with stores.postgres.connection() as connection:
        await connection.execute("drop schema if exists lab cascade")
    return whole_app(stores=stores, auth=auth, clock=clock, settings=settings)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app by uvicorn as `up` does; yield its origin."""
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, date_header=False)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def remote(
    app: ASGIApp, stores: Stores, clock: Clock, organisation: Organisation
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client that reaches the app over a real connection."""
    headers = {"Authorization": f"Bearer {await new_key(stores, clock, organisation)}"}
    async with served(app) as origin, httpx.AsyncClient(base_url=origin, headers=headers) as client:
        yield client
