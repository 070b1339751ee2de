"""Waits of threads that end when nothing waits for their result any more, such as pages fetched ahead."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar

abandoned: ContextVar[threading.Event | None] = ContextVar("abandoned", default=None)
"""Is set when the work of this context has been abandoned; None if it cannot be."""


class Abandoned(BaseException):
    """Ends a thread that sleeps when its work is abandoned, through all that handles errors. Stays in that thread."""


def sleep(seconds: float) -> None:
    """Wait, unless the work of this context is abandoned meanwhile.

    Raises:
        Abandoned: it was.
    """
    event = abandoned.get()
    if event is None:
        time.sleep(seconds)
    elif event.wait(seconds):
        raise Abandoned
