"""Ends a server whose owner has exited, however it exited, and removes what earlier owners left behind.

Run as a process of its own, `python -m redcore_server.process.watcher`, by `redcore-server run` and by the fixtures of
`redcore.testing`. It starts before folder and server exist, so that the owner can be killed at any moment. It reads the
server's process id from its standard input once the owner has exited. It waits for a process rather than for the end
of a pipe, which children of the owner would inherit. The kernel releases the locks of a data folder with the processes
that hold them, so a lock that can be taken means that its process is gone. Uses the standard library only, to start
quickly.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "redcore-server-"
"""Of the temporary folders that `sweep` may delete; `redcore.testing` makes them too."""
LOCKS = ("up.lock", "servers.lock")  # of the server, and of the stores that it started: see `data_folder`
_YOUNG_S = 60.0  # a folder that was just created may not be locked yet
_GONE_WITHIN_S = 15.0  # as `_LEFTOVERS_GONE_S` of `data_folder`
_POLL_S = 0.02  # less than a person notices
_LONGEST_ID = 32  # bytes
_OWNER_POLL_S = 0.2  # on systems that cannot wait for a process that is not a child


def main(owner: int, data: Path, disposable: Path | None) -> None:
    """Wait for the end of the owner, then end the server and delete its folder.

    Args:
        owner: Process id of the owner.
        data: Data folder of the server.
        disposable: Folder to delete, with which the server need not stop in order; None stops it in order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner
    sweep()
    await_end(owner)
    server = process_id(sys.stdin.fileno())
    if server is not None and is_server(server, data):
        with suppress(ProcessLookupError):
            os.kill(server, signal.SIGTERM if disposable is None else signal.SIGKILL)
    if disposable is not None:
        await_unused(data)
        shutil.rmtree(disposable, ignore_errors=True)


def await_end(pid: int) -> None:
    """Wait until a process has exited."""
    with suppress(ProcessLookupError):
        try:
            descriptor = os.pidfd_open(pid)
        except (AttributeError, OSError) as error:  # not on Linux, or the kernel is too old
            if isinstance(error, ProcessLookupError):
                raise
            while True:
                os.kill(pid, 0)
                time.sleep(_OWNER_POLL_S)
        select.select([descriptor], [], [])


def process_id(descriptor: int) -> int | None:
    """Read a process id; None if the owner exited before it wrote one."""
    os.set_blocking(descriptor, False)  # a child that the owner forked may keep the other end open
    with suppress(BlockingIOError, ValueError):
        return int(os.read(descriptor, _LONGEST_ID))
    return None


def is_server(pid: int, data: Path) -> bool:
    """Return whether a process is still the server of a folder, not another one with the same id."""
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it is gone, or the system has no such files
        return is_held(data / LOCKS[0])


def await_unused(data: Path) -> None:
    """Wait until no process uses a data folder, up to 15 seconds."""
    deadline = time.monotonic() + _GONE_WITHIN_S
    while is_used(data) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def sweep() -> None:
    """Delete the temporary folders of servers that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # owned by another user, or already deleted
            is_ours = folder.stat().st_uid == os.getuid()
            if is_ours and time.time() - folder.stat().st_mtime > _YOUNG_S and not is_used(folder):
                shutil.rmtree(folder, ignore_errors=True)


def is_used(folder: Path) -> bool:
    """Return whether a server, or a store that it started, uses a folder or one directly below it."""
    below = (path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ()
    return any(is_held(each / name) for each in (folder, *below) for name in LOCKS)


def is_held(lock: Path) -> bool:
    """Return whether a process holds a lock."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
