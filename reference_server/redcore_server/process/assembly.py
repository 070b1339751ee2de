"""Builds the parts of the platform from settings and open stores.

`platform` runs all of them; each role in `roles` runs one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.types import ASGIApp

from redcore_server import api
from redcore_server.api.handler import Services
from redcore_server.api.shares import Shares
from redcore_server.auth.app import Auth, open_auth
from redcore_server.auth.revocation import Revocation
from redcore_server.clock import Clock
from redcore_server.contract.spec import Spec
from redcore_server.gateway import readiness
from redcore_server.gateway.readiness import Question, postgres, redis
from redcore_server.http.deadline import DEADLINE_S
from redcore_server.invitations import job
from redcore_server.mail.mailer import mailer_for
from redcore_server.settings import Settings
from redcore_server.store import StoreOptions, Stores, open_stores, revocation_log
from redcore_server.store.jobs import RUNS
from redcore_server.store.objects import Objects
from redcore_server.store.redis import RedisOptions
from redcore_server.worker import Worker, Workers, WorkerThread, revocations
from redcore_server.worker import objects as object_jobs
from redcore_server.worker import workflows as workflow_jobs
from redcore_server.worker.invitations import InvitationSender
from redcore_server.worker.objects import ObjectCollector
from redcore_server.worker.revocation_log import RevocationLogger
from redcore_server.worker.revocations import GrantEnder
from redcore_server.worker.runner import Task
from redcore_server.worker.workflows import WorkflowRunner


def stores(settings: Settings, *, for_requests: bool) -> AbstractAsyncContextManager[Stores]:
    """Return the stores, not yet opened.

    Args:
        settings: Server settings, with the URLs of both stores.
        for_requests: Whether to bound statements by the time after which their request is answered 503; imports need
            longer.
    """
    options = StoreOptions(
        replica_url=settings.replica_url,
        database_connections=settings.database_connections,
        redis=redis_options(settings),
        statement_s=DEADLINE_S if for_requests else 0,
    )
    return open_stores(required(settings.database_url), required(settings.redis_url), options)


def redis_options(settings: Settings) -> RedisOptions:
    """Return the Redis options of a process."""
    return RedisOptions(connections=settings.redis_connections, answer_s=settings.redis_milliseconds / 1000)


def auth_service(settings: Settings, stores: Stores, spec: Spec, clock: Clock) -> AbstractAsyncContextManager[Auth]:
    """Return the auth service, not yet opened."""
    return open_auth(
        stores=stores,
        database_url=required(settings.database_url),
        issuer=settings.origin,
        audience=settings.base_url,
        scopes=spec.scope_meanings,
        clock=clock,
        signing_key_period=settings.signing_key_period,
    )


def api_service(settings: Settings, stores: Stores, spec: Spec, clock: Clock, objects: Objects) -> ASGIApp:
    """Return the API."""
    shares = Shares(settings.database_connections)
    return api.build(spec=spec, stores=stores, clock=clock, services=services(settings, stores, objects), shares=shares)


def services(settings: Settings, stores: Stores, objects: Objects) -> Services:
    """Return the dependencies of the API handlers other than the database."""
    revocation = Revocation(stores)
    return Services(
        revoke_user=revocation.revoke_user,
        revoke_client=revocation.revoke_client,
        objects=objects,
        storage_bytes=settings.storage_bytes,
        max_file_bytes=settings.max_file_bytes,
        retention=settings.retention,
        secret_overlap=settings.secret_overlap,
    )


def workers(settings: Settings, shared: Stores, clock: Clock, objects: Objects) -> Workers:
    """Return the workers, not yet started.

    Args:
        shared: Opened stores of the event loop that runs the workers; workflow runs open their own.
        objects: The object store.
    """

    @asynccontextmanager
    async def runs() -> AsyncGenerator[Worker]:
        async with stores(settings, for_requests=False) as own:
            yield Worker(own.postgres, _tasks(settings, own, clock, objects), queue=RUNS)

    periodic = {object_jobs.COLLECTION: object_jobs.HOURLY}
    urgent = Worker(shared.postgres, _tasks(settings, shared, clock, objects), periodic=periodic)
    return Workers(urgent=urgent, runs=WorkerThread(runs))


def _tasks(settings: Settings, stores: Stores, clock: Clock, objects: Objects) -> Mapping[str, Task]:
    """Return the handler for each job name; jobs of an earlier version are all in one queue."""
    revocation = Revocation(stores)
    sender = InvitationSender(
        stores=stores,
        mailer=mailer_for(settings),
        clock=clock,
        origin=settings.origin,
        sender=settings.mail_from,
    )
    ender = GrantEnder(
        postgres=stores.postgres, revoke_user=revocation.revoke_user, revoke_client=revocation.revoke_client
    )
    runner = WorkflowRunner(stores=stores, objects=objects, clock=clock, storage_bytes=settings.storage_bytes)
    collector = ObjectCollector(postgres=stores.postgres, objects=objects, clock=clock)
    return {
        job.TASK: sender.send,
        revocations.TASK: ender.end,
        workflow_jobs.TASK: runner.run,
        object_jobs.DELETION: collector.delete,
        revocation_log.TASK: RevocationLogger(objects).log,
        object_jobs.COLLECTION: collector.collect,
    }


def questions(stores: Stores, objects: Objects | None = None) -> Mapping[str, Question]:
    """Return the store checks of `/readyz?stores`.

    Args:
        objects: The object store, if this process uses it.
    """
    asked = {"postgres": postgres(stores.postgres), "redis": redis(stores.redis)}
    return {**asked, "objects": readiness.objects(objects)} if objects else asked


def required(url: str | None) -> str:
    """Return the URL of a store; the caller has set it before."""
    assert url is not None  # noqa: S101 - `up` and the roles set it
    return url
