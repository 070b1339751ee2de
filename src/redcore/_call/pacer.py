"""When the next call may be sent, by the rate limit of the latest responses. Neither sleeps nor reads a clock."""

from __future__ import annotations

from collections.abc import Mapping

from redcore._wire.rate_limit import RateLimit

RESET_MARGIN_S = 0.1  # contract section 7: wait until X-RateLimit-Reset + 0.1 s


class Pacer:
    """Tracks until when the next call should wait; shared by all calls of a client, in threads and tasks.

    Needs no lock, as one attribute is assigned at a time, and two racing responses are both valid.
    """

    def __init__(self) -> None:
        self._not_before = 0.0
        """On the monotonic clock."""
        self.latest: RateLimit | None = None

    def note(self, headers: Mapping[str, str], now: float, monotonic: float) -> None:
        """Update from a response.

        Args:
            headers: The headers of the response.
            now: Unix seconds.
            monotonic: The same moment on the monotonic clock.
        """
        if (seen := RateLimit.of(headers, now)) is None:
            return
        self.latest = seen
        if seen.remaining <= 0:
            self._not_before = max(self._not_before, monotonic + seen.reset - now + RESET_MARGIN_S)

    def wait_s(self, monotonic: float) -> float:
        """How long the next call should wait, in seconds."""
        return max(0.0, self._not_before - monotonic)
