"""Uploads and downloads over a real connection, in all colours."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
from tests.client.colours import COLOURS, OWN_TRANSPORTS, TRANSPORTS, Awaiting, Colour, colours_over, named
from tests.client.loopback import Loopback, Raw, Reply, Seen, pair, refusal, stored

from redcore import ArgumentError, ChecksumError, NetworkError, NotFoundError, Progress, RedcoreError, ResponseError

colour = colours_over(TRANSPORTS)


CONTENT = os.urandom(300_000)
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def whole(content: bytes = CONTENT, **headers: str) -> Reply:
    """Make the answer to a download."""
    return Reply(200, content, {"ETag": ETAG, **{name.replace("_", "-"): value for name, value in headers.items()}})


def rest(start: int, content: bytes = CONTENT, **headers: str) -> Reply:
    """Make the answer to a range request."""
    part = {"ETag": ETAG, "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
    return Reply(206, content[start:], {**part, **{name.replace("_", "-"): value for name, value in headers.items()}})


def broken(answer: Reply, after: int) -> Raw:
    """Make an answer whose connection ends after so many bytes of the body."""

    def send(connection: socket.socket) -> None:
        encoded = answer.encode()
        connection.sendall(encoded[: encoded.index(b"\r\n\r\n") + 4 + after])
        connection.shutdown(socket.SHUT_RDWR)

    return send


def breaking(server: Loopback, *after: int) -> None:
    """Answer each request as asked, but break the first ones off after so many bytes."""
    left = list(after)

    def answer(seen: Seen) -> Reply | Raw:
        start = int(seen.headers.get("range", "bytes=0-")[6:-1])
        response = rest(start) if "range" in seen.headers else whole()
        return broken(response, left.pop(0)) if left else response

    server.answer = answer


def ranges(seen: Seen) -> tuple[str | None, str | None]:
    """The ranges that were requested."""
    return seen.headers.get("range"), seen.headers.get("if-range")


def part_of(path: Path) -> Path:
    """The partial file of a download to a path."""
    return path.with_name(f"{path.name}.file_1.part")


def content_sent(seen: Seen) -> bytes:
    """Return the file in a multipart body."""
    boundary = seen.headers["content-type"].partition("boundary=")[2]
    last = seen.body.split(f"--{boundary}".encode())[-2]
    return last.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


class TestUpload:
    @pytest.mark.parametrize("kind", ["bytes", "bytearray", "file", "path", "iterator"])
    def test_sources_of_an_upload(self, call: Colour, make: Any, server: Loopback, tmp_path: Path, kind: str) -> None:
        """All arrive whole; the length is sent if it is known."""
        (tmp_path / "a.csv").write_bytes(CONTENT)
        pieces = iter([CONTENT[:7], b"", CONTENT[7:]])
        content: Any = {"bytes": CONTENT, "bytearray": bytearray(CONTENT), "path": tmp_path / "a.csv"}.get(kind, pieces)
        server.script(stored(CONTENT))

        with (tmp_path / "a.csv").open("rb") as file:
            given = call(make().files.upload, file=file if kind == "file" else content)

        (seen,) = server.seen
        assert (given.id, content_sent(seen)) == ("file_1", CONTENT)
        framing = (seen.headers.get("content-length"), seen.headers.get("transfer-encoding"))
        assert framing == (None, "chunked") if kind == "iterator" else (str(len(seen.body)), None)

    def test_a_name_and_a_type(self, call: Colour, make: Any, server: Loopback) -> None:
        """The given ones are sent; characters that would end the header are escaped."""
        server.script(stored(b"a,b"))

        call(make().files.upload, file=b"a,b", name='ü"\r\n.csv', content_type="text/x-prices")

        assert 'name="file"; filename="ü%22%0D%0A.csv"\r\nContent-Type: text/x-prices' in server.seen[0].body.decode()

    @pytest.mark.parametrize("content_type", ["text/csv\r\nX: y", "csv", "text/ü", 5])
    def test_an_invalid_content_type(self, call: Colour, make: Any, server: Loopback, content_type: Any) -> None:
        """Nothing is sent."""
        with pytest.raises(ArgumentError, match="content_type must be a media type"):
            call(make().files.upload, file=b"a", content_type=content_type)

        assert server.seen == []

    @pytest.mark.parametrize("transfer", ["upload", "download"])
    def test_a_callback_that_cannot_be_called(self, call: Colour, make: Any, server: Loopback, transfer: str) -> None:
        """Nothing is sent."""
        client = make()
        arguments: dict[str, Any] = {"file": b"a"} if transfer == "upload" else {"file_id": "file_1"}

        with pytest.raises(ArgumentError, match="on_progress must be a function, not int"):
            call(getattr(client.files, transfer), on_progress=5, **arguments)

        assert server.seen == []

    @pytest.mark.usefixtures("redcore_time")
    def test_an_upload_starts_where_the_file_stands(self, call: Colour, make: Any, server: Loopback) -> None:
        """What was read before is not sent, on the first attempt and on a retry."""
        client = make()
        file = io.BytesIO(b"head" + CONTENT)
        file.seek(4)
        server.script(refusal(503), stored(CONTENT))

        call(client.files.upload, file=file)

        assert [content_sent(seen) for seen in server.seen] == [CONTENT, CONTENT]
        assert not file.closed

    def test_an_upload_that_breaks_is_retried_whole(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, slept: list[float]
    ) -> None:
        """A path is opened again, and read from its first byte."""
        client = make()
        (tmp_path / "big").write_bytes(os.urandom(2_000_000))
        content = (tmp_path / "big").read_bytes()
        server.answer = lambda _: stored(content)
        server.cut_next = True

        given = call(client.files.upload, file=tmp_path / "big")

        assert (given.size, slept) == (2_000_000, [1.0])
        assert [content_sent(seen) == content for seen in server.seen[1:]] == [True]

    def test_an_iterator_is_not_retried(self, call: Colour, make: Any, server: Loopback) -> None:
        """It cannot be read again; the error says why there was no other attempt."""
        server.script(refusal(503))

        with pytest.raises(RedcoreError) as caught:
            call(make().files.upload, file=iter([b"a"]))

        assert [attempt.stopped for attempt in caught.value.attempts] == ["body cannot be sent again"]
        assert len(server.seen) == 1

    def test_a_wrong_checksum_of_an_upload(self, call: Colour, make: Any, server: Loopback) -> None:
        """The checksum of the sent bytes is compared with that of the stored file."""
        server.script(stored(b"other"))

        with pytest.raises(ChecksumError, match="delete it and upload again") as caught:
            call(make().files.upload, file=CONTENT)

        assert caught.value.expected == hashlib.sha256(CONTENT).hexdigest()
        assert caught.value.actual == hashlib.sha256(b"other").hexdigest()

    @pytest.mark.usefixtures("redcore_time")
    def test_upload_progress(self, call: Colour, make: Any, server: Loopback) -> None:
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
    def test_an_error_of_the_application(self, call: Colour, make: Any, server: Loopback, where: str) -> None:
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

    def test_a_source_that_cannot_be_read(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
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
    def test_pieces_that_are_not_bytes(self, call: Colour, make: Any, content: Any) -> None:
        """The error names their type."""
        with pytest.raises(ArgumentError, match=f"the file gave {type(content[-1]).__name__}, not bytes"):
            call(make().files.upload, file=content)

    def test_a_refused_token_is_refreshed(self, call: Colour, make: Any, server: Loopback) -> None:
        """A 401 is followed by a refresh and the whole file again."""
        server.script(refusal(401, "TOKEN_EXPIRED"), pair(2), stored(CONTENT))

        call(make(access_token="access-1", refresh_token="refresh-1").files.upload, file=CONTENT)

        assert content_sent(server.seen[2]) == CONTENT

    @pytest.mark.parametrize("colour", [one for one in OWN_TRANSPORTS if one[0] != "sync"], ids=named)
    def test_an_asynchronous_iterator(self, call: Colour, make: Any, server: Loopback) -> None:
        """AsyncClient accepts one, and awaits the progress callback."""
        reported: list[int] = []

        async def pieces() -> Any:
            yield CONTENT[:10]
            yield CONTENT[10:50_000]

        async def note(progress: Progress) -> None:
            reported.append(progress.done)

        server.script(stored(CONTENT[:50_000]))
        call(make().files.upload, file=pieces(), on_progress=note)

        assert (content_sent(server.seen[0]), reported) == (CONTENT[:50_000], [10, 50_000])

    @pytest.mark.parametrize("colour", [("sync", None)], ids=str)
    def test_an_asynchronous_iterator_in_a_blocking_client(self, call: Colour, make: Any) -> None:
        """The error names the client that accepts one."""

        async def pieces() -> Any:
            yield b"a"

        with pytest.raises(ArgumentError, match="by AsyncClient only"):
            call(make().files.upload, file=pieces())


class TestDownload:
    def test_a_download_to_memory(self, call: Colour, make: Any, server: Loopback) -> None:
        """Without a destination the bytes are returned; no encoding is requested."""
        server.script(whole())

        assert call(make().files.download, "file_1") == CONTENT
        assert server.seen[0].headers["accept-encoding"] == "identity"

    def test_a_download_to_a_path(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """The file appears when it is complete; the partial file is gone."""
        reported: list[Progress] = []
        server.script(whole())

        assert call(make().files.download, "file_1", to=tmp_path / "a.bin", on_progress=reported.append) is None

        assert (tmp_path / "a.bin").read_bytes() == CONTENT
        assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
        assert (reported[-1].done, reported[-1].total) == (300_000, 300_000)
        assert [progress.done for progress in reported] == sorted(progress.done for progress in reported)

    def test_a_download_to_a_file(self, call: Colour, make: Any, server: Loopback) -> None:
        """A file that the application opened is written and stays open."""
        server.script(whole())
        file = io.BytesIO()

        call(make().files.download, "file_1", to=file)

        assert file.getvalue() == CONTENT

    @pytest.mark.parametrize("to", ["memory", "path", "file"])
    def test_download_resumes_by_range_after_a_reset(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, *, to: str, slept: list[float]
    ) -> None:
        """The same call fetches the rest, of the same version, with the same request id."""
        client = make()
        breaking(server, 100_000, 50_000)
        file = io.BytesIO()
        where: Any = {"memory": None, "path": str(tmp_path / "a"), "file": file}[to]

        got = call(client.files.download, "file_1", to=where)

        assert (tmp_path / "a").read_bytes() if to == "path" else (got or file.getvalue()) == CONTENT
        assert all(same == (ETAG if part else None) for part, same in map(ranges, server.seen))
        assert slept == [1.0, 2.0]
        assert len({seen.headers["x-request-id"] for seen in server.seen}) == 1

    @pytest.mark.usefixtures("redcore_time")
    @pytest.mark.parametrize("colour", COLOURS, ids=named)
    def test_download_resumes_to_the_byte(self, call: Colour, make: Any, server: Loopback) -> None:
        """Each request asks for exactly the missing bytes."""
        client = make()
        breaking(server, 100_000, 50_000)

        call(client.files.download, "file_1")

        assert [ranges(seen) for seen in server.seen] == [
            (None, None),
            ("bytes=100000-", ETAG),
            ("bytes=150000-", ETAG),
        ]

    @pytest.mark.usefixtures("redcore_time")
    def test_a_download_that_breaks_too_often_can_be_resumed(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path
    ) -> None:
        """The error is raised; the partial file stays, and another download resumes it."""
        client = make(max_retries=1)
        breaking(server, 100_000, 50_000)

        with pytest.raises(NetworkError) as caught:
            call(client.files.download, "file_1", to=tmp_path / "a")

        assert caught.value.request_id == server.seen[0].headers["x-request-id"]
        left = part_of(tmp_path / "a").read_bytes()
        assert CONTENT.startswith(left)  # aiohttp may yield nothing of what arrived before the end
        call(client.files.download, "file_1", to=tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == CONTENT
        assert ranges(server.seen[-1]) == (f"bytes={len(left)}-" if left else None, None)
        assert not part_of(tmp_path / "a").exists()

    @pytest.mark.usefixtures("redcore_time")
    def test_download_resumes_without_ranges(self, call: Colour, make: Any, server: Loopback) -> None:
        """Bytes that are sent again are skipped."""
        client = make()
        server.script(broken(whole(), 100_000), whole())

        assert call(client.files.download, "file_1") == CONTENT

    def test_two_downloads_to_one_path(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """The second one, which finds the partial file in use, has its own; the path gets a whole file."""
        path = tmp_path / "a"
        begun, go_on = threading.Event(), threading.Event()

        def slow(connection: socket.socket) -> None:
            encoded = whole().encode()
            connection.sendall(encoded[:100_000])
            begun.set()
            go_on.wait(5.0)
            connection.sendall(encoded[100_000:])

        server.script(slow, whole())
        download = make().files.download
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(call, download, "file_1", to=path)
            begun.wait(5.0)

            call(download, "file_1", to=path)
            assert path.read_bytes() == CONTENT

            go_on.set()
            first.result()
        assert path.read_bytes() == CONTENT
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("body", [b"", refusal(416, "RANGE_NOT_SATISFIABLE").body])
    def test_a_complete_part_is_resumed_with_416(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, body: bytes
    ) -> None:
        """416 means that nothing is missing, with an envelope or bare: the partial file is checked and kept."""
        part_of(tmp_path / "a").write_bytes(CONTENT)
        server.script(Reply(416, body, headers={"ETag": ETAG, "Content-Range": "bytes */300000"}))

        call(make().files.download, "file_1", to=tmp_path / "a")

        assert (tmp_path / "a").read_bytes() == CONTENT

    @pytest.mark.parametrize("left", [b"x" * 1000, CONTENT + b"x"])
    def test_a_part_that_does_not_match(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, left: bytes
    ) -> None:
        """The download starts again, once."""
        part_of(tmp_path / "a").write_bytes(left)
        too_long = Reply(416, headers={"ETag": ETAG, "Content-Range": "bytes */300000"})
        server.script(rest(1000) if len(left) == 1000 else too_long, whole())

        call(make().files.download, "file_1", to=tmp_path / "a")

        assert (tmp_path / "a").read_bytes() == CONTENT
        assert [ranges(seen)[0] for seen in server.seen] == [f"bytes={len(left)}-", None]

    def test_without_resuming(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """A partial file of an earlier download is not used."""
        part_of(tmp_path / "a").write_bytes(CONTENT[:1000])
        server.script(whole())

        call(make().files.download, "file_1", to=tmp_path / "a", resume=False)

        assert ranges(server.seen[0]) == (None, None)

    def test_a_wrong_checksum_of_a_download(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """No file is left at the path, and an existing one stays."""
        (tmp_path / "a").write_bytes(b"before")
        server.script(whole(b"x" + CONTENT[1:]))

        with pytest.raises(ChecksumError, match="download it again") as caught:
            call(make().files.download, "file_1", to=tmp_path / "a")

        assert caught.value.expected == ETAG.strip('"')
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        assert (tmp_path / "a").read_bytes() == b"before"

    def test_a_checksum_from_the_description(self, call: Colour, make: Any, server: Loopback) -> None:
        """If the ETag has another form, the description of the file is fetched."""
        server.script(whole(ETag='"v1"'), Reply(200, stored(CONTENT).body))

        assert call(make().files.download, "file_1") == CONTENT
        assert server.seen[1].path == "/v1/files/file_1"

    @pytest.mark.usefixtures("redcore_time")
    def test_a_file_that_changes_while_it_is_resumed(self, call: Colour, make: Any, server: Loopback) -> None:
        """Parts of two versions are never joined."""
        client = make()
        server.script(broken(whole(), 100_000), whole(ETag='"other"'))

        with pytest.raises(ResponseError, match="the file changed"):
            call(client.files.download, "file_1")

    @pytest.mark.usefixtures("redcore_time")
    @pytest.mark.parametrize("version", [{"ETag": f"W/{ETAG}"}, {}], ids=["weakened", "none"])
    def test_a_rest_whose_version_was_lost_on_the_way(
        self, call: Colour, make: Any, server: Loopback, version: dict[str, str]
    ) -> None:
        """Intermediaries weaken ETags, and drop them; the checksum decides."""
        client = make()
        part = {"Content-Range": f"bytes 100000-{len(CONTENT) - 1}/{len(CONTENT)}"}
        server.script(broken(whole(), 100_000), Reply(206, CONTENT[100_000:], {**part, **version}))

        assert call(client.files.download, "file_1") == CONTENT

    @pytest.mark.usefixtures("redcore_time")
    @pytest.mark.parametrize(
        "wrong", [rest(99_999), Reply(206, CONTENT[100_000:], {"ETag": ETAG}), rest(100_000, Content_Encoding="gzip")]
    )
    def test_an_answer_with_the_wrong_range(self, call: Colour, make: Any, server: Loopback, wrong: Reply) -> None:
        """It is refused, not appended."""
        client = make()
        server.script(broken(whole(), 100_000), wrong)

        with pytest.raises(ResponseError):
            call(client.files.download, "file_1")

    def test_no_such_file(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """A refusal is its typed error, and leaves no partial file."""
        server.script(Reply(404, gzip.compress(refusal(404, "RESOURCE_NOT_FOUND").body), {"Content-Encoding": "gzip"}))

        with pytest.raises(NotFoundError) as caught:
            call(make().files.download, "file_1", to=tmp_path / "a")

        assert (caught.value.code, list(tmp_path.iterdir())) == ("RESOURCE_NOT_FOUND", [])

    def test_a_download_too_large_for_memory(
        self, call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The size of returned bytes is limited; the error says what to do."""
        monkeypatch.setattr("redcore._transfer.transfers.MAX_HELD_BYTES", 1000)
        server.script(whole())

        with pytest.raises(ResponseError, match="larger than 1000 bytes; download it to a path"):
            call(make().files.download, "file_1")

    def test_a_path_that_cannot_be_written(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """An error of the SDK is raised."""
        server.script(whole())

        with pytest.raises(ArgumentError, match=r"/none/a\S* cannot be written: No such file"):
            call(make().files.download, "file_1", to=tmp_path / "none" / "a")

    def test_a_slow_transfer_that_never_stops(self, call: Colour, make: Any, server: Loopback) -> None:
        """The time-out bounds each silence, not the whole transfer: here ten parts take longer than one time-out."""
        answer = whole(b"0123456789", ETag='"v"')

        def drip(connection: socket.socket) -> None:
            encoded = answer.encode()
            connection.sendall(encoded[:-10])
            for n in range(10):
                server.gone.wait(0.17)
                connection.sendall(encoded[len(encoded) - 10 + n :][:1])

        server.script(drip, Reply(200, stored(b"0123456789").body))

        assert call(make(timeout=1.5).files.download, "file_1") == b"0123456789"

    @pytest.mark.parametrize("transfer", ["download", "upload"])
    def test_a_transfer_that_falls_silent(self, call: Colour, make: Any, server: Loopback, transfer: str) -> None:
        """A silence longer than the time-out is an error."""

        def stall(connection: socket.socket) -> None:
            connection.sendall(whole().encode()[:100_000] if transfer == "download" else b"HTTP/1.1 201 ")
            server.gone.wait()

        server.script(stall)
        files = make(timeout=0.1, max_retries=0).files

        with pytest.raises(NetworkError, match=r"no byte moved for 0\.1 s"):
            call(files.download, "file_1") if transfer == "download" else call(files.upload, file=b"a")

    def test_the_deadline_of_a_transfer(self, call: Colour, make: Any, server: Loopback) -> None:
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


def gather(call: Colour, client: Any, pieces: int | None = None, then: Callable[[], None] = lambda: None) -> bytes:
    """Stream a file, wholly or only so many pieces of it."""
    if call.name == "sync":
        got = b""
        with client.files.stream("file_1") as content:
            for number, piece in enumerate(content, 1):
                got += piece
                if number == pieces:
                    break
            then()
        return got

    async def run() -> bytes:
        got, number = b"", 0
        async with client.files.stream("file_1") as content:
            async for piece in content:
                got += piece
                number += 1
                if number == pieces:
                    break
            then()
        return got

    return bytes(call(run))


class TestStream:
    @pytest.mark.usefixtures("redcore_time")
    def test_a_streamed_download(self, call: Colour, make: Any, server: Loopback) -> None:
        """All pieces together are the file, also over several connections."""
        client = make()
        server.script(broken(whole(), 100_000), rest(100_000))

        assert gather(call, client) == CONTENT

    def test_a_wrong_checksum_of_a_stream(self, call: Colour, make: Any, server: Loopback) -> None:
        """The last piece is followed by the error."""
        server.script(whole(b"x" + CONTENT[1:]))

        with pytest.raises(ChecksumError):
            gather(call, make())

    def test_a_stream_left_early(self, call: Colour, make: Any, server: Loopback) -> None:
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

    def test_a_complete_stream_keeps_the_connection(self, call: Colour, make: Any, server: Loopback) -> None:
        """The next call uses it."""
        client = make()
        server.script(whole(), whole())

        gather(call, client)
        gather(call, client)

        assert len(server._connections) == 1

    def test_a_stream_outside_its_block(self, call: Colour, make: Any, server: Loopback) -> None:
        """It is refused, as nothing would close the connection there."""
        content = make().files.stream("file_1")

        with pytest.raises(RedcoreError, match="inside its `with` block"):
            call(next if call.name == "sync" else anext, content)

        assert server.seen == []


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

    assert ended.wait(5.0)
    assert not (tmp_path / "a").exists()


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


FORGETFUL = [("asyncio", "httpx"), ("asyncio", "httpx2")]  # their connections drop unread data when one breaks


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
