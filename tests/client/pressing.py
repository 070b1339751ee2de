"""Ctrl-C, as the terminal sends it."""

from __future__ import annotations

import signal
import threading


def interrupt() -> None:
    """Press Ctrl-C."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
