"""How long a streamed transfer may be silent, and when an attempt must be over."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import attrs


@attrs.frozen
class Patience:
    """The bounds of one streamed exchange.

    Args:
        silence_s: How long each wait for the other side may be; the whole may take as long as bytes keep moving.
        ends_at: When all must be over, on the monotonic clock; None is never.
    """

    silence_s: float
    ends_at: float | None

    @classmethod
    def begin(cls, silence_s: float, ends_in_s: float | None) -> Patience:
        """The bounds of an exchange that begins now."""
        return cls(silence_s, None if ends_in_s is None else time.monotonic() + ends_in_s)

    def left_s(self) -> float | None:
        """Seconds until the end; None if there is none.

        Raises:
            TimeoutError: it has passed.
        """
        if self.ends_at is None:
            return None
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def wait_s(self) -> float:
        """How long a wait that begins now may be.

        Raises:
            TimeoutError: the end has passed.
        """
        left = self.left_s()
        return self.silence_s if left is None else min(self.silence_s, left)

    def waits(self) -> dict[str, float]:
        """The bound of each wait, as httpcore takes it."""
        return dict.fromkeys(("connect", "read", "write"), self.silence_s)

    def late(self) -> str:
        """What has taken too long."""
        if self.ends_at is not None and time.monotonic() >= self.ends_at:
            return "the call's deadline has passed"
        return f"no byte moved for {self.silence_s:g} s"


_attempt = threading.local()


@contextmanager
def until(ends_at: float | None) -> Generator[None]:
    """Bound all socket operations of this thread to a moment on the monotonic clock; None bounds each by itself."""
    before = getattr(_attempt, "ends_at", None)
    _attempt.ends_at = ends_at
    try:
        yield
    finally:
        _attempt.ends_at = before


def left(timeout: float | None) -> float | None:
    """What is left of the attempt, at most the given time.

    Raises:
        TimeoutError: nothing is.
    """
    ends_at: float | None = getattr(_attempt, "ends_at", None)
    if ends_at is None:
        return timeout
    remaining = ends_at - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining if timeout is None else min(timeout, remaining)
