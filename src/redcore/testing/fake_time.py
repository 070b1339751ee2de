"""`FakeTime`: clients that wait without waiting, for unit tests."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio.to_thread
from anyio.lowlevel import checkpoint

from redcore._base.runtime import TIME, elapsed, present


class FakeTime:
    """Waits that take no time, and jitter that is always the same.

    Inside its `with` block every `Client` and `AsyncClient` of the process uses it, whatever platform it talks to: a
    wait is over at once and moves the clients' clocks on. Time limits of single attempts remain real.

    Args:
        start: Unix seconds at which the clients' clocks stop, so that only waits and `advance` move them; None lets
            them run.
        draw: The random number of every jitter, from 0 to below 1; 0.5 means no jitter.
        on_sleep: Called with the seconds of each wait, such as `lab.advance_clock`; None means no function.

    Raises:
        ValueError: `draw` is out of range.

    Example::

        with FakeTime() as time:
            client.users.get_me()
        assert time.slept == [1.0, 2.0]
    """

    def __init__(
        self, *, start: float | None = None, draw: float = 0.5, on_sleep: Callable[[float], object] | None = None
    ) -> None:
        if not 0 <= draw < 1:
            raise ValueError(f"draw must be from 0 to below 1; got {draw!r}")
        self.slept: list[float] = []
        """Seconds of each wait, in order: back-off, `Retry-After`, pacing, polling."""
        self._start = start
        self._draw = draw
        self._on_sleep = on_sleep

    def __enter__(self) -> Self:
        self._before = dict(vars(TIME))
        self._outer = TIME.sleeper
        if self._start is not None:
            TIME.stopped_at = self._start - TIME.skipped_s, elapsed() - TIME.skipped_s
        TIME.draw = self._draw
        TIME.sleeper = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        vars(TIME).clear()
        vars(TIME).update(self._before)

    @property
    def now(self) -> float:
        """The clients' clock, in Unix seconds."""
        return present()

    def advance(self, seconds: float) -> None:
        """Move the clients' clocks ahead, without a wait."""
        TIME.skipped_s += seconds

    def sleep(self, seconds: float) -> None:
        """Let a client wait: note it, and move the clocks ahead."""
        self.slept.append(seconds)
        if self._on_sleep is not None:
            self._on_sleep(seconds)
        if self._outer is None:
            self.advance(seconds)
        else:
            self._outer.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Like `sleep`, awaited; `on_sleep` may block, and runs in a thread."""
        if self._on_sleep is None:
            await checkpoint()
            self.sleep(seconds)
        else:
            await anyio.to_thread.run_sync(self.sleep, seconds)
