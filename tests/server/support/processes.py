"""Facts about processes, read from the kernel."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


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
    """Return whether something becomes true within 30 s, in another process that cannot notify us."""
    deadline = time.monotonic() + 30
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # seldom enough to stay below the rate limit of an API key
    return True
