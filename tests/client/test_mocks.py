"""The libraries with which applications mock HTTP in their own tests work on the SDK too."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import anyio
import httpx
import pytest
import respx
import vcr
from pytest_httpx import HTTPXMock
from tests.answers import USER
from tests.client.colours import Colour
from tests.client.loopback import Loopback, stored
from tests.client.tunnelling import ConnectProxy

from redcore import AsyncClient, Client, NetworkError, RedcoreError
from redcore._transport.interception import BLOCKING, is_intercepted

NOWHERE = "https://platform.invalid/v1"
ENVELOPE = {"data": USER, "meta": {"request_id": "req_1", "version": "1.2.0"}}
CASSETTE = f"""\
interactions:
- request: {{body: '', headers: {{}}, method: GET, uri: {NOWHERE}/users/usr_1}}
  response:
    body: {{string: '{json.dumps(ENVELOPE)}'}}
    headers: {{content-type: [application/json]}}
    status: {{code: 200, message: OK}}
version: 1
"""


@pytest.mark.usefixtures("redcore_time")
def test_respx_on_the_sdks_own_connections(call: Colour, make: Any) -> None:
    """Respx sees each attempt of a call, and the call gets respx's answer."""
    with respx.mock(base_url="https://api.blueround.com/v1") as router:
        route = router.get("/users/usr_1")
        route.side_effect = [httpx.Response(503), httpx.ConnectError("gone"), httpx.Response(200, json=ENVELOPE)]

        client = make(base_url="https://api.blueround.com/v1")

        found = call(client.users.get, "usr_1")

    assert found.id == USER["id"]
    assert [request.request.headers["Authorization"][:7] for request in route.calls] == ["Bearer "] * 3


@pytest.mark.usefixtures("redcore_time")
def test_pytest_httpx(call: Colour, make: Any, httpx_mock: HTTPXMock) -> None:
    """The call gets the fixture's answer."""
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response(url="https://api.blueround.com/v1/users/usr_1", json=ENVELOPE)
    client = make(base_url="https://api.blueround.com/v1")

    assert call(client.users.get, "usr_1").id == USER["id"]
    assert len(httpx_mock.get_requests()) == 2


def test_vcrpy(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """A recorded answer is played back, and no request reaches the server."""
    cassette = str(tmp_path / "cassette.yaml")
    for _ in range(2):
        with vcr.use_cassette(cassette):
            assert call(make().users.get, "usr_1").id == USER["id"]

    assert len(server.seen) == 1


def test_vcrpy_before_version_8(call: Colour, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It patches what sends one request of a client; later versions patch httpcore."""

    def played(_: httpx.Client, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ENVELOPE, request=request)

    async def played_async(_: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ENVELOPE, request=request)

    monkeypatch.setattr(httpx.Client, "_send_single_request", played)
    monkeypatch.setattr(httpx.AsyncClient, "_send_single_request", played_async)

    assert call(make(base_url=NOWHERE).users.get, "usr_1").id == USER["id"]


TRANSPORTS: list[tuple[str, Any]] = [
    *(("sync", name) for name in ("direct", "httpcore")),
    *(("asyncio", name) for name in ("direct", "httpcore", "aiohttp")),
    ("trio", "httpcore"),
]


def got(colour: str, transport: Any) -> str:
    """The id of a user at an address that does not exist, over a transport that the application has chosen."""
    options: dict[str, Any] = {"api_key": "rk_test_1", "base_url": NOWHERE, "transport": transport, "max_retries": 0}
    if colour == "sync":
        with Client(**options) as client:
            return client.users.get("usr_1").id

    async def main() -> str:
        async with AsyncClient(**options) as client:
            return (await client.users.get("usr_1")).id

    return anyio.run(main, backend=colour)


@pytest.mark.parametrize(("colour", "transport"), TRANSPORTS)
class TestChosenTransports:
    """A mock stands before every transport; otherwise a test would silently send real requests."""

    def test_respx(self, colour: str, transport: Any) -> None:
        with respx.mock(base_url=NOWHERE) as router:
            router.get("/users/usr_1").respond(200, json=ENVELOPE)
            assert got(colour, transport) == "usr_1"

    def test_pytest_httpx(self, colour: str, transport: Any, httpx_mock: HTTPXMock) -> None:
        httpx_mock.add_response(json=ENVELOPE)
        assert got(colour, transport) == "usr_1"

    def test_vcrpy(self, colour: str, transport: Any, tmp_path: Path) -> None:
        cassette = tmp_path / "cassette.yaml"
        cassette.write_text(CASSETTE)
        with vcr.use_cassette(str(cassette), record_mode="none"):
            assert got(colour, transport) == "usr_1"


def test_a_library_in_a_frozen_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyInstaller leaves no folder in the file names of code: the library is patched no more than elsewhere."""
    original = httpx.Client._transport_for_url
    code = original.__code__.replace(co_filename="httpx/_client.py")
    monkeypatch.setattr(httpx.Client, "_transport_for_url", FunctionType(code, original.__globals__))

    assert not is_intercepted(BLOCKING)


def test_a_patch_in_the_name_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapper has the name and the module of what it replaces."""

    @functools.wraps(httpx.Client._transport_for_url)
    def patched(*_: object) -> None: ...

    monkeypatch.setattr(httpx.Client, "_transport_for_url", patched)

    assert is_intercepted(BLOCKING)


RECORDED = f"""
import pytest
from redcore import Client, NetworkError

def get():
    with Client(api_key="rk_test_1", base_url="{NOWHERE}", max_retries=0) as client:
        return client.users.get("usr_1").id

@pytest.mark.vcr
def test_recorded():
    assert get() == "usr_1"

@pytest.mark.block_network
def test_blocked():
    with pytest.raises((NetworkError, RuntimeError)):
        get()
"""


def test_pytest_recording(tmp_path: Path) -> None:
    """A cassette is played back, and without one the network is blocked."""
    folder = tmp_path / "cassettes" / "test_it"
    folder.mkdir(parents=True)
    (folder / "test_recorded.yaml").write_text(CASSETTE)
    (tmp_path / "test_it.py").write_text(RECORDED)
    command = [sys.executable, "-m", "pytest", "-q", "--record-mode=none", "test_it.py"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 (ours)

    assert "2 passed" in done.stdout, done.stdout


def test_an_upload_and_a_download_are_intercepted_too(call: Colour, make: Any) -> None:
    """Streaming transfers are mocked like calls."""
    with respx.mock(base_url="https://api.blueround.com/v1") as router:
        router.post("/files").respond(201, content=stored(b"abc").body)
        checked = {"ETag": f'"{hashlib.sha256(b"abc").hexdigest()}"'}
        router.get("/files/file_1/content").respond(200, content=b"abc", headers=checked)
        files = make(base_url="https://api.blueround.com/v1").files

        assert call(files.upload, file=b"abc").id == "file_1"
        assert call(files.download, "file_1") == b"abc"


def test_calls_after_a_mock_reach_the_server(call: Colour, make: Any, server: Loopback) -> None:
    """The same client sends by itself again when the mock is removed."""
    client = make()
    with respx.mock(base_url=server.base_url) as router:
        router.get("/users/usr_1").respond(200, json=ENVELOPE)
        call(client.users.get, "usr_1")

    call(client.users.get, "usr_2")

    assert [seen.path for seen in server.seen] == ["/v1/users/usr_2"]


def test_a_mock_that_lets_requests_through_in_two_event_loops(server: Loopback) -> None:
    """Its connections are as good as the SDK's own: they end with their loop, and the next loop has others."""
    client = AsyncClient(api_key="rk_test_1", base_url=server.base_url, max_retries=0)
    with respx.mock() as router:
        router.route(host="127.0.0.1").pass_through()
        for _ in range(2):
            assert asyncio.run(client.users.get("usr_1")).id == "usr_1"
            assert server.ended.acquire(timeout=30)

    asyncio.run(client.aclose())
    assert server.accepted == 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [("NO_PROXY", "localhost,[::1]"), ("ALL_PROXY", "socks://127.0.0.1:9"), ("HTTPS_PROXY", "http://a:b@[::1]:9")],
)
def test_a_mock_where_proxies_are_set(
    call: Colour, make: Any, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """Whatever the variables may hold in use, although httpx cannot read all of it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv(variable, value)
    with respx.mock(base_url="https://api.blueround.com/v1") as router:
        router.get("/users/usr_1").respond(200, json=ENVELOPE)

        assert call(make(base_url="https://api.blueround.com/v1").users.get, "usr_1").id == USER["id"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_recording_where_proxies_are_set(  # noqa: PLR0917 (fixtures)
    call: Colour, make: Any, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Plain HTTP does not go to `HTTP_PROXY`, which would see the token; HTTPS goes to `HTTPS_PROXY`."""
    with vcr.use_cassette(str(tmp_path / "cassette.yaml")), ConnectProxy() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.address}")
        client = make(base_url=f"{scheme}://127.0.0.1:{server.port}/v1", max_retries=0)

        if scheme == "http":
            assert call(client.users.get, "usr_1").id == USER["id"]
        else:
            with pytest.raises(NetworkError):  # the server does not speak TLS
                call(client.users.get, "usr_1")

        assert len(proxy.asked) == (scheme == "https")


def test_a_client_that_is_closed_while_a_mock_is_there(call: Colour, make: Any) -> None:
    """The error is the same as without a mock."""
    client = make()
    call.close(client)

    with respx.mock, pytest.raises(RedcoreError, match="this client is closed"):
        call(client.users.get_me)


def test_a_mock_transport_of_httpx(call: Colour, make: Any) -> None:
    """An httpx client whose transport is a function can be passed like any other."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ENVELOPE)

    kind: Any = httpx.Client if call.name == "sync" else httpx.AsyncClient
    brought = kind(transport=httpx.MockTransport(answer))

    assert call(make(http_client=brought).users.get, "usr_1").id == USER["id"]
    call(brought.close if call.name == "sync" else brought.aclose)
