"""A clock that tests set."""

from __future__ import annotations

from redcore_server.clock import Clock


class StillClock(Clock):
    """A clock that stands until it is moved."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self._now = now

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
