"""Rate limits: how many requests a credential or an address may make in fixed windows of a minute and a second.

`judge` decides and performs no I/O; `Limits` keeps the counters in Redis, shared by all gateway nodes, in one atomic
round trip. Without Redis it admits requests and logs a warning (contract section 4).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import attrs
import structlog
from redis.exceptions import RedisClusterException, RedisError

from redcore_server.auth.credentials.principal import Principal
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store.redis import Scripts

KEY_PREFIX: Final = "rate:"
MINUTE_S: Final = 60  # this and the next: the two windows of contract section 4
SECOND_S: Final = 1
KEPT_WINDOWS: Final = 2  # for so many a counter is kept: the clocks of gateways differ by less than one
_SCRIPT: Final = Path(__file__).with_name("limits.lua")

_log = structlog.stdlib.get_logger("redcore_server.gateway")


@attrs.frozen
class Quota:
    """Allowed requests per window; None means no limit for that window."""

    per_minute: int
    per_second: int | None = None


@attrs.frozen
class Window:
    """A time window that starts at a multiple of its length, and its limit."""

    length_s: int
    limit: int
    index: int

    @property
    def end(self) -> int:
        """End of the window, in Unix seconds."""
        return (self.index + 1) * self.length_s


@attrs.frozen
class Verdict:
    """Whether a request is allowed, and the window to report to its caller."""

    is_allowed: bool
    limit: int
    remaining: int
    reset: int
    """End of the window, in Unix seconds."""
    retry_after_s: int
    """Whole seconds until the window ends, at least 1."""


FREE: Final = Quota(60, 10)  # this and the next two: contract section 4
PRO: Final = Quota(600, 50)  # contract section 4
API_KEY: Final = Quota(1000)  # contract section 4


def windows(quota: Quota, now: float) -> Sequence[Window]:
    """Return the windows that a request made now falls into.

    Args:
        quota: Quota of the caller.
        now: Current time in Unix seconds.
    """
    return _windows(quota, math.floor(now))


@lru_cache(maxsize=64)  # the quotas in use, for a few seconds
def _windows(quota: Quota, second: int) -> Sequence[Window]:
    limits = [(MINUTE_S, quota.per_minute), (SECOND_S, quota.per_second)]
    return [Window(length, limit, second // length) for length, limit in limits if limit is not None]


def judge(windows: Sequence[Window], counts: Sequence[int], *, is_allowed: bool, now: float) -> Verdict:
    """Return the verdict on a request.

    Args:
        windows: Windows the request falls into.
        counts: Requests counted in each window, including this one if it was counted.
        is_allowed: Whether the request was counted.
        now: Current time in Unix seconds.
    """
    left = [(max(window.limit - count, 0), window) for window, count in zip(windows, counts, strict=True)]
    # Of several full windows, the one that ends last: an earlier retry would be refused again.
    remaining, window = min(left, key=lambda pair: (pair[0], -pair[1].end))
    return Verdict(
        is_allowed=is_allowed,
        limit=window.limit,
        remaining=remaining,
        reset=window.end,
        retry_after_s=max(1, math.ceil(window.end - now)),
    )


class Limits:
    """The quotas of all callers and their counters.

    A request is counted when the method is called, not when the verdict is awaited.

    Attributes:
        override: Replaces every quota; set by the lab, otherwise None.
    """

    def __init__(self, scripts: Scripts, clock: Clock, settings: Settings) -> None:
        self.override: Quota | None = None
        self._count = scripts.script(_SCRIPT.read_text(encoding="utf-8"))
        self._clock = clock
        self._anonymous = Quota(settings.anonymous_per_minute, settings.anonymous_per_second)
        # Per minute only: when a token is revoked, the concurrent tasks of its program all fail in one burst.
        self._failed = Quota(settings.anonymous_per_minute)
        enterprise = Quota(settings.enterprise_per_minute, settings.enterprise_per_second)
        self._plans = {"free": FREE, "pro": PRO, "enterprise": enterprise}

    def spend_credential(self, principal: Principal) -> Awaitable[Verdict]:
        """Count a request of a credential.

        Args:
            principal: The authenticated caller.
        """
        quota = API_KEY if principal.kind == "api_key" else self._plans[principal.plan]
        return self._spend(principal.credential_id, quota)

    def spend_address(self, address: str) -> Awaitable[Verdict]:
        """Count a request to an endpoint that needs no credential.

        Args:
            address: Client address.
        """
        return self._spend(f"address:{address}", self._anonymous)

    def spend_failure(self, address: str) -> Awaitable[Verdict]:
        """Count a request whose credential was refused.

        Args:
            address: Client address.
        """
        return self._spend(f"failed:{address}", self._failed)

    def _spend(self, subject: str, quota: Quota) -> Awaitable[Verdict]:
        now = self._clock.time()
        current = windows(self.override or quota, now)
        # The braces keep the counters of one subject in the same hash slot of a cluster.
        keys = [f"{KEY_PREFIX}{{{subject}}}:{window.length_s}:{window.index}" for window in current]
        args = [number for window in current for number in (window.limit, KEPT_WINDOWS * window.length_s)]
        return self._verdict(self._count(keys, args), current, now)

    async def _verdict(self, answer: Awaitable[Any], current: Sequence[Window], now: float) -> Verdict:
        try:
            counted, *counts = await answer
        except (RedisError, RedisClusterException) as error:
            _log.warning("rate limits are off: Redis is away", problem=str(error))
            counted, counts = 1, [0] * len(current)
        return judge(current, counts, is_allowed=counted == 1, now=now)
