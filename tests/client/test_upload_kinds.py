"""What can be uploaded: bytes, files of every kind, paths, pipes, iterators, and what awaits."""

from __future__ import annotations

import codecs
import ctypes
import errno
import gzip
import io
import lzma
import mmap
import os
import sys
import tarfile
import threading
import warnings
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import aiofiles
import anyio
import pytest
from starlette.datastructures import Headers, UploadFile
from tests.client.colours import Colour
from tests.client.file_kinds import AWAITED, CONTENT, POSIX, open_pipe, part
from tests.client.loopback import Loopback, refusal, reset, stored

from redcore import ArgumentError, RedcoreAPIError
from redcore._wire.file_sources import NamedPipe
from redcore._wire.source import PIECE_BYTES


def damaged_archive(content: bytes) -> bytes:
    """Make a zip file with one file whose stored checksum is wrong.

    It is compressed, because Python 3.12 seeks in an uncompressed one without reading it.
    """
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writer:
            writer.writestr("catalog.csv", content)
        checksum = zlib.crc32(content).to_bytes(4, "little")
        return made.getvalue().replace(checksum, bytes(4))


DAMAGED_ARCHIVE = damaged_archive(CONTENT)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.csv"
    path.write_bytes(CONTENT)
    return path


class TestUpload:
    @POSIX
    @pytest.mark.skipif(sys.platform == "darwin", reason="its file names are Unicode")
    @pytest.mark.parametrize("by", ["path", "text", "bytes"])
    def test_a_name_that_is_not_unicode_is_sent_with_replacements(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, by: str
    ) -> None:
        """File names may have any bytes: those that are not UTF-8 become U+FFFD."""
        name = os.fsdecode(bytes(tmp_path) + b"/caf\xe9.txt")
        Path(name).write_bytes(CONTENT)
        server.script(stored(CONTENT))
        client = make()

        if by == "path":
            call(client.files.upload, file=Path(name))
        else:
            with open(name if by == "text" else os.fsencode(name), "rb") as file:  # noqa: PTH123 (the name that it has)
                call(client.files.upload, file=file)

        head, content = part(server.seen[0])
        assert 'filename="caf\ufffd.txt"' in head
        assert content == CONTENT

    @POSIX
    def test_a_name_with_quotes_is_kept(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """A part's header cannot have it, so that it is sent as a field; servers do not decode `%22`."""
        path = tmp_path / 'a "b"\\.csv'
        path.write_bytes(CONTENT)
        server.script(stored(CONTENT))

        call(make().files.upload, file=path)

        head, content = part(server.seen[0])
        assert b'name="name"\r\n\r\na "b"\\.csv\r\n' in server.seen[0].body
        assert ('filename="a %22b%22%5C.csv"' in head, content) == (True, CONTENT)

    @POSIX
    def test_a_pipe_is_sent_to_its_end(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """A path that leads to a FIFO is read until its writer closes it."""
        os.mkfifo(tmp_path / "pipe")
        writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[CONTENT])
        writer.start()
        server.script(stored(CONTENT))

        call(make().files.upload, file=tmp_path / "pipe")

        writer.join()
        assert part(server.seen[0])[1] == CONTENT

    @POSIX
    def test_a_pipe_whose_writer_cannot_be_asked_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Systems other than Linux report the end of a pipe before it has had a writer: nothing would be uploaded."""
        os.mkfifo(tmp_path / "pipe")
        source = NamedPipe(tmp_path / "pipe")
        with monkeypatch.context() as patched:
            patched.setattr(sys, "platform", "darwin")
            assert source.open()
        with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):  # it has no reader yet
            os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)
        writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[CONTENT])
        writer.start()

        source.start()
        content = b"".join(iter(source.read, b""))

        writer.join()
        source.close()
        assert content == CONTENT

    @pytest.mark.skipif(not Path("/proc/version").exists(), reason="this system has no such files")
    def test_a_file_with_size_0_and_content(self, call: Colour, make: Any, server: Loopback) -> None:
        """Files of /proc have size 0: they are read to their end all the same."""
        content = Path("/proc/version").read_bytes()
        server.script(stored(content), stored(content))
        client = make()

        call(client.files.upload, file=Path("/proc/version"))
        with open("/proc/version", "rb") as file:  # noqa: PTH123 (as applications do)
            call(client.files.upload, file=file)

        assert [part(seen)[1] for seen in server.seen] == [content, content]

    @POSIX
    def test_a_folder_or_a_socket_is_refused(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, listening: Path
    ) -> None:
        """Nothing is sent."""
        for path, problem in ((tmp_path, "it is a folder"), (listening, "it is a socket")):
            with pytest.raises(ArgumentError, match=problem):
                call(make().files.upload, file=path)

        assert server.seen == []

    def test_a_file_that_cannot_be_opened_is_refused(
        self, call: Colour, make: Any, server: Loopback, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before the request is sent, not in the middle of its body."""

        def denied(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", denied)

        with pytest.raises(ArgumentError, match="cannot be read: Permission denied"):
            call(make().files.upload, file=source)

        assert server.seen == []

    def test_text_sources_are_refused(self, call: Colour, make: Any, server: Loopback, source: Path) -> None:
        """Also from a reader that does not declare itself as text."""
        with (
            codecs.open(str(source), encoding="utf-8") as file,
            pytest.raises(ArgumentError, match="the file gave str, not bytes"),
        ):
            call(make().files.upload, file=file)

        assert server.seen == []

    def test_an_upload_file_brings_name_and_type(self, call: Colour, make: Any, server: Loopback) -> None:
        """An `UploadFile` of Starlette is sent by both clients, from its position."""
        received = UploadFile(
            io.BytesIO(b"skipped" + CONTENT), filename="catalog", headers=Headers({"content-type": "text/csv"})
        )
        received.file.seek(len("skipped"))
        server.script(stored(CONTENT))

        call(make().files.upload, file=received)

        head, content = part(server.seen[0])
        assert 'filename="catalog"' in head
        assert "Content-Type: text/csv" in head
        assert (content, server.seen[0].headers["content-length"]) == (CONTENT, str(len(server.seen[0].body)))

    @pytest.mark.parametrize(
        ("name", "shown"), [("a.jsonl.gz", "a.jsonl"), ("a.tgz", "a.tar"), ("a.data", "a.data"), (".gz", ".gz")]
    )
    def test_a_compressed_file_is_sent_as_it_reads(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, *, name: str, shown: str
    ) -> None:
        """With the name of what it reads; that causes no warning about an attribute that Python deprecates."""
        with gzip.open(tmp_path / name, "wb") as file:
            file.write(CONTENT)
        server.script(stored(CONTENT))

        with gzip.open(tmp_path / name) as file, warnings.catch_warnings():
            warnings.simplefilter("error")
            call(make().files.upload, file=file)

        head, content = part(server.seen[0])
        assert (f'filename="{shown}"' in head, content) == (True, CONTENT)
        assert "gzip" not in head

    def test_a_member_of_an_archive_is_not_named_after_it(
        self, call: Colour, make: Any, server: Loopback, source: Path, tmp_path: Path
    ) -> None:
        """Python 3.11 reports the name of the archive."""
        with tarfile.open(tmp_path / "all.tgz", "w:gz") as archive:
            archive.add(source, "in/catalog.csv")
        server.script(stored(CONTENT))

        with tarfile.open(tmp_path / "all.tgz") as archive:
            call(make().files.upload, file=archive.extractfile("in/catalog.csv"))

        shown = "catalog.csv" if sys.version_info >= (3, 12) else "upload"
        assert f'filename="{shown}"' in part(server.seen[0])[0]

    @pytest.mark.parametrize("given", [("a.csv", b"a"), [b"a", "b"], {b"a": b"b"}])
    def test_collections_with_something_else_than_bytes_are_refused(
        self, call: Colour, make: Any, server: Loopback, given: Any
    ) -> None:
        """Before anything is sent, such as the pairs of a name and a file that other libraries accept."""
        with pytest.raises(ArgumentError, match="bytes"):
            call(make().files.upload, file=given)

        assert server.seen == []

    @pytest.mark.skipif(not Path("/sys/kernel/mm").exists(), reason="this system has no such files")
    def test_a_file_whose_size_is_wrong(self, call: Colour, make: Any, server: Loopback) -> None:
        """Files of /sys have the size of a memory page: they are read to their end all the same."""
        path = Path("/sys/kernel/mm/transparent_hugepage/enabled")
        content = path.read_bytes()
        server.script(stored(content), stored(content))
        client = make()

        call(client.files.upload, file=path)
        with path.open("rb") as file:
            call(client.files.upload, file=file)

        assert [part(seen)[1] for seen in server.seen] == [content, content]

    @POSIX
    def test_a_pipe_without_a_writer_is_waited_for_until_the_deadline(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path
    ) -> None:
        """Nothing is sent meanwhile."""
        os.mkfifo(tmp_path / "pipe")

        with pytest.raises(TimeoutError, match="deadline"):
            call(make(deadline=0.1).files.upload, file=tmp_path / "pipe")

        assert server.seen == []

    @POSIX
    def test_a_pipe_is_closed_when_there_is_no_token(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path
    ) -> None:
        """Its writer need not wait for a request that is never sent."""
        os.mkfifo(tmp_path / "pipe")
        writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[b"x"])
        writer.start()
        server.script(refusal(403, "FORBIDDEN"))
        client = make(api_key=None, client_id="app_1", client_secret="s", max_retries=0)

        with pytest.raises(RedcoreAPIError) as caught:
            call(client.files.upload, file=tmp_path / "pipe")
        with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):  # it has no reader any more
            os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)

        writer.join()
        assert caught.value.status_code == 403  # the frames of its traceback would have kept the pipe open
        assert [seen.path for seen in server.seen] == ["/oauth/token"]

    @POSIX
    def test_a_writer_that_falls_silent_is_waited_for_until_the_deadline(
        self, call: Colour, make: Any, tmp_path: Path
    ) -> None:
        """`deadline` bounds the whole upload."""
        with open_pipe(tmp_path / "pipe", os.O_RDWR) as writer:
            os.write(writer, b"a")

            with pytest.raises(TimeoutError, match="deadline"):
                call(make(deadline=0.1).files.upload, file=tmp_path / "pipe")

    @POSIX
    def test_an_upload_whose_writer_is_silent_can_be_cancelled(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """It does not wait for the next bytes."""
        if call.name == "sync":
            pytest.skip("blocking calls cannot be cancelled")
        client = make()

        async def upload() -> bool:
            with anyio.CancelScope() as scope:
                await client.files.upload(file=tmp_path / "pipe", on_progress=lambda _: scope.cancel())
            return scope.cancelled_caught

        with open_pipe(tmp_path / "pipe", os.O_RDWR) as writer:
            os.write(writer, b"a")

            assert call(upload)

    @pytest.mark.usefixtures("redcore_time")
    def test_a_file_in_memory_is_sent_again(self, call: Colour, make: Any, server: Loopback) -> None:
        """`mmap` can be rewound, though it has no `seekable` before Python 3.13."""
        server.script(reset, stored(CONTENT[10:]))
        client = make(max_retries=1)

        with mmap.mmap(-1, len(CONTENT)) as file:
            file.write(CONTENT)
            file.seek(10)
            call(client.files.upload, file=file)

        assert part(server.seen[-1])[1] == CONTENT[10:]

    @pytest.mark.parametrize(
        "broken",
        [
            lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(CONTENT)[:-20])),
            lambda: lzma.open(io.BytesIO(lzma.compress(CONTENT)[:40] + b"?" * 80)),  # noqa: SIM115 (in the test's `with`)
            lambda: zipfile.Path(io.BytesIO(DAMAGED_ARCHIVE), "catalog.csv").open("rb"),
        ],
        ids=["gzip", "lzma", "zip"],
    )
    def test_a_damaged_archive_is_refused(
        self, call: Colour, make: Any, server: Loopback, broken: Callable[[], IO[bytes]]
    ) -> None:
        """Whatever type of error its library raises, and before anything is sent."""
        with broken() as file, pytest.raises(ArgumentError, match="cannot be read") as caught:
            call(make().files.upload, file=file)

        assert caught.value.__cause__ is not None
        assert server.seen == []

    def test_a_file_truncated_while_it_is_sent(self, call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
        """The error says how much of it is missing; the upload is not retried."""
        file = tmp_path / "log"
        file.write_bytes(bytes(2**20))

        with pytest.raises(ArgumentError, match="bytes shorter while it was sent"):
            call(make().files.upload, file=file, on_progress=lambda _: os.truncate(file, 0))

        assert len(server.seen) <= 1

    def test_pieces_of_any_bytes_are_sent(self, call: Colour, make: Any, server: Loopback) -> None:
        """Also mutable ones, and empty ones, which do not end the body."""
        server.answer = lambda seen: stored(part(seen)[1])

        call(make().files.upload, file=iter([bytearray(b"a"), b"", memoryview(b"b")]))

        assert part(server.seen[0])[1] == b"ab"

    @pytest.mark.parametrize("awaited", [False, True])
    def test_large_pieces_are_sent_in_parts(self, call: Colour, make: Any, server: Loopback, *, awaited: bool) -> None:
        """A timeout limits how long a part takes: a whole piece could take longer than that on a slow connection."""
        reported = [0]
        server.answer = lambda seen: stored(part(seen)[1])

        async def pieces() -> AsyncIterator[bytes]:
            yield CONTENT

        call(
            make().files.upload,
            file=pieces() if awaited and call.name != "sync" else iter([CONTENT]),
            on_progress=lambda progress: reported.append(progress.done),
        )

        assert part(server.seen[0])[1] == CONTENT
        assert max(after - before for before, after in pairwise(reported)) <= PIECE_BYTES

    @pytest.mark.parametrize("mode", ["wb", "ab"])
    def test_a_file_that_was_opened_for_writing_is_refused(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, mode: str
    ) -> None:
        """The error says how to open it."""
        with (tmp_path / "a").open(mode) as file, pytest.raises(ArgumentError, match='open it with mode "rb"'):
            call(make().files.upload, file=file)

        assert server.seen == []

    def test_a_view_of_any_shape_is_sent(self, call: Colour, make: Any, server: Loopback) -> None:
        """Every second byte, rows, and numbers of another byte order; a released one is refused."""
        numbers = (ctypes.c_uint16.__ctype_be__ * 2)(1, 2)
        views = [memoryview(CONTENT)[::2], memoryview(b"abcdef").cast("B", (2, 3)), memoryview(numbers)]
        server.answer = lambda seen: stored(part(seen)[1])
        client = make()

        for view in views:
            call(client.files.upload, file=view)

        assert [part(seen)[1] for seen in server.seen] == [CONTENT[::2], b"abcdef", b"\0\1\0\2"]
        views[0].release()
        with pytest.raises(ArgumentError, match="cannot be read"):
            call(client.files.upload, file=views[0])

    @pytest.mark.usefixtures("redcore_time")
    @pytest.mark.parametrize("library", ["aiofiles", "anyio"])
    def test_an_async_file(self, call: Colour, make: Any, server: Loopback, source: Path, library: str) -> None:
        """`AsyncClient` sends it, and retries from its first position; `Client` refuses it."""
        if library == "aiofiles" and call.name == "trio":
            pytest.skip("aiofiles is for asyncio")
        client = make(max_retries=1)
        server.script(reset, stored(CONTENT[10:]))

        async def upload() -> None:
            async with AWAITED[library](source, "rb") as file:
                await file.read(10)
                await client.files.upload(file=file)

        async def refused() -> None:
            async with aiofiles.open(source, "rb") as file:
                with pytest.raises(ArgumentError, match="by AsyncClient only"):
                    client.files.upload(file=file)

        if call.name == "sync":
            anyio.run(refused)
            assert server.seen == []
        else:
            call(upload)
            assert [part(seen)[1] for seen in server.asked("/v1/files")][-1] == CONTENT[10:]

    def test_an_async_text_file_is_refused(self, call: Colour, make: Any, server: Loopback, source: Path) -> None:
        """Before anything is sent."""
        if call.name != "asyncio":
            pytest.skip("aiofiles is for asyncio")
        client = make()

        async def upload() -> None:
            async with aiofiles.open(source) as file:
                await client.files.upload(file=file)

        with pytest.raises(ArgumentError, match="opened for reading in binary mode"):
            call(upload)

        assert server.seen == []
