"""One process of the platform: gateway, auth, API and worker on open stores, behind one socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable

import uvicorn
import uvloop
from starlette.types import ASGIApp

from redcore_server import gateway, invitation, spec
from redcore_server.api import app as api
from redcore_server.api.call import Services
from redcore_server.auth.app import open_auth
from redcore_server.auth.revocation import Revocation
from redcore_server.cdn import Cdn
from redcore_server.clock import Clock
from redcore_server.credentials import Credentials, read_credentials, save_credentials
from redcore_server.logs import configure_logging
from redcore_server.mail import mailer_for
from redcore_server.seed import seed_if_empty
from redcore_server.settings import Settings
from redcore_server.store import Stores, open_stores
from redcore_server.store.migrate import migrate
from redcore_server.store.objects import Objects, check, open_objects
from redcore_server.worker import (
    Worker,
    defer_invitation,
    defer_object_deletion,
    defer_revocation,
    defer_run,
    revocations,
)
from redcore_server.worker import (
    objects as object_jobs,
)
from redcore_server.worker import (
    workflows as workflow_jobs,
)
from redcore_server.worker.invitations import InvitationSender
from redcore_server.worker.objects import ObjectCollector
from redcore_server.worker.revocations import GrantEnder
from redcore_server.worker.workflows import WorkflowRunner


def serve(settings: Settings, listener: socket.socket, *, announce: Callable[[], None]) -> None:
    """Serve until a signal asks to stop; requests and jobs under way may finish.

    Args:
        settings: With the URLs of both stores and the port of the listener.
        listener: A listening socket.
        announce: Called once requests are answered.

    Raises:
        StoreError: A store cannot be used.
    """
    configure_logging(settings.log_level)
    clock = Clock()
    migrate(_required(settings.database_url), clock=clock)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, listener, clock, announce))


@contextlib.asynccontextmanager
async def platform(settings: Settings, clock: Clock) -> AsyncGenerator[ASGIApp]:
    """Open the stores, seed an empty database, run the worker, and give the app that answers everything.

    Args:
        settings: With the URLs of both stores.
        clock: The server's.
    """
    contract = spec.load()
    database_url, redis_url = _required(settings.database_url), _required(settings.redis_url)
    async with contextlib.AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(database_url, redis_url))
        await _seed(settings, stores, contract, clock)
        auth = await stack.enter_async_context(
            open_auth(
                stores=stores,
                database_url=database_url,
                issuer=settings.origin,
                audience=settings.base_url,
                scopes=contract.scope_meanings,
                clock=clock,
                signing_key_period=settings.signing_key_period,
            )
        )
        objects = open_objects(settings)
        await check(objects, settings)
        await stack.enter_async_context(_running(_worker(settings, stores, objects, auth.revocation, clock)))
        services = Services(
            revoke_user=auth.revocation.revoke_user,
            revoke_client=auth.revocation.revoke_client,
            defer_invitation=defer_invitation,
            defer_revocation=defer_revocation,
            defer_object_deletion=defer_object_deletion,
            defer_run=defer_run,
            objects=objects,
            storage_bytes=settings.storage_bytes,
            max_file_bytes=settings.max_file_bytes,
            secret_overlap=settings.secret_overlap,
        )
        yield gateway.build(
            spec=contract,
            settings=settings,
            stores=stores,
            clock=clock,
            verifier=auth.verifier,
            auth=auth.app,
            api=api.build(spec=contract, stores=stores, clock=clock, services=services),
            cdn=Cdn(stores.postgres, objects),
        )


async def _serve(settings: Settings, listener: socket.socket, clock: Clock, announce: Callable[[], None]) -> None:
    async with platform(settings, clock) as app:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # the gateway writes its own
            proxy_headers=False,  # or any client could choose the address it is limited by
            server_header=False,
            date_header=False,  # the gateway's comes from the server's clock
            timeout_keep_alive=75,
            timeout_graceful_shutdown=settings.drain_seconds,
        )
        await _Server(config, announce).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Tells when it answers requests."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        self._announce()


def _worker(settings: Settings, stores: Stores, objects: Objects, revocation: Revocation, clock: Clock) -> Worker:
    sender = InvitationSender(
        postgres=stores.postgres,
        mailer=mailer_for(settings),
        clock=clock,
        origin=settings.origin,
        sender=settings.mail_from,
    )
    ender = GrantEnder(
        postgres=stores.postgres, revoke_user=revocation.revoke_user, revoke_client=revocation.revoke_client
    )
    runner = WorkflowRunner(
        postgres=stores.postgres, objects=objects, clock=clock, storage_bytes=settings.storage_bytes
    )
    collector = ObjectCollector(postgres=stores.postgres, objects=objects, clock=clock)
    return Worker(
        stores.postgres,
        {
            invitation.TASK: sender.send,
            revocations.TASK: ender.end,
            workflow_jobs.TASK: runner.run,
            object_jobs.DELETION: collector.delete,
            object_jobs.COLLECTION: collector.collect,
        },
        periodic={object_jobs.COLLECTION: object_jobs.HOURLY},
    )


@contextlib.asynccontextmanager
async def _running(worker: Worker) -> AsyncGenerator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _seed(settings: Settings, stores: Stores, contract: spec.Spec, clock: Clock) -> None:
    """Seed an empty database; otherwise tell the credentials file where the server is this time."""

    def save(credentials: Credentials) -> None:
        save_credentials(settings.data, credentials, settings.base_url)

    async with stores.postgres.connection() as connection:
        if await seed_if_empty(connection, scopes=contract.scopes, clock=clock, save=save) is not None:
            return
    if credentials := read_credentials(settings.data):
        save(credentials)


def _required(url: str | None) -> str:
    assert url is not None  # noqa: S101 - `up` has filled in those of the embedded servers
    return url
