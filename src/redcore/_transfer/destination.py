"""Where a download goes: a path, by way of a file beside it; a pipe or a device; a file that the application opened.

What a path leads to keeps being what it was: a link stays and its file is replaced with the same permissions, a pipe
or a device is written through, a folder or a socket is refused. All refusals come before anything is asked for.
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

from redcore._call.steps import Flow, Notify, Work
from redcore._wire.progress import Meter
from redcore.exceptions import ArgumentError, ConfigurationError
from redcore.tokens.file_lock import take

BLOCK_BYTES = 1024 * 1024  # few writes, and little memory
NAME_BYTES = 255  # of one file name (NAME_MAX of Linux, macOS and, in characters, Windows)


@attrs.frozen
class Place:
    """Where a path leads."""

    path: Path
    """Behind all links."""
    is_stream: bool
    """Whether it is written through: a pipe, a device, or a file that this process has open (`/dev/stdout`)."""
    mode: int | None
    """The permissions of a file that is replaced; None if there is none yet."""

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Self:
        """Look where a path leads.

        Raises:
            ArgumentError: nothing can be written there.
        """
        with writing():
            name = os.fsdecode(path)
            try:
                found = os.stat(name)  # noqa: PTH116 (follows links, also to what has no name of its own)
            except FileNotFoundError:
                if name.endswith(("/", os.sep)):
                    raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file in it") from None
                return cls(Path(os.path.realpath(name)), is_stream=False, mode=None)
            kind = stat.S_IFMT(found.st_mode)
            if kind == stat.S_IFDIR:
                raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file in it")
            if kind == stat.S_IFSOCK:
                raise OSError(errno.ENXIO, "it is a socket")
            if kind != stat.S_IFREG or is_descriptor(name):
                return cls(Path(name), is_stream=True, mode=None)
            return cls(Path(os.path.realpath(name)), is_stream=False, mode=stat.S_IMODE(found.st_mode))

    def open_stream(self) -> IO[bytes] | None:
        """Open what is written through, to add to it; None for a pipe that has no reader yet.

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
    """Whether a path leads to a file by way of `/proc/…/fd`, as `/dev/stdout` does."""
    for _ in range(40):  # as many links as Linux follows (path_resolution(7))
        if name.startswith("/proc/"):
            return True
        try:
            name = os.path.join(os.path.dirname(name), os.readlink(name))  # noqa: PTH115, PTH118, PTH120 (any text)
        except OSError:
            return False
    return False


class Target:
    """A file that is written in large blocks.

    Args:
        file: Opened for writing in binary mode; one whose `write` is awaited, for `AsyncClient`.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_awaited = iscoroutinefunction(getattr(file, "write", None))

    def probe(self) -> Flow[None]:
        """See that it takes bytes, by writing none.

        Raises:
            ArgumentError: it does not.
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
        """Write the next bytes, now or together with later ones."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK_BYTES:
            yield from self.flush()

    def flush(self) -> Flow[None]:
        """Write what is not written yet.

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
        """How many bytes a write took: a raw file may take only a part, other files say what they like."""
        if isinstance(self._file, io.RawIOBase) and not answer:
            raise BlockingIOError(errno.EAGAIN, "it takes no bytes at the moment; open it in blocking mode")
        return answer if isinstance(answer, int) and answer > 0 else len(block)


class Part:
    """The file beside a path that holds a download until it is complete and checked.

    Its name has the file's id, so that what is there is of that file; the bytes of a file never change. One download
    at a time has it, of all threads and processes; another one meanwhile has a part of its own, which never stays.

    Args:
        place: Where the download is to be in the end.
        file_id: What is downloaded.
    """

    def __init__(self, place: Place, file_id: str) -> None:
        self._path = place.path
        self._mode = place.mode
        self._part = self._named(quote(file_id, safe=""))
        self._is_shared = True
        self._file: IO[bytes]

    def open(self, meter: Meter, *, resume: bool) -> IO[bytes]:
        """Open it, to add to what is there, which is counted.

        Args:
            meter: Counts what an earlier download has left.
            resume: Whether that is to stay.
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
        """Remove it."""
        self._end(self._part.unlink)

    def leave(self) -> None:
        """Leave what has come to another download."""
        if self._is_shared and os.fstat(self._file.fileno()).st_size:
            self._file.close()
        else:
            self.drop()

    def keep(self) -> None:
        """Put it where the download is to be; half a file is never seen there."""
        with writing():
            self._permit(0)
        self._end(partial(self._part.replace, self._path))

    def _permit(self, more: int) -> None:
        """Give it the permissions of the file that it will replace, and more while it is written."""
        if self._mode is not None and hasattr(os, "fchmod"):  # not on Windows before Python 3.13
            os.fchmod(self._file.fileno(), self._mode | more)

    def _named(self, middle: str) -> Path:
        name = f"{self._path.name}.{middle}.part"
        if len(os.fsencode(name)) > NAME_BYTES:
            name = f"{hashlib.sha256(os.fsencode(name)).hexdigest()}.part"
        return self._path.with_name(name)

    def _shared(self) -> IO[bytes] | None:
        """The part that stays; None if another download has it."""
        while True:
            file = self._part.open("a+b", buffering=0)
            try:
                if not take(file.fileno()):
                    file.close()
                    return None
                # Whoever had it before may have moved it to the path, or removed it, since it was opened here.
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
        """Move or remove it while it is still locked; Windows does that with closed files only."""
        with writing():
            if os.name == "nt":
                self._file.close()
            try:
                move()
            finally:
                self._file.close()


def is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether a file that is open is the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def writing() -> Generator[None]:
    """Say what is wrong with a file."""
    try:
        yield
    except ArgumentError:
        raise
    except (OSError, ValueError) as problem:  # the second for a file that was closed, or a name with a NUL
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise ArgumentError(f"the file cannot be written: {reason}") from problem
    except TypeError as problem:
        raise ArgumentError("the file cannot be written: it takes no bytes; open it in binary mode") from problem
