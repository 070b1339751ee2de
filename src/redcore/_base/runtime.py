"""The clock, the random numbers and the sleep of a client, in one place, so that tests can bring their own."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

import anyio
import attrs

from redcore._base.abandoned import sleep


class Skipped:
    """The time that waits did not take, because a fake platform let it pass at once."""

    seconds: float = 0.0


SKIPPED = Skipped()


def present() -> float:
    """Unix seconds; `time.time` is looked up late, for freezegun replaces it."""
    return time.time() + SKIPPED.seconds


def elapsed(clock: Callable[[], float] = time.monotonic) -> float:
    """Seconds since some moment; the clock is bound early, for freezegun would stop it."""
    return clock() + SKIPPED.seconds


@attrs.frozen(kw_only=True)
class Runtime:
    """Time and chance."""

    now: Callable[[], float] = present
    """Unix seconds, for moments that the server names."""
    monotonic: Callable[[], float] = elapsed
    """Seconds, for durations."""
    draw: Callable[[], float] = random.random
    """A number from [0, 1), for jitter."""
    sleep: Callable[[float], None] = sleep
    sleep_async: Callable[[float], Awaitable[None]] = anyio.sleep
