"""Interruptible waits for threads whose result is no longer needed, such as pages fetched ahead."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar

abandoned: ContextVar[threading.Event | None] = ContextVar("abandoned", default=None)
"""Set when the work of this context has been abandoned; None if it cannot be abandoned."""


class Abandoned(BaseException):
    """Ends a sleeping thread whose work is abandoned, bypassing error handlers. Never leaves that thread."""


def sleep(seconds: float) -> None:
    """Sleep, unless the work of this context is abandoned.

    Raises:
        Abandoned: the work was abandoned.
    """
    event = abandoned.get()
    if event is None:
        time.sleep(seconds)
    elif event.wait(seconds):
        raise Abandoned
