"""Ctrl-C, SIGTERM and the end of standard input as one orderly end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator
from types import FrameType
from typing import NoReturn


class Interrupted(SystemExit):
    """One of the signals has come.

    No KeyboardInterrupt, which would be the obvious choice: if that strikes while a text is executed, as dataclasses do
    when they are imported, CPython ends the process by SIGINT in the end, although it was caught.
    """


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """End the block at either signal, unless what runs in it takes the signals itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # of our own, or asyncio would put another in its place
    with contextlib.suppress(Interrupted):
        yield


def stop_with(descriptor: int) -> None:
    """Send SIGTERM to this process when a pipe ends, which it does with the process that holds its other end.

    Unlike PR_SET_PDEATHSIG, which follows the thread that started us, this follows the process, on every system.

    Args:
        descriptor: Of the pipe; what arrives by it is dropped.
    """

    def wait() -> None:
        while os.read(descriptor, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="redcore-stop-with", daemon=True).start()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted
