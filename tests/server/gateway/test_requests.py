"""The gateway's part in every request: ids, credentials, headers, probes, failures."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs
from tests.server.support.callers import Callers, callers_of, gateway_before, new_key
from tests.server.support.tenants import ISSUER, Client, Organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.http.draining import Draining
from redcore_server.settings import Settings
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio
UUID = "0b7f3c1e-5d2a-4f6b-8c9d-0e1f2a3b4c5d"


async def test_a_request_id_is_echoed(caller: httpx.AsyncClient) -> None:
    """In the header unchanged, in `meta` with its prefix; on errors too."""
    for path in ("/v1/me", "/v1/users/usr_1", "/nowhere", "/healthz", "/v1/users?limit=0"):
        response = await caller.get(path, headers={"X-Request-ID": UUID.upper()})
        assert response.headers["X-Request-ID"] == UUID.upper()

    meta = (await caller.get("/v1/me", headers={"X-Request-ID": UUID})).json()["meta"]
    assert meta == {"request_id": "req_0b7f3c1e5d2a4f6b8c9d0e1f2a3b4c5d", "version": "1.2.0"}


@pytest.mark.parametrize("sent", [None, "", "abc", UUID + "x", "{" + UUID + "}", UUID.replace("-", ""), "é"])
async def test_a_request_without_a_uuid_gets_one(caller: httpx.AsyncClient, sent: str | None) -> None:
    """A value that is not a UUID is not echoed."""
    headers = [(b"X-Request-ID", sent.encode())] if sent is not None else []

    request_id = (await caller.get("/v1/me", headers=headers)).headers["X-Request-ID"]

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", request_id)
    assert request_id != sent


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        ([], 'Bearer realm="BlueRound"'),
        (["Basic YTpi"], 'Bearer realm="BlueRound", error="invalid_token"'),
        (["Bearer"], 'Bearer realm="BlueRound", error="invalid_token"'),
        (["Bearer "], 'Bearer realm="BlueRound", error="invalid_token"'),
        (["Bearer a b"], 'Bearer realm="BlueRound", error="invalid_token"'),
        (["Bearer rk_test_unknown"], 'Bearer realm="BlueRound", error="invalid_token"'),
        (["Bearer eyJhbGciOiJub25lIn0.e30."], 'Bearer realm="BlueRound", error="invalid_token"'),
        (["Bearer a", "Bearer b"], 'Bearer realm="BlueRound", error="invalid_token"'),
    ],
)
async def test_a_request_without_a_valid_token_is_unauthorized(
    callers: Callers, authorization: list[str], challenge: str
) -> None:
    """401 INVALID_TOKEN with a challenge (RFC 6750 section 3); unknown paths get the same answer."""
    anonymous = await callers.bearing(None)
    headers = [("Authorization", value) for value in authorization]

    for path in ("/v1/me", "/v1/nothing"):
        response = await anonymous.get(path, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "INVALID_TOKEN")
        assert response.headers["WWW-Authenticate"].startswith(challenge)


async def test_the_scheme_is_written_in_any_case(
    callers: Callers, organisation: Organisation, stores: Stores, clock: Clock
) -> None:
    """RFC 9110 section 11.1."""
    key = await new_key(stores, clock, organisation)
    anonymous = await callers.bearing(None)

    assert (await anonymous.get("/v1/me", headers={"Authorization": f"bEARER {key}"})).status_code == 200


async def test_a_credential_is_described_to_its_holder(
    callers: Callers, http: httpx.AsyncClient, client: Client, organisation: Organisation, clock: Clock
) -> None:
    """In the headers of `/v1/me` alone: scopes and expiry, also where it may not read its owner."""
    form = {"grant_type": "client_credentials"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()
    of_token = await (await callers.bearing(token["access_token"])).get("/v1/me")
    key = await callers.bearing(await callers.key_for(organisation, "users:read"))
    of_key = await key.get("/v1/me")

    assert of_token.headers["X-OAuth-Scopes"] == token["scope"]
    assert int(of_token.headers["X-Credential-Expires"]) == pytest.approx(clock.time() + 3600, abs=10)
    assert (of_key.status_code, of_key.headers["X-OAuth-Scopes"]) == (403, "users:read")
    assert "X-Credential-Expires" not in of_key.headers
    assert "X-OAuth-Scopes" not in (await key.get("/v1/users")).headers


async def test_an_expired_token_says_so(
    callers: Callers, http: httpx.AsyncClient, client: Client, clock: Clock
) -> None:
    """401 TOKEN_EXPIRED, so that a client knows to refresh."""
    form = {"grant_type": "client_credentials"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()["access_token"]
    clock.advance(3601)

    response = await (await callers.bearing(token)).get("/v1/users")

    assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")


async def test_every_answer_has_security_headers_and_a_date(caller: httpx.AsyncClient, clock: Clock) -> None:
    """Nothing is cached, sniffed, framed or referred to."""
    clock.advance(1_600_000_000 - clock.time())

    headers = (await caller.get("/healthz")).headers

    assert headers["Date"] == "Sun, 13 Sep 2020 12:26:40 GMT"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        (Settings(public_url="https://api.example.com"), "max-age=31536000"),
        (Settings(public_url="http://api.example.com"), None),
        (Settings(tls=True), None),
    ],
)
async def test_hsts_is_sent_for_a_public_name(
    callers: Callers, stores: Stores, auth: Auth, settings: Settings, header: str | None
) -> None:
    """RFC 6797; not for an address of this machine, whose other servers would be locked out by it."""
    app = gateway_before(auth.app, auth.app, stores=stores, auth=auth, clock=callers.clock, settings=settings)
    async with callers_of(app, stores, callers.clock) as callers_of_it:
        answer = await (await callers_of_it.bearing(None)).get("/healthz")

    assert answer.headers.get("Strict-Transport-Security") == header


async def test_a_stopping_process_is_alive_but_not_ready(
    stores: Stores, clock: Clock, auth: Auth, tmp_path: Path
) -> None:
    """Load balancers send their requests elsewhere; requests that still arrive are answered."""
    draining = Draining()
    app = gateway_before(
        auth.app, auth.app, stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path), draining=draining
    )
    async with callers_of(app, stores, clock) as callers:
        anonymous = await callers.bearing(None)
        before = await anonymous.get("/readyz")
        draining.is_on = True
        after, alive, other = [await anonymous.get(path) for path in ("/readyz", "/healthz", "/.well-known/jwks.json")]

    assert (before.status_code, before.json()["status"]) == (200, "ok")
    assert (after.status_code, after.json()["status"]) == (503, "draining")
    assert (alive.status_code, other.status_code) == (200, 200)


async def test_an_app_may_set_its_own_cache_headers(caller: httpx.AsyncClient) -> None:
    """The key set may be cached."""
    response = await caller.get("/.well-known/jwks.json")

    assert response.headers.get_list("Cache-Control") == ["public, max-age=300"]


async def test_the_probes_answer_without_a_token(callers: Callers) -> None:
    """Alive, ready, and the metrics in Prometheus's text format; other methods are refused."""
    anonymous = await callers.bearing(None)

    alive, ready, stores = [await anonymous.get(path) for path in ("/healthz", "/readyz", "/readyz?stores")]
    metrics = await anonymous.get("/metrics")

    assert alive.json() == {"status": "ok"}
    assert ready.json() == {"status": "ok"}
    assert stores.json() == {"status": "ok", "stores": {"postgres": "ok", "redis": "ok"}}
    assert 'redcore_requests_total{operation="health_live",status="200"} 1.0' in metrics.text
    assert 'redcore_request_duration_seconds_count{operation="health_ready"} 2.0' in metrics.text
    assert metrics.headers["Content-Type"].startswith("text/plain; version=")
    assert (await anonymous.post("/readyz")).status_code == 405


async def test_unknown_paths_share_one_metric(callers: Callers) -> None:
    """Otherwise any client could fill the server's memory with names."""
    anonymous = await callers.bearing(None)
    for number in range(3):
        await anonymous.get(f"/scan/{number}")

    metrics = (await anonymous.get("/metrics")).text

    assert 'redcore_requests_total{operation="unknown",status="404"} 3.0' in metrics
    assert "scan" not in metrics


async def test_a_fault_of_the_server_is_a_500_with_its_cause_in_the_log_only(
    stores: Stores, clock: Clock, auth: Auth, organisation: Organisation, tmp_path: Path
) -> None:
    """The envelope names the request, the log has the exception."""

    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError("the cause")

    app = gateway_before(broken, broken, stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path))
    async with callers_of(app, stores, clock) as callers:
        with capture_logs() as log:
            response = await (await callers.of(organisation)).get("/v1/me", headers={"X-Request-ID": UUID})

    assert (response.status_code, response.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert UUID in response.json()["error"]["message"]
    assert "cause" not in response.text
    assert [(entry["event"], str(entry["exc_info"])) for entry in log if "exc_info" in entry] == [
        ("unexpected error", "the cause")
    ]


async def test_a_fault_in_the_middle_of_an_answer_ends_the_connection(
    stores: Stores, clock: Clock, auth: Auth, organisation: Organisation, tmp_path: Path
) -> None:
    """A second answer is impossible: the exception reaches the server, which closes the connection."""

    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    app = gateway_before(broken, broken, stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path))
    key = await new_key(stores, clock, organisation)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as client:
        with pytest.raises(ZeroDivisionError), capture_logs() as log:
            await client.get("/v1/me", headers={"Authorization": f"Bearer {key}"})

    assert [entry["status"] for entry in log if entry["event"] == "request"] == [200]


async def test_other_protocols_are_passed_on(app: ASGIApp) -> None:
    """Neither lifespan messages nor websockets are for the gateway."""

    async def receive() -> dict[str, object]:
        raise AssertionError

    async def send(_message: object) -> None:
        raise AssertionError

    await app({"type": "lifespan"}, receive, send)
