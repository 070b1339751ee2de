"""The lab: who may use it, and the clock, the limits, the record of requests and the outbox."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Message
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.faults import script
from tests.server.support.tenants import Client

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


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


async def test_without_the_setting_the_lab_is_a_404(stores: Stores, auth: Auth, clock: Clock, tmp_path: Path) -> None:
    """404, as for any address that does not exist."""
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path))
    async with callers_of(app, stores, clock) as callers:
        caller = await callers.bearing(None)

        assert (await caller.post("/lab/reset")).status_code == 404


async def test_other_protocols_are_passed_on(app: ASGIApp) -> None:
    """Neither lifespan messages nor websockets are for the lab."""

    async def receive() -> Message:
        raise AssertionError

    async def send(_message: object) -> None:
        raise AssertionError

    await app({"type": "lifespan"}, receive, send)


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


@pytest.mark.parametrize("seconds", [1e18, 2.6e11, -6.4e10, -1e300])
async def test_a_time_beyond_the_calendar_is_refused(caller: httpx.AsyncClient, seconds: float) -> None:
    """The clock stays where it was, and the server answers."""
    answer = await caller.post("/lab/clock", json={"advance": seconds})

    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (400, "advance")
    assert (await caller.get("/healthz")).status_code == 200


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
