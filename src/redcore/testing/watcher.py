"""Ends a reference server whose test run is gone, however that ended; removes what earlier runs left behind.

Run as a program of its own, with the standard library only: its input is a pipe that the test run holds open, so that
its end is the end of the run, also after `kill -9`. The kernel releases the locks of the data folder with their
processes (see the server's data folder), so a lock that can be taken means that its process is gone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "redcore-server-"
LOCKS = ("up.lock", "servers.lock")  # of the server, and of the stores that it started
YOUNG_S = 60.0  # a folder that has just been made may not be locked yet
GONE_WITHIN_S = 15.0  # as long as `ReferenceServer.stop` waits
POLL_S = 0.02


def main(pid: int, data: Path, *, is_temporary: bool) -> None:
    """Wait for the end of the test run, then end the server and remove its folder.

    Args:
        pid: Of the server.
        data: Its folder.
        is_temporary: Whether the folder goes too, so that the server need not stop in order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the test run
    sys.stdin.buffer.read()
    if is_server(pid, data):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if is_temporary else signal.SIGTERM)
    ends_at = time.monotonic() + GONE_WITHIN_S
    while is_in_use(data) and time.monotonic() < ends_at:
        time.sleep(POLL_S)
    if is_temporary:
        shutil.rmtree(data, ignore_errors=True)


def is_server(pid: int, data: Path) -> bool:
    """Whether the process is still the server of the folder, and not another process with the same id."""
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it is gone, or the system has no such files
        return is_held(data / LOCKS[0])


def sweep() -> None:
    """Remove the folders of servers that are gone, with all that belonged to them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # owned by another user, or already deleted
            is_ours = folder.stat().st_uid == os.getuid()
            if is_ours and time.time() - folder.stat().st_mtime > YOUNG_S and not is_in_use(folder):
                shutil.rmtree(folder, ignore_errors=True)


def is_in_use(data: Path) -> bool:
    """Whether a running server, or a store that it started, uses a folder."""
    return any(is_held(data / name) for name in LOCKS)


def is_held(lock: Path) -> bool:
    """Whether a living process holds a lock."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), is_temporary=sys.argv[3] == "temporary")
