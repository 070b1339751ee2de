"""The roles of the platform, each in its own process: gateway, auth service, API with CDN, worker.

`up` runs the same code in one process (`redcore_server.process.platform`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
from starlette.types import ASGIApp

from redcore_server import gateway
from redcore_server.auth.credentials.principal_endpoint import PATH as PRINCIPAL_PATH
from redcore_server.auth.credentials.principal_endpoint import PrincipalEndpoint
from redcore_server.cdn import PREFIXES as CDN_PREFIXES
from redcore_server.cdn import Cdn
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.gateway.limits import Limits
from redcore_server.gateway.readiness import Question, Readiness, redis
from redcore_server.gateway.remote_verifier import RemoteVerifier
from redcore_server.gateway.upstream import Upstream, open_session
from redcore_server.http.draining import Draining
from redcore_server.process import assembly
from redcore_server.process.service import Service, Verified
from redcore_server.settings import Settings
from redcore_server.store.objects import check, open_objects
from redcore_server.store.redis import Scripts, open_redis
from redcore_server.worker import Workers


@asynccontextmanager
async def gateway_role(settings: Settings, clock: Clock, draining: Draining) -> AsyncGenerator[ASGIApp]:
    """Yield the gateway alone. It needs only Redis, for the counters of its rate limits.

    Args:
        settings: Server settings, with the URLs of Redis, auth service and API.
        draining: Whether this process is shutting down.
    """
    async with (
        open_redis(assembly.required(settings.redis_url), assembly.redis_options(settings)) as client,
        open_session() as session,
    ):
        api = Upstream(session, settings.api_url)
        services = {"auth": _asking(session, settings.auth_url), "api": _asking(session, settings.api_url)}
        yield gateway.build(
            spec=spec.load(),
            settings=settings,
            clock=clock,
            limits=Limits(Scripts(client), clock, settings),
            readiness=Readiness(draining=draining, stores={"redis": redis(client)}, services=services),
            verifier=RemoteVerifier(session, settings.auth_url),
            auth=Upstream(session, settings.auth_url),
            api=api,
            cdn=api,
        )


@asynccontextmanager
async def auth_role(settings: Settings, clock: Clock, draining: Draining) -> AsyncGenerator[ASGIApp]:
    """Yield the auth service alone.

    Args:
        settings: Server settings, with the URLs of both stores.
        draining: Whether this process is shutting down.
    """
    async with (
        assembly.stores(settings, for_requests=True) as stores,
        assembly.auth_service(settings, stores, spec.load(), clock) as auth,
    ):
        yield Service(
            apps={PRINCIPAL_PATH: PrincipalEndpoint(auth.verifier), "/": auth.app},
            readiness=Readiness(draining=draining, stores=assembly.questions(stores)),
            clock=clock,
        )


@asynccontextmanager
async def api_role(settings: Settings, clock: Clock, draining: Draining) -> AsyncGenerator[ASGIApp]:
    """Yield the API and the CDN alone.

    Args:
        settings: Server settings, with the URLs of both stores.
        draining: Whether this process is shutting down.
    """
    contract = spec.load()
    objects = open_objects(settings)
    await check(objects, settings)
    async with (
        assembly.stores(settings, for_requests=True) as stores,
        assembly.auth_service(settings, stores, contract, clock) as auth,
    ):
        api = assembly.api_service(settings, stores, contract, clock, objects)
        yield Service(
            apps={
                "/v1/": Verified(auth.verifier, clock, api),
                **dict.fromkeys(CDN_PREFIXES, Cdn(stores.postgres, objects)),
            },
            readiness=Readiness(draining=draining, stores=assembly.questions(stores)),
            clock=clock,
        )


@asynccontextmanager
async def worker_role(settings: Settings, clock: Clock) -> AsyncGenerator[Workers]:
    """Yield the worker alone.

    Args:
        settings: Server settings, with the URLs of both stores.
    """
    objects = open_objects(settings)
    await check(objects, settings)
    async with assembly.stores(settings, for_requests=False) as stores:
        yield assembly.workers(settings, stores, clock, objects)


def _asking(session: aiohttp.ClientSession, origin: str) -> Question:
    async def ask() -> None:
        async with session.get(f"{origin}/readyz", raise_for_status=True):
            pass

    return ask
