"""Event loops and connections: cancelled handshakes, reused descriptors, handles that close."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import socket
import ssl
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import anyio
import anyio.to_thread
import pytest
import trio
from tests.client.colours import LOOPS
from tests.client.loopback import Loopback, Reply, pair, user

from redcore import AsyncClient, NetworkError
from redcore._transport import connecting
from redcore._transport.aiohttp_client import once

MOMENTS = 40  # turns of the loop that a call takes, including the handshake; about thirty
CLOSED = "unable to perform operation on <TCPTransport closed=True reading=False 0x5581>; the handler is closed"
on_asyncio = pytest.mark.parametrize("transport", [None, "httpcore", "aiohttp"])


async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request, and close the connection."""
    with suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(user().encode())
        await writer.drain()
    writer.close()


async def cancelled_after(turns: int, call: Coroutine[Any, Any, object]) -> str:
    """Cancel a call after so many turns of the loop; return the type of its result or exception."""
    task = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    return type(result).__name__


@pytest.mark.parametrize("transport", [None, "httpcore"])
def test_trio_as_the_guest_of_asyncio(server: Loopback, transport: Any) -> None:
    """A task of trio works as one, although asyncio has a running loop; so does a task of asyncio beside it."""
    server.answer = lambda seen: pair(1) if seen.path == "/oauth/token" else user()
    options: Any = {"base_url": server.base_url, "auth_url": server.origin, "transport": transport}

    async def call() -> str:
        async with AsyncClient(client_id="app_1", client_secret="s", **options) as client:
            return (await client.users.get_me()).id

    async def host() -> tuple[str, str]:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()
        trio.lowlevel.start_guest_run(
            call, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=ended.set_result
        )
        return await call(), (await ended).unwrap()

    assert asyncio.run(host()) == ("usr_1", "usr_1")


@on_asyncio
@pytest.mark.parametrize("loop", [name for name in LOOPS if name != "trio"])
def test_a_call_cancelled_at_any_moment_of_a_handshake(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, loop: str, transport: Any
) -> None:
    """It raises CancelledError, and its descriptors serve the next connections."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    ended: Counter[str] = Counter()

    settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    settings.load_cert_chain(certificate)

    async def main() -> None:
        server = await asyncio.start_server(answer_one, "127.0.0.1", 0, ssl=settings)
        port = server.sockets[0].getsockname()[1]
        options: Any = {"base_url": f"https://127.0.0.1:{port}/v1", "max_retries": 0, "transport": transport}
        async with server, AsyncClient(api_key="rk_test_1", **options) as client:
            for turns in [*range(MOMENTS), *range(MOMENTS)]:
                ended[await cancelled_after(turns, client.users.get("usr_1"))] += 1
            assert (await client.users.get("usr_1")).id == "usr_1"

    library, options = LOOPS[loop]
    anyio.run(main, backend=library, backend_options=options)

    assert set(ended) <= {"CancelledError", "User"}
    assert ended["CancelledError"]


@pytest.mark.parametrize("transport", [None, "httpcore"])
@pytest.mark.parametrize("loop", [name for name in LOOPS if name != "trio"])
def test_a_download_cancelled_at_any_moment(loop: str, transport: Any) -> None:
    """Its connection is kept or closed; the garbage collector finds none, or it would warn."""
    content = b"content"
    headers = {"Content-Type": "application/octet-stream", "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
    ended: Counter[str] = Counter()

    served: list[asyncio.Task[Any] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(Reply(200, content, headers).encode())
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with (
            server,
            AsyncClient(api_key="rk_test_1", base_url=base_url, max_retries=0, transport=transport) as client,
        ):
            for turns in range(MOMENTS):
                ended[await cancelled_after(turns, client.files.download("file_1"))] += 1
        gc.collect()
        await asyncio.wait(filter(None, served), timeout=30)

    library, options = LOOPS[loop]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        anyio.run(main, backend=library, backend_options=options)

    assert [str(each.message) for each in caught] == []
    assert set(ended) <= {"CancelledError", "bytes"}
    assert ended["CancelledError"]


@pytest.mark.parametrize(("loop", "transport"), [*((name, None) for name in LOOPS), ("asyncio", "httpcore")])
def test_a_cancelled_handshake_closes_its_connection(loop: str, transport: Any) -> None:
    """The garbage collector finds no socket, or it would warn."""
    greeted = threading.Event()
    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(30)
            received.append(connection.recv(2**16))
            greeted.set()
            received.append(connection.recv(1))

    async def main(base_url: str) -> None:
        async with (
            AsyncClient(api_key="rk_test_1", base_url=base_url, transport=transport) as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(client.users.get, "usr_1")
            await anyio.to_thread.run_sync(greeted.wait, 30)
            group.cancel_scope.cancel()

    library, options = LOOPS[loop]
    with socket.create_server(("127.0.0.1", 0)) as listener, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        server = threading.Thread(target=serve, args=[listener])
        server.start()
        anyio.run(main, f"https://127.0.0.1:{listener.getsockname()[1]}/v1", backend=library, backend_options=options)
        server.join(30)
        gc.collect()

    assert (len(received), received[1:]) == (2, [b""])
    assert [str(each.message) for each in caught] == []


def test_a_descriptor_that_uvloop_has_closed() -> None:
    """It is not closed again, as it may belong to another connection by now (MagicStack/uvloop#738)."""
    loop: Any = type("Loop", (), {"__module__": "uvloop.loop"})()
    sock = socket.socket()
    descriptor = sock.fileno()

    connecting.give_up(sock, loop)
    sock.close()

    assert sock.fileno() == -1
    os.close(descriptor)


def test_a_cancellation_that_an_error_of_aiohttp_hides() -> None:
    """Where closing the descriptor fails, as above, aiohttp raises that instead; the task must still be cancelled."""
    request: Any = None

    async def send(_: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        try:
            await asyncio.Event().wait()
        finally:
            raise aiohttp.ClientOSError(9, "Bad file descriptor")

    async def main() -> None:
        task = asyncio.ensure_future(once(request, send))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(aiohttp.ClientConnectionError):
            await once(request, refused)

    async def refused(_: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        raise aiohttp.ClientOSError(111, "Connection refused")

    asyncio.run(main())


@on_asyncio
def test_a_handle_that_closes_before_a_write(server: Loopback, transport: Any) -> None:
    """The RuntimeError of uvloop becomes a NetworkError."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        cast("Any", loop).create_connection = closes_handles(loop.create_connection)
        options: Any = {"base_url": server.base_url, "max_retries": 0, "transport": transport}
        async with AsyncClient(api_key="rk_test_1", **options) as client:
            with pytest.raises(NetworkError):
                await client.users.get("usr_1")

    asyncio.run(main())


def closes_handles(create_connection: Callable[..., Any]) -> Callable[..., Any]:
    """Open connections that cannot be written to."""

    async def create(factory: Callable[[], Any], **options: Any) -> tuple[Any, Any]:
        transport, protocol = await create_connection(lambda: Handed(factory()), **options)
        return Closed(transport), protocol.inner

    return create


class Handed(asyncio.Protocol):
    """Forwards the calls of a loop, with a transport that cannot be written to."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.inner.connection_made(Closed(transport))

    def data_received(self, data: bytes) -> None:
        self.inner.data_received(data)

    def eof_received(self) -> Any:
        return self.inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.inner.connection_lost(exc)


class Closed(asyncio.Transport):
    """A transport that closes before the first write, which shows only on writing."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self._inner = inner

    def write(self, _: Any) -> None:
        self._inner.abort()
        raise RuntimeError(CLOSED)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def __getattribute__(self, name: str) -> Any:
        own = {"write", "writelines", "_inner", "__class__"}
        return object.__getattribute__(self, name) if name in own else getattr(self._inner, name)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_descriptor_that_the_loop_cannot_watch(
    monkeypatch: pytest.MonkeyPatch, server: Loopback, backend: str
) -> None:
    """Another library closed one without the loop's knowledge: its address has failed."""

    async def used(sock: socket.socket) -> None:
        raise RuntimeError(f"File descriptor {sock.fileno()} is used by transport")

    monkeypatch.setattr(connecting, "anyio", SimpleNamespace(**{**vars(anyio), "wait_writable": used}))

    async def main() -> None:
        async with AsyncClient(api_key="rk_test_1", base_url=server.base_url, max_retries=0) as client:
            with pytest.raises(NetworkError, match="is used by transport"):
                await client.users.get("usr_1")

    anyio.run(main, backend=backend)
