"""Collects a body, decompressed, up to a size and a moment."""

from __future__ import annotations

import time
import zlib
from typing import Any

from redcore._base.response import Headers
from redcore.exceptions import ResponseError

MAX_BODY_BYTES = 64 * 1024 * 1024
ACCEPT_ENCODING = "gzip"
GZIP_WINDOW = zlib.MAX_WBITS | 16  # zlib's way to say: gzip, as of each further member (RFC 1952 section 2.2)
ANY_WINDOW = zlib.MAX_WBITS | 32  # zlib's way to say: gzip or zlib, as the first bytes tell

BODILESS = {204, 304}  # RFC 9112 section 6.3


def announces_body(headers: Headers) -> bool:
    """Whether an answer says that it has a body, which parsers leave unread where its status allows none."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class Body:
    """A body that is arriving.

    Args:
        encoding: `Content-Encoding` of the answer; None or empty for a body as it is.
        ends_at: When it must be complete, on the monotonic clock.
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
        """Take the next piece.

        Raises:
            ResponseError: the body is too large, or not compressed as it says.
            TimeoutError: the moment has passed.
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
        """What a piece holds, which may be the end of one gzip member and the beginning of the next."""
        decompressor, pieces, left = self._decompressor, list[bytes](), self._left
        try:
            while piece and left >= 0:
                if decompressor.eof:
                    self._decompressor = decompressor = zlib.decompressobj(GZIP_WINDOW)
                # One byte more than allowed shows that there is more, however much that would be.
                pieces.append(decompressor.decompress(piece, left + 1))
                left -= len(pieces[-1])
                piece = decompressor.unused_data
        except zlib.error as problem:
            raise ResponseError("the answer's content encoding is broken") from problem
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def whole(self) -> bytes:
        """The complete body.

        Raises:
            ResponseError: its compressed form ended too early.
        """
        if self._decompressor is not None and self._pieces and not self._decompressor.eof:
            raise ResponseError("the answer's content encoding is broken")
        return b"".join(self._pieces)
