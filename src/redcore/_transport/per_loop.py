"""Values per event loop: connections and locks of asyncio and trio only work in the loop that created them.

States of the value of one loop, and the legal transitions:

    absent → held      created on first use in the loop
    held   → closed    dropped in its loop, let go by any thread, or the loop ends and finalizes its generators
    held   → lost      the loop was closed without finalizing them: the value is removed without being closed
    closed, lost → held  a new value, if the loop or another one of the same address is used again
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar, cast

import attrs

from redcore._base.event_loops import is_in_trio
from redcore.exceptions import ConfigurationError

T = TypeVar("T")


@attrs.frozen
class _Held(Generic[T]):
    value: T
    guard: AsyncGenerator[None]


class PerLoop(Generic[T]):
    """One value per event loop, created on first use and closed when the loop ends.

    Args:
        close: Closes a value, in its own loop.
    """

    def __init__(self, close: Callable[[T], Awaitable[None]]) -> None:
        self._close = close
        self._held: dict[object, _Held[T]] = {}

    def here(self) -> T | None:
        """The value of the running loop, or None."""
        held = self._held.get(running_loop())
        return None if held is None else held.value

    async def keep(self, value: T) -> T:
        """Set the value of the running loop."""
        for loop, held in list(self._held.items()):  # of loops that were closed without finalizing their generators
            if isinstance(loop, asyncio.AbstractEventLoop) and loop.is_closed():
                _guards.discard(held.guard)
                self._held.pop(loop, None)  # another thread may have done so
        loop = running_loop()
        guard = _until_the_end_of(self._held, loop, value, self._close)
        self._held[loop] = _Held(value, guard)
        _guards.add(guard)
        await anext(guard)
        return value

    async def drop(self) -> None:
        """Close the value of the running loop; those of other loops end with them."""
        held = self._held.get(running_loop())
        if held is not None:
            await held.guard.aclose()

    def let_go(self, may: Callable[[T], bool] = lambda _: True) -> None:
        """Let every running loop close its value; callable from any thread, does not wait.

        Args:
            may: Whether a value may be closed.
        """
        for loop, held in list(self._held.items()):
            if may(held.value):
                _in(loop, held.guard)

    def abandon(self) -> None:
        """Drop all values in a forked child: they belong to the parent and must not be touched."""
        _of_the_parent.append(dict(self._held))
        self._held.clear()

    def __len__(self) -> int:
        return len(self._held)


_of_the_parent: list[object] = []
_guards: set[AsyncGenerator[None]] = set()
"""All suspended guards. Otherwise the collector could finalize them and their values in any order."""


async def _until_the_end_of(
    all_held: dict[object, _Held[T]], loop: object, value: T, close: Callable[[T], Awaitable[None]]
) -> AsyncGenerator[None]:
    """Suspended as long as the value lives: event loops finalize suspended generators before they stop."""
    try:
        yield
    finally:
        held = all_held.pop(loop, None)
        if held is not None:
            _guards.discard(held.guard)
        await close(value)


def _in(loop: object, guard: AsyncGenerator[None]) -> None:
    """End a guard in its loop, unless the loop has ended."""

    async def end() -> None:
        await guard.aclose()

    if isinstance(loop, asyncio.AbstractEventLoop):
        call_in(loop, lambda: loop.create_task(end()))
    else:
        import trio  # noqa: PLC0415 (as in `running_loop`)

        call_in(loop, lambda: trio.lowlevel.spawn_system_task(end))


def call_in(loop: object, function: Callable[[], object]) -> None:
    """Let an event loop call a function soon, from any thread. Does nothing after the loop has ended."""
    if isinstance(loop, asyncio.AbstractEventLoop):
        with suppress(RuntimeError):  # it is closed
            loop.call_soon_threadsafe(function)
    else:
        import trio  # noqa: PLC0415 (as in `running_loop`)

        with suppress(trio.RunFinishedError):
            cast("trio.lowlevel.TrioToken", loop).run_sync_soon(function)


def running_loop() -> object:
    """A key for the running event loop.

    Raises:
        ConfigurationError: neither asyncio nor trio is running.
    """
    if is_in_trio():
        import trio  # noqa: PLC0415 (the application runs it, and so has it)

        return trio.lowlevel.current_trio_token()
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError("AsyncClient needs a running event loop of asyncio or trio") from None
