"""CORS: the pages of other origins that may call the platform from a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.tenants import Organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, x-request-id",
}


@pytest.fixture
def origins() -> tuple[str, ...]:
    return (ORIGIN,)


@pytest.fixture
async def callers(
    stores: Stores, auth: Auth, clock: Clock, tmp_path: Path, origins: tuple[str, ...]
) -> AsyncIterator[Callers]:
    settings = Settings(data=tmp_path, cors_origins=origins)
    async with callers_of(whole_app(stores=stores, auth=auth, clock=clock, settings=settings), stores, clock) as made:
        yield made


@pytest.fixture
async def caller(callers: Callers, organisation: Organisation) -> httpx.AsyncClient:
    return await callers.of(organisation)


async def test_a_preflight_is_answered(caller: httpx.AsyncClient) -> None:
    """It needs no token, and has the headers of every answer."""
    answer = await caller.options("/v1/me", headers={**PREFLIGHT, "Authorization": ""})

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert "X-Request-ID" in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/me", "/v1/users/usr_none", "/v1/nothing", "/.well-known/jwks.json"])
async def test_a_page_can_read_answers_and_errors(caller: httpx.AsyncClient, path: str) -> None:
    """And the headers that the SDK of a page needs."""
    answer = await caller.get(path, headers={"Origin": ORIGIN})

    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Vary"] == "Origin"
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"X-Request-ID", "Retry-After", "X-RateLimit-Reset", "Location", "ETag"}


async def test_a_refused_token_can_be_read(callers: Callers) -> None:
    """Otherwise a page could not know that it must log in again."""
    answer = await (await callers.bearing(None)).get("/v1/me", headers={"Origin": ORIGIN})

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)


async def test_another_origin_reads_nothing(caller: httpx.AsyncClient) -> None:
    """Neither a preflight nor an answer is for it."""
    other = {**PREFLIGHT, "Origin": "https://evil.example"}

    asked, answered = await caller.options("/v1/me", headers=other), await caller.get("/v1/me", headers=other)

    assert asked.status_code == 400
    assert "Access-Control-Allow-Origin" not in asked.headers
    assert "Access-Control-Allow-Origin" not in answered.headers


@pytest.mark.parametrize("origins", [(ORIGIN,), ("*",)])
@pytest.mark.parametrize("path", ["/outbox", "/oauth/authorize", "/oauth/device", "/saml/login", "/docs/org_1/"])
async def test_html_pages_are_not_shared(caller: httpx.AsyncClient, path: str) -> None:
    """Least of all the outbox, whose links set passwords."""
    answer = await caller.get(path, headers={"Origin": ORIGIN, "Host": "127.0.0.1"})

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origins", [()])
async def test_cors_is_off_by_default(caller: httpx.AsyncClient) -> None:
    """A preflight is a request like any other."""
    asked, answered = await caller.options("/v1/me", headers=PREFLIGHT), await caller.get("/v1/me", headers=PREFLIGHT)

    assert asked.status_code == 405
    assert "Access-Control-Allow-Origin" not in answered.headers


@pytest.mark.parametrize("origins", [("*",)])
async def test_all_origins(caller: httpx.AsyncClient) -> None:
    """As the contract's own explorer might need it."""
    answer = await caller.get("/v1/me", headers={"Origin": "null"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
