"""What takes the place of every connection, of every client of this process: a fake platform in an application's tests.

Nothing stands in unless `redcore.testing` puts something here; a client asks before each step.
"""

from __future__ import annotations

from typing import Protocol

from redcore._transport import AsyncTransport, Transport


class StandIn(Protocol):
    """Answers in place of the network, and lets time pass in place of waiting."""

    blocking: Transport
    awaited: AsyncTransport

    def sleep(self, seconds: float) -> None:
        """Let the time of a wait pass, at once."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """As `sleep`, awaited."""
        ...


class Stage:
    """Who stands in at the moment."""

    stand_in: StandIn | None = None


STAGE = Stage()
