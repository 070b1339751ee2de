"""A multipart body with a file (RFC 7578), generated while it is sent; the file is not held in memory.

Iterated once for each attempt, by `for` or by `async for`.
"""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, TypeVar

import attrs
from anyio import to_thread
from anyio.lowlevel import checkpoint

from redcore._base.cancellation import to_the_end
from redcore._wire.callbacks import at_once
from redcore._wire.progress import Meter
from redcore._wire.source import Awaited, Source
from redcore._wire.sources import source_of
from redcore.exceptions import ArgumentError

T = TypeVar("T")
ANY_TYPE = "application/octet-stream"
COMPRESSED = {
    "br": "application/x-brotli",
    "bzip2": "application/x-bzip2",
    "compress": "application/x-compress",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}
"""The media type of a file by the compression that `mimetypes` recognizes in its name."""
ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A", "\\": "%5C"})
"""As browsers do (WHATWG HTML, multipart/form-data); and the backslash, which many servers read as an escape."""


@attrs.frozen(kw_only=True, eq=False)
class FilePart:
    """The file of a multipart body."""

    source: Source = attrs.field(repr=False)
    name: str
    """The file name in the part's header."""
    content_type: str
    meter: Meter | None = attrs.field(default=None, repr=False)
    """Counts the bytes for progress; None without a progress callback."""

    @classmethod
    def of(cls, content: Any, *, name: str | None = None, content_type: object = None) -> FilePart | None:
        """Make the part for content of the application; None if it cannot be uploaded.

        Args:
            content: Bytes, a binary file, a path, or an iterator of bytes.
            name: Its name; None means the file's own name.
            content_type: Its media type; None guesses it from the name.

        Raises:
            ArgumentError: the file cannot be read, or the media type is invalid.
        """
        source = source_of(content)
        if source is None:
            return None
        known = shown(name or source.name)
        media = content_type or source.content_type or guessed_type(known)
        if not (isinstance(media, str) and media.isascii() and media.isprintable() and "/" in media):
            raise ArgumentError("content_type must be a media type, such as text/csv")
        return cls(source=source, name=known, content_type=media)


def guessed_type(name: str) -> str:
    """The media type of a file by its name: that of its bytes, as `a.csv.gz` is not text."""
    kind, compression = mimetypes.guess_type(name)
    return (kind if compression is None else COMPRESSED.get(compression)) or ANY_TYPE


class Multipart:
    """The body.

    Args:
        fields: The parts that are not files.
        field: Name of the file part.
        part: The file.
    """

    def __init__(self, fields: Mapping[str, str], field: str, part: FilePart) -> None:
        boundary = uuid.uuid4().hex
        texts = [opening(boundary, name) + value.encode() + b"\r\n" for name, value in fields.items()]
        about = f'; filename="{part.name.translate(ESCAPES)}"\r\nContent-Type: {part.content_type}'
        self.part = part
        self.head: bytes = b"".join([*texts, opening(boundary, field, about)])
        """The bytes before the file."""
        self.tail: bytes = f"\r\n--{boundary}--\r\n".encode()
        """The bytes after the file."""
        self.content_type: str = f"multipart/form-data; boundary={boundary}"
        self.failure: Exception | None = None
        """The error that the application's file, iterator or callback raised; HTTP libraries may wrap it."""
        self._started = False

    @property
    def replayable(self) -> bool:
        """Whether another attempt would send the same bytes; always True until the first read."""
        return not self._started or self.part.source.replayable

    @property
    def framing(self) -> tuple[str, str]:
        """The header that frames the body (RFC 9112 section 6)."""
        size = self.part.source.size
        if size is None:
            return "Transfer-Encoding", "chunked"
        return "Content-Length", str(len(self.head) + size + len(self.tail))

    def close(self) -> None:
        """Close the file, if it was opened here."""
        self.part.source.close()

    def start(self) -> None:
        """Rewind to the first byte of the file."""
        self._begin()
        self.part.source.start()

    async def start_async(self, source: Awaited) -> None:
        """Like `start`, awaited."""
        self._begin()
        await source.start_async()

    def _begin(self) -> None:
        self._started = True
        if self.part.meter is not None:
            self.part.meter.restart()

    def read(self) -> bytes:
        """Return the next bytes of the file; empty at its end."""
        return self.metered(self.part.source.read())

    def metered(self, piece: bytes) -> bytes:
        """Count a chunk of the file."""
        if self.part.meter is not None:
            self.part.meter.add(piece)
        return piece

    def finish(self) -> bytes:
        """Return the bytes after the file, which has been read completely."""
        if self.part.meter is not None:
            self.part.meter.complete = True
        return self.tail

    def tell(self) -> object:
        """Report progress to the application; returns the result of its callback."""
        return None if self.part.meter is None else self.part.meter.tell()

    @contextmanager
    def remembering(self) -> Generator[None]:
        """Record an error of the application's file, iterator or callback."""
        try:
            yield
        except Exception as error:
            self.failure = error
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the body from its beginning, for blocking code."""
        with self.remembering():
            self.start()
            yield self.head
            while piece := self.read():
                yield piece
                at_once(self.tell())
            yield self.finish()

    def __aiter__(self) -> AsyncPass:
        """Iterate over the body from its beginning, for async code."""
        return AsyncPass(self)


class AsyncPass:
    """One pass over a body. Not a generator, because an unfinished async generator would have to be closed."""

    def __init__(self, body: Multipart) -> None:
        self._body = body
        self._next = self._head

    def __aiter__(self) -> AsyncPass:
        return self

    async def __anext__(self) -> bytes:
        with self._body.remembering():
            piece = await self._next()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def _head(self) -> bytes:
        source = self._body.part.source
        if isinstance(source, Awaited):
            await self._body.start_async(source)
        else:
            await self._wait_for(self._body.start)
        self._next = self._file
        return self._body.head

    async def _file(self) -> bytes:
        source = self._body.part.source
        if isinstance(source, Awaited):
            piece = self._body.metered(await source.read_async())
        else:
            while source.waits and not await self._wait_for(source.ready):
                pass  # a cancellation is delivered in between
            piece = await self._wait_for(self._body.read)
        self._next = self._reported if piece else self._end
        return piece or self._body.finish()

    async def _reported(self) -> bytes:
        answer = self._body.tell()
        if isawaitable(answer):
            await answer
        return await self._file()

    async def _end(self) -> bytes:
        return b""

    async def _wait_for(self, function: Callable[[], T]) -> T:
        """Call a function that may block, in a thread; wait for its end, so that the file stays open until then."""
        if not self._body.part.source.blocks:
            return function()
        result = await to_the_end(to_thread.run_sync(function))
        # Deliver a pending cancellation now, as a fast connection may never reach another await that blocks.
        await checkpoint()
        return result


def shown(name: str) -> str:
    """A file name as Unicode; bytes that are not UTF-8, which file systems allow, become U+FFFD.

    Raises:
        ArgumentError: it is otherwise not valid Unicode.
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        raise ArgumentError("the file's name is not valid Unicode") from None


def opening(boundary: str, name: str, about: str = "") -> bytes:
    """The bytes before the content of a part."""
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{about}\r\n\r\n'.encode()
