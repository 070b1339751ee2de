"""How a gateway uses an auth service in another process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from redcore_server.auth.credentials.principal import Principal
from redcore_server.errors import ApiError, InvalidToken, ServiceUnavailable, TokenExpired
from redcore_server.gateway.remote_verifier import RemoteVerifier
from redcore_server.gateway.upstream import open_session

pytestmark = pytest.mark.anyio

TOKEN = "canary-token"
ADA = Principal(
    kind="token",
    credential_id="usr_1",
    organisation_id="org_1",
    owner_id="usr_1",
    client_id=None,
    scopes=frozenset({"users:read"}),
    plan="pro",
    expires_at=1_800_000_000.0,
)
DESCRIBED = {
    "kind": "token",
    "credential_id": "usr_1",
    "organisation_id": "org_1",
    "owner_id": "usr_1",
    "client_id": None,
    "scopes": ["users:read"],
    "plan": "pro",
    "expires_at": 1_800_000_000.0,
}


def refusal(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "It is over.", "docs": "", "details": []}}


@asynccontextmanager
async def service(status: int, body: bytes) -> AsyncIterator[RemoteVerifier]:
    """Make a verifier whose service gives this answer."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert f"Bearer {TOKEN}".encode() in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server, open_session() as session:
        yield RemoteVerifier(session, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")


async def test_the_principal_is_read_from_the_answer() -> None:
    """Every field of it."""
    async with service(200, json.dumps(DESCRIBED).encode()) as verifier:
        assert await verifier.verify(TOKEN) == ADA


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "INVALID_TOKEN", InvalidToken),
        (401, "TOKEN_EXPIRED", TokenExpired),
        (503, "SERVICE_UNAVAILABLE", ServiceUnavailable),
    ],
)
async def test_a_refusal_is_passed_on(status: int, code: str, error: type[ApiError]) -> None:
    """With the message of the service, so that separate and combined roles say the same."""
    async with service(status, json.dumps(refusal(code)).encode()) as verifier:
        with pytest.raises(error) as caught:
            await verifier.verify(TOKEN)

    assert type(caught.value) is error
    assert error is ServiceUnavailable or caught.value.message == "It is over."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, json.dumps(refusal("RESOURCE_NOT_FOUND")).encode()),
        (401, b"{}"),
        (401, b"<html>proxy</html>"),
        (200, b"{}"),
        (200, b"[]"),
        (200, json.dumps({**DESCRIBED, "more": 1}).encode()),
        (502, b""),
    ],
)
async def test_an_answer_of_another_service_admits_no_one(status: int, body: bytes) -> None:
    """503, and the log names the setting of its address, but no token."""
    async with service(status, body) as verifier:
        with capture_logs() as log, pytest.raises(ServiceUnavailable):
            await verifier.verify(TOKEN)

    (entry,) = log
    assert (entry["status"], "REDCORE_SERVER_AUTH_URL" in entry["event"]) == (status, True)
    assert TOKEN not in str(log)
