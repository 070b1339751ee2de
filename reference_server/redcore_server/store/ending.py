"""Ends a task for certain.

A single cancellation can be lost: the connections and pools of psycopg wait by `asyncio.wait_for`, which in Python 3.11
swallows one that arrives at the moment when what it waits for is there (CPython issue 86296, fixed in 3.12). A worker
that was stopped while it started, and the watch of a replica, then went on forever.
"""

from __future__ import annotations

import asyncio
from typing import Any


async def end(task: asyncio.Task[Any], *, again_s: float = 1.0) -> None:
    """Cancel a task, again and again, until it has ended; what it raises stays in it.

    Args:
        task: Task to end.
        again_s: Seconds until the next cancellation; longer than an orderly end takes.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=again_s)
