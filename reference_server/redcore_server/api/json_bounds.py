"""Bounds of a JSON body: how many values it may have, checked before it is parsed, and how deep they may nest.

Parsing and validation cost most per value, not per byte: a megabyte of `[[],[],…` takes 40 times as long as one text of
a megabyte. No operation needs more than a hundred values.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, cast

MAX_VALUES: Final = 1000  # docs/adr/0069-how-many-things-a-request-holds.md
MAX_DEPTH: Final = 64  # no schema of the contract is a tenth as deep

# A text, or what is left of one that does not end: then it still matches once, in linear time.
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def has_few_values(raw: bytes) -> bool:
    """Return whether a JSON text has at most `MAX_VALUES` values; of a malformed one, whether it is cheap to parse.

    Args:
        raw: Body as received.
    """
    # Each value but the first follows a comma or an opening bracket. Counting those inside texts too is quick, and
    # decides nearly every body.
    return _separators(raw) < MAX_VALUES or _separators(_TEXT.sub(b"", raw)) < MAX_VALUES


def is_shallow(value: object) -> bool:
    """Return whether a value is nested at most `MAX_DEPTH` levels.

    Args:
        value: Value parsed from JSON.
    """
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _parts(parent) if isinstance(child, dict | list)]
        if not level:
            return True
    return not any(map(_parts, level))


def _separators(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _parts(value: object) -> Collection[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()
