"""HEAD is answered wherever GET is, with the same status and headers, without a body (RFC 9110 sections 9.1, 9.3.2)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp
from tests.server.support.callers import Callers, Json, whole_app
from tests.server.support.tenants import Organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.gateway.readiness import Readiness
from redcore_server.http.draining import Draining
from redcore_server.process.service import Service
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import Objects

pytestmark = pytest.mark.anyio

REQUEST = {"X-Request-ID": "0b7f3c1e-5d2a-4f6b-8c9d-0e1f2a3b4c5d"}
MOVING = ("date", "set-cookie", "x-ratelimit-remaining", "x-ratelimit-reset")
TEXT = b"0123456789"


def kept(response: httpx.Response) -> dict[str, str]:
    """Return the headers that are the same for every request."""
    return {name: value for name, value in response.headers.items() if name not in MOVING}


async def uploaded(caller: httpx.AsyncClient) -> str:
    answer: Json = (await caller.post("/v1/files", files={"file": ("a.bin", TEXT)})).json()
    return f"/v1/files/{answer['data']['id']}/content"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/me",
        "/v1/users?limit=1",
        "/v1/users?limit=0",
        "/v1/users/usr_1",
        "/v1/nothing",
        "/healthz",
        "/readyz",
        "/.well-known/oauth-authorization-server",
        "/.well-known/jwks.json",
        "/saml/metadata.xml",
        "/saml/login",
        "/oauth/authorize",
        "/oauth/device",
        "/oauth/invitations/unknown",
        "/static/nothing",
    ],
)
async def test_head_has_the_headers_of_get(caller: httpx.AsyncClient, path: str) -> None:
    """Status and headers, `Content-Length` too; no body, whatever the server below."""
    got = await caller.get(path, headers=REQUEST)
    head = await caller.head(path, headers=REQUEST)

    assert (head.status_code, kept(head)) == (got.status_code, kept(got))
    assert int(head.headers["Content-Length"]) == len(got.content) > 0
    assert head.content == b""


async def test_metrics_answer_head(caller: httpx.AsyncClient) -> None:
    """Their length differs each time."""
    head = await caller.head("/metrics")

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    ("sent", "status", "length"),
    [
        ({}, 200, "10"),
        ({"Range": "bytes=2-4"}, 206, "3"),
    ],
)
async def test_head_of_a_file_does_not_read_it(
    caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, sent: dict[str, str], status: int, length: str
) -> None:
    """A large download is not streamed for it."""
    path = await uploaded(caller)
    got = await caller.get(path, headers={**REQUEST, **sent})
    asked: list[int] = []
    get = Objects.get

    async def counting(self: Objects, key: str, start: int, stop: int) -> object:
        asked.append(stop - start)
        return await get(self, key, start, stop)

    monkeypatch.setattr(Objects, "get", counting)
    head = await caller.head(path, headers={**REQUEST, **sent})

    assert (head.status_code, head.headers["Content-Length"], head.content) == (status, length, b"")
    assert (got.status_code, kept(got)) == (status, kept(head))
    assert sum(asked) == 0


async def test_head_needs_the_same_scope_as_get(callers: Callers, organisation: Organisation) -> None:
    """A token, and its scope."""
    anonymous = await callers.bearing(None)
    narrow = await callers.of(organisation, "products:read")

    assert (await anonymous.head("/v1/users")).status_code == 401
    assert (await narrow.head("/v1/users")).status_code == 403
    assert (await narrow.head("/v1/products")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/users", "GET, HEAD, POST"),
        ("PUT", "/v1/users/usr_1", "DELETE, GET, HEAD, PATCH"),
        ("HEAD", "/v1/users/usr_1/invitation", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("PUT", "/oauth/authorize", "GET, HEAD, POST"),
        ("HEAD", "/oauth/token", "POST"),
        ("POST", "/static/a", "GET, HEAD"),
    ],
)
async def test_allow_names_head_beside_get(caller: httpx.AsyncClient, method: str, path: str, allowed: str) -> None:
    """And only there: an address without GET does not answer HEAD."""
    answer = await caller.request(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


async def test_a_single_role_answers_head(auth: Auth, clock: Clock) -> None:
    """Its probes and its endpoints."""
    inner = Service(
        apps={"/oauth/": auth.app, "/.well-known/": auth.app},
        readiness=Readiness(draining=Draining(), stores={}),
        clock=clock,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(inner), base_url="http://127.0.0.1") as http:
        for path in ("/healthz", "/readyz", "/.well-known/jwks.json", "/nowhere"):
            got = await http.get(path, headers=REQUEST)
            head = await http.head(path, headers=REQUEST)
            assert (head.status_code, kept(head), head.content) == (got.status_code, kept(got), b"")


@pytest.fixture
def lab(stores: Stores, auth: Auth, clock: Clock, tmp_path: Path) -> ASGIApp:
    return whole_app(stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path, lab=True))


async def test_the_lab_answers_head(lab: ASGIApp) -> None:
    """Where it answers GET."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(lab), base_url="http://127.0.0.1") as http:
        head = await http.head("/lab/requests")
        wrong = await http.post("/lab/requests")

    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, "2", b"")
    assert wrong.headers["Allow"] == "GET, HEAD"
