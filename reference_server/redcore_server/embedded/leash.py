"""Becomes another program that ends with its parent, optionally as another user.

Run as a script in a fresh interpreter (`python -I -S leash.py [--detached] SIGNAL PARENT UID GID PROGRAM ARGUMENT…`),
never imported by the server: between `fork` and `exec` of a process with threads, no Python code is safe to run. The
working directory is entered before, as the original user, so the new user need not be able to traverse its path.

With `--detached` the programs that the program has detached from itself, as Patroni does with PostgreSQL, end too. This
process then stays as their keeper: the kernel makes it the parent of those whose own parent has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_DETACHED = "--detached"
_QUIT_S = 6.0  # PostgreSQL kills those of its own that do not quit within 5 s


def _become(uid: int, gid: int) -> None:
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def _die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for `signal_number` at the parent's death; a change of user would clear the request."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # the parent ended before the request was in place
        sys.exit(1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _keep(parent: int, orphan_signal: int, arguments: list[str]) -> NoReturn:
    """Run a program until it or the parent ends, then end everything that it has started."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    keeper, child = os.getpid(), os.fork()
    if child == 0:
        _die_with(keeper, orphan_signal)
        os.execv(arguments[0], arguments)  # noqa: S606 - no shell is what we want
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # an orderly stop is the program's
    signal.signal(signal.SIGHUP, _exit)
    try:
        _die_with(parent, signal.SIGHUP)
        while os.wait()[0] != child:
            pass
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _end_children()
    sys.exit()


def _exit(number: int, frame: object) -> NoReturn:
    del number, frame
    sys.exit(1)


def _end_children() -> None:
    """End the children, and those they leave behind; PostgreSQL ends its own at SIGQUIT, and frees what it shares."""
    deadline = time.monotonic() + _QUIT_S
    with contextlib.suppress(ChildProcessError):
        while True:
            number = signal.SIGQUIT if time.monotonic() < deadline else signal.SIGKILL
            for task in Path("/proc/self/task").glob("*/children"):
                for child in task.read_text().split():
                    os.kill(int(child), number)
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)


def main() -> None:
    """Drop privileges, bind this process to its parent, and become the program, or keep it."""
    words = sys.argv[1:]
    is_kept = words[0] == _DETACHED
    del words[:is_kept]
    signal_number, parent, uid, gid = map(int, words[:4])
    _become(uid, gid)
    if is_kept:
        _keep(parent, signal_number, words[4:])
    _die_with(parent, signal_number)
    os.execv(words[4], words[4:])  # noqa: S606 - no shell is what we want


if __name__ == "__main__":
    main()
