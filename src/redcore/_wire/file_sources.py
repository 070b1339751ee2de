"""Sources of uploads that are files: open ones, paths and pipes, and files that are awaited."""

from __future__ import annotations

import io
import mimetypes
import os
import select
import stat
import sys
from collections.abc import Callable
from inspect import iscoroutinefunction
from pathlib import Path
from typing import IO, Any

from redcore._base.signal_handlers import let_through
from redcore._wire.source import DEFAULT_NAME, PIECE_BYTES, Awaited, Source, as_bytes, reading
from redcore.exceptions import ArgumentError

MOMENT_MS = 50  # between two looks at the deadline
UNPACKING = {"gzip", "bz2", "lzma"}
"""The modules whose files have the name of a compressed file and read what is in it."""


class Opened(Source):
    """A file that the application opened for reading in binary mode; read from its current position."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left: int | None = None
        self._started = False
        self.name = name_of(file)
        with reading():
            self.replayable = can_seek(file)
            if self.replayable:
                self._first = file.tell()
                self.size = self._measured()

    def _measured(self) -> int | None:
        """Bytes from the current position; None if the reported size is wrong: 0 in /proc, a memory page in /sys."""
        found = 0
        while found < PIECE_BYTES and (piece := as_bytes(self._file.read(PIECE_BYTES - found))):
            found += len(piece)
        try:
            self._file.seek(0, io.SEEK_END)
            size = max(0, self._file.tell() - self._first)
        except OSError:
            size = 0
        self._file.seek(self._first)
        is_right = size == found if found < PIECE_BYTES else size >= found
        return size if is_right else None

    def start(self) -> None:
        """Rewind to the first byte."""
        if self._started and not self.replayable:
            raise ArgumentError("the file was read already and cannot be rewound")
        if self._started:
            with reading():
                self._file.seek(self._first)
        self._started = True
        self._left = self.size

    def read(self) -> bytes:
        """Return the next bytes, in total no more than the file had at the start."""
        wanted = PIECE_BYTES if self._left is None else min(PIECE_BYTES, self._left)
        with reading():
            piece = as_bytes(self._file.read(wanted)) if wanted else b""
        if self._left is not None:
            if wanted and not piece:
                raise ArgumentError(f"the file became {self._left} bytes shorter while it was sent")
            self._left -= len(piece)
        return piece


class Stored(Source):
    """A file or device on disk, opened when it is sent."""

    def __init__(self, path: Path, kind: int) -> None:
        self._path = path
        self._inner: Opened | None = None
        self._file: IO[bytes] | None = None
        self.name = path.name
        self.replayable = kind == stat.S_IFREG
        if self.replayable:
            with reading(), self._path.open("rb") as file:  # checked now, before the request has begun
                self.size = Opened(file).size

    def start(self) -> None:
        """Rewind to the first byte."""
        if self._inner is None:
            with reading():
                self._file = self._path.open("rb")
            self._inner = Opened(self._file)
            self._inner.size = self.size
        self._inner.start()

    def read(self) -> bytes:
        """Return the next bytes."""
        return b"" if self._inner is None else self._inner.read()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = self._inner = None


class NamedPipe(Source):
    """A FIFO, read until its writers close it."""

    waits = True

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.check: Callable[[], object] = lambda: None
        """Raises when the deadline has passed."""
        self._path = path
        self._file: IO[bytes] | None = None
        self._is_started = False

    def open(self) -> bool:
        """Open it, without waiting for a writer; returns whether there are bytes to read, or an end.

        Raises:
            ArgumentError: it cannot be opened.
        """
        if sys.platform != "linux":  # others report the end of a pipe that has had no writer yet; `start` waits for one
            return True
        with reading():
            if self._file is None:
                self._file = open(self._path, "rb", buffering=0, opener=open_at_once)  # noqa: SIM115 (see `close`)
            return is_ready(self._file, select.POLLIN, 0)

    def start(self) -> None:
        """Wait for a writer, unless it was opened before."""
        if self._is_started:
            raise ArgumentError("the pipe was read already and cannot be rewound")
        self._is_started = True
        with reading():
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            os.set_blocking(self._file.fileno(), True)

    def ready(self) -> bool:
        """Whether it has bytes, or an end; waits a moment for them."""
        if self._file is None or is_ready(self._file, select.POLLIN, MOMENT_MS):
            return True
        self.check()
        return False

    def read(self) -> bytes:
        """Return the next bytes."""
        while not self.ready():
            pass
        if self._file is None:
            return b""
        with reading():
            return self._file.read(PIECE_BYTES)

    def close(self) -> None:
        """Close it; a writer that goes on is stopped by the system."""
        if self._file is not None:
            self._file.close()
        self._file = None


def open_at_once(name: str, flags: int) -> int:
    """Open a pipe without waiting for its other end."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def is_ready(pipe: IO[bytes], event: int, wait_ms: int) -> bool:
    """Whether reading or writing a pipe would not block: it has bytes or room, or its other end was closed."""
    poll = select.poll()
    poll.register(pipe, event)  # POLLHUP and POLLERR are always reported, once there has been another end (poll(2))
    return bool(poll.poll(wait_ms))


class AwaitedFile(Awaited):
    """A file with coroutine functions as methods, such as one of aiofiles; read from its current position."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._first: int | None = None
        self._started = False
        self.name = name_of(file)

    async def start_async(self) -> None:
        """Rewind to the first byte."""
        with reading():
            if self._first is not None:
                await self._file.seek(self._first)
            elif self._started:
                raise ArgumentError("the file was read already and cannot be rewound")
            elif iscoroutinefunction(getattr(self._file, "seekable", None)) and await self._file.seekable():
                self._first = await self._file.tell()
                self.replayable = True
        self._started = True

    async def read_async(self) -> bytes:
        """Return the next bytes."""
        with reading():
            return as_bytes(await self._file.read(PIECE_BYTES))


def name_of(file: object) -> str:
    """The name of a file: of an upload received by a web framework, or of an open file."""
    # `GzipFile.filename` is deprecated; those of web frameworks are not from `io`.
    received_as = None if isinstance(file, io.IOBase) else getattr(file, "filename", None)
    if isinstance(received_as, str):
        received_as = received_as.rpartition("\\")[2]  # some browsers send the full path (RFC 7578 section 4.2)
    for name in (received_as, getattr(file, "name", None)):
        if isinstance(name, str | bytes) and name:
            return name_of_content(file, os.path.basename(os.fsdecode(name))) or DEFAULT_NAME  # noqa: PTH119 (any text)
    return DEFAULT_NAME


def name_of_content(file: object, name: str) -> str:
    """The name of what a file reads, which is not that of the file if it unpacks it; empty if nothing says it."""
    library = type(file).__module__
    if library == "tarfile" and sys.version_info < (3, 12):  # gives the name of the archive (cpython#74468)
        return ""
    if library not in UNPACKING:
        return name
    stem, ending = os.path.splitext(name)  # noqa: PTH122 (any text)
    stem, ending = os.path.splitext(stem + mimetypes.suffix_map.get(ending, ending))  # noqa: PTH122 (such as .tgz)
    return stem if ending in mimetypes.encodings_map else stem + ending


def can_seek(file: Any) -> bool:
    """Whether a file can be read a second time; some files support only `read`, others do not say that they can."""
    if hasattr(file, "seekable"):
        return hasattr(file, "seek") and hasattr(file, "tell") and bool(file.seekable())
    try:  # mmap before Python 3.13, and files of other libraries
        file.seek(file.tell())
    except Exception as problem:  # noqa: BLE001 (of any type; it is read once then)
        let_through(problem)
        return False
    return True
