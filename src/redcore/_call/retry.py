"""Whether to try again, and after how long. Pure: the caller sleeps and draws the random number.

By default three attempts: 1, wait 1 s, 2, wait 2 s, 3 (contract section 7, Retries).
"""

from __future__ import annotations

import attrs

from redcore.exceptions import RedcoreAPIError, RedcoreError, StopReason

LONGEST_BACKOFF_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0  # docs/adr/0005-retry-after-bound.md
BURST = 500.0  # this and the next two: docs/adr/0022-retry-budget.md
RETRIES_PER_SECOND = 10.0
RETRIES_PER_SUCCESS = 0.2


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is tried again."""

    max_retries: int = 2
    """Attempts after the first."""
    base_s: float = 1.0
    """The first wait, in seconds; each further one is twice as long, up to 60 s."""
    jitter: float = 0.1
    """How far a wait may lie from its nominal length, as a fraction; drawn after the cap, so clients never align."""

    def wait_s(self, error: RedcoreError, attempt: int, draw: float) -> float | StopReason:
        """How long to wait before the next attempt.

        Args:
            error: Why the attempt failed.
            attempt: Number of the attempt that failed, from 1.
            draw: A random number from [0, 1).

        Returns:
            Seconds; or why the error is to be raised.
        """
        if not error.is_retry_safe:
            return "not retryable"
        if attempt > self.max_retries:
            return "retries used up"
        asked = asked_wait_s(error)
        if asked is not None:
            return asked if asked <= LONGEST_RETRY_AFTER_S else "Retry-After too long"
        return self.backoff_s(attempt, draw)

    def backoff_s(self, attempt: int, draw: float) -> float:
        """The back-off after an attempt: `base_s * 2 ** (attempt - 1)`, capped, then ±`jitter`."""
        nominal: float = min(LONGEST_BACKOFF_S, self.base_s * 2.0 ** min(attempt - 1, 32))
        return nominal * (1 - self.jitter + 2 * self.jitter * draw)


class RetryBudget:
    """How many retries the calls of a client may make together, so that an outage is not flooded with them.

    It begins with 500 retries, and fills up to that again with time and with each success. Shared by threads and tasks
    without a lock, which a fork could leave locked: two that spend at the same instant may pay for one.
    """

    def __init__(self) -> None:
        self._left = BURST
        self._filled_at = 0.0

    def refund(self) -> None:
        """A call has succeeded: some more retries are affordable."""
        if self._left < BURST:
            self._left += RETRIES_PER_SUCCESS

    def spend(self, now: float) -> bool:
        """Pay for a retry.

        Args:
            now: Seconds on a monotonic clock.

        Returns:
            Whether it can be paid for; if not, nothing is taken.
        """
        left = min(BURST, self._left + (now - self._filled_at) * RETRIES_PER_SECOND)
        self._filled_at = now
        self._left = left - 1.0 if left >= 1.0 else left
        return left >= 1.0


def asked_wait_s(error: RedcoreError) -> float | None:
    """The `Retry-After` of an error in seconds; None if it has none."""
    return error.retry_after if isinstance(error, RedcoreAPIError) else None
