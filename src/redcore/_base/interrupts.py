"""Defers signals while blocking code refreshes a token: an interrupt would lose the new pair, or leave a lock locked.

Only in the main thread, where Python delivers signals, and only for the duration of a refresh; a second one of the same
kind is delivered immediately. The application's own handlers are restored, and called afterwards.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from inspect import currentframe
from types import FrameType
from typing import Any, TypeAlias

Handler: TypeAlias = Callable[[int, FrameType | None], Any] | int | signal.Handlers
SIGNALS = [
    getattr(signal, name)
    for name in (
        *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"),  # of terminals and process managers
        *("SIGALRM", "SIGUSR1", "SIGUSR2"),  # of time limits: of alarms, and of Celery's tasks
    )
    if hasattr(signal, name)  # Windows has the first two
]
"""The signals whose handlers usually end a program, or what it is doing."""
REQUESTS = frozenset({"SIGTERM", "SIGHUP"})
"""Those that are deferred without a handler too: they ask a process to end, and the others are for what hangs."""


def is_deferred(number: int, handler: Handler | None) -> bool:
    """Whether a signal waits until the refresh is over; one that is ignored stays so."""
    return callable(handler) or (handler is signal.SIG_DFL and signal.Signals(number).name in REQUESTS)


class Interrupts:
    """The deferred signals of this process."""

    def __init__(self) -> None:
        self.are_held = False
        """Whether a refresh is in progress in the main thread."""
        self._noted: list[int] = []
        self._handlers: dict[int, Handler | None] = {}

    def hold(self, *, when: bool = True) -> None:
        """Defer signals that the application handles, or that ask the process to end, if this is the thread for them.

        Args:
            when: Whether there is something that they would take away.
        """
        if not when or self.are_held or threading.current_thread() is not threading.main_thread():
            return
        found = {number: signal.getsignal(number) for number in SIGNALS}
        handlers = {number: handler for number, handler in found.items() if is_deferred(number, handler)}
        self._noted, self._handlers, self.are_held = [], handlers, bool(handlers)
        try:
            for number in handlers:
                signal.signal(number, self._note)
        except ValueError:  # in a subinterpreter, which receives no signals
            self.are_held = False

    def deliver(self) -> None:
        """Stop deferring signals, and deliver those that arrived in between.

        Raises:
            KeyboardInterrupt: an interrupt arrived, and the application uses Python's default handler.
            BaseException: what another handler of the application raises.
        """
        if threading.current_thread() is not threading.main_thread() or not self.are_held:
            return
        self._restore()
        with ExitStack() as others:  # which are delivered even if the handler of one raises
            for number in reversed(self._noted):
                others.callback(call_handler, number)

    def abandon(self) -> None:
        """Stop deferring signals in a forked child, which nothing could end otherwise: the refresh is the parent's."""
        if self.are_held:
            self._restore()

    def _restore(self) -> None:
        self.are_held = False
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._note:  # unless the application has set another one meanwhile
                signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in self._noted:
            self.deliver()
        else:
            self._noted.append(number)


def call_handler(number: int) -> None:
    """Call the handler of a signal that has arrived before.

    Raising the signal again would be a second one for an event loop, which learns of signals from C.
    """
    handler = signal.getsignal(number)
    if callable(handler):
        handler(number, currentframe())
    elif handler is signal.SIG_DFL:
        signal.raise_signal(number)


interrupts = Interrupts()
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=interrupts.abandon)
