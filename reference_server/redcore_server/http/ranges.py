"""The bytes a GET requests: conditional requests and ranges (RFC 9110 sections 13 and 14). Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

# Section 14.1: the unit's case does not matter; section 5.6.1: a list may have empty elements.
_RANGE: Final = re.compile(rb"(?i:bytes)=[\s,]*(?:([0-9]{1,40})-([0-9]{0,40})|-([0-9]{1,40}))[\s,]*", re.ASCII)
# What is behind a tag is looked at, not consumed, and never twice: blanks without end must not take a time squared.
_ENTITY_TAG: Final = re.compile(rb'(W/)?("[!#-~\x80-\xff]*+")(?=\s*+(?:,|$))')


@attrs.frozen
class Selection:
    """The response to a conditional or range request.

    Attributes:
        status: 200, 206, 304, 412 or 416.
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
    expected, known = request_headers.get(b"if-match"), request_headers.get(b"if-none-match")
    if expected is not None and not _matches(expected, etag, weakly=False):
        return Selection(412, 0, 0, headers)
    if known is not None and _matches(known, etag, weakly=True):
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


def _matches(condition: bytes, etag: str, *, weakly: bool) -> bool:
    """Whether `If-Match` or `If-None-Match` names the entity tag (sections 13.1.1 and 13.1.2)."""
    if condition.strip() == b"*":
        return True
    return any(tag == etag.encode() and (weakly or not weak) for weak, tag in _ENTITY_TAG.findall(condition))
