"""Where a download can go: paths, files of every kind, and folders that refuse it."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import UploadFile
from tests.client.colours import Colour
from tests.client.file_kinds import AWAITED, CONTENT, POSIX
from tests.client.loopback import Loopback, Reply, Seen, refusal

from redcore import ArgumentError, NotFoundError

ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """The path of a socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        yield tmp_path / "socket"


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
