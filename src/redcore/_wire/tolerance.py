"""Decodes values that a strict decoder rejects although the RFCs allow them, such as `1.0` for 1 or `23:59:60`.

Used only for responses that do not fit, and changes only the locations that the decoder reports: a name that looks like
a time is not changed. Performs no I/O.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from redcore._wire.decoders import converted

COMPLAINT = re.compile(r"(?P<what>Expected `int(?: \| null)?`, got `float`|Invalid RFC3339.*) - at `\$(?P<where>.*)`")
STEP = re.compile(r"\.([^.\[]+)|\[(\.\.\.|\d+)\]")
TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?([Zz]|[+-]\d{2}(?::?\d{2})?)", re.ASCII
)
EXACT = 2**53  # a larger number may have been rounded when it was decoded (RFC 8259 section 6)
PLACES = 64  # corrections in one response; no model has so many numbers and times


def tolerated(data: Callable[[], Any], kind: Any, problem: msgspec.ValidationError) -> Any:
    """Convert decoded JSON that a decoder has rejected.

    Args:
        data: Returns the decoded JSON, which is changed.
        kind: The type.
        problem: The error of the decoder.

    Raises:
        msgspec.ValidationError: it does not fit, even with all tolerance.
    """
    value: Any = {}
    for _ in range(PLACES):
        complaint = COMPLAINT.fullmatch(str(problem))
        if complaint is None:
            raise problem
        value = value or {"$": data()}
        mend = whole if complaint["what"].startswith("Expected") else plain_time
        steps = ["$", *(name or index for name, index in STEP.findall(complaint["where"]))]
        if not mend_at(value, steps, mend):
            raise problem
        try:
            return converted(value["$"], kind)
        except msgspec.ValidationError as next_problem:
            problem = next_problem
    raise problem


def mend_at(value: Any, steps: list[str], mend: Callable[[Any], Any]) -> bool:
    """Correct the values at a path, in all elements of the lists along it; returns whether anything changed."""
    step, *rest = steps
    changed = False
    for key in keys_of(value, step):
        if rest:
            changed |= type(value[key]) in {dict, list} and mend_at(value[key], rest, mend)
            continue
        mended = mend(value[key])
        changed |= mended is not value[key]
        value[key] = mended
    return changed


def keys_of(value: dict[str, Any] | list[Any], step: str) -> Iterable[Any]:
    """The keys that a step of a path matches: a name, or all elements."""
    if isinstance(value, list):
        return range(len(value))
    return [step] if step in value else list(value)


def whole(value: Any) -> Any:
    """Convert a number without a fraction to an integer (JSON Schema 2020-12, Validation, section 6.1.1)."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < EXACT
    return int(value) if is_whole else value


def plain_time(value: Any) -> Any:
    """Convert a time to one that `datetime` supports: a leap second (RFC 3339 section 5.6) becomes the next second.

    Also handles what ISO 8601 allows and RFC 3339 does not: 24:00, times without seconds, a decimal comma, and an
    offset in hours, as PostgreSQL writes it.
    """
    found = TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    day, hour, minute, second, fraction, zone = found.groups(default="")
    seconds = int(second or 0)
    if int(hour) > 24 or int(minute) > 59 or seconds > 60 or (int(hour) == 24 and (int(minute) or seconds)):
        return value
    try:
        moment = dt.datetime.fromisoformat(f"{day}T00:00:00{'+00:00' if zone in 'Zz' else zone}")
        moment += dt.timedelta(hours=int(hour), minutes=int(minute), seconds=seconds)
        if fraction and seconds < 60:
            microseconds = round(float(f"0.{fraction}") * 1e6)
            moment += dt.timedelta(microseconds=min(microseconds, 999_999))  # no carry: 9999 may end
    except (ValueError, OverflowError):
        return value
    return moment.isoformat()
