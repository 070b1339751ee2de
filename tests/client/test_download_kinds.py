"""Where a download can go: paths, files of every kind, and folders that refuse it."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import stat
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.datastructures import UploadFile
from tests.client.colours import Colour
from tests.client.file_kinds import AWAITED, CONTENT, POSIX, open_pipe
from tests.client.loopback import Loopback, Reply, Seen, refusal

from redcore import ArgumentError, NotFoundError
from redcore._transfer import partial_file

AS_ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


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
    def test_a_reader_that_falls_silent_is_waited_for_until_the_deadline(
        self, call: Colour, make: Any, tmp_path: Path
    ) -> None:
        """`deadline` bounds the whole download."""
        with open_pipe(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), pytest.raises(TimeoutError, match="deadline"):
            call(make(deadline=0.1).files.download, "file_1", to=tmp_path / "pipe")

    @POSIX
    def test_a_download_whose_reader_is_silent_can_be_cancelled(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """It does not wait until its reader takes the rest."""
        if call.name == "sync":
            pytest.skip("blocking calls cannot be cancelled")
        client = make()

        async def download() -> bool:
            with anyio.CancelScope() as scope:
                await client.files.download("file_1", to=tmp_path / "pipe", on_progress=lambda _: scope.cancel())
            return scope.cancelled_caught

        with open_pipe(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK):
            assert call(download)

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

    @POSIX
    def test_a_file_with_another_name_keeps_it(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """Both names lead to the new bytes."""
        (tmp_path / "a.csv").write_bytes(b"before" * 100_000)
        (tmp_path / "b.csv").hardlink_to(tmp_path / "a.csv")

        call(make().files.download, "file_1", to=tmp_path / "a.csv")

        assert (tmp_path / "b.csv").read_bytes() == CONTENT
        assert sorted(tmp_path.iterdir()) == [tmp_path / "a.csv", tmp_path / "b.csv"]

    @AS_ROOT
    @pytest.mark.parametrize("may_give_away", [True, False])
    def test_a_file_keeps_its_owner(
        self, call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, may_give_away: bool
    ) -> None:
        """Also where the system does not let it be given away."""

        def denied(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        path = tmp_path / "a.csv"
        path.write_bytes(b"before")
        os.chown(path, 1234, 1235)
        path.chmod(0o640)
        if not may_give_away:
            monkeypatch.setattr(os, "fchown", denied)

        call(make().files.download, "file_1", to=path)

        found = path.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 1235, 0o640)
        assert (path.read_bytes(), list(tmp_path.iterdir())) == (CONTENT, [path])

    @POSIX
    def test_a_read_only_file_stays_read_only(
        self, call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where its group cannot be given to another file."""

        def denied(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        path = tmp_path / "a.csv"
        path.write_bytes(b"before")
        path.chmod(0o444)
        monkeypatch.setattr(partial_file, "attributes", denied, raising=False)
        monkeypatch.setattr(os, "fchown", denied)
        monkeypatch.setattr(os, "access", lambda *_: False)  # root may write to any file

        call(make().files.download, "file_1", to=path)

        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (CONTENT, 0o444)

    @POSIX
    def test_the_file_of_another_user_in_a_sticky_folder_is_refused(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before anything is requested: in /tmp only owners can replace a file."""
        (tmp_path / "a.csv").write_bytes(b"before")
        tmp_path.chmod(0o1777)
        monkeypatch.setattr(os, "geteuid", lambda: 4321)
        monkeypatch.setattr(os, "access", lambda *_: False)

        with pytest.raises(ArgumentError, match=r"a\.csv cannot be written: Operation not permitted"):
            call(make().files.download, "file_1", to=tmp_path / "a.csv")

        assert (server.seen, list(tmp_path.iterdir())) == ([], [tmp_path / "a.csv"])

    @pytest.mark.skipif(sys.platform != "linux", reason="others have none that Python can set")
    def test_a_file_keeps_its_attributes(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """Access control lists are among them; those of the partial file do not stay."""
        path, part_path = tmp_path / "a.csv", tmp_path / "a.csv.file_1.part"
        path.write_bytes(b"before")
        part_path.write_bytes(CONTENT[:10])
        try:
            os.setxattr(path, "user.note", b"kept")
            os.setxattr(part_path, "user.other", b"dropped")
        except OSError:
            pytest.skip("this file system has no attributes")

        call(make().files.download, "file_1", to=path)

        assert (os.listxattr(path), os.getxattr(path, "user.note")) == (["user.note"], b"kept")

    @POSIX
    def test_a_file_system_without_locks(
        self, call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such as one of a network: a download has a part of its own, as beside another one."""

        def unsupported(_: int) -> bool:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(partial_file, "take", unsupported)

        call(make().files.download, "file_1", to=tmp_path / "a.csv")

        assert (tmp_path / "a.csv").read_bytes() == CONTENT
        assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]

    @POSIX
    def test_a_file_system_without_permissions(
        self, call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such as one of a memory card: nothing can be set, and all files have the same."""

        def denied(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        (tmp_path / "a.csv").write_bytes(b"before")
        monkeypatch.setattr(os, "fchmod", denied)

        call(make().files.download, "file_1", to=tmp_path / "a.csv")

        assert (tmp_path / "a.csv").read_bytes() == CONTENT

    @AS_ROOT
    def test_the_part_of_a_stranger_stays(self, call: Colour, make: Any, tmp_path: Path) -> None:
        """In a shared folder anyone may have made it, and could change it after it was verified."""
        part_path = tmp_path / "a.csv.file_1.part"
        part_path.write_bytes(CONTENT[:10])
        os.chown(part_path, 1234, 1235)

        call(make().files.download, "file_1", to=tmp_path / "a.csv")

        assert part_path.read_bytes() == CONTENT[:10]
        assert ((tmp_path / "a.csv").stat().st_uid, (tmp_path / "a.csv").read_bytes()) == (os.geteuid(), CONTENT)

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

    @pytest.mark.parametrize("file_id", [5, None, b"file_1", "", "..", "\ud800"])
    def test_an_invalid_id_is_refused(
        self, call: Colour, make: Any, server: Loopback, tmp_path: Path, file_id: Any
    ) -> None:
        """Before anything is requested; no file is left."""
        with pytest.raises(ArgumentError, match="file_id"):
            call(make().files.download, file_id, to=tmp_path / "a.csv")

        assert (server.seen, list(tmp_path.iterdir())) == ([], [])

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

    @pytest.mark.parametrize("answer", ["well", True, -1])
    def test_a_destination_whose_write_returns_anything(self, call: Colour, make: Any, answer: object) -> None:
        """Only a number says how many bytes were written."""
        taken: list[bytes] = []

        class Sink:
            def write(self, data: bytes) -> object:
                taken.append(data)
                return answer

        call(make().files.download, "file_1", to=Sink())

        assert b"".join(taken) == CONTENT

    def test_a_destination_that_takes_a_part(self, call: Colour, make: Any) -> None:
        """As a socket may; it is given the rest, all of it as bytes, as not all files take a view."""
        taken: list[bytes] = []

        class Sink:
            def write(self, data: bytes) -> int:
                taken.append(data[:50_000])
                return len(taken[-1])

        call(make().files.download, "file_1", to=Sink())

        assert b"".join(taken) == CONTENT
        assert {type(piece) for piece in taken} == {bytes}

    def test_a_destination_whose_method_is_wrapped(self, call: Colour, make: Any, server: Loopback) -> None:
        """A plain function that returns a coroutine is awaited as well, as a decorator leaves it."""
        taken: list[bytes] = []

        class Sink:
            def write(self, data: bytes) -> Awaitable[None]:
                return self._write(data)

            async def _write(self, data: bytes) -> None:
                taken.append(bytes(data))

        if call.name == "sync":
            with pytest.raises(ArgumentError, match="by AsyncClient only"):
                call(make().files.download, "file_1", to=Sink())
            assert server.seen == []
        else:
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
