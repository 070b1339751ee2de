"""Lets an await finish although its task is cancelled; the cancellation is delivered just after.

anyio's shield alone is not enough: it blocks the cancellation of scopes, but not a plain `task.cancel()` of asyncio,
which `asyncio.timeout` and `asyncio.wait_for` use, nor Ctrl-C, which trio delivers to the main task wherever it waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import TypeVar
from weakref import WeakSet

import anyio

from redcore._base.event_loops import is_in_trio

T = TypeVar("T")
put_off: WeakSet[object] = WeakSet()
"""Tasks whose cancellation `to_the_end` has put off to their next await; of trio, the main task after Ctrl-C."""


async def to_the_end(awaitable: Awaitable[T]) -> T:
    """Await to the end; a cancellation in between is delivered at the task's next await, at the latest by `deliver`."""
    waited = _past_interrupts(awaitable) if is_in_trio() else _past_cancels(awaitable)
    with _shielded():
        return await waited


async def deliver() -> None:
    """Deliver a cancellation that was put off, if that has not happened yet.

    To be called when a call ends while there are tasks in `put_off`: otherwise the cancellation would hit whatever the
    application awaits next, outside the `asyncio.timeout` that it comes from.
    """
    if is_in_trio():
        import trio  # noqa: PLC0415 (the application runs it, and so has it)

        if (main := trio.lowlevel.current_task()) in put_off:
            put_off.discard(main)
            raise KeyboardInterrupt
        return
    import asyncio  # noqa: PLC0415 (blocking code needs none of it)

    task = asyncio.current_task()
    if task is None or task not in put_off:
        return
    put_off.discard(task)
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        if task.cancelling():  # if not, it came from a timeout of ours, which has ended with an error
            raise


@contextmanager
def _shielded() -> Generator[None]:
    with anyio.CancelScope(shield=True):
        yield


async def _past_cancels(awaitable: Awaitable[T]) -> T:
    """Await in a separate task, so that cancelling this one interrupts only the waiting.

    It is taken from the list of all tasks, which `asyncio.run` cancels one by one when its coroutine ends or a signal
    handler raises: this one, which waits, is on it.
    """
    import asyncio  # noqa: PLC0415 (as above)

    async def run() -> T:
        return await awaitable

    waiting = asyncio.current_task()
    inner = asyncio.create_task(run())
    asyncio._unregister_task(inner)  # noqa: SLF001 (documented under "Extending")
    cancels = 0
    while not inner.done():
        try:
            await asyncio.wait([inner])
        except asyncio.CancelledError:
            cancels += 1
    if waiting is not None and cancels:
        put_off.add(waiting)
        for _ in range(cancels):  # undo and repeat each, so that asyncio.timeout recognizes its own
            waiting.uncancel()
            waiting.cancel()
    return inner.result()


async def _past_interrupts(awaitable: Awaitable[T]) -> T:
    """Await in a separate task of trio, so that Ctrl-C interrupts only the waiting of the main task."""
    import trio  # noqa: PLC0415 (as above)

    results: list[T] = []
    errors: list[BaseException] = []

    @trio.lowlevel.enable_ki_protection
    async def run() -> None:
        with trio.CancelScope(shield=True):
            try:
                results.append(await awaitable)
            except BaseException as error:  # noqa: BLE001 (raised below)
                errors.append(error)

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
    except (BaseExceptionGroup, KeyboardInterrupt):  # a group of one, unless the application chose otherwise
        put_off.add(trio.lowlevel.current_task())
    if errors:
        raise errors[0]
    return results[0]
