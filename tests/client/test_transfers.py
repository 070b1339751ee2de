"""What uploads and downloads share over a real connection: their time, their end and their memory."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from tests.client.colours import OWN_TRANSPORTS, TRANSPORTS, Colour, colours_over, named
from tests.client.loopback import TIMES_S, Loopback, Reply, stored
from tests.client.stored_file import CONTENT, whole

from redcore import ArgumentError, NetworkError

colour = colours_over(TRANSPORTS)


@pytest.mark.parametrize("transfer", ["upload", "download"])
def test_a_callback_that_cannot_be_called(call: Colour, make: Any, server: Loopback, transfer: str) -> None:
    """Nothing is sent."""
    client = make()
    arguments: dict[str, Any] = {"file": b"a"} if transfer == "upload" else {"file_id": "file_1"}

    with pytest.raises(ArgumentError, match="on_progress must be a function, not int"):
        call(getattr(client.files, transfer), on_progress=5, **arguments)

    assert server.seen == []


def test_a_slow_transfer_that_never_stops(call: Colour, make: Any, server: Loopback) -> None:
    """The time-out bounds each silence, not the whole transfer: here ten parts take longer than one time-out."""
    answer = whole(b"0123456789", ETag='"v"', Connection="close")

    def drip(connection: socket.socket) -> None:
        encoded = answer.encode()
        connection.sendall(encoded[:-10])
        for n in range(10):
            server.gone.wait(time_s / 9)
            connection.sendall(encoded[len(encoded) - 10 + n :][:1])

    for time_s in TIMES_S:
        server.script(drip, Reply(200, stored(b"0123456789").body))
        with suppress(NetworkError):  # the machine was busy for longer than that
            assert call(make(timeout=time_s, max_retries=0).files.download, "file_1") == b"0123456789"
            return
    pytest.fail("every transfer was cut off")


@pytest.mark.parametrize("transfer", ["download", "upload"])
def test_a_transfer_that_falls_silent(call: Colour, make: Any, server: Loopback, transfer: str) -> None:
    """A silence longer than the time-out is an error."""

    def stall(connection: socket.socket) -> None:
        connection.sendall(whole().encode()[:100_000] if transfer == "download" else b"HTTP/1.1 201 ")
        server.gone.wait()

    server.answer = lambda _: stall
    for time_s in TIMES_S:
        files = make(timeout=time_s, max_retries=0).files
        with pytest.raises(NetworkError) as caught:
            call(files.download, "file_1") if transfer == "download" else call(files.upload, file=b"a")
        if server.seen:  # otherwise time was up before the request arrived, which is not the case under test
            break

    assert f"no byte moved for {time_s:g} s" in str(caught.value)


def test_the_deadline_of_a_transfer(call: Colour, make: Any, server: Loopback) -> None:
    """It bounds the whole transfer, however steadily bytes arrive."""

    def drip(connection: socket.socket) -> None:
        encoded = whole().encode()
        connection.sendall(encoded[:-100])
        for n in range(100):
            server.gone.wait(0.02)
            connection.sendall(encoded[len(encoded) - 100 + n :][:1])

    server.script(drip)

    with pytest.raises(NetworkError, match="deadline has passed"):
        call(make(timeout=5, deadline=0.3).files.download, "file_1")


@pytest.mark.parametrize("colour", [one for one in OWN_TRANSPORTS if one[0] != "sync"], ids=named)
@pytest.mark.parametrize("way", ["up", "down", "stream"])
def test_a_cancelled_transfer_leaves_no_connection(
    call: Colour, make: Any, server: Loopback, tmp_path: Path, way: str
) -> None:
    """The server sees the connection end, and the path keeps what has arrived."""
    begun, ended = threading.Event(), threading.Event()

    def stall(connection: socket.socket) -> None:
        connection.sendall(whole().encode()[:100_000])
        begun.set()
        with suppress(OSError):
            connection.recv(1)  # the end
        ended.set()

    server.script(stall)
    files = make().files

    async def transfer() -> None:
        if way == "down":
            await files.download("file_1", to=tmp_path / "a")
        elif way == "up":
            await files.upload(file=CONTENT)
        else:
            async with files.stream("file_1") as content:
                async for _ in content:
                    pass

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transfer)
            await anyio.to_thread.run_sync(begun.wait)
            tasks.cancel_scope.cancel()

    call(main)

    assert ended.wait(60.0)
    assert not (tmp_path / "a").exists()


PROBE = """
import resource, sys
from pathlib import Path
from redcore import Client

way, base_url, path = sys.argv[1], sys.argv[2], Path(sys.argv[3])
with Client(api_key="rk_test_key", base_url=base_url) as client:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if way == "up":
        client.files.upload(file=path)
    else:
        client.files.download("file_1", to=path)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


LARGE = 128 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the unit of ru_maxrss is another")
@pytest.mark.parametrize("way", ["up", "down"])
def test_transfers_use_constant_memory(server: Loopback, tmp_path: Path, way: str) -> None:
    """128 MiB pass through a process that grows by less than a quarter of that."""
    block = bytes(2**20)
    digest = hashlib.sha256()
    for _ in range(LARGE // len(block)):
        digest.update(block)

    def give(connection: socket.socket) -> None:
        head = f'HTTP/1.1 200 OK\r\nETag: "{digest.hexdigest()}"\r\nContent-Length: {LARGE}\r\n\r\n'
        connection.sendall(head.encode())
        for _ in range(LARGE // len(block)):
            connection.sendall(block)

    server.answer = lambda _: stored(b"", sha256=digest.hexdigest()) if way == "up" else give
    with (tmp_path / "big").open("wb") as file:
        file.truncate(LARGE if way == "up" else 0)

    probe = [sys.executable, "-c", PROBE, way, server.base_url, str(tmp_path / "big")]
    process = subprocess.run(probe, check=True, capture_output=True, text=True)  # noqa: S603 (our own)

    assert (tmp_path / "big").stat().st_size == LARGE
    assert int(process.stdout) * 1024 < LARGE // 4
