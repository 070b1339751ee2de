"""Ending a task that loses a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from redcore_server.worker import ending

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
async def test_a_task_ends_however_often_it_loses_its_cancellation(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cancelled again, until it has ended."""
    monkeypatch.setattr(ending, "AGAIN_S", 0.0)
    task = asyncio.create_task(deaf(times))
    await asyncio.sleep(0)

    await ending.end(task)

    assert task.cancelled()
