"""When the next call may be sent, by the rate limit of the latest responses. Does not sleep."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from redcore._wire.rate_limit import LONGEST_WINDOW_S, RateLimit

RESET_MARGIN_S = 0.1  # contract section 7: wait until X-RateLimit-Reset + 0.1 s
LONGEST_WAIT_S = LONGEST_WINDOW_S + 1.0  # with the margin, and what rounding adds


class Pacer:
    """Tracks until when the next call should wait; shared by all calls of a client, in threads and tasks.

    Needs no lock, as one attribute is assigned at a time, and two racing responses are both valid.

    Args:
        monotonic: A monotonic clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._not_before: float | None = None
        """On this clock; None if no response has said so."""
        self.latest: RateLimit | None = None

    def note(self, headers: Mapping[str, str], now: float) -> None:
        """Update from a response that has just arrived.

        Args:
            headers: The headers of the response.
            now: Unix seconds.
        """
        if (seen := RateLimit.of(headers, now)) is None:
            return
        self.latest = seen
        if seen.remaining <= 0:
            self._not_before = self._monotonic() + max(self.wait_s(), seen.reset - now + RESET_MARGIN_S)

    def wait_s(self) -> float:
        """How long the next call should wait, in seconds.

        Zero if it is longer than any: a machine that is restored from a snapshot can have an earlier monotonic clock.
        """
        if self._not_before is None:
            return 0.0
        wait = self._not_before - self._monotonic()
        return wait if 0.0 < wait <= LONGEST_WAIT_S else 0.0
