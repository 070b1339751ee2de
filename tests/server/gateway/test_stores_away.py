"""What the gateway answers while a store is away or full, and how it checks them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import attrs
import httpx
import pytest
from redis.exceptions import RedisError
from structlog.testing import capture_logs
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.nodes import node
from tests.server.support.tenants import Addresses, Client, Organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.gateway.readiness import Readiness
from redcore_server.http.draining import Draining
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.postgres import AsyncPostgres, async_pool
from redcore_server.store.redis import async_redis

pytestmark = pytest.mark.anyio


def _without_redis(stores: Stores) -> Stores:
    return attrs.evolve(stores, redis=async_redis("redis://127.0.0.1:1/0"))


def _without_postgres(stores: Stores) -> Stores:
    pool = async_pool("postgresql://127.0.0.1:1/none", min_size=0)
    pool.timeout = 0.1
    return attrs.evolve(stores, postgres=pool)


@pytest.fixture
async def without_redis(addresses: Addresses, stores: Stores, clock: Clock, tmp_path: Path) -> AsyncIterator[Callers]:
    """Callers of a platform whose Redis is down."""
    away = _without_redis(stores)
    async with node(addresses, away, clock) as auth:
        app = whole_app(stores=away, auth=auth, clock=clock, settings=Settings(data=tmp_path))
        async with callers_of(app, stores, clock) as callers:
            yield callers


async def test_without_redis_rate_limits_are_off(without_redis: Callers, organisation: Organisation) -> None:
    """The gateway fails open, says so in the log, and is not ready (contract section 4)."""
    caller = await without_redis.of(organisation)
    with capture_logs() as log:
        response, ready = await caller.get("/v1/me"), await caller.get("/readyz?stores")

    assert (response.status_code, response.headers["X-RateLimit-Remaining"]) == (200, "1000")
    assert "rate limits are off: Redis is away" in {entry["event"] for entry in log}
    assert (ready.status_code, ready.json()["stores"]) == (503, {"postgres": "ok", "redis": "unavailable"})


async def test_without_redis_no_access_token_is_accepted(
    without_redis: Callers, http: httpx.AsyncClient, client: Client
) -> None:
    """It might have been revoked: 503."""
    form = {"grant_type": "client_credentials"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()["access_token"]

    response = await (await without_redis.bearing(token)).get("/v1/users")

    assert (response.status_code, response.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_without_redis_a_lock_out_is_refused_as_a_whole(
    without_redis: Callers, organisation: Organisation
) -> None:
    """Tokens could not be revoked, so the user stays unchanged: 503, try again."""
    caller = await without_redis.of(organisation)
    created = await caller.post("/v1/users", json={"email": "other@example.com", "name": "Other"})
    path = created.headers["Location"]

    refused = [await caller.delete(path), await caller.patch(path, json={"status": "inactive"})]

    assert [response.status_code for response in refused] == [503, 503]
    assert (await caller.get(path)).json()["data"] == created.json()["data"]


async def test_without_postgres_the_platform_is_unavailable(
    stores: Stores, clock: Clock, auth: Auth, organisation: Organisation, tmp_path: Path
) -> None:
    """503 with the envelope; alive but not ready."""
    away = _without_postgres(stores)
    app = whole_app(stores=away, auth=auth, clock=clock, settings=Settings(data=tmp_path))
    async with away.postgres, callers_of(app, stores, clock) as callers:
        caller = await callers.of(organisation)

        answers = [await caller.get(path) for path in ("/v1/me", "/readyz?stores", "/healthz", "/readyz")]

    assert [response.status_code for response in answers] == [503, 503, 200, 200]
    assert answers[0].headers["Retry-After"] == "2"
    assert answers[0].json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert answers[1].json()["stores"] == {"postgres": "unavailable", "redis": "ok"}


async def test_a_store_that_cannot_be_written_is_reported_on_request(
    stores: Stores, clock: Clock, auth: Auth, tmp_path: Path
) -> None:
    """It answers, but refuses writes: read-only PostgreSQL, a Redis without memory; the node itself stays ready."""
    async with stores.postgres.connection() as connection:
        await connection.execute("set default_transaction_read_only = on")
        app = whole_app(
            stores=attrs.evolve(stores, postgres=_LendingOne(connection), redis=_Full()),  # type: ignore[arg-type]
            auth=auth,
            clock=clock,
            settings=Settings(data=tmp_path),
        )
        async with callers_of(app, stores, clock) as callers:
            anonymous = await callers.bearing(None)
            node, with_stores = await anonymous.get("/readyz"), await anonymous.get("/readyz?stores=")
        await connection.execute("set default_transaction_read_only = off")

    assert node.status_code == 200
    assert (with_stores.status_code, with_stores.json()["stores"]) == (
        503,
        {"postgres": "unavailable", "redis": "unavailable"},
    )
    assert with_stores.headers["Retry-After"] == "2"


async def test_a_postgres_with_a_full_disk_is_not_writable(
    stores: Stores, clock: Clock, auth: Auth, tmp_path: Path
) -> None:
    """Its settings do not show that; the probe allocates space, as a write does."""
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path))
    async with stores.postgres.connection() as connection, callers_of(app, stores, clock) as callers:
        anonymous = await callers.bearing(None)
        await connection.execute(
            "create function pg_temp.fail() returns event_trigger language plpgsql as $$ begin raise disk_full; end $$"
        )
        await connection.execute(
            "create event trigger full_disk on ddl_command_end when tag in ('CREATE TABLE AS')"
            " execute function pg_temp.fail()"
        )
        try:
            full = await anonymous.get("/readyz?stores")
        finally:
            await connection.execute("drop event trigger full_disk")
        free = await anonymous.get("/readyz?stores")

    assert (full.json()["stores"]["postgres"], free.json()["stores"]["postgres"]) == ("unavailable", "ok")


async def test_concurrent_checks_of_the_stores_share_an_answer() -> None:
    """Each check writes to every store: many at once must not take the connections of other requests."""
    asked, may_answer = 0, asyncio.Event()

    async def ask() -> None:
        nonlocal asked
        asked += 1
        await may_answer.wait()

    ready = Readiness(draining=Draining(), stores={"postgres": ask}, services={"auth": ask})
    crowd = [asyncio.create_task(ready.answer(b"stores")) for _ in range(20)]
    await asyncio.sleep(0)
    crowd[0].cancel()
    may_answer.set()
    answers = await asyncio.gather(*crowd[1:])
    later = await ready.answer(b"stores")

    assert [answer.status_code for answer in (*answers, later)] == [200] * 20
    assert asked == 4


async def test_expensive_probes_are_limited(stores: Stores, clock: Clock, auth: Auth, tmp_path: Path) -> None:
    """The stores and the metrics, like all that needs no credential; the probes of load balancers are not."""
    settings = Settings(data=tmp_path, anonymous_per_minute=2)
    clock.advance(timedelta(days=400).total_seconds())  # in a minute that no other test uses
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=settings)
    async with callers_of(app, stores, clock) as callers:
        anonymous = await callers.bearing(None)
        paths = ("/metrics", "/readyz?stores", "/readyz?stores", "/metrics", "/readyz", "/healthz?stores")
        answers = [await anonymous.get(path) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 200, 200]


class _Full:
    """A Redis that is out of memory."""

    PROBLEM: ClassVar[str] = "OOM command not allowed when used memory > 'maxmemory'."

    async def set(self, *_: object, **__: object) -> None:
        raise RedisError(self.PROBLEM)

    @property
    def connection_pool(self) -> _FullPool:
        """The pool of the scripts, which write too."""
        return _FullPool()


class _FullPool:
    connection_kwargs: ClassVar[Mapping[str, float]] = {"socket_timeout": 60.0}

    async def get_connection(self) -> None:
        raise RedisError(_Full.PROBLEM)


@attrs.frozen
class _LendingOne:
    """A pool of one connection."""

    lent: AsyncPostgres

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncPostgres]:
        yield self.lent
