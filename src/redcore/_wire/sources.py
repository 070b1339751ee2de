"""Makes the source of what is uploaded: bytes and iterators, or files (`file_sources`).

Invalid content is rejected when a source is created, before anything is sent, unless only reading can reveal it.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from redcore._wire.file_sources import AwaitedFile, NamedPipe, Opened, Stored, name_of
from redcore._wire.source import PIECE_BYTES, Awaited, Source, as_bytes, reading
from redcore.exceptions import ArgumentError

REFUSED = {stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket"}


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


class Pieces(Source):
    """An iterator of the application, which can be read once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        if isinstance(pieces, list | tuple):
            for piece in pieces:
                as_bytes(piece)
        self._parts = (part for piece in pieces for part in parts(as_bytes(piece)))
        self._started = False

    def start(self) -> None:
        """Do nothing the first time."""
        if self._started:
            raise ArgumentError("the pieces were sent already and cannot be had again")
        self._started = True

    def read(self) -> bytes:
        """Return the next bytes."""
        return next(self._parts, b"")


class AwaitedPieces(Awaited):
    """An iterator of the application, which can be read once."""

    def __init__(self, pieces: AsyncIterable[bytes]) -> None:
        self._awaited = aiter(pieces)
        self._parts: Iterator[bytes] = iter(())
        self._started = False

    async def start_async(self) -> None:
        """Do nothing the first time."""
        if self._started:
            raise ArgumentError("the pieces were sent already and cannot be had again")
        self._started = True

    async def read_async(self) -> bytes:
        """Return the next bytes."""
        while not (part := next(self._parts, b"")):
            try:
                self._parts = parts(as_bytes(await anext(self._awaited)))
            except StopAsyncIteration:
                break
        return part


def parts(piece: bytes) -> Iterator[bytes]:
    """Cut a chunk of any size into what a connection accepts at a time, which is what timeouts and progress count."""
    return (piece[at : at + PIECE_BYTES] for at in range(0, len(piece), PIECE_BYTES))


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
    if isinstance(content, Iterable) and not isinstance(content, str | Mapping):
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
    """Make the source of a file; None if it is in text mode.

    Raises:
        ArgumentError: it is closed, as web frameworks close theirs before background tasks run.
    """
    awaits = iscoroutinefunction(file.read)
    if isinstance(file, io.TextIOBase):
        return None
    if getattr(file, "closed", False) is True:
        raise ArgumentError("the file cannot be read: it is closed")
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
