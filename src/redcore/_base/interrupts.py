"""Defers Ctrl-C while blocking code refreshes a token: an interrupt before the new pair is stored would lose it.

Only in the main thread, where Python delivers signals, and only for the duration of a refresh; a second Ctrl-C is
delivered immediately. The application's own handler is restored and called afterwards.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interrupts:
    """The deferred interrupts of this process."""

    def __init__(self) -> None:
        self.are_held = False
        """Whether a refresh is in progress in the main thread."""
        self._noted = False
        self._handler: Callable[[int, FrameType | None], Any] | None = None

    def hold(self) -> None:
        """Defer interrupts, if this is the thread that receives them."""
        handler = signal.getsignal(signal.SIGINT)
        if self.are_held or threading.current_thread() is not threading.main_thread() or not callable(handler):
            return
        try:
            signal.signal(signal.SIGINT, self._note)
        except ValueError:  # in a subinterpreter, which receives no signals
            return
        self._handler, self._noted, self.are_held = handler, False, True

    def deliver(self) -> None:
        """Stop deferring interrupts, and deliver one that arrived in between.

        Raises:
            KeyboardInterrupt: an interrupt arrived, and the application uses Python's default handler.
        """
        if threading.current_thread() is not threading.main_thread() or self._handler is None:
            return
        handler, self._handler, self.are_held = self._handler, None, False
        signal.signal(signal.SIGINT, handler)
        if self._noted:
            handler(signal.SIGINT, None)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._noted:
            self.deliver()
        self._noted = True


interrupts = Interrupts()
