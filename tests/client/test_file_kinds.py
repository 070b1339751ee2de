"""Files of every kind as source and destination of transfers: what is sent, what is refused, and when."""

from __future__ import annotations

import codecs
import ctypes
import errno
import gzip
import hashlib
import io
import lzma
import os
import shutil
import socket
import stat
import sys
import threading
import warnings
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import aiofiles
import anyio
import pytest
from starlette.datastructures import Headers, UploadFile
from tests.client.colours import Colour
from tests.client.loopback import Loopback, Reply, Seen, refusal, reset, stored

from redcore import ArgumentError, NotFoundError, RedcoreAPIError
from redcore._wire.file_sources import NamedPipe
from redcore._wire.source import PIECE_BYTES

CONTENT = b"0123456789" * 20_000
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
POSIX = pytest.mark.skipif(os.name != "posix", reason="this system has no such files")


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


@asynccontextmanager
async def anyio_open(path: Path, mode: Any) -> AsyncIterator[Any]:
    async with await anyio.open_file(path, mode) as file:
        yield file


AWAITED: dict[str, Any] = {"aiofiles": aiofiles.open, "anyio": anyio_open}


def part(seen: Seen) -> tuple[str, bytes]:
    """Return head and content of the file in a multipart body."""
    boundary = seen.headers["content-type"].partition("boundary=")[2]
    head, _, content = seen.body.split(f"--{boundary}".encode())[-2].partition(b"\r\n\r\n")
    return head.decode(), content.removesuffix(b"\r\n")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """The path of a socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        yield tmp_path / "socket"


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

    def test_a_compressed_file_is_sent_as_it_reads(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path
    ) -> None:
        """It brings its name, and reading it causes no warning about an attribute that Python deprecates."""
        with gzip.open(tmp_path / "catalog.gz", "wb") as file:
            file.write(CONTENT)
        server.script(stored(CONTENT))

        with gzip.open(tmp_path / "catalog.gz") as file, warnings.catch_warnings():
            warnings.simplefilter("error")
            call(make().files.upload, file=file)

        head, content = part(server.seen[0])
        assert ('filename="catalog.gz"' in head, content) == (True, CONTENT)

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


class TestDownload:
    @pytest.fixture(autouse=True)
    def content(self, server: Loopback) -> None:
        server.answer = lambda _: Reply(200, CONTENT, {"ETag": ETAG})

    @POSIX
    def test_a_download_to_a_pipe(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """It stays a pipe, no file is left beside it, and its reader gets all."""
        path = tmp_path / "pipe"
        os.mkfifo(path)
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
        reader.start()

        call(make().files.download, "file_1", to=path)

        reader.join()
        assert read == [CONTENT]
        assert path.is_fifo()
        assert list(tmp_path.iterdir()) == [path]

    @POSIX
    def test_a_pipe_without_a_reader_is_waited_for_until_the_deadline(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path
    ) -> None:
        """Nothing is requested meanwhile."""
        os.mkfifo(tmp_path / "pipe")

        with pytest.raises(TimeoutError, match="deadline"):
            call(make(deadline=0.1).files.download, "file_1", to=tmp_path / "pipe")

        assert server.seen == []

    @POSIX
    def test_a_download_to_a_device(self, call: Colour, make: Any) -> None:
        """As `cp` would."""
        call(make().files.download, "file_1", to=os.devnull)

        assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116 (as the other)

    @POSIX
    def test_a_link_stays_and_its_file_is_replaced(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """With its permissions; a dangling link gets its file."""
        (tmp_path / "private").write_bytes(b"before")
        (tmp_path / "private").chmod(0o640)
        for name in ("private", "nothing"):
            (tmp_path / f"link-to-{name}").symlink_to(name)

            call(make().files.download, "file_1", to=tmp_path / f"link-to-{name}")

            assert (tmp_path / f"link-to-{name}").is_symlink()
            assert (tmp_path / name).read_bytes() == CONTENT
        assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o640

    def test_a_name_too_long_for_a_suffix(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """The partial file beside it has a name of its own."""
        path = tmp_path / ("x" * 250)

        call(make().files.download, "file_1", to=path)

        assert path.read_bytes() == CONTENT
        assert list(tmp_path.iterdir()) == [path]

    @POSIX
    @pytest.mark.skipif(sys.platform == "darwin", reason="its file names are Unicode")
    def test_a_name_that_is_not_unicode(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """A file name may have any bytes."""
        path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))

        call(make().files.download, "file_1", to=path)

        assert path.read_bytes() == CONTENT

    @pytest.mark.parametrize(
        "made", ["folder", "folder/", "new/", "new/.", "new/..", "socket", "x" * 256, "nul\0", "file/below"]
    )
    @POSIX
    @pytest.mark.usefixtures("listening")
    def test_an_invalid_path_is_refused(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, made: str
    ) -> None:
        """Before anything is requested; no file is left beside it."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").write_bytes(b"")
        before = sorted(tmp_path.iterdir())

        with pytest.raises(ArgumentError, match="cannot be written"):
            call(make().files.download, "file_1", to=f"{tmp_path}/{made}")

        assert server.seen == []
        assert sorted(tmp_path.iterdir()) == before

    def test_an_empty_path_is_refused(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would be the working folder; no file is left beside that."""
        (tmp_path / "folder").mkdir()
        monkeypatch.chdir(tmp_path / "folder")

        with pytest.raises(ArgumentError, match="it is a folder; name a file in it"):
            call(make().files.download, "file_1", to="")

        assert server.seen == []
        assert list(tmp_path.iterdir()) == [tmp_path / "folder"]

    @POSIX
    def test_a_download_to_a_mounted_file(
        self, call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Containers mount single files; another file cannot take their place."""
        (tmp_path / "a.csv").write_bytes(b"before" * 100_000)

        def busy(*_: object) -> None:
            raise OSError(errno.EBUSY, "Device or resource busy")

        monkeypatch.setattr(Path, "replace", busy)
        before = (tmp_path / "a.csv").stat()

        call(make().files.download, "file_1", to=tmp_path / "a.csv")

        assert (tmp_path / "a.csv").read_bytes() == CONTENT
        assert os.path.samestat((tmp_path / "a.csv").stat(), before)
        assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]

    @POSIX
    @pytest.mark.parametrize("kind", ["link", "other name", "folder", "pipe"])
    def test_a_foreign_file_with_the_name_of_a_part_stays(
        self, call: Colour, make: Any, tmp_path: Path, kind: str
    ) -> None:
        """In a shared folder it may be anything, such as a link to a precious file."""
        (tmp_path / "precious").write_bytes(b"precious")
        place = tmp_path / "a.csv.file_1.part"
        made: dict[str, Callable[[], Any]] = {
            "link": lambda: place.symlink_to("precious"),
            "other name": lambda: place.hardlink_to(tmp_path / "precious"),
            "folder": place.mkdir,
            "pipe": lambda: os.mkfifo(place),
        }
        made[kind]()
        before = place.lstat()

        call(make().files.download, "file_1", to=tmp_path / "a.csv")

        assert (tmp_path / "precious").read_bytes() == b"precious"
        assert (tmp_path / "a.csv").read_bytes() == CONTENT
        assert not (tmp_path / "a.csv").is_symlink()
        assert os.path.samestat(place.lstat(), before)
        assert len(list(tmp_path.iterdir())) == 3

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no such files")
    @pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
    def test_a_download_to_a_descriptor(self, call: Colour, make: Any, tmp_path: Path, folder: str) -> None:
        """A shell opened the file (`3>catalog.csv`): a new file in its place would be another one."""
        with (tmp_path / "catalog.csv").open("wb") as file:
            call(make().files.download, "file_1", to=f"{folder}/{file.fileno()}")

            assert os.fstat(file.fileno()).st_size == len(CONTENT)

    def test_a_folder_deleted_meanwhile_hides_no_error(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path
    ) -> None:
        """The caller gets the platform's refusal."""
        (tmp_path / "folder").mkdir()

        def answer(_: Seen) -> Reply:
            shutil.rmtree(tmp_path / "folder")
            return refusal(404, "RESOURCE_NOT_FOUND")

        server.answer = answer

        with pytest.raises(NotFoundError):
            call(make().files.download, "file_1", to=tmp_path / "folder" / "a.csv")

    def test_a_failing_destination_is_an_argument_error(self, call: Colour, make: Any) -> None:
        """Whatever type of error its library raises."""

        class Full:
            def write(self, data: bytes) -> None:
                if data:
                    raise EOFError

        with pytest.raises(ArgumentError, match="the file cannot be written: EOFError"):
            call(make().files.download, "file_1", to=Full())

    @pytest.mark.parametrize(
        "made",
        [io.StringIO, io.TextIOWrapper, lambda _: object(), lambda _: 5, lambda file: file.close() or file],
        ids=["text", "text over bytes", "no file", "number", "closed"],
    )
    def test_a_destination_that_takes_no_bytes_is_refused(
        self, call: Colour, make: Any, server: Loopback, made: Callable[[Any], Any]
    ) -> None:
        """Before anything is requested."""
        target = made(io.BytesIO()) if made is not io.StringIO else io.StringIO()

        with pytest.raises(ArgumentError):
            call(make().files.download, "file_1", to=target)

        assert server.seen == []

    def test_a_destination_whose_write_returns_anything(self, call: Colour, make: Any) -> None:
        """Only a number says how many bytes were written."""
        taken: list[bytes] = []

        class Sink:
            def write(self, data: bytes) -> str:
                taken.append(bytes(data))
                return "well"

        call(make().files.download, "file_1", to=Sink())

        assert b"".join(taken) == CONTENT

    @pytest.mark.parametrize("library", ["aiofiles", "anyio", "starlette"])
    def test_an_async_destination(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, library: str
    ) -> None:
        """`AsyncClient` writes to it; `Client` refuses it before anything is requested."""
        if library == "aiofiles" and call.name == "trio":
            pytest.skip("aiofiles is for asyncio")
        client = make()
        received = UploadFile(io.BytesIO())

        async def download(to: Any) -> None:
            await client.files.download("file_1", to=to)

        async def opened() -> None:
            async with AWAITED[library](tmp_path / "a", "wb") as file:
                await download(file)

        if call.name == "sync":
            with pytest.raises(ArgumentError, match="by AsyncClient only"):
                client.files.download("file_1", to=received)
            assert server.seen == []
        elif library == "starlette":
            call(download, received)
            assert received.file.getvalue() == CONTENT  # type: ignore[attr-defined]
        else:
            call(opened)
            assert (tmp_path / "a").read_bytes() == CONTENT
