"""Collects a body, decompressed, up to a size and a moment."""

from __future__ import annotations

import time
import zlib

from redcore._base.response import Headers
from redcore.exceptions import ResponseError

MAX_BODY_BYTES = 64 * 1024 * 1024
ACCEPT_ENCODING = "gzip"
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
        self._decompressor = None
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
            try:
                # One byte more than allowed shows that there is more, however much that would be.
                piece = self._decompressor.decompress(piece, self._left + 1)
            except zlib.error as problem:
                raise ResponseError("the answer's content encoding is broken") from problem
        self._pieces.append(piece)
        self._left -= len(piece)
        if self._left < 0:
            raise ResponseError(f"the answer is larger than {MAX_BODY_BYTES} bytes")
        if time.monotonic() > self._ends_at:
            raise TimeoutError

    def whole(self) -> bytes:
        """The complete body.

        Raises:
            ResponseError: its compressed form ended too early.
        """
        if self._decompressor is not None and self._pieces and not self._decompressor.eof:
            raise ResponseError("the answer's content encoding is broken")
        return b"".join(self._pieces)
