"""File locks: exclusive between processes, and released immediately when their holder dies.

The operating system ties a lock to an open file, so that it excludes other threads too. No library is used, because
they release the parent's lock when a forked child drops its copy.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from redcore._base.clock import monotonic

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _unlock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough while a child has a copy


_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
HELD = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK})
TIMEOUT_S = 5.0  # a write takes milliseconds; a disk that hangs takes no longer from a call
PAUSE_S = 0.005  # about what a write takes
_all: WeakSet[FileLocks]


class FileLocks:
    """Locks by name, each a file in one folder; the files stay, empty."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: dict[Path, int] = {}
        _all.add(self)

    def try_lock(self, file: Path) -> bool:
        """Acquire a lock without waiting.

        Args:
            file: The lock file.

        Returns:
            Whether it was acquired; False if another process or thread holds it.

        Raises:
            OSError: the file cannot be opened.
        """
        opened = _taken(file)
        if opened is None:
            return False
        with self._guard:
            self._held[file] = opened
        return True

    def unlock(self, file: Path) -> None:
        """Release a lock, if it is held here."""
        with self._guard:
            opened = self._held.pop(file, None)
        if opened is not None:
            _unlock(opened)
            os.close(opened)

    def drop(self) -> None:
        """Drop the parent's locks in a forked child, without releasing them."""
        held, self._held, self._guard = self._held, {}, threading.Lock()
        for opened in held.values():
            os.close(opened)  # the parent's own copy keeps the lock


@contextmanager
def locked(file: Path) -> Generator[None]:
    """Wait for a lock and hold it briefly; for short operations only.

    Raises:
        OSError: the file cannot be opened, or another holder has kept the lock for five seconds.
    """
    ends_at = monotonic() + TIMEOUT_S
    while (opened := _taken(file)) is None:
        if monotonic() > ends_at:
            raise TimeoutError(errno.ETIMEDOUT, f"another process has been writing it for {TIMEOUT_S:.0f} s")
        time.sleep(PAUSE_S)
    try:
        yield
    finally:
        _unlock(opened)
        os.close(opened)


def _taken(file: Path) -> int | None:
    """The file, open and locked; None if another holder has the lock."""
    opened = os.open(file, _FLAGS, 0o600)
    try:
        taken = take(opened)
    except OSError:
        os.close(opened)
        raise
    if not taken:
        os.close(opened)
        return None
    return opened


def take(opened: int) -> bool:
    """Lock an open file until it is closed or the process exits; False if another holder has the lock.

    Raises:
        OSError: it cannot be locked.
    """
    try:
        _lock(opened)
    except OSError as problem:
        if problem.errno in HELD:
            return False
        raise
    return True


def _after_fork() -> None:
    for locks in list(_all):
        locks.drop()


_all = WeakSet()
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)
