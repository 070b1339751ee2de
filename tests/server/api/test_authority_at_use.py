"""A request needs its rights when it takes effect, not when it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import attrs
import httpx
import orjson
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.people import make_person
from tests.server.support.tenants import Organisation, make_client, new_token

from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
HOUR = timedelta(hours=1)
CHANGES = {
    "viewer active": b"update users set role = 'viewer' where id = %s",
    "admin inactive": b"update users set status = 'inactive' where id = %s",
}
Meanwhile = Callable[[], Awaitable[object]]


@attrs.frozen
class Person:
    """An administrator with an API key, and the way in which the authority ends."""

    id: str
    key: httpx.AsyncClient
    ends: dict[str, Meanwhile]


@pytest.fixture
async def person(callers: Callers, caller: httpx.AsyncClient, organisation: Organisation, clock: Clock) -> Person:
    """Return a second administrator of the organisation."""
    owner = await make_person(callers.stores, clock, organisation, "admin")
    key = await callers.of(owner)
    (row,) = await rows(callers.stores, "select id from api_keys where owner_id = %s", owner.owner_id)
    path = f"/v1/users/{owner.owner_id}"
    return Person(
        owner.owner_id,
        key,
        {
            "demoted": lambda: caller.patch(path, json={"role": "viewer"}),
            "inactive": lambda: caller.patch(path, json={"status": "inactive"}),
            "deleted": lambda: caller.delete(path),
            "revoked": lambda: caller.delete(f"/v1/api-keys/{row['id']}"),
        },
    )


@attrs.define
class Late:
    """Bodies whose last parts arrive after an event, once all requests have begun."""

    meanwhile: Meanwhile
    clock: Clock
    waiting: int
    is_over: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def body(self, content: bytes) -> AsyncIterator[bytes]:
        """Yield a body in two parts."""
        yield content[:1]
        self.waiting -= 1
        if self.waiting == 0:
            await self.meanwhile()
            self.clock.advance(2)
            self.is_over.set()
        await self.is_over.wait()
        yield content[1:]


@pytest.mark.parametrize(("end", "status"), [("demoted", 403), ("inactive", 401), ("deleted", 401), ("revoked", 401)])
async def test_a_late_body_has_the_authority_of_its_arrival(  # noqa: PLR0917 - fixtures
    person: Person, organisation: Organisation, clock: Clock, stores: Stores, end: str, status: int
) -> None:
    """A request that began in time creates no key, appoints no administrator and stores no file."""
    tried: list[tuple[str, str, bytes, dict[str, str]]] = [
        ("PATCH", f"/v1/users/{person.id}", b'{"role":"admin"}', JSON),
        ("POST", "/v1/api-keys", b'{"name":"a","scopes":["admin"]}', JSON),
        ("POST", "/v1/files", FILE, FORM),
    ]
    late = Late(person.ends[end], clock, len(tried))

    async with asyncio.timeout(60), asyncio.TaskGroup() as begun:
        answers = [
            begun.create_task(person.key.request(method, path, content=late.body(body), headers=headers))
            for method, path, body, headers in tried
        ]

    assert [answer.result().status_code for answer in answers] == [status] * 3
    assert await rows(stores, "select 1 from files where organisation_id = %s", organisation.id) == []


@pytest.fixture
async def token(callers: Callers, organisation: Organisation, person: Person, clock: Clock) -> httpx.AsyncClient:
    """Return a client with an access token of that person's application."""
    client = await make_client(callers.stores, clock, attrs.evolve(organisation, owner_id=person.id), ("admin",))
    anybody = await callers.bearing(None)
    return await callers.bearing(await new_token(anybody, client))


@pytest.mark.parametrize("bearer", ["key", "token"])
async def test_a_body_may_outlast_its_credential(
    person: Person, token: httpx.AsyncClient, clock: Clock, stores: Stores, bearer: str
) -> None:
    """A long upload that began in time is accepted: expiry is not revocation."""
    await rows(
        stores, "update api_keys set expires_at = %s where owner_id = %s returning id", clock.now() + HOUR, person.id
    )

    async def hours_pass() -> None:
        clock.advance(2 * HOUR.total_seconds())

    caller = person.key if bearer == "key" else token
    made = await caller.post("/v1/files", content=Late(hours_pass, clock, 1).body(FILE), headers=FORM)

    assert (made.status_code, (await caller.get("/v1/me")).status_code) == (201, 401)


@pytest.mark.parametrize("end", CHANGES)
@pytest.mark.parametrize("bearer", ["key", "token"])
@pytest.mark.parametrize("request_of", ["promote self", "promote other", "demote other", "delete other"])
async def test_a_change_that_waits_for_a_demotion_is_refused(  # noqa: PLR0917 - fixtures
    person: Person,
    token: httpx.AsyncClient,
    organisation: Organisation,
    clock: Clock,
    stores: Stores,
    end: str,
    bearer: str,
    request_of: str,
) -> None:
    """Of two concurrent changes the second sees what the first did to its caller."""
    role_of_other = "viewer" if request_of == "promote other" else "admin"
    other = await make_person(stores, clock, organisation, role_of_other)
    caller = person.key if bearer == "key" else token
    asked: dict[str, tuple[str, str, Any]] = {
        "promote self": ("PATCH", person.id, {"role": "admin", "status": "active"}),
        "promote other": ("PATCH", other.owner_id, {"role": "admin"}),
        "demote other": ("PATCH", other.owner_id, {"role": "viewer"}),
        "delete other": ("DELETE", other.owner_id, None),
    }
    method, user_id, body = asked[request_of]
    lock = "select id from users where organisation_id = %s and role = 'admin' order by id for update"

    async with stores.postgres.connection() as connection, connection.transaction():
        await connection.execute(lock, (organisation.id,))
        second = asyncio.create_task(
            caller.request(
                method, f"/v1/users/{user_id}", headers=JSON, content=b"" if body is None else orjson.dumps(body)
            )
        )
        async with asyncio.timeout(60):
            while not await rows(stores, "select 1 from pg_locks where not granted"):
                if second.done():
                    break
        await connection.execute(CHANGES[end], (person.id,))
    answer = await second

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    known = await rows(
        stores, "select id, role || ' ' || status as now from users where id <> %s", organisation.owner_id
    )
    states = {row["id"]: row["now"] for row in known}
    assert states[person.id] == end
    assert states[other.owner_id] == f"{role_of_other} active"
