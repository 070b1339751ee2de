"""Treats Ctrl-C, SIGTERM and the end of standard input as one orderly shutdown."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator
from types import FrameType
from typing import NoReturn


class Interrupted(SystemExit):
    """A stop signal was received.

    Not a KeyboardInterrupt, the obvious choice: raised inside `exec`, which dataclasses run when they are imported, it
    makes CPython exit by SIGINT at the end even if it was caught.
    """


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """Leave the block at either signal, unless the code in it handles signals itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # our own handler, or asyncio would install another
    with contextlib.suppress(Interrupted):
        yield


def stop_with(descriptor: int) -> None:
    """Send SIGTERM to this process at the end of a pipe, that is when the process holding its other end exits.

    PR_SET_PDEATHSIG follows the thread that started us; this follows the process, and works on every system.

    Args:
        descriptor: File descriptor of the pipe; data read from it is discarded.
    """

    def wait() -> None:
        while os.read(descriptor, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="redcore-stop-with", daemon=True).start()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted
