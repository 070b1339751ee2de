"""Destinations of downloads: a path, written through a partial file; a pipe or device; a file of the application.

The kind of file at a path is preserved: a symbolic link stays and its target is replaced with the same permissions, a
pipe or device is written to directly, a folder or socket is rejected. All checks are made before any request.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

import attrs

from redcore._base.signal_handlers import let_through
from redcore._call.steps import Flow, Notify, Work
from redcore._wire.progress import Meter
from redcore._wire.source import explained
from redcore.exceptions import ArgumentError, ConfigurationError, RedcoreError
from redcore.tokens.file_lock import take

BLOCK_BYTES = 1024 * 1024  # few writes at little memory
NOT_A_PART = {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP}  # a link, a folder, a socket (macOS: the last)
NAME_BYTES = 255  # of one file name (NAME_MAX of Linux, macOS and, in characters, Windows)


@attrs.frozen
class Place:
    """The resolved target of a path."""

    path: Path
    """The path with all links resolved."""
    is_stream: bool
    """Whether it is written to directly: a pipe, a device, or an open file of this process (`/dev/stdout`)."""
    mode: int | None
    """The permissions of the file to replace; None if there is no such file yet."""

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Self:
        """Resolve a path.

        Raises:
            ArgumentError: the path is not writable.
        """
        with writing():
            name = os.fsdecode(path)
            try:
                found = os.stat(name)  # noqa: PTH116 (follows links, also to what has no name of its own)
            except FileNotFoundError:
                path = Path(os.path.realpath(name))
                if os.path.basename(name) in {"", "."} or path.is_dir():  # noqa: PTH119 (`Path` drops both)
                    raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file in it") from None
                return cls(path, is_stream=False, mode=None)
            kind = stat.S_IFMT(found.st_mode)
            if kind == stat.S_IFDIR:
                raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file in it")
            if kind == stat.S_IFSOCK:
                raise OSError(errno.ENXIO, "it is a socket")
            if kind != stat.S_IFREG or is_descriptor(name):
                return cls(Path(name), is_stream=True, mode=None)
            return cls(Path(os.path.realpath(name)), is_stream=False, mode=stat.S_IMODE(found.st_mode))

    def open_stream(self) -> IO[bytes] | None:
        """Open a pipe or device for appending; None for a pipe without a reader.

        Raises:
            ArgumentError: it cannot be opened.
        """
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        with writing():
            try:
                opened = os.open(self.path, flags)
            except OSError as problem:
                if problem.errno == errno.ENXIO and self.path.is_fifo():
                    return None
                raise
            os.set_blocking(opened, True)
            return os.fdopen(opened, "wb", buffering=0)


def is_descriptor(name: str) -> bool:
    """Whether a path resolves through `/proc/…/fd`, as `/dev/stdout` and `/dev/fd/3` do."""
    for _ in range(40):  # as many links as Linux follows (path_resolution(7))
        folder, last = os.path.split(name)  # of any text
        folder = os.path.realpath(folder)
        if folder.startswith("/proc/"):
            return True
        try:
            name = os.path.join(folder, os.readlink(os.path.join(folder, last)))  # noqa: PTH115, PTH118 (any text)
        except OSError:
            return False
    return False


class Target:
    """Writes to a file in large blocks.

    Args:
        file: Opened for writing in binary mode; for `AsyncClient`, also an async file.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_awaited = iscoroutinefunction(getattr(file, "write", None))

    def probe(self) -> Flow[None]:
        """Check that the file accepts bytes, by writing an empty chunk.

        Raises:
            ArgumentError: it does not accept bytes.
        """
        if not hasattr(self._file, "write"):
            raise ArgumentError(f"to must be a path or a file opened for writing, not {type(self._file).__name__}")
        try:
            with writing():
                answer = yield Notify(self._file.write, b"")
        except ConfigurationError as problem:  # that of a callback that cannot be awaited
            raise ArgumentError("a file that is awaited can be written by AsyncClient only") from problem
        self._is_awaited |= isawaitable(answer)
        if iscoroutine(answer):
            answer.close()

    def add(self, piece: bytes) -> Flow[None]:
        """Write or buffer the next bytes."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK_BYTES:
            yield from self.flush()

    def flush(self) -> Flow[None]:
        """Write the buffered bytes.

        Raises:
            ArgumentError: the file cannot be written.
        """
        block, self._pieces, self._size = b"".join(self._pieces), [], 0
        if block and not self._is_awaited:
            yield Work(partial(self._write, block))
            return
        with writing():
            while block:
                block = block[self._taken((yield Notify(self._file.write, block)), block) :]

    def _write(self, block: bytes) -> None:
        left = memoryview(block)
        with writing():
            while left:
                left = left[self._taken(self._file.write(left), left) :]

    def _taken(self, answer: object, block: bytes | memoryview) -> int:
        """Number of bytes written: a raw file may write only a part; the result of other files is not reliable."""
        if isinstance(self._file, io.RawIOBase) and not answer:
            raise BlockingIOError(errno.EAGAIN, "it takes no bytes at the moment; open it in blocking mode")
        return answer if isinstance(answer, int) and answer > 0 else len(block)


class PartialFile:
    """The partial file next to a path, which holds a download until it is complete and verified.

    Its name contains the file's id, so that its content belongs to that file; the bytes of a file never change. One
    download at a time uses it, across threads and processes; a concurrent one uses a temporary part instead.

    Args:
        place: The final destination.
        file_id: The file to download.
    """

    def __init__(self, place: Place, file_id: str) -> None:
        self._path = place.path
        self._mode = place.mode
        self._part = self._named(quote(file_id, safe=""))
        self._is_shared = True
        self._file: IO[bytes]

    def open(self, meter: Meter, *, resume: bool) -> IO[bytes]:
        """Open it for appending, and count its content.

        Args:
            meter: Counts the bytes of an earlier download.
            resume: Whether to keep these bytes.
        """
        with writing():
            self._file = self._shared() or self._own()
            try:
                self._permit(stat.S_IRUSR | stat.S_IWUSR)
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
        """Move it to the destination atomically."""
        with writing():
            self._permit(0)
        self._end(self._move)

    def _move(self) -> None:
        try:
            self._part.replace(self._path)
        except OSError as problem:
            if problem.errno != errno.EBUSY:
                raise
            from shutil import copyfileobj  # noqa: PLC0415 (it loads three libraries for compression)

            # A mounted file, such as of a container, cannot be replaced, so it is written; complete and verified bytes.
            self._file.seek(0)
            with self._path.open("wb") as target:
                copyfileobj(self._file, target, BLOCK_BYTES)
            self._part.unlink()

    def _permit(self, more: int) -> None:
        """Set the permissions of the file to replace, and write permission while it is written."""
        if self._mode is not None and hasattr(os, "fchmod"):  # not on Windows before Python 3.13
            os.fchmod(self._file.fileno(), self._mode | more)

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
                if is_another(os.fstat(file.fileno())) or not take(file.fileno()):
                    file.close()
                    return None
                # Another download may have moved or deleted it since it was opened here.
                if is_at(self._part, file):
                    return file
            except BaseException:
                file.close()
                raise
            file.close()

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


def is_another(found: os.stat_result) -> bool:
    """Whether a file is something else than a part: not a regular file, or one that has another name too."""
    return not stat.S_ISREG(found.st_mode) or found.st_nlink > 1


def is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether an open file is the file at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def writing() -> Generator[None]:
    """Replace errors of a file by ones that explain the problem; compressors raise errors of many types."""
    try:
        yield
    except RedcoreError:
        raise
    except TypeError as problem:
        raise ArgumentError("the file cannot be written: it takes no bytes; open it in binary mode") from problem
    except Exception as problem:
        let_through(problem)
        raise ArgumentError(explained(problem, "written")) from problem
