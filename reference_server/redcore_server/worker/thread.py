"""Runs a worker in a thread with its own event loop and stores.

Workflows on files are CPU-bound; on the gateway's event loop every request would wait for them.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import attrs

from redcore_server.worker.runner import Worker, persist

# How long the worker may keep the interpreter while the gateway waits for it, at each of the ten or so times that a
# request comes back to it. Python's 5 ms suit threads that wait for no client.
_SWITCH_S: Final = 0.0005


@attrs.frozen
class WorkerThread:
    """A worker in a thread.

    Attributes:
        open_worker: Opens the worker and the stores it works on, in the thread's event loop.
    """

    open_worker: Callable[[], AbstractAsyncContextManager[Worker]]

    async def run(self) -> None:
        """Run until cancelled; then running jobs may finish, see `Worker.run`."""
        sys.setswitchinterval(_SWITCH_S)
        thread = _Thread(self.open_worker, asyncio.get_running_loop())
        thread.start()
        try:
            await asyncio.shield(thread.ended)
        except asyncio.CancelledError:
            thread.stop()
            await thread.ended
            raise


class _Thread(threading.Thread):
    """The thread; a daemon, so it does not keep a process alive that exits without stopping it."""

    def __init__(
        self, open_worker: Callable[[], AbstractAsyncContextManager[Worker]], outer: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(name="redcore-runs", daemon=True)
        self.ended: asyncio.Future[None] = outer.create_future()
        self._open_worker = open_worker
        self._outer = outer
        self._loop = asyncio.new_event_loop()
        self._work: asyncio.Task[None] = self._loop.create_task(persist(self._step))

    def run(self) -> None:
        """Run the event loop until the work is cancelled."""
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._until_cancelled())
        finally:
            self._outer.call_soon_threadsafe(self.ended.set_result, None)

    def stop(self) -> None:
        """Cancel the work, from any thread."""
        self._loop.call_soon_threadsafe(self._work.cancel)

    async def _until_cancelled(self) -> None:
        await asyncio.wait([self._work])

    async def _step(self) -> None:
        async with self._open_worker() as worker:
            await worker.run()
