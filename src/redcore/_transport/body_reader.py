"""Collects and decompresses a body, with limits on size and time."""

from __future__ import annotations

import time
import zlib
from typing import Any

from redcore._base.response import Headers
from redcore.exceptions import ResponseError

MAX_BODY_BYTES = 64 * 1024 * 1024
ACCEPT_ENCODING = "gzip"
GZIP_WINDOW = zlib.MAX_WBITS | 16  # zlib's code for gzip; used for each further member (RFC 1952 section 2.2)
ANY_WINDOW = zlib.MAX_WBITS | 32  # zlib's code for detecting gzip or zlib from the first bytes

BODILESS = {204, 304}  # RFC 9112 section 6.3


def announces_body(headers: Headers) -> bool:
    """Whether a response announces a body, which parsers leave unread if its status does not allow one."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class Body:
    """A body that is arriving.

    Args:
        encoding: `Content-Encoding` of the response; None or empty for an unencoded body.
        ends_at: When the body must be complete, on the monotonic clock.
    """

    def __init__(self, encoding: str | None, ends_at: float) -> None:
        self._pieces: list[bytes] = []
        self._left = MAX_BODY_BYTES
        self._ends_at = ends_at
        self._decompressor: Any = None
        if encoding and encoding.lower() != "identity":
            if encoding.lower() not in {"gzip", "x-gzip", "deflate"}:
                raise ResponseError("the answer has a content encoding that was not asked for")
            self._decompressor = zlib.decompressobj(ANY_WINDOW)

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
        if time.monotonic() > self._ends_at:
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
            raise ResponseError("the answer's content encoding is broken") from problem
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def whole(self) -> bytes:
        """Return the complete body.

        Raises:
            ResponseError: the compressed data is truncated.
        """
        if self._decompressor is not None and self._pieces and not self._decompressor.eof:
            raise ResponseError("the answer's content encoding is broken")
        return b"".join(self._pieces)
