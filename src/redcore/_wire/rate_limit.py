"""The rate limit and `Retry-After` of an answer: headers in, moments out. Does not sleep and reads no clock.

The server's moments are Unix seconds, moved by the difference that its `Date` shows, so that a client whose clock is
off waits the right time. Waits are kept on the monotonic clock: a wall clock that is set back makes none longer.
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

LONGEST_WINDOW_S = 600.0  # the longest window of contract section 4 is a minute: a later reset is a mistake
CLOCK_TOLERANCE_S = 1.5  # `Date` has whole seconds and travels: a smaller difference says nothing
DELAY = re.compile(r"[0-9]+(\.[0-9]+)?")  # RFC 9110 section 10.2.3 has whole seconds; some servers send fractions


@public
@attrs.frozen
class RateLimit:
    """The window that `X-RateLimit-*` describe."""

    limit: int
    """Requests allowed in the window."""
    remaining: int
    """Requests left in it."""
    reset: float
    """When it ends, in Unix seconds by the client's clock."""

    @classmethod
    def of(cls, headers: Mapping[str, str], now: float) -> RateLimit | None:
        """What the headers say; None if they say nothing, or nothing sensible."""
        try:
            limit, remaining = int(headers["x-ratelimit-limit"]), int(headers["x-ratelimit-remaining"])
            ends_at = int(headers["x-ratelimit-reset"]) - ahead(headers, now)
        except (KeyError, ValueError, OverflowError):
            return None
        return cls(limit, remaining, ends_at) if ends_at - now <= LONGEST_WINDOW_S else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The `Retry-After` of an answer in seconds from now (RFC 9110 section 10.2.3).

    Returns:
        Seconds, not negative; the longest, if a proxy has repeated the header; None if there is none that makes sense.
    """
    waits = [
        wait for value in listed(headers.get("retry-after", "")) if (wait := delay(value, headers, now)) is not None
    ]
    return max(waits, default=None)


def listed(value: str) -> list[str]:
    """The members of a header that came more than once; the comma in an HTTP-date separates none."""
    return re.split(r"\s*,\s*(?!\d{2}[ -])", value.strip())


def delay(value: str, headers: Mapping[str, str], now: float) -> float | None:
    """One value of `Retry-After` in seconds from now; None if it makes no sense."""
    if DELAY.fullmatch(value):
        seconds = float(value)
        return seconds if math.isfinite(seconds) else None
    moment = http_date(value)
    return None if moment is None else max(0.0, moment - ahead(headers, now) - now)


def ahead(headers: Mapping[str, str], now: float) -> float:
    """By how many seconds the server's clock is ahead of the caller's."""
    moment = http_date(headers.get("date", ""))
    difference = 0.0 if moment is None else moment - now
    return difference if abs(difference) > CLOCK_TOLERANCE_S else 0.0


@lru_cache(maxsize=64)  # answers of the same second have the same Date, and parsing it takes a tenth of a call
def http_date(value: str) -> float | None:
    """Parse an HTTP-date into Unix seconds; None if it is not a valid date."""
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
