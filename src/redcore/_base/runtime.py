"""The clock, the random numbers and the sleep of a client, in one place, so that tests can bring their own."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

import anyio
import attrs

from redcore._base.abandoned import sleep


@attrs.frozen(kw_only=True)
class Runtime:
    """Time and chance."""

    now: Callable[[], float] = lambda: time.time()  # noqa: PLW0108 (looked up late: freezegun replaces it)
    """Unix seconds, for moments that the server names."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds, for durations."""
    draw: Callable[[], float] = random.random
    """A number from [0, 1), for jitter."""
    sleep: Callable[[float], None] = sleep
    sleep_async: Callable[[float], Awaitable[None]] = anyio.sleep
