"""The lab: on a real uvicorn where connections are damaged, in this process otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Message
from structlog.testing import capture_logs
from tests.server.support.callers import Callers, callers_of, new_key, rows, whole_app
from tests.server.support.databases import migrated_database
from tests.server.support.tenants import Addresses, Client, Organisation, make_organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.lab.connection import truncating
from redcore_server.listening.address import listen
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.postgres import async_pool

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def addresses(addresses: Addresses) -> Iterator[Addresses]:
    """Return addresses with a database of the lab's own: a reset goes through every row."""
    with migrated_database(addresses) as own:
        yield own


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, lab=True)


@pytest.fixture
async def app(stores: Stores, auth: Auth, clock: Clock, settings: Settings, organisation: Organisation) -> ASGIApp:
    """Return the platform with a lab that has never run before: the organisation is its seed."""
    async with stores.postgres.connection() as connection:
        await connection.execute("drop schema if exists lab cascade")
    return whole_app(stores=stores, auth=auth, clock=clock, settings=settings)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app by uvicorn as `up` does; yield its origin."""
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, date_header=False)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def remote(
    app: ASGIApp, stores: Stores, clock: Clock, organisation: Organisation
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client that reaches the app over a real connection."""
    headers = {"Authorization": f"Bearer {await new_key(stores, clock, organisation)}"}
    async with served(app) as origin, httpx.AsyncClient(base_url=origin, headers=headers) as client:
        yield client


async def script(client: httpx.AsyncClient, *faults: dict[str, Any], path: str = "/v1/*", **more: str) -> None:
    response = await client.post("/lab/faults", json={"path": path, "faults": faults, **more})
    assert response.status_code == 204, response.text


async def test_each_request_uses_one_fault_up(caller: httpx.AsyncClient) -> None:
    """503 with Retry-After, a pass, 500, then normal answers."""
    await script(caller, {"status": 503, "retry_after": 2}, {"pass": True}, {"status": 500})

    responses = [await caller.get("/v1/me") for _ in range(4)]

    assert [response.status_code for response in responses] == [503, 200, 500, 200]
    assert responses[0].headers["Retry-After"] == "2"
    assert responses[0].json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert responses[2].json()["error"]["code"] == "INTERNAL_ERROR"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:4010"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example:4010"},
        {"Origin": "http://["},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_pages_of_other_sites_have_no_lab(caller: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Neither by DNS rebinding, nor by a form (CSRF): it has no password, and controls the server."""
    await script(caller, {"status": 500})

    seen = await caller.get("/lab/outbox", headers=headers)
    done = await caller.post("/lab/reset", headers=headers)

    assert (seen.status_code, done.status_code) == (404, 404)
    assert (await caller.get("/v1/me")).status_code == 500


async def test_pages_of_this_machine_have_the_lab(caller: httpx.AsyncClient) -> None:
    """Such as those of the application under test, on another port."""
    headers = {"Host": "localhost:4010", "Origin": "http://[::1]:3000"}

    assert (await caller.get("/lab/requests", headers=headers)).status_code == 200


async def test_a_fault_matches_method_and_path(caller: httpx.AsyncClient) -> None:
    """A glob, and a method or any."""
    await script(caller, {"status": 500}, path="/v1/users/*", method="DELETE")

    statuses = [
        (await caller.get("/v1/users/usr_1")).status_code,
        (await caller.delete("/v1/products/prod_1")).status_code,
        (await caller.delete("/v1/users/usr_1")).status_code,
        (await caller.delete("/v1/users/usr_1")).status_code,
    ]

    assert statuses == [404, 404, 500, 404]


async def test_faults_for_one_path_are_used_in_order(caller: httpx.AsyncClient) -> None:
    """The first one added is used up first."""
    await script(caller, {"status": 500})
    await script(caller, {"status": 502}, path="*")

    assert [(await caller.get("/v1/me")).status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    ("fault", "content_type", "content"),
    [
        ({"status": 200, "body": "<h1>Welcome</h1>"}, "text/html; charset=utf-8", b"<h1>Welcome</h1>"),
        ({"status": 200, "body": {"data": 1}}, "application/json", b'{"data":1}'),
        ({"status": 200, "body": None}, "application/json", b"null"),
        ({"status": 302}, "application/json", b""),
    ],
)
async def test_a_fault_can_have_any_body(
    caller: httpx.AsyncClient, fault: dict[str, Any], content_type: str, content: bytes
) -> None:
    """HTML, other JSON than expected, or none."""
    await script(caller, fault)

    response = await caller.get("/v1/me")

    assert (response.status_code, response.headers["Content-Type"]) == (fault["status"], content_type)
    assert response.content == content


async def test_an_injected_answer_echoes_the_request_id(caller: httpx.AsyncClient, clock: Clock) -> None:
    """Every answer has it, and the date of the server's clock."""
    request_id = "0b7f3c1e-5d2a-4f6b-8c9d-0e1f2a3b4c5d"
    await script(caller, {"status": 500})
    clock.advance(-1_000_000_000)

    response = await caller.get("/v1/me", headers={"X-Request-ID": request_id})

    assert response.headers["X-Request-ID"] == request_id
    assert response.headers["Date"].split()[3] < "2000"


async def test_a_delay_comes_before_the_answer(caller: httpx.AsyncClient) -> None:
    """A real one, here."""
    await script(caller, {"delay": 0.2})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await caller.get("/v1/me")

    assert (await caller.get("/v1/me")).status_code == 200


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


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_an_injected_answer_without_a_body(remote: httpx.AsyncClient, status: int) -> None:
    """HTTP allows none for its status: one would be read as the next answer. A fault with one is refused."""
    body = {"path": "/*", "faults": [{}, {"status": status, "body": {}}]}
    refused = await remote.post("/lab/faults", json=body)
    await script(remote, {"status": status})

    answers = [await remote.get("/v1/me") for _ in range(2)]

    assert refused.json()["error"]["details"] == [{"field": "faults.1.body", "issue": f"an answer {status} has none"}]
    assert [(answer.status_code, "Content-Type" in answer.headers) for answer in answers] == [
        (status, False),
        (200, True),
    ]


async def test_a_body_that_cannot_be_sent_is_refused(caller: httpx.AsyncClient) -> None:
    """JSON that is nested deeper than the server writes."""
    nested = "[" * 900 + "]" * 900
    content = f'{{"path": "/*", "faults": [{{"status": 200, "body": {nested}}}]}}'

    refused = await caller.post("/lab/faults", content=content)

    assert (refused.status_code, refused.json()["error"]["details"][0]["field"]) == (400, "faults.0.body")


@pytest.mark.parametrize("retry_after", ["1\r\nX-Evil: 1", "é", "日"])
async def test_an_invalid_retry_after_is_refused(caller: httpx.AsyncClient, retry_after: str) -> None:
    """Before it damages an answer."""
    faults = [{"status": 503, "retry_after": retry_after}]

    refused = await caller.post("/lab/faults", json={"path": "/*", "faults": faults})

    assert refused.json()["error"]["details"][0]["field"] == "faults.0.retry_after"


async def test_a_dropped_connection_has_no_answer_and_no_effect(
    remote: httpx.AsyncClient, stores: Stores, organisation: Organisation
) -> None:
    """The client sees the connection close; the next request is handled."""
    body = {"email": "grace@example.com", "name": "Grace"}
    await script(remote, {"drop": True})

    with pytest.raises(httpx.RemoteProtocolError):
        await remote.post("/v1/users", json=body)

    found = await rows(stores, "select id from users where organisation_id = %s", organisation.id)
    assert len(found) == 1
    assert (await remote.post("/v1/users", json=body)).status_code == 201


async def test_a_truncated_answer_was_handled(
    remote: httpx.AsyncClient, stores: Stores, organisation: Organisation
) -> None:
    """The user exists, the client does not know: an Idempotency-Key is for this case."""
    call = {"json": {"email": "grace@example.com", "name": "Grace"}, "headers": {"Idempotency-Key": "k"}}
    await script(remote, {"truncate": True})

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        await remote.post("/v1/users", **call)  # type: ignore[arg-type]

    again = await remote.post("/v1/users", **call)  # type: ignore[arg-type]
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    found = await rows(stores, "select id from users where organisation_id = %s", organisation.id)
    assert len(found) == 2


async def test_only_uvicorns_connections_can_be_cut(caller: httpx.AsyncClient) -> None:
    """Otherwise it is an error of the server, not silence."""
    await script(caller, {"drop": True})

    assert (await caller.get("/v1/me")).status_code == 500


async def test_a_streamed_answer_is_truncated_in_its_first_part() -> None:
    """What the app sends after the cut is dropped."""
    closed = asyncio.Event()
    sent: list[Message] = []

    class Cycle:
        """The owner of uvicorn's `send`."""

        transport = SimpleNamespace(close=closed.set)

        async def send(self, message: Message) -> None:
            sent.append(message)

    async def receive() -> Message:
        await closed.wait()
        return {"type": "http.disconnect"}

    sending = truncating(receive, Cycle().send)
    await sending({"type": "http.response.start", "status": 200, "headers": []})
    for part in (b"12345678", b"90"):
        await sending({"type": "http.response.body", "body": part, "more_body": True})

    assert [message.get("body") for message in sent] == [None, b"1234"]


async def test_other_protocols_are_passed_on(app: ASGIApp) -> None:
    """Neither lifespan messages nor websockets are for the lab."""

    async def receive() -> Message:
        raise AssertionError

    async def send(_message: object) -> None:
        raise AssertionError

    await app({"type": "lifespan"}, receive, send)


async def test_faults_can_be_cleared(caller: httpx.AsyncClient) -> None:
    """All of them."""
    await script(caller, {"status": 500})

    await caller.delete("/lab/faults")

    assert (await caller.get("/v1/me")).status_code == 200


async def test_the_clock_can_be_moved(caller: httpx.AsyncClient, clock: Clock) -> None:
    """`Date`, rows and tokens follow; it can be reset."""
    later = (await caller.post("/lab/clock", json={"advance": 1_000_000_000})).json()["now"]
    user = (await caller.post("/v1/users", json={"email": "g@example.com", "name": "G"})).json()["data"]
    now = (await caller.delete("/lab/clock")).json()["now"]

    assert later[:7] <= user["created_at"][:7]
    assert now < later


async def test_moving_the_clock_expires_tokens(
    callers: Callers, caller: httpx.AsyncClient, http: httpx.AsyncClient, client: Client
) -> None:
    """An access token expires after an hour by that clock."""
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()["access_token"]
    theirs = await callers.bearing(token)
    assert (await theirs.get("/v1/users")).status_code == 200

    await caller.post("/lab/clock", json={"advance": 3601})

    response = await theirs.get("/v1/users")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")


async def test_limits_can_be_overridden(caller: httpx.AsyncClient) -> None:
    """For all callers, until they are restored."""
    await caller.put("/lab/limits", json={"requests_per_minute": 2})

    limited = [(await caller.get("/v1/me")).status_code for _ in range(3)]
    await caller.delete("/lab/limits")

    assert limited == [200, 200, 429]
    assert (await caller.get("/v1/me")).headers["X-RateLimit-Limit"] == "1000"


async def test_requests_are_recorded(caller: httpx.AsyncClient) -> None:
    """Real and injected answers alike, without secrets."""
    await script(caller, {"status": 500})

    responses = [await caller.get("/v1/me?x=1"), await caller.post("/oauth/token"), await caller.get("/v1/rk_live_x")]

    seen = (await caller.get("/lab/requests")).json()
    assert [(each["method"], each["path"], each["query"]) for each in seen] == [
        ("GET", "/v1/me", {"x": "1"}),
        ("POST", "/oauth/token", {}),
        ("GET", "/v1/…", {}),
    ]
    assert [(each["status"], each["request_id"]) for each in seen] == [
        (response.status_code, response.headers["X-Request-ID"]) for response in responses
    ]
    assert {each["headers"]["authorization"] for each in seen} == {"Bearer ***"}


async def test_the_outbox_is_read_oldest_first(caller: httpx.AsyncClient, settings: Settings) -> None:
    """To, subject, text and the link in it."""
    settings.outbox.mkdir()
    for number in (2, 1):
        mail = EmailMessage()
        mail["To"], mail["Subject"] = f"u{number}@example.com", "Your invitation"
        mail.set_content(f"Open http://127.0.0.1:4010/oauth/invitations/inv_{number}.1.x\nBye")
        (settings.outbox / f"inv_{number}.eml").write_bytes(mail.as_bytes())

    mails = (await caller.get("/lab/outbox")).json()

    assert [mail["id"] for mail in mails] == ["inv_2", "inv_1"]
    assert mails[0] == {
        "id": "inv_2",
        "to": "u2@example.com",
        "subject": "Your invitation",
        "text": "Open http://127.0.0.1:4010/oauth/invitations/inv_2.1.x\nBye\n",
        "link": "http://127.0.0.1:4010/oauth/invitations/inv_2.1.x",
    }


async def test_an_outbox_without_mail_is_empty(caller: httpx.AsyncClient) -> None:
    """Also if the folder does not exist yet."""
    assert (await caller.get("/lab/outbox")).json() == []


@pytest.mark.parametrize(
    ("order", "body", "field"),
    [
        ("POST /lab/faults", {"path": "/v1/me", "faults": []}, "faults"),
        ("POST /lab/faults", {"path": "/v1/me", "faults": [{"status": 99}]}, "faults.0.status"),
        ("POST /lab/faults", {"path": "/v1/me", "faults": [{"explode": True}]}, "faults.0.explode"),
        ("POST /lab/clock", {}, "advance"),
        ("POST /lab/clock", [], "body"),
        ("PUT /lab/limits", {"requests_per_minute": -1}, "requests_per_minute"),
    ],
)
async def test_an_invalid_request_to_the_lab_is_refused(
    caller: httpx.AsyncClient, order: str, body: object, field: str
) -> None:
    """In the error envelope, by field."""
    method, path = order.split()

    response = await caller.request(method, path, json=body)

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]


async def test_unknown_requests_to_the_lab_are_refused(caller: httpx.AsyncClient) -> None:
    """404, 405, and 400 for a body that is not JSON."""
    assert (await caller.get("/lab/nothing")).status_code == 404
    assert (await caller.get("/lab/reset")).headers["Allow"] == "POST"
    assert (await caller.post("/lab/clock", content=b"{")).status_code == 400


async def test_without_the_setting_the_lab_is_a_404(stores: Stores, auth: Auth, clock: Clock, tmp_path: Path) -> None:
    """404, as for any address that does not exist."""
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path))
    async with callers_of(app, stores, clock) as callers:
        caller = await callers.bearing(None)

        assert (await caller.post("/lab/reset")).status_code == 404


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


@pytest.mark.parametrize("seconds", [1e18, 2.6e11, -6.4e10, -1e300])
async def test_a_time_beyond_the_calendar_is_refused(caller: httpx.AsyncClient, seconds: float) -> None:
    """The clock stays where it was, and the server answers."""
    answer = await caller.post("/lab/clock", json={"advance": seconds})

    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (400, "advance")
    assert (await caller.get("/healthz")).status_code == 200


async def test_an_unused_fault_is_reported(caller: httpx.AsyncClient) -> None:
    """Its path was misspelt, for example."""
    await caller.post("/lab/faults", json={"method": "GET", "path": "/v1/mee", "faults": [{"status": 503}]})
    await caller.get("/v1/me")

    assert (await caller.get("/lab/faults")).json() == [{"method": "GET", "path": "/v1/mee", "left": 1}]
