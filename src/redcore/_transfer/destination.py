"""Destinations of downloads: a path, a pipe or device, a file of the application.

The kind of file at a path is preserved: a symbolic link stays and its target is replaced, a pipe or device is written
to directly, a folder or socket is rejected. All checks are made before any request.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from pathlib import Path
from typing import IO, Any, Self

import attrs

from redcore._base.signal_handlers import let_through
from redcore._call.steps import Flow, Notify, Sleep, Work
from redcore._wire.file_sources import MOMENT_MS, is_ready
from redcore._wire.source import PIECE_BYTES, explained
from redcore.exceptions import ArgumentError, ConfigurationError, RedcoreError

BLOCK_BYTES = 1024 * 1024  # few writes at little memory


@attrs.frozen
class Place:
    """The resolved target of a path."""

    path: Path
    """The path with all links resolved."""
    is_stream: bool
    """Whether it is written to directly: a pipe, a device, or an open file of this process (`/dev/stdout`)."""
    found: os.stat_result | None
    """The file to replace; None if there is no such file yet."""

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
                return cls(path, is_stream=False, found=None)
            kind = stat.S_IFMT(found.st_mode)
            if kind == stat.S_IFDIR:
                raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file in it")
            if kind == stat.S_IFSOCK:
                raise OSError(errno.ENXIO, "it is a socket")
            if kind != stat.S_IFREG or is_descriptor(name):
                return cls(Path(name), is_stream=True, found=None)
            return cls(Path(os.path.realpath(name)), is_stream=False, found=found)

    def open_stream(self) -> IO[bytes] | None:
        """Open a pipe or device for appending; None for a pipe without a reader. A pipe never blocks.

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
            if not stat.S_ISFIFO(os.fstat(opened).st_mode):
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
                yield Notify(self._first, b"")
        except ConfigurationError as problem:  # that of a callback that cannot be awaited
            raise ArgumentError("a file that is awaited can be written by AsyncClient only") from problem

    def _first(self, nothing: bytes) -> object:
        """Write; note whether the result is awaited, which the method itself need not show."""
        answer = self._file.write(nothing)
        self._is_awaited |= isawaitable(answer)
        return answer

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
            yield from self._written(block)
            return
        with writing():
            while block:
                block = block[self._taken((yield Notify(self._file.write, block)), block) :]

    def _written(self, block: bytes) -> Flow[None]:
        yield Work(partial(self._write, block))

    def _write(self, block: bytes) -> None:
        left = memoryview(block)
        piece = block
        with writing():
            while left:
                left = left[self._taken(self._file.write(piece), piece) :]
                piece = bytes(left[:PIECE_BYTES])  # not all files take a view

    def _taken(self, answer: object, block: bytes) -> int:
        """Number of bytes written: a raw file may write only a part; the result of other files is not reliable."""
        if isinstance(self._file, io.RawIOBase) and not answer:
            raise BlockingIOError(errno.EAGAIN, "it takes no bytes at the moment; open it in blocking mode")
        return answer if type(answer) is int and answer > 0 else len(block)  # not True


class PipeTarget(Target):
    """Writes to a pipe as fast as its reader takes the bytes.

    Args:
        file: The pipe, which does not block.
        check: Raises when the deadline has passed.
    """

    def __init__(self, file: IO[bytes], check: Callable[[], object]) -> None:
        super().__init__(file)
        self._pipe = file
        self._check = check

    def _written(self, block: bytes) -> Flow[None]:
        left = memoryview(block)
        while left := (yield Work(partial(self._write_some, left))):
            self._check()
            yield Sleep(0.0)  # where a cancellation is delivered

    def _write_some(self, left: memoryview) -> memoryview:
        """Write what the pipe takes; returns the rest, after a moment without a taker."""
        with writing():
            while left and is_ready(self._pipe, select.POLLOUT, MOMENT_MS):
                left = left[self._pipe.write(left) or 0 :]
        return left


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
