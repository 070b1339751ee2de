"""Facts about processes, read from the kernel; and waiting for what they do."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

LIMIT_S = 120.0


def descendants(pid: int) -> set[int]:
    """Return all processes below one."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children = {int(child) for child in task.read_text().split()}
        found |= children.union(*map(descendants, children))
    return found


def alive(pids: set[int]) -> set[int]:
    """Return those that still run; a zombie does not."""
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX":
                found.add(pid)
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    """Return whether something becomes true within two minutes, in another process that cannot notify us.

    It takes a second, but a machine may be busy. It is asked less and less often, to stay below every rate limit.
    """
    deadline = time.monotonic() + LIMIT_S
    pause_s = 0.01
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, 0.5)
    return True


async def until(holds: Callable[[], object]) -> None:
    """Return when a background task has made something true."""
    async with asyncio.timeout(LIMIT_S):
        while not holds():  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.01)
