"""Collects and decompresses a body, with limits on size and time."""

from __future__ import annotations

import re
import zlib
from typing import Any

from redcore._base.clock import monotonic
from redcore._base.response import Headers
from redcore.exceptions import ResponseError

MAX_BODY_BYTES = 64 * 1024 * 1024  # in memory: far above any page of JSON; larger files are streamed (ADR 26)
ACCEPT_ENCODING = "gzip"
GZIP_WINDOW = zlib.MAX_WBITS | 16  # zlib's code for gzip; used for each further member (RFC 1952 section 2.2)
ANY_WINDOW = zlib.MAX_WBITS | 32  # zlib's code for detecting gzip or zlib from the first bytes
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1

BODILESS = {204, 304}  # RFC 9112 section 6.3


def announces_body(headers: Headers) -> bool:
    """Whether a response announces a body, which parsers leave unread if its status does not allow one."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class Deflate:
    """Decompresses `deflate`, also without the zlib header, which some servers leave out (RFC 9110 section 8.4.1.2)."""

    def __init__(self) -> None:
        self._start = b""
        self._inner: Any = None

    def decompress(self, piece: bytes, limit: int) -> bytes:
        """Decompress a chunk; zlib's own objects have the same methods."""
        if self._inner is None:
            self._start = piece = self._start + piece
            if len(piece) < 2:
                return b""
            # RFC 1950 section 2.2: the method is 8, and the two bytes as a number are a multiple of 31.
            is_zlib = piece[0] & 15 == 8 and int.from_bytes(piece[:2], "big") % 31 == 0
            is_wrapped = is_zlib or piece.startswith(GZIP_MAGIC)
            self._inner = zlib.decompressobj(ANY_WINDOW if is_wrapped else -zlib.MAX_WBITS)
        found: bytes = self._inner.decompress(piece, limit)
        return found

    @property
    def eof(self) -> bool:
        """Whether the compressed data is complete."""
        return self._inner is not None and self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the compressed data."""
        return b"" if self._inner is None else self._inner.unused_data


def decompressor(encoding: str) -> Any:
    """What decompresses a body; None if it is not compressed.

    Raises:
        ResponseError: the content encoding is one that was not asked for.
    """
    codings = [name for name in re.split(r"[\s,]+", encoding.lower()) if name not in {"", "identity"}]
    if not codings:
        return None
    if len(codings) > 1 or codings[0] not in {"gzip", "x-gzip", "deflate"}:
        raise ResponseError("the answer has a content encoding that was not asked for")
    return Deflate() if codings == ["deflate"] else zlib.decompressobj(ANY_WINDOW)


class Body:
    """A body that is arriving.

    That of an error is only its explanation: if it cannot be decompressed, it is left as it is, and the status counts.

    Args:
        status: Status of the response.
        encoding: `Content-Encoding` of the response; None or empty for an unencoded body.
        ends_at: When the body must be complete, on the monotonic clock.
    """

    def __init__(self, status: int, encoding: str | None, ends_at: float) -> None:
        self._status = status
        self._pieces: list[bytes] = []
        self._left = MAX_BODY_BYTES
        self._ends_at = ends_at
        self._decompressor: Any = None
        if encoding:
            try:
                self._decompressor = decompressor(encoding)
            except ResponseError:
                if self._is_result():
                    raise

    def _is_result(self) -> bool:
        return 200 <= self._status < 300

    def add(self, piece: bytes) -> None:
        """Add the next chunk.

        Raises:
            ResponseError: the body is too large, or not compressed as declared.
            TimeoutError: the time is up.
        """
        if self._decompressor is not None:
            piece = self._decompressed(piece)
        self._pieces.append(piece)
        self._left -= len(piece)
        if self._left < 0:
            raise ResponseError(f"the answer is larger than {MAX_BODY_BYTES} bytes")
        if monotonic() > self._ends_at:
            raise TimeoutError

    def _decompressed(self, piece: bytes) -> bytes:
        """Decompress a chunk, which may contain the end of one gzip member and the start of the next."""
        decompressor, pieces, left = self._decompressor, list[bytes](), self._left
        try:
            while piece and left >= 0:
                if decompressor.eof:
                    self._decompressor = decompressor = zlib.decompressobj(GZIP_WINDOW)
                # One byte above the limit is enough to detect that the body is too large.
                pieces.append(decompressor.decompress(piece, left + 1))
                left -= len(pieces[-1])
                piece = decompressor.unused_data
        except zlib.error as problem:
            if self._is_result():
                raise ResponseError("the answer's content encoding is broken") from problem
            self._decompressor = None
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def whole(self) -> bytes:
        """Return the complete body.

        Raises:
            ResponseError: the compressed data is truncated.
        """
        if self._decompressor is not None and self._pieces and not self._decompressor.eof and self._is_result():
            raise ResponseError("the answer's content encoding is broken")
        return b"".join(self._pieces)
