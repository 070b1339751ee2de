"""What the tests ask the kernel about processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


def descendants(pid: int) -> set[int]:
    """All processes below one, as the kernel tells."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children = {int(child) for child in task.read_text().split()}
        found |= children.union(*map(descendants, children))
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; one nobody has reaped yet does not."""
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX":
                found.add(pid)
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something becomes true within 30 s, in another process that cannot tell us."""
    deadline = time.monotonic() + 30
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # seldom enough to keep below the rate limit of an API key
    return True
