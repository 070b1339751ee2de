"""Keeps one embedded server running, from its own thread: the kernel ends the server with the thread.

States:

    starting → running, or failed: the error is raised from `started`
    running  → stopped when asked to
             → starting again, on the same port, when the server exited by itself
             → lost after its fifth exit within a minute
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from redcore_server.embedded.process import EmbeddedServerFailed, ServerProcess

MOST_ENDS: Final = 5  # this often within a minute, a restart does not help
WITHIN_S: Final = 60.0  # so that ends of another day do not count
_FIRST_DELAY_S: Final = 0.2  # doubled each time; orphaned processes of PostgreSQL need part of it to exit
_POLL_S: Final = 0.05  # less than a person notices

_log = logging.getLogger("redcore_server.embedded")


class Keeper:
    """One server and its thread.

    Attributes:
        started: The server, once it first answers.
        is_lost: Whether it exited too often to be restarted.
    """

    def __init__(self, start: Callable[[], ServerProcess], on_loss: Callable[[], None]) -> None:
        """Start the server in the background.

        Args:
            start: Starts it and returns once it answers.
            on_loss: Called in the thread when the server is lost.
        """
        self.started: Future[ServerProcess] = Future()
        self.is_lost = False
        self._start = start
        self._on_loss = on_loss
        self._stop = threading.Event()
        self._ends: deque[float] = deque(maxlen=MOST_ENDS)
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the server and wait until it exits."""
        self._stop.set()
        self._thread.join()

    def _keep(self) -> None:
        try:
            server = self._start()
        except BaseException as error:  # noqa: BLE001 - raised to the caller that reads the result
            self.started.set_exception(error)
            return
        self.started.set_result(server)
        while not self._stop.wait(_POLL_S):
            if server.process.poll() is None:
                continue
            _log.error("the embedded %s ended with code %s", server.name, server.process.returncode)
            again = self._started_again(server)
            if again is None:
                return
            server = again
        server.stop()

    def _started_again(self, server: ServerProcess) -> ServerProcess | None:
        """Return the restarted server; None if it is lost, or a stop was requested."""
        while self._may_try():
            delay_s = _FIRST_DELAY_S * 2 ** (len(self._ends) - 1)
            if self._stop.wait(delay_s):
                return None
            try:
                again = server.start_again()
            except EmbeddedServerFailed as error:
                _log.error("%s", error)
                continue
            _log.error("the embedded %s was started again on port %s", again.name, again.port)
            return again
        self.is_lost = True
        self._on_loss()
        return None

    def _may_try(self) -> bool:
        now = time.monotonic()
        self._ends.append(now)
        while now - self._ends[0] > WITHIN_S:
            self._ends.popleft()
        return len(self._ends) < MOST_ENDS
