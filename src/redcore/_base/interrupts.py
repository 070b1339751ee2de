"""Holds Ctrl-C back while blocking code renews a token: between the answer and the storing of its pair all is lost.

Only in the main thread, where Python delivers signals, and only for as long as a renewal takes; a second Ctrl-C is
delivered at once. The handler of the application stays what it was, and is called afterwards.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interrupts:
    """What is held back in this process."""

    def __init__(self) -> None:
        self.are_held = False
        """Whether a renewal in the main thread is under way."""
        self._noted = False
        self._handler: Callable[[int, FrameType | None], Any] | None = None

    def hold(self) -> None:
        """Hold interrupts back, if they would be delivered here."""
        handler = signal.getsignal(signal.SIGINT)
        if self.are_held or threading.current_thread() is not threading.main_thread() or not callable(handler):
            return
        try:
            signal.signal(signal.SIGINT, self._note)
        except ValueError:  # of a subinterpreter, which gets no signals
            return
        self._handler, self._noted, self.are_held = handler, False, True

    def deliver(self) -> None:
        """Hold them back no longer; one that came meanwhile is delivered now.

        Raises:
            KeyboardInterrupt: one came, and the application handles it as Python does.
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
