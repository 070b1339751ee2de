"""Becomes another program that ends with its parent, optionally as another user.

Run as a script in a fresh interpreter (`python -I -S leash.py SIGNAL PARENT UID GID PROGRAM ARGUMENT…`),
never imported by the server: between `fork` and `exec` of a process with threads, no Python code is safe to run. The
working directory is entered before, as the original user, so the new user need not be able to traverse its path.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def _become(uid: int, gid: int) -> None:
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def _die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for `signal_number` at the parent's death; a change of user would clear the request."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # the parent ended before the request was in place
        sys.exit(1)


def main() -> None:
    """Drop privileges, bind this process to its parent, and become the program."""
    signal_number, parent, uid, gid = map(int, sys.argv[1:5])
    program, *_ = arguments = sys.argv[5:]
    _become(uid, gid)
    _die_with(parent, signal_number)
    os.execv(program, arguments)  # noqa: S606 - no shell is what we want


if __name__ == "__main__":
    main()
