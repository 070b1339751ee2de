"""The twin of `Slots` for asyncio and trio: acquires one of the connections of an event loop."""

from __future__ import annotations

import anyio

from redcore._transport.errors import AllInUse
from redcore._transport.timeouts import TimeLimits


def is_taken(slots: anyio.Semaphore) -> bool:
    """Acquire a connection slot if one is free; returns whether it was acquired."""
    try:
        slots.acquire_nowait()
    except anyio.WouldBlock:
        return False
    return True


async def take(slots: anyio.Semaphore, limits: TimeLimits) -> None:
    """Wait for a free connection slot.

    Raises:
        AllInUse: no slot became free in time.
    """
    with anyio.move_on_after(limits.wait_s()) as wait:
        await slots.acquire()
    if wait.cancelled_caught:
        raise AllInUse
