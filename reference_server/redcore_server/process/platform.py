"""One process of the platform: gateway, auth, API and worker on open stores, behind one socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable

from starlette.types import ASGIApp

from redcore_server import gateway
from redcore_server.cdn import Cdn
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.gateway.limits import Limits
from redcore_server.gateway.readiness import Readiness
from redcore_server.http.draining import Draining
from redcore_server.lab import Lab
from redcore_server.listening.server import Listening, run
from redcore_server.listening.tls import tls_context
from redcore_server.logs import configure_logging
from redcore_server.process import assembly
from redcore_server.process.lab_platforms import LabPlatforms
from redcore_server.process.seed import seed_if_empty
from redcore_server.process.seed_credentials import Credentials, read_credentials, save_credentials
from redcore_server.process.start import prepare
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import check, open_objects
from redcore_server.worker import Workers


def serve(settings: Settings, listener: socket.socket, *, announce: Callable[[], None]) -> None:
    """Serve until a stop signal arrives; running requests and jobs may finish.

    Args:
        settings: Server settings, with the URLs of both stores and the port of the listener.
        listener: A listening socket.
        announce: Called once requests are answered.

    Raises:
        StoreError: A store cannot be used.
        SettingsError: The certificate cannot be used.
    """
    clock = Clock()
    how = Listening(
        settings=settings, trusted_proxies=settings.trusted_proxies, tls=tls_context(settings), announce=announce
    )
    configure_logging(settings.log_level)
    prepare(settings)
    run(lambda draining: _platforms(clock, draining, how), listener, how)


@contextlib.asynccontextmanager
async def _platforms(clock: Clock, draining: Draining, how: Listening) -> AsyncGenerator[ASGIApp]:
    """Yield the app of the platform; its lab opens more of them."""

    def further(settings: Settings) -> contextlib.AbstractAsyncContextManager[ASGIApp]:
        return platform(settings, Clock(), draining, more.add)

    async with LabPlatforms(how, further) as more, platform(how.settings, clock, draining, more.add) as app:
        yield app


@contextlib.asynccontextmanager
async def platform(
    settings: Settings, clock: Clock, draining: Draining, add_platform: Callable[[], Awaitable[object]]
) -> AsyncGenerator[ASGIApp]:
    """Open the stores, seed an empty database, run the worker, and yield the ASGI app for all requests.

    Args:
        settings: Server settings, with the URLs of both stores.
        draining: Whether this process is shutting down.
        add_platform: Opens another platform, for the lab.
    """
    contract = spec.load()
    async with contextlib.AsyncExitStack() as stack:
        stores = await stack.enter_async_context(assembly.stores(settings, for_requests=True))
        await _seed(settings, stores, contract, clock)
        auth = await stack.enter_async_context(assembly.auth_service(settings, stores, contract, clock))
        objects = open_objects(settings)
        await check(objects, settings)
        await stack.enter_async_context(_running(assembly.workers(settings, stores, clock, objects)))
        limits = Limits(stores.scripts, clock, settings)
        app = gateway.build(
            spec=contract,
            settings=settings,
            clock=clock,
            limits=limits,
            readiness=Readiness(draining=draining, stores=assembly.questions(stores, objects)),
            verifier=auth.verifier,
            auth=auth.app,
            api=assembly.api_service(settings, stores, contract, clock, objects),
            cdn=Cdn(stores.postgres, objects),
        )
        if settings.lab:
            app = Lab(app, stores=stores, clock=clock, limits=limits, outbox=settings.outbox, add_platform=add_platform)
        yield app


@contextlib.asynccontextmanager
async def _running(workers: Workers) -> AsyncGenerator[None]:
    task = asyncio.create_task(workers.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _seed(settings: Settings, stores: Stores, contract: spec.Spec, clock: Clock) -> None:
    """Seed an empty database; otherwise write the current address of the server to the credentials file."""

    def save(credentials: Credentials) -> None:
        save_credentials(settings.data, credentials, settings.base_url)

    async with stores.postgres.connection() as connection:
        if await seed_if_empty(connection, scopes=contract.scopes, clock=clock, save=save) is not None:
            return
    if credentials := read_credentials(settings.data):
        save(credentials)
