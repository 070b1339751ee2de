"""Treats Ctrl-C and SIGTERM as one orderly shutdown."""

from __future__ import annotations

import contextlib
import signal
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


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted
