"""The header fields of a request as a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def combined(fields: Sequence[tuple[bytes, bytes]]) -> Mapping[bytes, bytes]:
    """Return header fields by name; the values of a repeated one are joined by commas (RFC 9110 section 5.3).

    Args:
        fields: Names in lower case, and values.
    """
    named = dict(fields)
    if len(named) == len(fields):  # as nearly always
        return named
    named.clear()
    for name, value in fields:
        named[name] = named[name] + b", " + value if name in named else value
    return named
