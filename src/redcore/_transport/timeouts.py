"""Timeouts of streamed transfers, and deadlines of attempts."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import attrs

from redcore._base.clock import monotonic

TIMER_GRAIN_S = 0.01  # uvloop's timers count milliseconds from the start of an iteration, and so may be early


@attrs.frozen
class TimeLimits:
    """The time limits of one streamed exchange.

    Args:
        silence_s: Maximum period without network activity; the exchange continues as long as bytes keep moving.
        ends_at: When everything must end, on the monotonic clock; None means no limit.
    """

    silence_s: float
    ends_at: float | None

    @classmethod
    def begin(cls, silence_s: float, ends_in_s: float | None) -> TimeLimits:
        """The limits of an exchange that begins now."""
        return cls(silence_s, None if ends_in_s is None else monotonic() + ends_in_s)

    def left_s(self) -> float | None:
        """Seconds until the deadline, or None.

        Raises:
            TimeoutError: the deadline has passed.
        """
        if self.ends_at is None:
            return None
        left = self.ends_at - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def wait_s(self) -> float:
        """The maximum duration of a wait that begins now, in seconds.

        Raises:
            TimeoutError: the deadline has passed.
        """
        left = self.left_s()
        return self.silence_s if left is None else min(self.silence_s, left)

    def waits(self) -> dict[str, float]:
        """The timeouts of each wait, in httpcore's format."""
        return dict.fromkeys(("connect", "read", "write"), self.silence_s)

    def late(self) -> str:
        """Describe what timed out."""
        if self.ends_at is not None and monotonic() >= self.ends_at - TIMER_GRAIN_S:
            return "the call's deadline has passed"
        return f"no byte moved for {self.silence_s:g} s"


_attempt = threading.local()


@contextmanager
def until(ends_at: float | None) -> Generator[None]:
    """Limit all socket operations of this thread to a deadline on the monotonic clock; None limits each separately."""
    before = getattr(_attempt, "ends_at", None)
    _attempt.ends_at = ends_at
    try:
        yield
    finally:
        _attempt.ends_at = before


def left(timeout: float | None) -> float | None:
    """The remaining time of the attempt, at most the given time.

    Raises:
        TimeoutError: no time remains.
    """
    ends_at: float | None = getattr(_attempt, "ends_at", None)
    if ends_at is None:
        return timeout
    remaining = ends_at - monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining if timeout is None else min(timeout, remaining)
