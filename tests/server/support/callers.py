"""The whole platform behind its gateway, in this process, and clients with API keys to call it with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import httpx
from starlette.types import ASGIApp
from tests.server.support.client_addresses import new_address
from tests.server.support.tenants import ISSUER, Organisation

from redcore_server import gateway
from redcore_server.auth.app import Auth
from redcore_server.auth.credentials.api_keys import create_api_key
from redcore_server.cdn import Cdn
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.gateway.limits import Limits
from redcore_server.gateway.readiness import Readiness
from redcore_server.http.draining import Draining
from redcore_server.lab import Lab
from redcore_server.process import assembly
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects

Json = dict[str, Any]


def whole_app(*, stores: Stores, auth: Auth, clock: Clock, settings: Settings) -> ASGIApp:
    """Return the gateway with auth service and API behind it, on open stores."""
    objects = open_objects(settings)
    api = assembly.api_service(settings, stores, spec.load(), clock, objects)
    cdn = Cdn(stores.postgres, objects)
    limits = Limits(stores.scripts, clock, settings)
    app = gateway_before(api, cdn, stores=stores, auth=auth, clock=clock, settings=settings, limits=limits)
    if not settings.lab:
        return app
    return Lab(app, stores=stores, clock=clock, limits=limits, outbox=settings.outbox, add_platform=no_more_platforms)


async def no_more_platforms() -> object:
    """Refuse: one app is not a process that could open another one."""
    raise NotImplementedError


def gateway_before(
    api: ASGIApp,
    cdn: ASGIApp,
    *,
    stores: Stores,
    auth: Auth,
    clock: Clock,
    settings: Settings,
    limits: Limits | None = None,
    draining: Draining | None = None,
) -> ASGIApp:
    """Return the gateway with that API and that CDN."""
    return gateway.build(
        spec=spec.load(),
        settings=settings,
        clock=clock,
        limits=limits or Limits(stores.scripts, clock, settings),
        readiness=Readiness(draining=draining or Draining(), stores=assembly.questions(stores)),
        verifier=auth.verifier,
        auth=auth.app,
        api=api,
        cdn=cdn,
    )


async def new_key(stores: Stores, clock: Clock, organisation: Organisation, scopes: Sequence[str] = ("admin",)) -> str:
    """Return an API key of an organisation."""
    async with stores.postgres.connection() as connection:
        _, key = await create_api_key(
            connection,
            organisation_id=organisation.id,
            owner_id=organisation.owner_id,
            name="test",
            scopes=scopes,
            mode="test",
            now=clock.now(),
        )
    return key


@attrs.frozen
class Callers:
    """Makes clients of one app; `key_for` gives the API key alone."""

    app: ASGIApp
    stores: Stores
    clock: Clock
    _stack: AsyncExitStack

    async def key_for(self, organisation: Organisation, *scopes: str) -> str:
        """Return an API key with some scopes, an administrator's by default."""
        return await new_key(self.stores, self.clock, organisation, scopes or ("admin",))

    async def of(self, organisation: Organisation, *scopes: str) -> httpx.AsyncClient:
        """Return a client with such a key."""
        return await self.bearing(await self.key_for(organisation, *scopes))

    async def bearing(self, token: str | None, *, address: str | None = None) -> httpx.AsyncClient:
        """Return a client with that token, or without one, at that address, or one of its own."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        peer = (address or new_address(), 50_000)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=peer)
        client = httpx.AsyncClient(transport=transport, base_url=ISSUER, headers=headers)
        return await self._stack.enter_async_context(client)


@asynccontextmanager
async def callers_of(app: ASGIApp, stores: Stores, clock: Clock) -> AsyncIterator[Callers]:
    """Yield clients of an app and close them at the end."""
    async with AsyncExitStack() as stack:
        yield Callers(app, stores, clock, stack)


async def rows(stores: Stores, sql: str, *parameters: object) -> list[Json]:
    """Return the rows of a query, without the API."""
    async with stores.postgres.connection() as connection:
        return await (await connection.execute(sql.encode(), parameters)).fetchall()


async def execute(stores: Stores, sql: str, parameters: Any = ()) -> None:
    """Execute a statement, without the API."""
    async with stores.postgres.connection() as connection:
        await connection.execute(sql.encode(), parameters)
