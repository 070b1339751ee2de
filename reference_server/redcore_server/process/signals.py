"""Treats Ctrl-C and SIGTERM as one orderly shutdown."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator
from functools import partial
from types import FrameType
from typing import Final

_IMPORT_SYSTEM: Final = "<frozen importlib."  # its source, as code objects name it
_AGAIN_S: Final = 0.02  # most modules are imported by then, and a person does not notice


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


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Leave the block, or try again shortly if a module is being imported.

    An exception between two instructions of the import system can leave one of its locks locked; every thread that
    imports afterwards waits for it, and leaving the block waits for the threads.
    """
    if not _is_importing(frame):
        raise Interrupted
    signal.signal(signal.SIGALRM, partial(_deliver, number))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)


def _deliver(number: int, _alarm: int, _frame: FrameType | None) -> None:
    signal.raise_signal(number)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORT_SYSTEM):
            return True
        frame = frame.f_back
    return False
