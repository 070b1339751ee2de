"""The server's only clock: every time-based decision uses it.

SQL statements and Redis scripts receive the time as an argument, so that the lab can move it for all of them at once.
It does not sleep and does not measure durations; use `time.perf_counter` for those.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall time in UTC, shifted by an offset that only the lab changes."""

    def __init__(self) -> None:
        self._offset_s = 0.0

    def time(self) -> float:
        """Return the seconds since the Unix epoch."""
        return time.time() + self._offset_s

    def now(self) -> datetime:
        """Return the same instant as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward; a negative number moves it back.

        Args:
            seconds: Seconds to move by.
        """
        self._offset_s += seconds

    def reset(self) -> None:
        """Return to the true time."""
        self._offset_s = 0.0
