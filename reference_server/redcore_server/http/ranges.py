"""The bytes a GET requests: conditional requests and ranges (RFC 9110 sections 13 and 14). Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

_RANGE: Final = re.compile(rb"bytes=\s*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))\s*", re.ASCII)
_ENTITY_TAG: Final = re.compile(rb'\s*(?:W/)?("[!#-~\x80-\xff]*")\s*(?:,|$)')


@attrs.frozen
class Selection:
    """The response to a conditional or range request.

    Attributes:
        status: 200, 206, 304 or 416.
        start: Offset of the first byte to send.
        stop: Offset after the last byte to send.
        headers: Headers that belong to the status.
    """

    status: int
    start: int
    stop: int
    headers: Mapping[str, str]


def select(request_headers: Mapping[bytes, bytes], *, etag: str, size: int) -> Selection:
    """Return the response to a GET of a stored object.

    Other range units, multiple ranges and malformed ranges are ignored, as section 14.2 allows.

    Args:
        request_headers: Request headers, with lower-case names.
        etag: Strong entity tag of the object, with quotes.
        size: Size of the object, in bytes.
    """
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if _matches(request_headers.get(b"if-none-match"), etag):
        return Selection(304, 0, 0, headers)
    whole = Selection(200, 0, size, {**headers, "Content-Length": str(size)})
    asked = _RANGE.fullmatch(request_headers.get(b"range", b""))
    # Section 13.1.5: a range of an older version is useless; dates never match, because we never send one.
    if asked is None or request_headers.get(b"if-range", etag.encode()) != etag.encode():
        return whole
    first, last, suffix = asked.groups()
    start = max(0, size - int(suffix)) if suffix else int(first)
    stop = min(size, int(last) + 1) if last else size
    if last and int(last) < int(first):  # section 14.1.1: such a range is invalid
        return whole
    if start >= size:
        return Selection(416, 0, 0, {**headers, "Content-Range": f"bytes */{size}"})
    return Selection(
        206,
        start,
        stop,
        {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}", "Content-Length": str(stop - start)},
    )


def _matches(condition: bytes | None, etag: str) -> bool:
    """Whether `If-None-Match` names the entity tag, by weak comparison (section 13.1.2)."""
    if condition is None:
        return False
    return condition.strip() == b"*" or etag.encode() in _ENTITY_TAG.findall(condition)
