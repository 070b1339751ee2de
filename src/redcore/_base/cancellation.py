"""Lets an await come to its end although its task is cancelled meanwhile; the cancellation arrives just after.

anyio's shield alone does not do: it stops the cancellation of scopes, not a plain `task.cancel()` of asyncio, which is
what `asyncio.timeout` and `asyncio.wait_for` call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import TypeVar

import anyio

T = TypeVar("T")


async def to_the_end(awaitable: Awaitable[T]) -> T:
    """Await to the end; a cancellation that came meanwhile is delivered at the task's next await."""
    waited = _past_cancels(awaitable) if _on_asyncio() else awaitable
    with _shielded():
        return await waited


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # trio
        return False
    return True


@contextmanager
def _shielded() -> Generator[None]:
    with anyio.CancelScope(shield=True):
        yield


async def _past_cancels(awaitable: Awaitable[T]) -> T:
    """Await in a task of its own, so that a cancel() of this one cuts only the waiting."""
    waiting = asyncio.current_task()
    inner = asyncio.ensure_future(awaitable)
    cancels = 0
    while not inner.done():
        try:
            await asyncio.wait([inner])
        except asyncio.CancelledError:
            cancels += 1
    if waiting is not None:
        for _ in range(cancels):  # each is taken back and asked for again, so that asyncio.timeout counts it as its own
            waiting.uncancel()
            waiting.cancel()
    return inner.result()
