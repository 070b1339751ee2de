"""Replaces the network for every client of this process: a fake platform in an application's tests.

Inactive unless `redcore.testing` sets a stand-in; a client checks before each step.
"""

from __future__ import annotations

from typing import Protocol

from redcore._transport import AsyncTransport, Transport


class StandIn(Protocol):
    """Responds instead of the network."""

    blocking: Transport
    awaited: AsyncTransport


class Stage:
    """Holds the current stand-in."""

    stand_in: StandIn | None = None


STAGE = Stage()
