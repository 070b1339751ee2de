"""Fixtures on real stores: PostgreSQL and Redis are started once; each test makes its own organisation."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from starlette.types import ASGIApp
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.nodes import BUSY_MACHINE, node
from tests.server.support.swift_store import Swift, swift_in
from tests.server.support.tenants import (
    ISSUER,
    Addresses,
    Client,
    Organisation,
    make_client,
    make_organisation,
)

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.data_folder import DataFolder
from redcore_server.embedded import EmbeddedServers
from redcore_server.logs import console
from redcore_server.settings import Settings
from redcore_server.store import Stores, open_stores
from redcore_server.store.migrate import migrate
from redcore_server.store.objects import open_objects
from redcore_server.store.postgres import connect
from redcore_server.worker.workflows import WorkflowRunner


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """Log errors as the server does: drawing a traceback with its variables takes seconds, in which stores time out."""
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], console()])


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    data: Path = tmp_path_factory.mktemp("stores")
    with contextlib.closing(DataFolder(data)) as folder, EmbeddedServers(folder) as servers:
        runtime = servers.ready()
        assert runtime.database_url is not None
        assert runtime.redis_url is not None
        migrate(runtime.database_url, clock=Clock())
        _sync_nothing(runtime.database_url)
        yield Addresses(runtime.database_url, runtime.redis_url)


def _sync_nothing(database_url: str) -> None:
    """Let PostgreSQL write without waiting for the disk: these rows need not survive a power cut."""
    with connect(database_url) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    with swift_in(tmp_path_factory.mktemp("swift")) as swift:
        yield swift


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Return settings for the object store: a local folder, then an S3 store."""
    if request.param == "folder":
        return {"data": tmp_path}
    swift: Swift = request.getfixturevalue("swift")
    return {"data": tmp_path, **swift.settings()}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def stores(addresses: Addresses) -> AsyncIterator[Stores]:
    async with open_stores(addresses.database_url, addresses.redis_url, BUSY_MACHINE) as stores:
        yield stores


@pytest.fixture
async def auth(addresses: Addresses, stores: Stores, clock: Clock) -> AsyncIterator[Auth]:
    async with node(addresses, stores, clock) as auth:
        yield auth


@pytest.fixture
async def http(auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(auth.app), base_url=ISSUER) as client:
        yield client


@pytest.fixture
async def organisation(stores: Stores, clock: Clock) -> Organisation:
    return await make_organisation(stores, clock)


@pytest.fixture
async def client(stores: Stores, clock: Clock, organisation: Organisation) -> Client:
    return await make_client(stores, clock, organisation)


@pytest.fixture
async def sibling(stores: Stores, clock: Clock, organisation: Organisation) -> Client:
    """Return another application of the same organisation."""
    return await make_client(stores, clock, organisation)


@pytest.fixture
async def admin_client(stores: Stores, clock: Clock, organisation: Organisation) -> Client:
    """Return an application of the organisation with the scope `admin`."""
    return await make_client(stores, clock, organisation, scopes=("admin",))


@pytest.fixture
async def stranger(stores: Stores, clock: Clock) -> Client:
    """Return an application of another organisation."""
    return await make_client(stores, clock, await make_organisation(stores, clock))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of the platform; files whose tests need others override this fixture."""
    return Settings(data=tmp_path)


@pytest.fixture
def app(stores: Stores, auth: Auth, clock: Clock, settings: Settings) -> ASGIApp:
    """Return the whole platform behind its gateway."""
    return whole_app(stores=stores, auth=auth, clock=clock, settings=settings)


@pytest.fixture
def runner(stores: Stores, clock: Clock, settings: Settings) -> WorkflowRunner:
    """Return what runs workflows, with the files that the API stores."""
    objects = open_objects(settings)
    return WorkflowRunner(stores=stores, objects=objects, clock=clock, storage_bytes=settings.storage_bytes)


@pytest.fixture
async def callers(app: ASGIApp, stores: Stores, clock: Clock) -> AsyncIterator[Callers]:
    async with callers_of(app, stores, clock) as callers:
        yield callers


@pytest.fixture
async def caller(callers: Callers, organisation: Organisation) -> httpx.AsyncClient:
    """Return a client with an administrator's API key of the test's organisation."""
    return await callers.of(organisation)


@pytest.fixture
async def second_node(addresses: Addresses, clock: Clock, settings: Settings) -> AsyncIterator[Callers]:
    """Return callers of another node: it shares nothing with the first but the stores."""
    async with (
        open_stores(addresses.database_url, addresses.redis_url, BUSY_MACHINE) as stores,
        node(addresses, stores, clock) as auth,
    ):
        app = whole_app(stores=stores, auth=auth, clock=clock, settings=settings)
        async with callers_of(app, stores, clock) as callers:
            yield callers
