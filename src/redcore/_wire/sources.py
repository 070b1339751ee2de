"""What can be uploaded, as pieces that are read when they are sent: bytes, files, paths, iterators."""

from __future__ import annotations

import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from redcore.exceptions import ArgumentError

PIECE_BYTES = 64 * 1024
DEFAULT_NAME = "upload"


class Source(ABC):
    """The bytes of one upload, from where they began to their end."""

    name: str = DEFAULT_NAME
    size: int | None = None
    """Bytes in all; None if nobody knows."""
    replayable = False
    """Whether they can be read a second time."""
    blocks = True
    """Whether reading may wait for a disk or for the application."""

    @abstractmethod
    def start(self) -> None:
        """Go to the first byte.

        Raises:
            ArgumentError: the file cannot be read, or its bytes are gone.
        """

    @abstractmethod
    def read(self) -> bytes:
        """The next bytes; empty at the end.

        Raises:
            ArgumentError: the file cannot be read, is not binary, or has become shorter.
        """

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Close what was opened here; what the application opened stays open."""


class Held(Source):
    """Bytes in memory."""

    replayable = True
    blocks = False

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self._view = memoryview(content).cast("B")
        self.size = len(self._view)
        self._at = 0

    def start(self) -> None:
        """Go to the first byte."""
        self._at = 0

    def read(self) -> bytes:
        """The next bytes."""
        piece = bytes(self._view[self._at : self._at + PIECE_BYTES])
        self._at += len(piece)
        return piece


class Opened(Source):
    """A file that the application opened for reading in binary mode; it is read from where it stands."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left: int | None = None
        self._started = False
        name = getattr(file, "name", None)
        self.name = os.path.basename(name) if isinstance(name, str) and name else DEFAULT_NAME  # noqa: PTH119 (any text)
        seekable = getattr(file, "seekable", None)  # some streams know only how to read
        self.replayable = seekable is not None and bool(seekable())
        if self.replayable:
            with reading():
                self._first = file.tell()
                self.size = max(0, file.seek(0, io.SEEK_END) - self._first)
                file.seek(self._first)

    def start(self) -> None:
        """Go to the first byte."""
        if self._started and not self.replayable:
            raise ArgumentError("the file was read already and cannot be rewound")
        if self._started:
            with reading():
                self._file.seek(self._first)
        self._started = True
        self._left = self.size

    def read(self) -> bytes:
        """The next bytes, at most as many as the file had when it was handed over."""
        wanted = PIECE_BYTES if self._left is None else min(PIECE_BYTES, self._left)
        with reading():
            piece = checked(self._file.read(wanted)) if wanted else b""
        if self._left is not None:
            if wanted and not piece:
                raise ArgumentError(f"the file became {self._left} bytes shorter while it was sent")
            self._left -= len(piece)
        return piece


class Stored(Source):
    """A file of the disk, opened when it is sent."""

    def __init__(self, path: os.PathLike[str]) -> None:
        self._path = Path(path)
        self._inner: Opened | None = None
        self._file: IO[bytes] | None = None
        self.name = self._path.name
        with reading():
            found = self._path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ArgumentError("the file cannot be read: it is a folder")
        self.replayable = stat.S_ISREG(found.st_mode)
        self.size = found.st_size if self.replayable else None

    def start(self) -> None:
        """Go to the first byte."""
        if self._inner is None:
            with reading():
                self._file = self._path.open("rb")
            self._inner = Opened(self._file)
            self._inner.size = self.size
        self._inner.start()

    def read(self) -> bytes:
        """The next bytes."""
        return b"" if self._inner is None else self._inner.read()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = self._inner = None


class Pieces(Source):
    """What the application gives piece by piece, once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._started = False

    def start(self) -> None:
        """Nothing, the first time."""
        if self._started:
            raise ArgumentError("the pieces were sent already and cannot be had again")
        self._started = True

    def read(self) -> bytes:
        """The next piece that is not empty."""
        return next((piece for piece in map(checked, self._pieces) if piece), b"")


class AwaitedPieces(Pieces):
    """What the application gives piece by piece, once, to an `AsyncClient`."""

    def __init__(self, pieces: AsyncIterable[bytes]) -> None:
        super().__init__(())
        self._awaited = aiter(pieces)

    def read(self) -> bytes:
        """Not possible without awaiting."""
        raise ArgumentError("an asynchronous iterator can be uploaded by AsyncClient only")

    async def read_async(self) -> bytes:
        """The next piece that is not empty."""
        async for piece in self._awaited:
            if checked(piece):
                return piece
        return b""


def source_of(content: object) -> Source | None:
    """What reads a value; None if it is nothing that can be uploaded.

    Raises:
        ArgumentError: it is a path that cannot be read.
    """
    given: Any = content  # typed by what it can do
    if isinstance(content, bytes | bytearray | memoryview):
        return Held(given)
    if isinstance(content, os.PathLike):
        return Stored(given)
    if hasattr(content, "read"):
        return None if isinstance(content, io.TextIOBase) or getattr(content, "closed", False) else Opened(given)
    if isinstance(content, AsyncIterable):
        return AwaitedPieces(given)
    if isinstance(content, Iterable) and not isinstance(content, str):
        return Pieces(given)
    return None


def checked(piece: object) -> bytes:
    """A piece, if it is one."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray):
        return bytes(piece)
    raise ArgumentError(f"the file gave {type(piece).__name__}, not bytes")


@contextmanager
def reading() -> Generator[None]:
    """Say what is wrong with a file."""
    try:
        yield
    except ArgumentError:
        raise
    except (OSError, ValueError) as problem:  # the second for a file that was closed, or a name with a NUL
        told = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise ArgumentError(f"the file cannot be read: {told}") from problem
