"""Whether to try again, and after how long. Pure: the caller sleeps and draws the random number.

By default three attempts: 1, wait 1 s, 2, wait 2 s, 3 (contract section 7, Retries).
"""

from __future__ import annotations

import attrs

from redcore.exceptions import RedcoreAPIError, RedcoreError

LONGEST_BACKOFF_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0  # docs/adr/0005-retry-after-bound.md


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is tried again."""

    max_retries: int = 2
    """Attempts after the first."""
    base_s: float = 1.0
    """The first wait, in seconds; each further one is twice as long, up to 60 s."""
    jitter: float = 0.1
    """How far a wait may lie from its nominal length, as a fraction; drawn after the cap, so clients never align."""

    def wait_s(self, error: RedcoreError, attempt: int, draw: float) -> float | None:
        """How long to wait before the next attempt.

        Args:
            error: Why the attempt failed.
            attempt: Number of the attempt that failed, from 1.
            draw: A random number from [0, 1).

        Returns:
            Seconds; None if the error is to be raised.
        """
        if attempt > self.max_retries or not error.is_retry_safe:
            return None
        asked = error.retry_after if isinstance(error, RedcoreAPIError) else None
        if asked is not None:
            return asked if asked <= LONGEST_RETRY_AFTER_S else None
        return self.backoff_s(attempt, draw)

    def backoff_s(self, attempt: int, draw: float) -> float:
        """The back-off after an attempt: `base_s * 2 ** (attempt - 1)`, capped, then ±`jitter`."""
        nominal: float = min(LONGEST_BACKOFF_S, self.base_s * 2.0 ** min(attempt - 1, 32))
        return nominal * (1 - self.jitter + 2 * self.jitter * draw)
