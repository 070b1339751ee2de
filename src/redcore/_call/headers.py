"""Validates and normalizes the headers that an application adds to a call. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from redcore._base.values import exact
from redcore.exceptions import ArgumentError

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
FIELD_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")  # RFC 9110 section 5.5
SPELLING = {name.lower(): name for name in ("Accept", "User-Agent", "X-Request-ID")}
"""Headers that an application may replace, as the client spells them."""
OUR_HEADERS = {
    "authorization",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "transfer-encoding",
}
SHOWN = frozenset({"accept", "content-type", "idempotency-key", "user-agent", "x-request-id"})
"""Headers without secrets; any header of the application may be secret."""


def checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Validate headers (RFC 9110 sections 5.1 and 5.5), with names spelled so that they replace the SDK's own.

    Raises:
        ArgumentError: a header cannot be sent; the message names it, never its value.
    """
    if not isinstance(cast("object", headers), Mapping):
        raise ArgumentError(f"headers must be a mapping of names to values, not {type(headers).__name__}")
    return dict(checked_header(name, value) for name, value in headers.items())


def checked_header(name: object, value: object) -> tuple[str, str]:
    """Validate one header; raises as `checked_headers` does."""
    if not isinstance(name, str) or not TOKEN.fullmatch(name):
        raise ArgumentError(f"{name!r} is not a header name")
    name = exact(name)
    known = name.lower()
    if known in OUR_HEADERS:
        raise ArgumentError(f"the header {name} is set by the client itself")
    if not isinstance(value, str | int | float):
        raise ArgumentError(f"the value of the header {name} must be a string, not {type(value).__name__}")
    text = exact(value) if isinstance(value, str) else str(value)
    if not FIELD_VALUE.fullmatch(text):
        raise ArgumentError(
            f"the value of the header {name} has white space at its ends or characters that no header can hold"
        )
    return SPELLING.get(known, known), text


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for display: `[hidden]` replaces each value that may be secret."""
    return {name: value if name.lower() in SHOWN else "[hidden]" for name, value in headers.items()}
