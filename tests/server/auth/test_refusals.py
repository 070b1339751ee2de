"""Rate limits and absent stores at the addresses of the auth service."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.tenants import Client

from redcore_server.auth.app import Auth
from redcore_server.auth.refusals import refuse
from redcore_server.clock import Clock
from redcore_server.errors import ServiceUnavailable
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
        nobody = await callers.bearing(None)
        for _ in range(2):
            program = await nobody.post("/oauth/token", data={"grant_type": "client_credentials"})
        person = await nobody.get("/oauth/device")
        keys = await nobody.get("/.well-known/jwks.json")

    assert (program.status_code, program.json()["error"]) == (429, "slow_down")
    assert program.headers["Retry-After"] == person.headers["Retry-After"]
    assert (person.status_code, person.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert "Too many requests" in person.text
    assert (keys.status_code, keys.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")


def test_a_store_that_is_away_is_temporarily_unavailable() -> None:
    """At the device authorization endpoint too, which programs call."""
    for path in ("/oauth/token", "/oauth/device_authorization"):
        answer = refuse({"path": path}, ServiceUnavailable(), "an id")

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert b'"error":"temporarily_unavailable"' in bytes(answer.body)


async def test_no_answer_without_a_body_has_a_media_type(callers: Callers, client: Client) -> None:
    """Such as that of `/oauth/revoke`, which some programs would read as JSON."""
    nobody = await callers.bearing(None)

    answer = await nobody.post("/oauth/revoke", data={"token": "x"}, auth=client.basic)

    assert (answer.status_code, answer.content, "Content-Type" in answer.headers) == (200, b"", False)


async def test_a_client_is_challenged_with_a_realm(callers: Callers) -> None:
    """RFC 7617 section 2: without one the challenge is not valid."""
    nobody = await callers.bearing(None)

    answer = await nobody.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("app_none", "x"))

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="BlueRound"')
