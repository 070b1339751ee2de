"""A server that dies of `kill -9` at random moments and is restarted, on stores that stay."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from random import Random

import attrs
from anyio import to_thread

from redcore.testing import ReferenceServer, ReferenceServerError

_DIES_YOUNG = 1 / 4  # of its lives


@attrs.define
class Mortal:
    """One process of gateway, auth service, API and worker.

    Attributes:
        server: The process.
        random: Decides when it dies; seeded, so that a failure can be repeated.
        deaths: So far.
    """

    server: ReferenceServer
    random: Random
    deaths: int = 0

    async def die(self) -> None:
        """End the process as a power cut would."""
        self.deaths += 1
        await to_thread.run_sync(self.server.kill)

    async def rise(self) -> None:
        """Restart it on the same port; some of its lives end before it is ready."""
        while self.random.random() < _DIES_YOUNG:
            self.deaths += 1
            await to_thread.run_sync(self._die_young, self.random.uniform(0.1, 1.0))
        await to_thread.run_sync(self.server.start)

    def _die_young(self, after_s: float) -> None:
        murderer = threading.Timer(after_s, lambda: os.kill(self.server.pid, signal.SIGKILL))
        murderer.start()
        with contextlib.suppress(ReferenceServerError):
            self.server.start()
        murderer.join()
        self.server.kill()
