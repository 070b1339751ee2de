"""Files that are read piece by piece while they are received, in all colours."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from tests.client.colours import TRANSPORTS, Colour, colours_over
from tests.client.loopback import Loopback
from tests.client.stored_file import CONTENT, broken, rest, whole

from redcore import ChecksumError, RedcoreError

colour = colours_over(TRANSPORTS)


def gather(call: Colour, client: Any, pieces: int | None = None) -> bytes:
    """Stream a file, wholly or only so many pieces of it."""
    if call.name == "sync":
        got = b""
        with client.files.stream("file_1") as content:
            for number, piece in enumerate(content, 1):
                got += piece
                if number == pieces:
                    break
        return got

    async def run() -> bytes:
        got, number = b"", 0
        async with client.files.stream("file_1") as content:
            async for piece in content:
                got += piece
                number += 1
                if number == pieces:
                    break
        return got

    return bytes(call(run))


@pytest.mark.usefixtures("redcore_time")
def test_a_streamed_download(call: Colour, make: Any, server: Loopback) -> None:
    """All pieces together are the file, also over several connections."""
    client = make()
    server.script(broken(whole(), 100_000), rest(100_000))

    assert gather(call, client) == CONTENT


def test_a_wrong_checksum_of_a_stream(call: Colour, make: Any, server: Loopback) -> None:
    """The last piece is followed by the error."""
    server.script(whole(b"x" + CONTENT[1:]))

    with pytest.raises(ChecksumError):
        gather(call, make())


def test_a_stream_left_early(call: Colour, make: Any, server: Loopback) -> None:
    """The connection is closed without the rest, and the client continues with another."""
    ended: list[bytes] = []

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except OSError:
            ended.append(b"closed")

    server.script(endless, whole())
    client = make()

    assert set(gather(call, client, pieces=1)) == {ord("x")}
    assert gather(call, client) == CONTENT
    assert server.ended.acquire(timeout=30)
    assert ended == [b"closed"]


def test_a_complete_stream_keeps_the_connection(call: Colour, make: Any, server: Loopback) -> None:
    """The next call uses it."""
    client = make()
    server.script(whole(), whole())

    gather(call, client)
    gather(call, client)

    assert server.accepted == 1


def test_a_stream_outside_its_block(call: Colour, make: Any, server: Loopback) -> None:
    """It is refused, as nothing would close the connection there."""
    content = make().files.stream("file_1")

    with pytest.raises(RedcoreError, match="inside its `with` block"):
        call(next if call.name == "sync" else anext, content)

    assert server.seen == []


def test_a_stream_is_read_once(call: Colour, make: Any, server: Loopback) -> None:
    """A second block is refused: it would find nothing, or the rest."""
    content = make().files.stream("file_1")
    enter, leave = ("__enter__", "__exit__") if call.name == "sync" else ("__aenter__", "__aexit__")
    server.script(whole())
    call(getattr(content, enter))
    call(getattr(content, leave), None, None, None)

    with pytest.raises(RedcoreError, match="can be read once; call stream"):
        call(getattr(content, enter))

    assert len(server.seen) == 1
