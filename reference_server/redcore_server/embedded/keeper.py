"""Keeps one embedded server running, from a thread of its own: the kernel ends the server with the thread.

States:

    starting → running, or failed: whoever asks for `started` gets the error
    running  → stopped when asked to
             → starting again, on the same port, when the server ended by itself
             → lost when it has ended for the fifth time within a minute
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

MOST_ENDS: Final = 5
WITHIN_S: Final = 60.0
_FIRST_DELAY_S: Final = 0.2  # then twice as long each time; orphaned processes of PostgreSQL need some of it to end
_POLL_S: Final = 0.05

_log = logging.getLogger("redcore_server.embedded")


class Keeper:
    """One server and its thread.

    Attributes:
        started: The server, once it answers for the first time.
        is_lost: Whether it ended too often to be started again.
    """

    def __init__(self, start: Callable[[], ServerProcess], on_loss: Callable[[], None]) -> None:
        """Begin to start the server.

        Args:
            start: Starts it and returns once it answers.
            on_loss: Called in the thread when the server is given up.
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
        """Stop the server and wait until it has ended."""
        self._stop.set()
        self._thread.join()

    def _keep(self) -> None:
        try:
            server = self._start()
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
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
        """Return the server when it runs again; None if it is lost, or we were asked to stop."""
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
