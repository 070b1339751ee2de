"""`Idempotency-Key` on POST: one effect, one answer, however often the request is sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from tests.server.support.callers import Callers, Json, rows
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.api import app as app_module
from redcore_server.api.idempotency import LIFETIME, fingerprint, once
from redcore_server.clock import Clock
from redcore_server.errors import RequestInProgress
from redcore_server.ids import new_id
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

GRACE = {"email": "grace@example.com", "name": "Grace"}


async def post(caller: httpx.AsyncClient, key: str, body: Json = GRACE, path: str = "/v1/users") -> httpx.Response:
    return await caller.post(path, json=body, headers={"Idempotency-Key": key})


async def test_a_repeated_request_replays_the_first_answer(caller: httpx.AsyncClient) -> None:
    """Same status, body and Location, and a header that marks the replay; `meta` has the first request id."""
    first = await post(caller, "k")

    again = await post(caller, "k")

    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]


async def test_an_equivalent_request_is_the_same(caller: httpx.AsyncClient) -> None:
    """The order of fields and the white space do not matter."""
    first = await post(caller, "k")

    again = await caller.post(
        "/v1/users",
        content=b'{ "name": "Grace",\n "email": "grace@example.com" }',
        headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
    )

    assert again.content == first.content


@pytest.mark.parametrize(
    ("body", "path"),
    [({**GRACE, "name": "Other"}, "/v1/users"), ({"name": "x", "sku": "x", "price": 1}, "/v1/products")],
)
async def test_a_key_with_another_request_is_refused(caller: httpx.AsyncClient, body: Json, path: str) -> None:
    """422, whether the body or the operation differs; nothing is written."""
    await post(caller, "k")

    response = await post(caller, "k", body, path)

    assert (response.status_code, response.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (await caller.get("/v1/products")).json()["meta"]["total"] == 0


async def test_20_requests_with_one_key_at_once_make_one_user(
    caller: httpx.AsyncClient, stores: Stores, organisation: Organisation
) -> None:
    """One is handled; the others get 409 or its answer."""
    responses = await asyncio.gather(*(post(caller, "k") for _ in range(20)))

    handled = [r for r in responses if r.status_code == 201 and "Idempotent-Replayed" not in r.headers]
    kinds = Counter(r.status_code for r in responses)
    assert len(handled) == 1
    assert kinds[201] + kinds[409] == 20
    assert {r.json()["error"]["code"] for r in responses if r.status_code == 409} <= {"REQUEST_IN_PROGRESS"}
    users = await rows(
        stores, "select id from users where organisation_id = %s and email_key like 'grace%%'", organisation.id
    )
    assert len(users) == 1
    jobs = await rows(
        stores,
        """select jobs.id from procrastinate_jobs jobs join invitations
           on jobs.args ->> 'invitation_id' = invitations.id where user_id = %s""",
        users[0]["id"],
    )
    assert len(jobs) == 1


async def test_a_request_that_runs_too_long_is_a_409(
    caller: httpx.AsyncClient, stores: Stores, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUEST_IN_PROGRESS with `Retry-After` while the first one waits for a lock, its answer once it has ended."""
    monkeypatch.setattr(app_module, "_REPLAY_S", 0.0)
    async with held_up(caller, stores, organisation) as first:
        during = await post(caller, "k")
    handled, after = await first, await post(caller, "k")

    assert (during.status_code, during.json()["error"]["code"]) == (409, "REQUEST_IN_PROGRESS")
    assert during.headers["Retry-After"] == "1"
    assert (handled.status_code, after.content) == (201, handled.content)
    assert after.headers["Idempotent-Replayed"] == "true"


async def test_a_repeated_request_waits_for_the_running_one(
    caller: httpx.AsyncClient, stores: Stores, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For up to five seconds, without a connection of the database; then it has the same answer."""
    monkeypatch.setattr(app_module, "_REPLAY_S", 60.0)
    async with held_up(caller, stores, organisation) as first:
        refused = asyncio.Event()

        async def watched(*given: Any) -> Response:
            try:
                return await once(*given)
            except RequestInProgress:
                refused.set()
                raise

        monkeypatch.setattr(app_module, "once", watched)
        second = asyncio.create_task(post(caller, "k"))
        await refused.wait()
    handled, after = await first, await second

    assert (handled.status_code, after.status_code, after.content) == (201, 201, handled.content)
    assert after.headers["Idempotent-Replayed"] == "true"


@contextlib.asynccontextmanager
async def held_up(
    caller: httpx.AsyncClient, stores: Stores, organisation: Organisation
) -> AsyncGenerator[asyncio.Task[httpx.Response]]:
    """Yield a request with the key `k` that waits for a lock until the block is left."""
    async with stores.postgres.connection() as connection, connection.transaction():
        await connection.execute("select id from organisations where id = %s for update", (organisation.id,))
        first = asyncio.create_task(post(caller, "k"))
        async with asyncio.timeout(60):
            while not await rows(stores, "select 1 from pg_locks where not granted"):
                pass  # the query takes a moment: the other task continues meanwhile
        yield first


async def test_a_refusal_by_a_rule_is_replayed_too(caller: httpx.AsyncClient) -> None:
    """A duplicate stays one, even when its cause is gone meanwhile."""
    user = (await caller.post("/v1/users", json=GRACE)).json()["data"]
    first = await post(caller, "k")
    await caller.delete(f"/v1/users/{user['id']}")

    again = await post(caller, "k")

    assert (first.status_code, again.status_code, again.content) == (409, 409, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_malformed_request_does_not_use_the_key_up(caller: httpx.AsyncClient) -> None:
    """The corrected request with the same key is handled."""
    wrong = await post(caller, "k", {"email": "grace"})

    right = await post(caller, "k")

    assert (wrong.status_code, right.status_code) == (400, 201)


async def test_a_404_does_not_use_the_key_up(caller: httpx.AsyncClient) -> None:
    """Only 2xx, 409 and 422 are stored: a 404 may be temporary."""
    path = f"/v1/users/{new_id('usr')}/invitation"

    first, again = await post(caller, "k", {}, path), await post(caller, "k", {}, path)

    assert (first.status_code, again.status_code) == (404, 404)
    assert "Idempotent-Replayed" not in again.headers


async def test_a_key_expires_after_24_hours(caller: httpx.AsyncClient, clock: Clock) -> None:
    """Then the same request is a new one."""
    assert timedelta(hours=24) == LIFETIME
    await post(caller, "k")
    clock.advance(LIFETIME.total_seconds() - 1)
    before = await post(caller, "k")
    clock.advance(2)

    after = await post(caller, "k")

    assert before.headers.get("Idempotent-Replayed") == "true"
    assert (after.status_code, after.json()["error"]["code"]) == (409, "DUPLICATE_RESOURCE")


async def test_expired_keys_are_deleted(caller: httpx.AsyncClient, clock: Clock, stores: Stores) -> None:
    """Each stored answer deletes two expired ones, of any caller."""
    for number in range(3):
        await post(caller, f"old{number}", {"email": f"u{number}@example.com", "name": "U"})
    clock.advance(LIFETIME.total_seconds() + 1)

    async def too_old() -> int:
        sql = "select count(*) as keys from idempotency where created_at <= %s"
        return int((await rows(stores, sql, clock.now() - LIFETIME))[0]["keys"])

    before = await too_old()
    await post(caller, "new", {"email": "v@example.com", "name": "V"})

    assert before - await too_old() == 2


async def test_a_key_belongs_to_its_caller(callers: Callers, stores: Stores, clock: Clock) -> None:
    """Two organisations, and two credentials of one, may use the same key."""
    ours, theirs = await make_organisation(stores, clock), await make_organisation(stores, clock)
    clients = [await callers.of(ours), await callers.of(ours), await callers.of(theirs)]

    responses = [
        await post(client, "k", {"email": f"u{number}@example.com", "name": "U"})
        for number, client in enumerate(clients)
    ]

    assert [response.status_code for response in responses] == [201, 201, 201]


@pytest.mark.parametrize("key", ["", "with space", "ä", "x" * 256])
async def test_an_invalid_key_is_refused(caller: httpx.AsyncClient, key: str) -> None:
    """1 to 255 visible ASCII characters."""
    response = await caller.post("/v1/users", json=GRACE, headers=[(b"Idempotency-Key", key.encode("latin-1"))])

    assert response.status_code == 400
    assert {detail["field"] for detail in response.json()["error"]["details"]} == {"Idempotency-Key"}


def test_a_fingerprint_covers_operation_path_and_body() -> None:
    """Any difference changes the digest."""
    digests = {
        fingerprint("users_create", {}, {}),
        fingerprint("products_create", {}, {}),
        fingerprint("users_create", {"user_id": "usr_1"}, {}),
        fingerprint("users_create", {}, {"email": "usr_1"}),
    }

    assert len(digests) == 4
