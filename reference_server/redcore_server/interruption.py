"""Ctrl-C and SIGTERM as one orderly end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator
from types import FrameType


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """End the block at either signal, unless what runs in it takes the signals itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # of our own, or asyncio would put another in its place
    with contextlib.suppress(KeyboardInterrupt):
        yield


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
