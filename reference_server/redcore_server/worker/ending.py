"""Ends a task for certain.

A worker that was stopped while it started went on for ever: the cancellation was lost below it. The likely place is
`asyncio.wait_for`, by which the pool of connections waits and which loses one that comes in the moment when what it
waits for is there (CPython issue 86296, mended in 3.12).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

AGAIN_S: Final = 6.0
"""Longer than the last jobs may take (`runner`), so that a job that is about to finish is not cut off."""


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task, again and again, until it has ended.

    Args:
        task: To be ended; what it raises stays in it.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)
