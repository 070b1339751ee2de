"""The file beside the destination of a download, which becomes the destination when it is complete and verified."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from redcore._transfer.destination import BLOCK_BYTES, Place, writing
from redcore._wire.encoding import segment
from redcore._wire.progress import Meter
from redcore.tokens.file_lock import take

NOT_A_PART = {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP}  # a link, a folder, a socket (macOS: the last)
NAME_BYTES = 255  # of one file name (NAME_MAX of Linux, macOS and, in characters, Windows)


class PartialFile:
    """The partial file next to a path, which holds a download until it is complete and verified.

    Its name contains the file's id, so that its content belongs to that file; the bytes of a file never change. One
    download at a time uses it, across threads and processes; a concurrent one uses a temporary part instead.

    Args:
        place: The final destination.
        file_id: The file to download.

    Raises:
        ArgumentError: the id is not valid.
    """

    def __init__(self, place: Place, file_id: str) -> None:
        self._path = place.path
        self._found = place.found
        self._part = self._named(segment("file_id", file_id))
        self._is_shared = True
        self._file: IO[bytes]

    def open(self, meter: Meter, *, resume: bool) -> IO[bytes]:
        """Open it for appending, and count its content.

        Args:
            meter: Counts the bytes of an earlier download.
            resume: Whether to keep these bytes.
        """
        with writing():
            if self._found is not None and not may_replace(self._path, self._found):
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(self._path))
            self._file = self._shared() or self._own()
            try:
                if self._found is not None:
                    permit(self._file.fileno(), stat.S_IMODE(self._found.st_mode) | stat.S_IRUSR | stat.S_IWUSR)
                if not resume:
                    self._file.truncate(0)
                self._file.seek(0)
                while piece := self._file.read(BLOCK_BYTES):
                    meter.add(piece)
            except BaseException:
                self._file.close()
                raise
        return self._file

    def drop(self) -> None:
        """Delete it."""
        self._end(partial(self._part.unlink, missing_ok=True))

    def leave(self) -> None:
        """Close it and keep its content for a later download."""
        if self._is_shared and os.fstat(self._file.fileno()).st_size:
            self._file.close()
        else:
            self.drop()

    def keep(self) -> None:
        """Let it become the destination: atomically, unless only the file that is there can stay what it is."""
        found = self._found
        takes_over = found is None or (inherits(self._file.fileno(), self._path, found) and found.st_nlink == 1)
        self._end(self._replace if takes_over or not os.access(self._path, os.W_OK) else self._copy)

    def _replace(self) -> None:
        try:
            self._part.replace(self._path)
        except OSError as problem:
            if problem.errno != errno.EBUSY:  # a file that is mounted by itself, such as into a container
                raise
            self._copy()

    def _copy(self) -> None:
        from shutil import copyfileobj  # noqa: PLC0415 (it loads three libraries for compression)

        with self._part.open("rb") as source, self._path.open("wb") as target:
            copyfileobj(source, target, BLOCK_BYTES)
        self._part.unlink()

    def _named(self, middle: str) -> Path:
        name = f"{self._path.name}.{middle}.part"
        if len(os.fsencode(name)) > NAME_BYTES:
            name = f"{hashlib.sha256(os.fsencode(name)).hexdigest()}.part"
        return self._path.with_name(name)

    def _shared(self) -> IO[bytes] | None:
        """Open the shared part; None if another download uses it, or if something else has its name."""
        while True:
            try:
                file = open(self._part, "a+b", buffering=0, opener=open_itself)  # noqa: SIM115 (it is returned)
            except OSError as problem:
                if problem.errno in NOT_A_PART:
                    return None
                raise
            try:
                if self._is_another(os.fstat(file.fileno())) or not self._takes(file):
                    file.close()
                    return None
                # Another download may have moved or deleted it since it was opened here.
                if is_at(self._part, file):
                    return file
            except BaseException:
                file.close()
                raise
            file.close()

    def _is_another(self, found: os.stat_result) -> bool:
        """Whether a file is something else than a part: of another kind, with another name too, or a stranger's."""
        ours = {found.st_uid} if os.name == "nt" else {os.geteuid(), self._path.parent.stat().st_uid}
        return not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or found.st_uid not in ours

    def _takes(self, file: IO[bytes]) -> bool:
        """Lock the shared part; False if another download uses it, or if its file system has no locks."""
        try:
            return take(file.fileno())
        except OSError:
            if not os.fstat(file.fileno()).st_size:
                self._part.unlink()
            return False

    def _own(self) -> IO[bytes]:
        self._is_shared = False
        self._part = self._named(secrets.token_hex(8))
        return self._part.open("x+b", buffering=0)

    def _end(self, move: Callable[[], object]) -> None:
        """Move or delete it while it is still locked; Windows requires it to be closed first."""
        with writing():
            if os.name == "nt":
                self._file.close()
            try:
                move()
            finally:
                self._file.close()


def open_itself(name: str, flags: int) -> int:
    """Open a file, not what a link leads to, without waiting for the other end of a pipe."""
    more = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK"))
    return os.open(name, flags | more, 0o666)


def is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether an open file is the file at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def permit(file: int, mode: int) -> None:
    """Set the permissions of an open file; if they are right already, also where the system cannot set any."""
    if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(file).st_mode) != mode:  # not on Windows before Python 3.13
        os.fchmod(file, mode)


def may_replace(path: Path, found: os.stat_result) -> bool:
    """Whether a file can be replaced or written; in a sticky folder, such as /tmp, only owners replace files."""
    folder = path.parent.stat()
    if os.name == "nt" or not folder.st_mode & stat.S_ISVTX:
        return True
    return os.geteuid() in {0, found.st_uid, folder.st_uid} or os.access(path, os.W_OK)


def inherits(file: int, path: Path, found: os.stat_result) -> bool:
    """Give an open file the owner, permissions and attributes of the one at a path; returns whether that worked."""
    try:
        own = os.fstat(file)
        if sys.platform != "win32" and (own.st_uid, own.st_gid) != (found.st_uid, found.st_gid):
            os.fchown(file, found.st_uid, found.st_gid)
        permit(file, stat.S_IMODE(found.st_mode))
        if sys.platform == "linux":
            wanted, had = attributes(path), attributes(file)
            for name in had.keys() - wanted.keys():
                os.removexattr(file, name)
            for name, value in wanted.items() - had.items():
                os.setxattr(file, name, value)
    except OSError:
        with suppress(OSError):
            permit(file, stat.S_IMODE(found.st_mode) & 0o777)  # without the rights of another owner
        return False
    return True


if sys.platform == "linux":

    def attributes(file: int | Path) -> dict[str, bytes]:
        """The extended attributes of a file, among them its access control list; none where there are none."""
        try:
            return {name: os.getxattr(file, name) for name in os.listxattr(file)}
        except OSError as problem:
            if problem.errno != errno.EOPNOTSUPP:
                raise
            return {}
