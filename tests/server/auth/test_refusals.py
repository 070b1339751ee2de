"""Refusals at the addresses of the auth service, for programs and for people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.tenants import Client

from redcore_server.auth.app import Auth
from redcore_server.auth.refusals import refuse
from redcore_server.clock import Clock
from redcore_server.errors import (
    HeadTooLarge,
    MethodNotAllowed,
    NotFound,
    NotImplementedHere,
    PayloadTooLarge,
    RequestTimeout,
    ServiceUnavailable,
)
from redcore_server.settings import Settings
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


async def test_a_rate_limit_is_oauth_json_for_programs_and_a_page_for_people(
    stores: Stores, auth: Auth, clock: Clock, tmp_path: Path
) -> None:
    """With the time to wait; the API keeps its envelope."""
    settings = Settings(data=tmp_path, anonymous_per_minute=1)
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=settings)
    async with callers_of(app, stores, clock) as callers:
        anonymous = await callers.bearing(None)
        for _ in range(2):
            program = await anonymous.post("/oauth/token", data={"grant_type": "client_credentials"})
        person = await anonymous.get("/oauth/device")
        keys = await anonymous.get("/.well-known/jwks.json")

    assert (program.status_code, program.json()["error"]) == (429, "slow_down")
    assert program.headers["Retry-After"] == person.headers["Retry-After"]
    assert (person.status_code, person.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert "Too many requests" in person.text
    assert (keys.status_code, keys.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")


def test_a_store_that_is_down_is_temporarily_unavailable() -> None:
    """At the device authorization endpoint too, which programs call."""
    for path in ("/oauth/token", "/oauth/device_authorization"):
        answer = refuse({"path": path}, ServiceUnavailable(), "an id")

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert b'"error":"temporarily_unavailable"' in bytes(answer.body)


@pytest.mark.parametrize(
    ("error", "status", "code", "header"),
    [
        (NotFound(), 404, "invalid_request", None),
        (MethodNotAllowed(["POST"]), 405, "invalid_request", ("Allow", "POST")),
        (RequestTimeout(), 408, "invalid_request", ("Connection", "close")),
        (PayloadTooLarge(65536), 413, "invalid_request", None),
        (HeadTooLarge("more than 100"), 431, "invalid_request", None),
        (RuntimeError("secret"), 500, "server_error", None),
        (NotImplementedHere("Send the body as it is, or chunked."), 501, "invalid_request", None),
    ],
)
def test_every_refusal_below_oauth_is_oauth_json_for_programs_and_a_page_for_people(
    error: Exception, status: int, code: str, header: tuple[str, str] | None
) -> None:
    """With the status and headers of HTTP (RFC 6749 section 5.2), and uncached."""
    program = refuse({"path": "/oauth/introspect"}, error, "an id")
    person = refuse({"path": "/oauth/authorize"}, error, "an id")

    body = json.loads(bytes(program.body))
    assert (program.status_code, body["error"], program.headers["Cache-Control"]) == (status, code, "no-store")
    assert re.fullmatch(r"[ !#-\[\]-~]+", body["error_description"])  # the characters of RFC 6749 section 5.2
    assert (person.status_code, person.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    for answer in (program, person):
        assert b"secret" not in bytes(answer.body)
        assert header is None or answer.headers[header[0]] == header[1]


async def test_another_method_at_the_token_endpoint_is_oauth_json(callers: Callers) -> None:
    """OAuth clients read no other form of errors."""
    anonymous = await callers.bearing(None)

    answer = await anonymous.get("/oauth/token")

    assert (answer.status_code, answer.headers["Allow"], answer.json()) == (
        405,
        "POST",
        {"error": "invalid_request", "error_description": "This address answers POST only."},
    )


async def test_no_answer_without_a_body_has_a_media_type(callers: Callers, client: Client) -> None:
    """Such as that of `/oauth/revoke`, which some programs would read as JSON."""
    anonymous = await callers.bearing(None)

    answer = await anonymous.post("/oauth/revoke", data={"token": "x"}, auth=client.basic)

    assert (answer.status_code, answer.content, "Content-Type" in answer.headers) == (200, b"", False)


async def test_a_client_is_challenged_with_a_realm(callers: Callers) -> None:
    """RFC 7617 section 2: without a realm the challenge is not valid."""
    anonymous = await callers.bearing(None)

    answer = await anonymous.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("app_none", "x"))

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="BlueRound"')
