"""The access log: one line for each request, and no secret in any line of any logger."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
from collections.abc import Iterator

import httpx
import pytest
import structlog
from starlette.types import ASGIApp
from structlog.testing import capture_logs
from tests.server.support.callers import Callers
from tests.server.support.tenants import ISSUER, Client, Organisation

from redcore_server.http.access_log import without_secrets
from redcore_server.http.addresses import client_address
from redcore_server.logs import configure_logging

pytestmark = pytest.mark.anyio


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Write every log line, of every library and at every level, into a text as `up` would to stderr."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    configure_logging("debug")
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", True)  # the client's own lines are not the server's
    yield stream
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_a_request_is_one_line(callers: Callers, organisation: Organisation) -> None:
    """Caller, request, status and duration; the query is left out."""
    caller = await callers.bearing(await callers.key_for(organisation), address="203.0.113.7")
    with capture_logs() as entries:
        response = await caller.get("/v1/users?q=ada")

    (entry,) = entries
    assert entry.pop("duration_ms") > 0
    assert entry.pop("credential_id").startswith("key_")
    assert entry == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": "/v1/users",
        "status": 200,
        "request_id": response.headers["X-Request-ID"],
        "client": "203.0.113.7",
    }


async def test_a_refused_request_has_its_line_too(callers: Callers) -> None:
    """Without a credential, as none was valid."""
    with capture_logs() as entries:
        await (await callers.bearing("nonsense")).get("/v1/me")

    assert [(entry["status"], entry["credential_id"]) for entry in entries] == [(401, None)]


async def test_a_line_is_a_json_object(log: io.StringIO, caller: httpx.AsyncClient) -> None:
    """As the server writes it."""
    await caller.get("/v1/me")

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["path"] for line in lines if line["event"] == "request"] == ["/v1/me"]


class _Full(io.StringIO):
    """A file on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_log_that_cannot_be_written_fails_no_request(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch, app: ASGIApp
) -> None:
    """The disk is full, or the reader is gone: the line is lost, the answer is not."""
    monkeypatch.setattr("sys.stderr", _Full())
    configure_logging("debug")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as client:
        answer = await client.get("/healthz")

    assert answer.status_code == 200


def test_every_line_can_be_written(log: io.StringIO) -> None:
    """Also one with a lone surrogate, a large number or an object of the server."""
    structlog.stdlib.get_logger().info("odd", half="\ud800", large=2**70, object=ZeroDivisionError("cause"))

    line = json.loads(log.getvalue())
    assert (line["half"], line["large"], line["object"]) == ("\ud800", 2**70, "ZeroDivisionError('cause')")


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/v1/users/usr_1", "/v1/users/usr_1"),
        ("/oauth/invitations/inv_1.123.signature", "/oauth/invitations/…"),
        ("/v1/api-keys/rk_live_abc/x", "/v1/api-keys/…/x"),
        ("/oauth/invitations/\ninv_1.123\n.signature", "/oauth/invitations/…"),
        ("/v1/applications/rcs_abc/secret", "/v1/applications/…/secret"),
        ("/oauth/grt_1abcdefg.secret", "/oauth/…"),
        ("/v1/users/eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/v1/users/…"),
    ],
)
def test_secrets_in_a_path_are_cut(path: str, logged: str) -> None:
    """Links of invitations, and credentials in place of an id."""
    assert without_secrets(path) == logged


def test_a_client_behind_a_unix_socket_has_no_address() -> None:
    """ASGI gives none; all of them count as one client."""
    assert client_address({"client": None}) == "unknown"


async def test_no_secret_is_in_any_line(
    log: io.StringIO, callers: Callers, client: Client, organisation: Organisation
) -> None:
    """Canaries: an API key, a client secret, both tokens, valid and invalid, in every place that a caller can fill."""
    key = await callers.key_for(organisation)
    anonymous = await callers.bearing(None)
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    pair = (await anonymous.post("/oauth/token", data=form, auth=client.basic)).json()
    access, refresh = pair["access_token"], pair["refresh_token"]
    secrets = [key, client.secret, access, refresh]
    log.seek(0)

    for secret in secrets:
        for bearer in (secret, secret[:-1] + "x"):
            caller = await callers.bearing(bearer)
            await caller.get("/v1/me", params={"access_token": secret, "q": secret})
            await caller.get("/v1/users", params={"q": secret, "limit": "x"})
            await caller.post("/v1/users", json={"email": secret, "name": secret})
            await caller.post("/oauth/revoke", data={"token": secret, "client_secret": secret})
            await caller.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": secret, **form})
            await caller.post("/oauth/token?refresh_token=" + secret, data=form, auth=("app_1", secret))
    for secret in secrets:
        await anonymous.get(f"/v1/users/{secret}")
        await anonymous.get(f"/oauth/invitations/{secret}")

    written = log.getvalue()
    assert written.count('"event":"request"') > 50
    # Part of a secret is a secret: neither half may appear.
    for secret in secrets:
        assert secret[: len(secret) // 2] not in written
        assert secret[len(secret) // 2 :] not in written
