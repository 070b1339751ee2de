"""Reads a multipart body as a stream of parts (RFC 7578), with python-multipart; never buffers a whole part."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Final, Literal, Never, TypeAlias
from urllib.parse import unquote

import attrs
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from redcore_server.errors import Detail, UnsupportedMediaType, ValidationFailed

_ENCODED: Final = re.compile("%22|%0D|%0A")
_MAX_PARTS: Final = 20  # no form of the contract has more than two; a piece of 64 KiB could hold thousands
_MAX_PREAMBLE_BYTES: Final = 64 * 1024  # before the first boundary, which programs leave out or fill with a sentence
_MAX_TYPE_BYTES: Final = 1024  # to split parameters takes a time squared; a boundary has at most 70 characters
_MAX_BLANKS: Final = 100  # after a boundary (RFC 2046 section 5.1.1, transport-padding)

_Event: TypeAlias = tuple[Literal["begin"], "Part"] | tuple[Literal["data"], bytes] | tuple[Literal["end"], None]


@attrs.frozen
class Part:
    """The headers of one part.

    Attributes:
        name: Name of the field.
        filename: File name sent by the client; None for a field that is not a file.
        content_type: Content type as sent; empty if missing.
    """

    name: str
    filename: str | None
    content_type: str


class Multipart:
    """A multipart body being received."""

    def __init__(self, headers: Mapping[bytes, bytes], pieces: AsyncIterator[bytes]) -> None:
        """Start reading.

        Args:
            headers: Request headers, with lower-case names.
            pieces: Chunks of the body.

        Raises:
            UnsupportedMediaType: The body has another media type.
            ValidationFailed: The boundary is missing.
        """
        content_type = headers.get(b"content-type", b"")
        if len(content_type) > _MAX_TYPE_BYTES:
            _malformed("has too long a Content-Type")
        media_type, options = parse_options_header(content_type)
        if media_type != b"multipart/form-data":
            raise UnsupportedMediaType("Send the body as multipart/form-data.")
        self._pieces = pieces
        self._events: deque[_Event] = deque()
        self._header_name = b""
        self._header_value = b""
        self._headers: dict[bytes, bytes] = {}
        self._count = 0
        self._is_over = False
        boundary = options.get(b"boundary", b"") or _malformed("names no boundary")
        self._preamble: _Preamble | None = _Preamble(boundary)
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": lambda data, start, end: self._events.append(("data", data[start:end])),
                    "on_part_end": lambda: self._events.append(("end", None)),
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            _malformed("has too long a boundary")

    async def parts(self) -> AsyncGenerator[Part]:
        """Yield each part; unread data of a part is skipped.

        Raises:
            ValidationFailed: The body is not multipart, or ends too early.
        """
        while (event := await self._next()) is not None:
            if event[0] == "begin":
                yield event[1]

    async def data(self) -> AsyncGenerator[bytes]:
        """Yield the bytes of the current part.

        Raises:
            ValidationFailed: As for `parts`.
        """
        while (event := await self._next()) is not None and event[0] != "end":
            if event[0] == "data":
                yield event[1]

    async def _next(self) -> _Event | None:
        while not self._events:
            if (piece := await anext(self._pieces, None)) is None:
                if not self._is_over:
                    _malformed(
                        "is not valid: it has no part"
                        if self._preamble and self._preamble.has_read
                        else "ends too early"
                    )
                return None
            if self._preamble is not None:
                piece = self._preamble.without(piece)
                self._preamble = None if piece else self._preamble
            try:
                self._parser.write(piece)
            except FormParserError as error:
                _malformed(f"is not valid: {error}")
        return self._events.popleft()

    def _on_part_begin(self) -> None:
        self._headers.clear()
        self._count += 1
        if self._count > _MAX_PARTS:
            _malformed(f"has more than {_MAX_PARTS} parts")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        filename = options.get(b"filename")
        part = Part(
            name=_text(options.get(b"name", b"")),
            filename=None if filename is None else _text(filename),
            content_type=self._headers.get(b"content-type", b"").decode("latin-1"),
        )
        self._events.append(("begin", part))

    def _on_end(self) -> None:
        self._is_over = True


class _Preamble:
    """Drops the preamble, and blanks after the first boundary; the parser accepts neither (RFC 2046, 5.1.1)."""

    def __init__(self, boundary: bytes) -> None:
        self._first = re.compile(rb"\r\n(--" + re.escape(boundary) + rb")[ \t]{0,%d}(\r\n|--)" % _MAX_BLANKS)
        self._longest = len(boundary) + _MAX_BLANKS + len(b"\r\n--\r\n")
        self._end = b"\r\n"  # of what was read: the first line follows no other
        self._size = 0

    @property
    def has_read(self) -> bool:
        """Whether any data arrived."""
        return self._size > 0

    def without(self, piece: bytes) -> bytes:
        """Return the bytes for the parser; empty until the first boundary arrives."""
        read = self._end + piece
        if found := self._first.search(read):
            return found[1] + found[2] + read[found.end() :]
        self._size += len(piece)
        if self._size > _MAX_PREAMBLE_BYTES:
            _malformed("has no part within its first 64 KiB")
        self._end = read[-self._longest :]  # no more, so that small pieces cost no more than large ones
        return b""


def _text(raw: bytes) -> str:
    """Return a name, decoding only what browsers percent-encode (HTML section 4.10.22.8)."""
    try:
        return _ENCODED.sub(lambda found: unquote(found[0]), raw.decode())
    except UnicodeDecodeError:
        _malformed("has a name that is not UTF-8")


def _malformed(issue: str) -> Never:
    raise ValidationFailed(details=[Detail("body", issue)])
