"""A reset of the lab: rows, overrides, and what is under way."""

from __future__ import annotations

import asyncio
import time

import attrs
import httpx
import pytest
from structlog.testing import capture_logs
from tests.server.support.callers import Callers, callers_of, rows, whole_app
from tests.server.support.faults import script
from tests.server.support.tenants import Client, Organisation, make_organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.postgres import async_pool

pytestmark = pytest.mark.anyio


async def test_a_reset_restores_the_seed(
    caller: httpx.AsyncClient, callers: Callers, organisation: Organisation, client: Client
) -> None:
    """Changed objects are as before and new ones are gone; credentials work, also deleted ones."""
    before = (await caller.get("/v1/me")).json()["data"]
    body = {"email": "g@example.com", "name": "G", "role": "admin"}
    user_id = (await caller.post("/v1/users", json=body)).json()["data"]["id"]
    await rows(callers.stores, "update users set status = 'active' where id = %s returning id", user_id)
    await caller.post("/v1/products", json={"name": "x", "sku": "x", "price": 1}, headers={"Idempotency-Key": "k"})
    await caller.patch("/v1/me", json={"name": "Changed"})
    successor = await callers.of(Organisation(organisation.id, user_id), "admin")
    assert (await successor.delete(f"/v1/users/{organisation.owner_id}")).status_code == 204

    assert (await caller.post("/lab/reset")).status_code == 204

    assert (await caller.get("/v1/me")).json()["data"] == before
    assert (await caller.get("/v1/products")).json()["meta"]["total"] == 0
    left = "select (select count(*) from invitations) + (select count(*) from idempotency) as rows"
    assert await rows(callers.stores, left) == [{"rows": 0}]
    assert len(await rows(callers.stores, "select id from applications where id = %s", client.id)) == 1


async def test_a_reset_writes_only_changed_rows(
    caller: httpx.AsyncClient, callers: Callers, organisation: Organisation
) -> None:
    """An unchanged row keeps its version."""
    product = """insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
                 values (%s, %s, 'Engine', %s, 1, 1, 'available', now(), now()) returning id"""
    for number in ("prod_1", "prod_2"):
        await rows(callers.stores, product, number, organisation.id, number)
    await caller.get("/v1/me")  # the lab keeps the seed
    of_all = "select id, xmin::text from products union all select id, xmin::text from users"
    before = {row["id"]: row["xmin"] for row in await rows(callers.stores, of_all)}
    await caller.patch("/v1/products/prod_1", json={"stock": 0})
    await caller.post("/v1/products", json={"name": "x", "sku": "x", "price": 1})

    await caller.post("/lab/reset")

    after = {row["id"]: row["xmin"] for row in await rows(callers.stores, of_all)}
    assert after.keys() == before.keys()
    assert [each for each in after if after[each] != before[each]] == ["prod_1"]
    assert (await caller.get("/v1/products/prod_1")).json()["data"]["stock"] == 1


async def test_a_reset_leaves_organisations_that_were_seeded_later(caller: httpx.AsyncClient, callers: Callers) -> None:
    """Their credentials still work; their other users are gone."""
    await caller.get("/v1/me")
    later = await callers.of(await make_organisation(callers.stores, callers.clock))
    await later.post("/v1/users", json={"email": "g@example.com", "name": "G"})

    await caller.post("/lab/reset")

    assert [user["email"] for user in (await later.get("/v1/users")).json()["data"]] == ["ada@example.com"]


async def test_a_reset_ends_all_overrides(caller: httpx.AsyncClient, clock: Clock, settings: Settings) -> None:
    """Faults, clock, limits, rate counters, outbox and the record of requests."""
    await script(caller, {"status": 500})
    await caller.post("/lab/clock", json={"advance": 1e6})
    settings.outbox.mkdir()
    (settings.outbox / "inv_1.eml").write_text("")
    await caller.get("/v1/me")
    await script(caller, {"status": 500})

    await caller.post("/lab/reset")

    assert (await caller.get("/lab/requests")).json() == []
    assert (await caller.get("/lab/outbox")).json() == []
    response = await caller.get("/v1/me")
    assert (response.status_code, response.headers["X-RateLimit-Remaining"]) == (200, "999")
    assert clock.time() == pytest.approx(time.time(), abs=60)


async def test_a_reset_waits_for_a_running_job(caller: httpx.AsyncClient, stores: Stores) -> None:
    """Otherwise its mail would be written into the emptied outbox."""
    sql = """insert into procrastinate_jobs (queue_name, task_name, status) values ('q', 'send_invitation', 'doing')
             returning id"""
    job = (await rows(stores, sql))[0]["id"]
    reset = asyncio.create_task(caller.post("/lab/reset"))
    done, _ = await asyncio.wait([reset], timeout=0.1)
    await rows(stores, "update procrastinate_jobs set status = 'succeeded' where id = %s returning id", job)

    assert (done, (await reset).status_code) == (set(), 204)


async def test_a_reset_drops_delayed_requests(
    remote: httpx.AsyncClient, stores: Stores, organisation: Organisation
) -> None:
    """A request of one test would change the data of the next; a stop of the server would wait for it."""
    await script(remote, {"delay": 3600})
    late = asyncio.create_task(remote.post("/v1/users", json={"email": "grace@example.com", "name": "Grace"}))
    while not (await remote.get("/lab/requests")).json():
        pass

    await remote.post("/lab/reset")

    with pytest.raises(httpx.RemoteProtocolError):
        await late
    assert len(await rows(stores, "select id from users where organisation_id = %s", organisation.id)) == 1


async def test_the_lab_waits_for_postgres_to_keep_the_seed(
    stores: Stores, clock: Clock, auth: Auth, settings: Settings, organisation: Organisation
) -> None:
    """Until then the gateway answers by itself."""
    away = attrs.evolve(stores, postgres=async_pool("postgresql://127.0.0.1:1/none", min_size=0))
    away.postgres.timeout = 0.1
    app = whole_app(stores=away, auth=auth, clock=clock, settings=settings)
    async with away.postgres, callers_of(app, stores, clock) as callers:
        with capture_logs() as log:
            response = await (await callers.of(organisation)).get("/v1/me")

    assert response.status_code == 503
    assert log[0]["event"] == "the seed is not kept yet: PostgreSQL is away"
