"""Uploads over a real connection, in all colours."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest
from tests.client.colours import OWN_TRANSPORTS, TRANSPORTS, Awaiting, Colour, colours_over, named
from tests.client.file_kinds import part
from tests.client.loopback import Loopback, pair, refusal, stored
from tests.client.stored_file import CONTENT

from redcore import ArgumentError, ChecksumError, Progress, RedcoreError

colour = colours_over(TRANSPORTS)
FORGETFUL = [("asyncio", "httpx"), ("asyncio", "httpx2")]  # their connections drop unread data when one breaks


class SlowFile(io.BytesIO):
    """A file whose third piece comes long after the connection has ended, which the event loop has noticed by then.

    Not the second piece: it is read while the first is on its way.
    """

    def __init__(self, content: bytes, server: Loopback, call: Colour) -> None:
        super().__init__(content)
        self._server = server
        self._call = call
        self._pieces = 0
        self.is_read = False
        self.was_read_by_two = False

    def read(self, size: int | None = -1) -> bytes:
        self._pieces += 1
        if self._pieces == 3 and isinstance(self._call, Awaiting):
            self.is_read = True
            self._server.ended.acquire(timeout=30)
            self._call(self._settle)
            self.is_read = False
        return super().read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self.was_read_by_two |= self.is_read
        return super().seek(offset, whence)

    async def _settle(self) -> None:
        for _ in range(1000):
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "file", "path", "iterator"])
def test_sources_of_an_upload(call: Colour, make: Any, server: Loopback, tmp_path: Path, kind: str) -> None:
    """All arrive whole; the length is sent if it is known."""
    (tmp_path / "a.csv").write_bytes(CONTENT)
    pieces = iter([CONTENT[:7], b"", CONTENT[7:]])
    content: Any = {"bytes": CONTENT, "bytearray": bytearray(CONTENT), "path": tmp_path / "a.csv"}.get(kind, pieces)
    server.script(stored(CONTENT))

    with (tmp_path / "a.csv").open("rb") as file:
        given = call(make().files.upload, file=file if kind == "file" else content)

    (seen,) = server.seen
    assert (given.id, part(seen)[1]) == ("file_1", CONTENT)
    framing = (seen.headers.get("content-length"), seen.headers.get("transfer-encoding"))
    assert framing == (None, "chunked") if kind == "iterator" else (str(len(seen.body)), None)


def test_a_name_and_a_type(call: Colour, make: Any, server: Loopback) -> None:
    """The given ones are sent; characters that would end the header are escaped."""
    server.script(stored(b"a,b"))

    call(make().files.upload, file=b"a,b", name='ü"\r\n.csv', content_type="text/x-prices")

    assert 'name="file"; filename="ü%22%0D%0A.csv"\r\nContent-Type: text/x-prices' in server.seen[0].body.decode()


@pytest.mark.parametrize("content_type", ["text/csv\r\nX: y", "csv", "text/ü", 5])
def test_an_invalid_content_type(call: Colour, make: Any, server: Loopback, content_type: Any) -> None:
    """Nothing is sent."""
    with pytest.raises(ArgumentError, match="content_type must be a media type"):
        call(make().files.upload, file=b"a", content_type=content_type)

    assert server.seen == []


@pytest.mark.usefixtures("redcore_time")
def test_an_upload_starts_where_the_file_stands(call: Colour, make: Any, server: Loopback) -> None:
    """What was read before is not sent, on the first attempt and on a retry."""
    client = make()
    file = io.BytesIO(b"head" + CONTENT)
    file.seek(4)
    server.script(refusal(503), stored(CONTENT))

    call(client.files.upload, file=file)

    assert [part(seen)[1] for seen in server.seen] == [CONTENT, CONTENT]
    assert not file.closed


def test_an_upload_that_breaks_is_retried_whole(
    call: Colour, make: Any, server: Loopback, tmp_path: Path, slept: list[float]
) -> None:
    """A path is opened again, and read from its first byte."""
    client = make()
    (tmp_path / "big").write_bytes(os.urandom(2_000_000))
    content = (tmp_path / "big").read_bytes()
    server.answer = lambda _: stored(content)
    server.cut_next = True

    given = call(client.files.upload, file=tmp_path / "big")

    assert (given.size, slept) == (2_000_000, [1.0])
    assert [part(seen)[1] == content for seen in server.seen[1:]] == [True]


def test_an_iterator_is_not_retried(call: Colour, make: Any, server: Loopback) -> None:
    """It cannot be read again; the error says why there was no other attempt."""
    server.script(refusal(503))

    with pytest.raises(RedcoreError) as caught:
        call(make().files.upload, file=iter([b"a"]))

    assert [attempt.stopped for attempt in caught.value.attempts] == ["body cannot be sent again"]
    assert len(server.seen) == 1


def test_a_wrong_checksum_of_an_upload(call: Colour, make: Any, server: Loopback) -> None:
    """The checksum of the sent bytes is compared with that of the stored file."""
    server.script(stored(b"other"))

    with pytest.raises(ChecksumError, match="delete it and upload again") as caught:
        call(make().files.upload, file=CONTENT)

    assert caught.value.expected == hashlib.sha256(CONTENT).hexdigest()
    assert caught.value.actual == hashlib.sha256(b"other").hexdigest()


@pytest.mark.usefixtures("redcore_time")
def test_upload_progress(call: Colour, make: Any, server: Loopback) -> None:
    """It is reported after each part, in order, and ends with the whole; a retry starts again."""
    client = make()
    reported: list[Progress] = []
    server.script(refusal(503), stored(CONTENT))

    call(client.files.upload, file=CONTENT, on_progress=reported.append)

    sizes = [min(n * 65536, 300_000) for n in range(1, 6)]
    assert [progress.done for progress in reported] == [*sizes, *sizes]
    assert {progress.total for progress in reported} == {300_000}
    assert reported[-1].fraction == 1.0


@pytest.mark.parametrize("where", ["iterator", "callback"])
def test_an_error_of_the_application(call: Colour, make: Any, server: Loopback, where: str) -> None:
    """An error of the application's own code is raised unchanged, and ends the call."""

    def fail(*_: object) -> None:
        raise LookupError("mine")

    def pieces() -> Iterator[bytes]:
        yield b"a"
        fail()

    server.answer = lambda _: stored(b"a")
    content: Any = pieces() if where == "iterator" else b"a"

    with pytest.raises(LookupError, match="mine"):
        call(make().files.upload, file=content, on_progress=fail if where == "callback" else None)


def test_a_source_that_cannot_be_read(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """A missing path, or a folder, is an error before anything is sent."""
    absent = tmp_path / "none"
    for path, words in [
        (absent, f"{absent} cannot be read: No such file"),
        (tmp_path, "the file cannot be read: it is a folder"),
    ]:
        with pytest.raises(ArgumentError, match=words):
            call(make().files.upload, file=path)

    assert server.seen == []


@pytest.mark.parametrize("content", [[b"a", "text"], [None]])
def test_pieces_that_are_not_bytes(call: Colour, make: Any, content: Any) -> None:
    """The error names their type."""
    with pytest.raises(ArgumentError, match=f"the file gave {type(content[-1]).__name__}, not bytes"):
        call(make().files.upload, file=content)


def test_a_refused_token_is_refreshed(call: Colour, make: Any, server: Loopback) -> None:
    """A 401 is followed by a refresh and the whole file again."""
    server.script(refusal(401, "TOKEN_EXPIRED"), pair(2), stored(CONTENT))

    call(make(access_token="access-1", refresh_token="refresh-1").files.upload, file=CONTENT)

    assert part(server.seen[2])[1] == CONTENT


@pytest.mark.parametrize("colour", [one for one in OWN_TRANSPORTS if one[0] != "sync"], ids=named)
def test_an_asynchronous_iterator(call: Colour, make: Any, server: Loopback) -> None:
    """AsyncClient accepts one, and awaits the progress callback."""
    reported: list[int] = []

    async def pieces() -> Any:
        yield CONTENT[:10]
        yield CONTENT[10:50_000]

    async def note(progress: Progress) -> None:
        reported.append(progress.done)

    server.script(stored(CONTENT[:50_000]))
    call(make().files.upload, file=pieces(), on_progress=note)

    assert (part(server.seen[0])[1], reported) == (CONTENT[:50_000], [10, 50_000])


@pytest.mark.parametrize("colour", [("sync", None)], ids=str)
def test_an_asynchronous_iterator_in_a_blocking_client(call: Colour, make: Any) -> None:
    """The error names the client that accepts one."""

    async def pieces() -> Any:
        yield b"a"

    with pytest.raises(ArgumentError, match="by AsyncClient only"):
        call(make().files.upload, file=pieces())


@pytest.mark.parametrize("colour", [one for one in TRANSPORTS if one[0] != "sync"], ids=named)
def test_an_upload_that_never_waits_is_cancelled_too(call: Colour, make: Any, server: Loopback) -> None:
    """A connection that accepts each piece at once would delay the cancellation until the last one."""
    server.answer = lambda _: stored(b"")
    files = make().files
    taken = 0

    def pieces(scope: anyio.CancelScope) -> Iterator[bytes]:
        nonlocal taken
        anyio.from_thread.run_sync(scope.cancel)
        while taken < 100:
            taken += 1
            yield b"piece"

    async def main() -> bool:
        with anyio.CancelScope() as scope:
            await files.upload(file=pieces(scope))
        return scope.cancelled_caught

    assert call(main)
    assert taken == 1


@pytest.mark.parametrize("colour", [one for one in TRANSPORTS if one not in FORGETFUL], ids=named)
def test_a_refusal_before_the_body_has_arrived(call: Colour, make: Any, server: Loopback) -> None:
    """It is read although the server hangs up: the token is refreshed, and the whole file sent again."""
    content = bytes(2**24)
    server.answer = lambda seen: pair(2) if seen.path == "/oauth/token" else stored(content)
    server.refuse_next = refusal(401, "TOKEN_EXPIRED")
    client = make(client_id="app_1", access_token="access-1", refresh_token="refresh-1", max_retries=0)

    call(client.files.upload, file=io.BytesIO(content))

    assert [seen.path for seen in server.seen] == ["/v1/files", "/oauth/token", "/v1/files"]
    assert content in server.seen[-1].body


@pytest.mark.usefixtures("redcore_time")
def test_a_failed_attempt_stops_reading(call: Colour, make: Any, server: Loopback) -> None:
    """The next attempt starts when the file is no longer being read: otherwise it would send only the rest."""
    server.answer = lambda _: stored(CONTENT)
    server.cut_next = True
    client = make()
    file = SlowFile(CONTENT, server, call)

    call(client.files.upload, file=file, timeout=5.0)

    assert not file.was_read_by_two
    assert [CONTENT in seen.body for seen in server.seen] == [False, True]
