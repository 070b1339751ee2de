"""Ending a task that loses a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from redcore_server.store.ending import end

pytestmark = pytest.mark.anyio


async def deaf(times: int) -> None:
    """Lose a cancellation, so many times."""
    for _ in range(times):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue
    await asyncio.Event().wait()


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_a_task_ends_however_often_it_loses_its_cancellation(times: int) -> None:
    """It is cancelled again, until it has ended."""
    task = asyncio.create_task(deaf(times))
    await asyncio.sleep(0)

    await end(task, again_s=0.0)

    assert task.cancelled()
