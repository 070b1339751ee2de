"""The clock, random numbers, ids and sleep of a client, in one place, so that tests can replace them."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from os import urandom
from typing import Protocol

import anyio
import attrs

from redcore._base import abandoned

VARIANTS = "89ab"  # RFC 9562 section 4.1


class Sleeper(Protocol):
    """Lets time pass for a client that waits, instead of waiting."""

    def sleep(self, seconds: float, /) -> None:
        """Let seconds pass."""
        ...

    async def sleep_async(self, seconds: float, /) -> None:
        """Like `sleep`, awaited."""
        ...


class ProcessTime:
    """How time passes for all clients of the process. `redcore.testing` changes it for tests."""

    skipped_s: float = 0.0
    """Added to both clocks: seconds that passed without waiting."""
    stopped_at: tuple[float, float] | None = None
    """Unix seconds and monotonic seconds of clocks that only `skipped_s` moves; None if they run."""
    draw: float | None = None
    """What is drawn instead of a random number; None to draw one."""
    sleeper: Sleeper | None = None
    """Lets time pass instead of waiting; None to wait."""


TIME = ProcessTime()


def present() -> float:
    """Unix seconds; `time.time` is looked up late, because freezegun replaces it."""
    return (time.time() if TIME.stopped_at is None else TIME.stopped_at[0]) + TIME.skipped_s


def elapsed(clock: Callable[[], float] = time.monotonic) -> float:
    """Monotonic seconds; the clock is bound early, because freezegun would stop it."""
    return (clock() if TIME.stopped_at is None else TIME.stopped_at[1]) + TIME.skipped_s


def drawn() -> float:
    """A number from [0, 1)."""
    return random.random() if TIME.draw is None else TIME.draw  # noqa: S311 (for jitter)


def sleep(seconds: float) -> None:
    """Wait."""
    if TIME.sleeper is None:
        abandoned.sleep(seconds)
    else:
        TIME.sleeper.sleep(seconds)


async def sleep_async(seconds: float) -> None:
    """Like `sleep`, awaited."""
    await (anyio.sleep(seconds) if TIME.sleeper is None else TIME.sleeper.sleep_async(seconds))


def new_id() -> str:
    """Return a random UUID, version 4 (RFC 9562 section 5.4); `str(uuid.uuid4())` takes five times as long."""
    digits = urandom(16).hex()
    variant = VARIANTS[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


@attrs.frozen(kw_only=True)
class Runtime:
    """The clock, sleep and random numbers."""

    now: Callable[[], float] = present
    """Unix seconds, for times from the server."""
    monotonic: Callable[[], float] = elapsed
    """Monotonic seconds, for durations."""
    draw: Callable[[], float] = drawn
    """A number from [0, 1), for jitter."""
    sleep: Callable[[float], None] = sleep
    sleep_async: Callable[[float], Awaitable[None]] = sleep_async
