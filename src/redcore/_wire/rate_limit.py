"""Parses the rate limit and `Retry-After` headers of a response. Neither sleeps nor reads a clock.

Times from the server are Unix seconds, corrected by the difference that its `Date` shows, so that a client with a wrong
clock waits for the right time. Waits use the monotonic clock: setting the wall clock back does not extend them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

import attrs

from redcore._base.public import public

LONGEST_WINDOW_S = 600.0  # the longest window of contract section 4 is a minute: a later reset is an error
CLOCK_TOLERANCE_S = 1.5  # `Date` has a resolution of one second plus latency: a smaller difference is meaningless
WINDOW = ("limit", "remaining", "reset")
DELAY = re.compile(r"[0-9]+(\.[0-9]+)?")  # RFC 9110 section 10.2.3 has whole seconds; some servers send fractions


@public
@attrs.frozen
class RateLimit:
    """The rate limit window that the `X-RateLimit-*` headers describe."""

    limit: int
    """Requests allowed in the window."""
    remaining: int
    """Requests remaining in the window."""
    reset: float
    """When the window ends, in Unix seconds by the client's clock."""

    @classmethod
    def of(cls, headers: Mapping[str, str], now: float) -> RateLimit | None:
        """Parse the headers; None if they are missing or invalid."""
        try:
            try:
                limit, remaining = int(headers["x-ratelimit-limit"]), int(headers["x-ratelimit-remaining"])
                reset = int(headers["x-ratelimit-reset"])
            except ValueError:
                limit, remaining, reset = (once(headers[f"x-ratelimit-{name}"]) for name in WINDOW)
            ends_at = reset - ahead(headers, now)
        except (KeyError, ValueError, OverflowError):
            return None
        return cls(limit, remaining, ends_at) if ends_at - now <= LONGEST_WINDOW_S else None


def once(value: str) -> int:
    """Parse a number that a proxy may have repeated.

    Raises:
        ValueError: it is not one number.
    """
    first, *others = listed(value)
    if others.count(first) < len(others):
        raise ValueError(value)
    return int(first)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Parse `Retry-After` into seconds from now (RFC 9110 section 10.2.3).

    Returns:
        Seconds, not negative; the longest if a proxy has repeated the header; None if there is no valid value.
    """
    waits = [
        wait for value in listed(headers.get("retry-after", "")) if (wait := delay(value, headers, now)) is not None
    ]
    return max(waits, default=None)


def listed(value: str) -> list[str]:
    """Split the values of a repeated header, without splitting at the comma of an HTTP-date."""
    return re.split(r"\s*,\s*(?!\d{2}[ -])", value.strip())


def delay(value: str, headers: Mapping[str, str], now: float) -> float | None:
    """Parse one value of `Retry-After` into seconds from now; None if it is invalid."""
    if DELAY.fullmatch(value):
        seconds = float(value)
        return seconds if math.isfinite(seconds) else None
    moment = http_date(value)
    return None if moment is None else max(0.0, moment - ahead(headers, now) - now)


def ahead(headers: Mapping[str, str], now: float) -> float:
    """Seconds by which the server's clock is ahead of the client's."""
    moment = http_date(headers.get("date", ""))
    difference = 0.0 if moment is None else moment - now
    return difference if abs(difference) > CLOCK_TOLERANCE_S else 0.0


@lru_cache(maxsize=64)  # responses within one second have the same Date, and parsing it takes a tenth of a call
def http_date(value: str) -> float | None:
    """Parse an HTTP-date into Unix seconds; None if it is not a valid date."""
    plain = value.replace(":60 ", ":59 ")  # a leap second (RFC 9110 section 5.6.7)
    try:
        moment = parsedate_to_datetime(plain)
        if moment.tzinfo is None and value[-1].isalpha():  # the name of a zone that the parser does not know
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() + (plain != value)
    except (ValueError, OverflowError):
        return None
