"""Sources of uploads, read in chunks while they are sent: bytes, files, paths, iterators.

Invalid content is rejected when a source is created, before anything is sent, unless only reading can reveal it.
"""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Generator, Iterable
from contextlib import contextmanager
from inspect import iscoroutinefunction
from pathlib import Path
from typing import IO, Any, cast

from redcore._base.signal_handlers import let_through
from redcore.exceptions import ArgumentError, RedcoreError

PIECE_BYTES = 64 * 1024  # the amount that a connection accepts at a time
DEFAULT_NAME = "upload"
MODES = {"read": "rb", "written": "wb"}


class Source(ABC):
    """The bytes of one upload, from the initial position to the end."""

    name: str = DEFAULT_NAME
    content_type: str | None = None
    """The media type, if the file has one."""
    size: int | None = None
    """Total size in bytes; None if unknown."""
    replayable = False
    """Whether the bytes can be read a second time."""
    blocks = True
    """Whether reading may block on disk I/O or on the application."""

    @abstractmethod
    def start(self) -> None:
        """Rewind to the first byte.

        Raises:
            ArgumentError: the file cannot be read or rewound.
        """

    @abstractmethod
    def read(self) -> bytes:
        """Return the next bytes; empty at the end.

        Raises:
            ArgumentError: the file cannot be read, is not binary, or was truncated.
        """

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Close a file that was opened here; files of the application stay open."""


class Held(Source):
    """Bytes in memory."""

    replayable = True
    blocks = False

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        with reading():
            self._view = flat(content)
        self.size = len(self._view)
        self._at = 0

    def start(self) -> None:
        """Rewind to the first byte."""
        self._at = 0

    def read(self) -> bytes:
        """Return the next bytes."""
        piece = bytes(self._view[self._at : self._at + PIECE_BYTES])
        self._at += len(piece)
        return piece


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
        while found < PIECE_BYTES and (piece := checked(self._file.read(PIECE_BYTES - found))):
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
            piece = checked(self._file.read(wanted)) if wanted else b""
        if self._left is not None:
            if wanted and not piece:
                raise ArgumentError(f"the file became {self._left} bytes shorter while it was sent")
            self._left -= len(piece)
        return piece


class NamedPipe(Source):
    """A FIFO, read until its writers close it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
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
            return can_read(self._file)

    def start(self) -> None:
        """Wait for a writer, unless it was opened before."""
        if self._is_started:
            raise ArgumentError("the pipe was read already and cannot be rewound")
        self._is_started = True
        with reading():
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            os.set_blocking(self._file.fileno(), True)

    def read(self) -> bytes:
        """Return the next bytes."""
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


def can_read(pipe: IO[bytes]) -> bool:
    """Whether reading a pipe would not block: it has bytes, or its last writer has closed it."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)  # POLLHUP is always reported, once there has been a writer (poll(2))
    return bool(poll.poll(0))


REFUSED = {stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket"}


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


class Pieces(Source):
    """An iterator of the application, which can be read once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._started = False

    def start(self) -> None:
        """Do nothing the first time."""
        if self._started:
            raise ArgumentError("the pieces were sent already and cannot be had again")
        self._started = True

    def read(self) -> bytes:
        """Return the next non-empty chunk."""
        return next((piece for piece in map(checked, self._pieces) if piece), b"")


class Awaited(Source):
    """An async source, for `AsyncClient` only."""

    def start(self) -> None:
        """Not possible without awaiting."""
        raise ArgumentError("a file or an iterator that is awaited can be uploaded by AsyncClient only")

    def read(self) -> bytes:
        """Not possible without awaiting."""
        self.start()
        return b""

    @abstractmethod
    async def start_async(self) -> None:
        """Rewind to the first byte; raises as `Source.start` does."""

    @abstractmethod
    async def read_async(self) -> bytes:
        """Return the next bytes; empty at the end; raises as `Source.read` does."""


class AwaitedPieces(Awaited):
    """An iterator of the application, which can be read once."""

    def __init__(self, pieces: AsyncIterable[bytes]) -> None:
        self._awaited = aiter(pieces)
        self._started = False

    async def start_async(self) -> None:
        """Do nothing the first time."""
        if self._started:
            raise ArgumentError("the pieces were sent already and cannot be had again")
        self._started = True

    async def read_async(self) -> bytes:
        """Return the next non-empty chunk."""
        async for piece in self._awaited:
            if checked(piece):
                return piece
        return b""


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
            return checked(await self._file.read(PIECE_BYTES))


def is_awaited(content: object) -> bool:
    """Whether the content is async, which only `AsyncClient` can read."""
    read = getattr(inner_file(content), "read", None)
    return isinstance(content, AsyncIterable) if read is None else iscoroutinefunction(read)


def source_of(content: object) -> Source | None:
    """Make the source of a value; None if it cannot be uploaded.

    Raises:
        ArgumentError: it cannot be read.
    """
    given: Any = inner_file(content)  # duck typing
    if isinstance(content, bytes | bytearray | memoryview):
        return Held(given)
    if isinstance(content, os.PathLike):
        return at_path(given)
    if hasattr(given, "read"):
        return file_source(content, given)
    if isinstance(content, AsyncIterable):
        return AwaitedPieces(given)
    if isinstance(content, Iterable) and not isinstance(content, str):
        return Pieces(given)
    return None


def at_path(path: os.PathLike[str]) -> Source:
    """Make the source of a path; raises as `source_of` does."""
    with reading():
        found = Path(os.fsdecode(path))
        kind = stat.S_IFMT(found.stat().st_mode)
    if kind in REFUSED:
        raise ArgumentError(f"the file cannot be read: it is {REFUSED[kind]}")
    return NamedPipe(found) if kind == stat.S_IFIFO else Stored(found, kind)


def file_source(content: object, file: Any) -> Source | None:
    """Make the source of a file; None if it is closed or in text mode."""
    awaits = iscoroutinefunction(file.read)
    if isinstance(file, io.TextIOBase) or getattr(file, "closed", False) is True:
        return None
    if awaits and "b" not in str(getattr(file, "mode", "b")):
        return None
    source = AwaitedFile(file) if awaits else Opened(file)
    source.name = name_of(content) if content is not file else source.name
    media = getattr(content, "content_type", None)  # an upload received by a web framework
    source.content_type = media if isinstance(media, str) and media else None
    return source


def inner_file(content: object) -> object:
    """The sync file behind an `UploadFile` of Starlette, or behind a file of anyio or trio."""
    if iscoroutinefunction(getattr(content, "read", None)):
        for name in ("file", "wrapped"):
            read = getattr(inner := getattr(content, name, None), "read", None)
            if read is not None and not iscoroutinefunction(read):
                return inner
    return content


def name_of(file: object) -> str:
    """The name of a file: of an upload received by a web framework, or of an open file."""
    # `GzipFile.filename` is deprecated; those of web frameworks are not from `io`.
    received_as = None if isinstance(file, io.IOBase) else getattr(file, "filename", None)
    for name in (received_as, getattr(file, "name", None)):
        if isinstance(name, str | bytes) and name:
            return os.path.basename(os.fsdecode(name)) or DEFAULT_NAME  # noqa: PTH119 (any text)
    return DEFAULT_NAME


def can_seek(file: Any) -> bool:
    """Whether a file can be read a second time; some files support only `read`."""
    return all(hasattr(file, method) for method in ("seekable", "seek", "tell")) and bool(file.seekable())


def flat(content: bytes | bytearray | memoryview) -> memoryview:
    """The bytes of an object in memory; those that are not one row of bytes are copied.

    Raises:
        ValueError: it was released.
    """
    view = memoryview(content)
    try:
        return view.cast("B")
    except (TypeError, ValueError):  # every second byte, say, or numbers of another byte order
        return memoryview(view.tobytes())


def checked(piece: object) -> bytes:
    """Check that a chunk is bytes."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray | memoryview):
        return bytes(cast("bytearray | memoryview[int]", piece))
    raise ArgumentError(f"the file gave {type(piece).__name__}, not bytes")


@contextmanager
def reading() -> Generator[None]:
    """Replace errors of a file by ones that explain the problem; decompressors raise errors of many types."""
    try:
        yield
    except RedcoreError:
        raise
    except Exception as problem:
        let_through(problem)
        raise ArgumentError(explained(problem, "read")) from problem


def explained(problem: Exception, what: str) -> str:
    """Say which file cannot be read or written, as far as the system says it, and why."""
    name = problem.filename if isinstance(problem, OSError) and isinstance(problem.filename, str) else "the file"
    reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    if isinstance(problem, io.UnsupportedOperation):  # its text is the name of the method
        reason = f'it was opened for something else; open it with mode "{MODES[what]}"'
    return f"{name} cannot be {what}: {reason or type(problem).__name__}"
