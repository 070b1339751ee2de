"""Where a download can go: paths of every kind, and folders that refuse it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.client.colours import Colour
from tests.client.file_kinds import CONTENT, POSIX, WHOLE
from tests.client.loopback import Loopback, Reply, Seen, refusal

from redcore import ArgumentError, NotFoundError
from redcore._transfer import partial_file

AS_ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture(autouse=True)
def content(server: Loopback) -> None:
    server.answer = lambda _: WHOLE


@POSIX
def test_a_link_stays_and_its_file_is_replaced(call: Colour, make: Any, tmp_path: Path) -> None:
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
def test_a_file_with_another_name_keeps_it(call: Colour, make: Any, tmp_path: Path) -> None:
    """Both names lead to the new bytes."""
    (tmp_path / "a.csv").write_bytes(b"before" * 100_000)
    (tmp_path / "b.csv").hardlink_to(tmp_path / "a.csv")

    call(make().files.download, "file_1", to=tmp_path / "a.csv")

    assert (tmp_path / "b.csv").read_bytes() == CONTENT
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a.csv", tmp_path / "b.csv"]


@AS_ROOT
@pytest.mark.parametrize("may_give_away", [True, False])
def test_a_file_keeps_its_owner(
    call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, may_give_away: bool
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
    call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    call: Colour, make: Any, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
def test_a_file_keeps_its_attributes(call: Colour, make: Any, tmp_path: Path) -> None:
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
def test_a_file_system_without_locks(call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one of a network: a download has a part of its own, as beside another one."""

    def unsupported(_: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(partial_file, "take", unsupported)

    call(make().files.download, "file_1", to=tmp_path / "a.csv")

    assert (tmp_path / "a.csv").read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]


@POSIX
def test_a_file_system_without_permissions(
    call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one of a memory card: nothing can be set, and all files have the same."""

    def denied(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    (tmp_path / "a.csv").write_bytes(b"before")
    monkeypatch.setattr(os, "fchmod", denied)

    call(make().files.download, "file_1", to=tmp_path / "a.csv")

    assert (tmp_path / "a.csv").read_bytes() == CONTENT


@AS_ROOT
def test_the_part_of_a_stranger_stays(call: Colour, make: Any, tmp_path: Path) -> None:
    """In a shared folder anyone may have made it, and could change it after it was verified."""
    part_path = tmp_path / "a.csv.file_1.part"
    part_path.write_bytes(CONTENT[:10])
    os.chown(part_path, 1234, 1235)

    call(make().files.download, "file_1", to=tmp_path / "a.csv")

    assert part_path.read_bytes() == CONTENT[:10]
    assert ((tmp_path / "a.csv").stat().st_uid, (tmp_path / "a.csv").read_bytes()) == (os.geteuid(), CONTENT)


def test_a_name_too_long_for_a_suffix(call: Colour, make: Any, tmp_path: Path) -> None:
    """The partial file beside it has a name of its own."""
    path = tmp_path / ("x" * 250)

    call(make().files.download, "file_1", to=path)

    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


@POSIX
@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are Unicode")
def test_a_name_that_is_not_unicode(call: Colour, make: Any, tmp_path: Path) -> None:
    """A file name may have any bytes."""
    path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))

    call(make().files.download, "file_1", to=path)

    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "made", ["folder", "folder/", "new/", "new/.", "new/..", "socket", "x" * 256, "nul\0", "file/below"]
)
@POSIX
@pytest.mark.usefixtures("listening")
def test_an_invalid_path_is_refused(call: Colour, make: Any, server: Loopback, tmp_path: Path, made: str) -> None:
    """Before anything is requested; no file is left beside it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    before = sorted(tmp_path.iterdir())

    with pytest.raises(ArgumentError, match="cannot be written"):
        call(make().files.download, "file_1", to=f"{tmp_path}/{made}")

    assert server.seen == []
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("file_id", [5, None, b"file_1", "", "..", "\ud800"])
def test_an_invalid_id_is_refused(call: Colour, make: Any, server: Loopback, tmp_path: Path, file_id: Any) -> None:
    """Before anything is requested; no file is left."""
    with pytest.raises(ArgumentError, match="file_id"):
        call(make().files.download, file_id, to=tmp_path / "a.csv")

    assert (server.seen, list(tmp_path.iterdir())) == ([], [])


def test_an_empty_path_is_refused(
    call: Colour, make: Any, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be the working folder; no file is left beside that."""
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")

    with pytest.raises(ArgumentError, match="it is a folder; name a file in it"):
        call(make().files.download, "file_1", to="")

    assert server.seen == []
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


@POSIX
def test_a_download_to_a_mounted_file(call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_foreign_file_with_the_name_of_a_part_stays(call: Colour, make: Any, tmp_path: Path, kind: str) -> None:
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


def test_a_folder_deleted_meanwhile_hides_no_error(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """The caller gets the platform's refusal."""
    (tmp_path / "folder").mkdir()

    def answer(_: Seen) -> Reply:
        shutil.rmtree(tmp_path / "folder")
        return refusal(404, "RESOURCE_NOT_FOUND")

    server.answer = answer

    with pytest.raises(NotFoundError):
        call(make().files.download, "file_1", to=tmp_path / "folder" / "a.csv")
