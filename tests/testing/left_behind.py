"""What a run of tests with a server has left behind."""

from __future__ import annotations

import os
from pathlib import Path


def leftovers(temporary: Path) -> list[str]:
    """Return folders of servers, and processes that have the folder as their temporary directory or work in it."""
    folders = [str(folder) for folder in temporary.glob("redcore-server-*")]
    return folders + [process.name for process in Path("/proc").glob("[0-9]*") if is_of(process, temporary)]


def is_of(process: Path, temporary: Path) -> bool:
    """Return whether a process belongs to a run."""
    if int(process.name) == os.getpid():
        return False
    try:
        here = str((process / "cwd").readlink()).startswith(str(temporary))
        return here or f"TMPDIR={temporary}".encode() in (process / "environ").read_bytes()
    except OSError:  # it has just ended
        return False
