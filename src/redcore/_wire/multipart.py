"""A multipart body with a file in it, written while it is sent (RFC 7578); nothing of the file is kept.

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
from redcore._wire.sources import Awaited, Source, source_of
from redcore.exceptions import ArgumentError

T = TypeVar("T")
ANY_TYPE = "application/octet-stream"
ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})  # as browsers do (WHATWG HTML, multipart/form-data)


@attrs.frozen(kw_only=True, eq=False)
class FilePart:
    """The file of a multipart body."""

    source: Source = attrs.field(repr=False)
    name: str
    """Its name in the part's header."""
    content_type: str
    meter: Meter | None = attrs.field(default=None, repr=False)
    """What counts its bytes, if somebody wants to know."""

    @classmethod
    def of(cls, content: Any, *, name: str | None = None, content_type: str | None = None) -> FilePart | None:
        """The part for what the application gave; None if that is nothing that can be uploaded.

        Args:
            content: Bytes, a binary file, a path, or an iterator of bytes.
            name: Its name; None is the file's own.
            content_type: Its media type; None is guessed from the name.

        Raises:
            ArgumentError: the file cannot be read, or the type is none.
        """
        source = source_of(content)
        if source is None:
            return None
        known = shown(name or source.name)
        media = content_type or source.content_type or mimetypes.guess_type(known)[0] or ANY_TYPE
        if not (media.isascii() and media.isprintable() and "/" in media):
            raise ArgumentError("content_type must be a media type, such as text/csv")
        return cls(source=source, name=known, content_type=media)


class Multipart:
    """The body.

    Args:
        fields: The parts that are no files.
        field: Name of the file's part.
        part: The file.
    """

    def __init__(self, fields: Mapping[str, str], field: str, part: FilePart) -> None:
        boundary = uuid.uuid4().hex
        texts = [opening(boundary, name) + value.encode() + b"\r\n" for name, value in fields.items()]
        about = f'; filename="{part.name.translate(ESCAPES)}"\r\nContent-Type: {part.content_type}'
        self.part = part
        self.head: bytes = b"".join([*texts, opening(boundary, field, about)])
        """What comes before the file."""
        self.tail: bytes = f"\r\n--{boundary}--\r\n".encode()
        """What comes after it."""
        self.content_type: str = f"multipart/form-data; boundary={boundary}"
        self.failure: Exception | None = None
        """What the application's own file, iterator or callback raised, which an HTTP library may disguise."""
        self._started = False

    @property
    def replayable(self) -> bool:
        """Whether another attempt would send the same bytes; always, while none of them was read."""
        return not self._started or self.part.source.replayable

    @property
    def framing(self) -> tuple[str, str]:
        """The header that says where the body ends (RFC 9112 section 6)."""
        size = self.part.source.size
        if size is None:
            return "Transfer-Encoding", "chunked"
        return "Content-Length", str(len(self.head) + size + len(self.tail))

    def close(self) -> None:
        """Close the file, if it was opened here."""
        self.part.source.close()

    def start(self) -> None:
        """Go to the first byte of the file."""
        self._begin()
        self.part.source.start()

    async def start_async(self, source: Awaited) -> None:
        """As `start`, awaited."""
        self._begin()
        await source.start_async()

    def _begin(self) -> None:
        self._started = True
        if self.part.meter is not None:
            self.part.meter.restart()

    def read(self) -> bytes:
        """The next bytes of the file; empty at its end."""
        return self.metered(self.part.source.read())

    def metered(self, piece: bytes) -> bytes:
        """A piece of the file, counted."""
        if self.part.meter is not None:
            self.part.meter.add(piece)
        return piece

    def finish(self) -> bytes:
        """What comes after the file, all of which has been read."""
        if self.part.meter is not None:
            self.part.meter.complete = True
        return self.tail

    def tell(self) -> object:
        """Tell the application how far the file has come; returns what it gives."""
        return None if self.part.meter is None else self.part.meter.tell()

    @contextmanager
    def remembering(self) -> Generator[None]:
        """Keep the error of the application's own file, iterator or callback."""
        try:
            yield
        except Exception as error:
            self.failure = error
            raise

    def __iter__(self) -> Iterator[bytes]:
        """The body from its beginning, for code that blocks."""
        with self.remembering():
            self.start()
            yield self.head
            while piece := self.read():
                yield piece
                at_once(self.tell())
            yield self.finish()

    def __aiter__(self) -> AsyncPass:
        """The body from its beginning, for code that awaits."""
        return AsyncPass(self)


class AsyncPass:
    """One pass over a body. No generator: one that is left half-way would have to be closed by somebody."""

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
            piece = await self._wait_for(self._body.read)
        self._next = self._told if piece else self._end
        return piece or self._body.finish()

    async def _told(self) -> bytes:
        answer = self._body.tell()
        if isawaitable(answer):
            await answer
        return await self._file()

    async def _end(self) -> bytes:
        return b""

    async def _wait_for(self, function: Callable[[], T]) -> T:
        """Call what may wait for a disk, in a thread; to its end, so that nobody closes the file meanwhile."""
        if not self._body.part.source.blocks:
            return function()
        result = await to_the_end(to_thread.run_sync(function))
        # A cancellation that came meanwhile is due now: a connection that takes each piece at once never waits.
        await checkpoint()
        return result


def shown(name: str) -> str:
    """A file's name as Unicode; bytes of it that are not UTF-8, as file systems may have, become U+FFFD.

    Raises:
        ArgumentError: it is not valid Unicode otherwise.
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        raise ArgumentError("the file's name is not valid Unicode") from None


def opening(boundary: str, name: str, about: str = "") -> bytes:
    """What comes before the content of a part."""
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{about}\r\n\r\n'.encode()
