"""Rate limits: fixed windows of a minute and a second (contract section 4)."""

from __future__ import annotations

import math
from collections import Counter

import attrs

MINUTE_S, SECOND_S = 60, 1  # the two windows of contract section 4


@attrs.frozen
class Quota:
    """Requests allowed; None means no limit per second."""

    per_minute: int
    per_second: int | None = None


API_KEY = Quota(1000)  # contract section 4
APPLICATION = Quota(6000, 200)  # of the enterprise plan, as the reference server's settings have it
ANONYMOUS = Quota(600, 50)  # as the reference server's settings have it
FAILED = Quota(600)  # of credentials that were refused, per minute only, as the reference server has it


@attrs.frozen
class Verdict:
    """Whether a request passes, and the window that its caller should wait for."""

    is_allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after_s: int

    @property
    def headers(self) -> dict[str, str]:
        """What every answer says of it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class Limits:
    """The counters. `override` takes the place of every quota."""

    def __init__(self) -> None:
        self.override: Quota | None = None
        self._counts: Counter[tuple[str, int, int]] = Counter()

    def spend(self, subject: str, quota: Quota, now: float) -> Verdict:
        """Count a request, unless one of its windows is full."""
        quota = self.override or quota
        limits = {MINUTE_S: quota.per_minute, SECOND_S: quota.per_second}
        windows = {(subject, span, int(now // span)): most for span, most in limits.items() if most is not None}
        is_allowed = all(self._counts[window] < most for window, most in windows.items())
        if is_allowed:
            self._counts.update(windows.keys())
        left = [(max(0, most - self._counts[each]), -(each[2] + 1) * each[1], most) for each, most in windows.items()]
        remaining, end, most = min(left)  # of several full windows the one that ends last
        return Verdict(is_allowed, most, remaining, -end, max(1, math.ceil(-end - now)))
