"""The clock, random numbers and sleep of a client, in one place, so that tests can replace them."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

import anyio
import attrs

from redcore._base.abandoned import sleep


class Skipped:
    """The time skipped by waits, because a fake platform lets it pass immediately."""

    seconds: float = 0.0


SKIPPED = Skipped()


def present() -> float:
    """Unix seconds; `time.time` is looked up late, because freezegun replaces it."""
    return time.time() + SKIPPED.seconds


def elapsed(clock: Callable[[], float] = time.monotonic) -> float:
    """Monotonic seconds; the clock is bound early, because freezegun would stop it."""
    return clock() + SKIPPED.seconds


@attrs.frozen(kw_only=True)
class Runtime:
    """The clock, sleep and random numbers."""

    now: Callable[[], float] = present
    """Unix seconds, for times from the server."""
    monotonic: Callable[[], float] = elapsed
    """Monotonic seconds, for durations."""
    draw: Callable[[], float] = random.random
    """A number from [0, 1), for jitter."""
    sleep: Callable[[float], None] = sleep
    sleep_async: Callable[[float], Awaitable[None]] = anyio.sleep
