"""The whole platform behind its gateway, in this process, and clients with API keys to call it with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import attrs
import httpx
from starlette.types import ASGIApp
from tests.server.tenants import ISSUER, Organisation

from redcore_server import api, gateway, spec
from redcore_server.api.call import Services
from redcore_server.auth.api_keys import create_api_key
from redcore_server.auth.app import Auth
from redcore_server.cdn import Cdn
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects
from redcore_server.worker import defer_invitation, defer_object_deletion, defer_revocation, defer_run

Json = dict[str, Any]


def whole_app(*, stores: Stores, auth: Auth, clock: Clock, settings: Settings) -> ASGIApp:
    """Return the gateway with auth service and API behind it, on open stores."""
    contract = spec.load()
    return gateway.build(
        spec=contract,
        settings=settings,
        stores=stores,
        clock=clock,
        verifier=auth.verifier,
        auth=auth.app,
        api=api.build(
            spec=contract,
            stores=stores,
            clock=clock,
            services=services_of(auth, settings),
        ),
        cdn=Cdn(stores.postgres, open_objects(settings)),
    )


def services_of(auth: Auth, settings: Settings) -> Services:
    """Return what the API's handlers need beside the database."""
    return Services(
        revoke_user=auth.revocation.revoke_user,
        revoke_client=auth.revocation.revoke_client,
        defer_invitation=defer_invitation,
        defer_revocation=defer_revocation,
        defer_object_deletion=defer_object_deletion,
        defer_run=defer_run,
        objects=open_objects(settings),
        storage_bytes=settings.storage_bytes,
        max_file_bytes=settings.max_file_bytes,
        secret_overlap=timedelta(hours=24),
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

    async def bearing(self, token: str | None) -> httpx.AsyncClient:
        """Return a client with that token or none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=ISSUER, headers=headers)
        return await self._stack.enter_async_context(client)


@asynccontextmanager
async def callers_of(app: ASGIApp, stores: Stores, clock: Clock) -> AsyncIterator[Callers]:
    """Yield clients of an app and close them at the end."""
    async with AsyncExitStack() as stack:
        yield Callers(app, stores, clock, stack)


async def rows(stores: Stores, sql: str, *parameters: object) -> list[Json]:
    """Return what a query finds, past the API."""
    async with stores.postgres.connection() as connection:
        return await (await connection.execute(sql.encode(), parameters)).fetchall()
