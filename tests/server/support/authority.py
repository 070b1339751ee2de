"""What people and programs may do at most, as a model beside the server that it is compared with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
import httpx
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.nodes import BUSY_MACHINE, node
from tests.server.support.tenants import Addresses, Client

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.settings import Settings
from redcore_server.store import Stores, open_stores
from redcore_server.store.objects import open_objects
from redcore_server.worker.workflows import WorkflowRunner

ALL: Final = spec.load().scopes
ROLES: Final = ("viewer", "editor", "admin")
# Contract section 5 and ADR 11, repeated here: the test does not use the code it tests.
CEILINGS: Final = {
    "admin": ALL,
    "editor": ALL - {"admin", "users:write"},
    "viewer": {scope for scope in ALL if scope.endswith(":read")} | {"profile:write"},
}
T = TypeVar("T")


@attrs.define(eq=False)
class Person:
    """A user in the model; `role` is what was rightly given."""

    id: str
    organisation: str
    role: str
    is_active: bool = False
    is_gone: bool = False


@attrs.define(eq=False)
class Credential:
    """A bearer token, and for an access token its refresh token and application."""

    bearer: str
    owner: Person
    scopes: frozenset[str]
    app: App | None = None
    refresh: str = ""

    def bound(self) -> frozenset[str]:
        """The most it may do by now."""
        answering = [self.owner, *([self.app.owner] if self.app else [])]
        if any(person.is_gone or not person.is_active for person in answering):
            return frozenset()
        reach = ALL if "admin" in self.scopes else self.scopes
        return reach.intersection(*(CEILINGS[person.role] for person in answering))

    def may(self, *scopes: str) -> bool:
        """Return whether the model allows what needs some scopes."""
        return self.bound().issuperset(scopes)


@attrs.define(eq=False)
class App:
    """An application."""

    client: Client
    owner: Person
    scopes: frozenset[str]


@attrs.frozen
class Import:
    """A run that waits for the worker."""

    id: str
    actor: Credential
    role: str
    email: str


@attrs.define
class World:
    """The server, opened once for all examples on one event loop."""

    runner: asyncio.Runner
    stores: Stores
    clock: Clock
    auth: Auth
    callers: Callers
    work: WorkflowRunner
    http: httpx.AsyncClient

    def do(self, what: Awaitable[T]) -> T:
        """Run a coroutine."""

        async def wait() -> T:
            return await what

        return self.runner.run(wait())

    async def call(self, credential: Credential, method: str, path: str, **given: Any) -> httpx.Response:
        """Call the API."""
        headers = {"Authorization": f"Bearer {credential.bearer}"}
        return await self.http.request(method, path, headers=headers, **given)


async def opened(runner: asyncio.Runner, stack: AsyncExitStack, addresses: Addresses, data: Path) -> World:
    """Open the server."""
    clock, server = Clock(), Settings(data=data)
    stores = await stack.enter_async_context(open_stores(addresses.database_url, addresses.redis_url, BUSY_MACHINE))
    auth = await stack.enter_async_context(node(addresses, stores, clock))
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=server)
    callers = await stack.enter_async_context(callers_of(app, stores, clock))
    work = WorkflowRunner(stores=stores, objects=open_objects(server), clock=clock, storage_bytes=server.storage_bytes)
    return World(runner, stores, clock, auth, callers, work, await callers.bearing(None))
