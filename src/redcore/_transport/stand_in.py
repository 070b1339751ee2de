"""Replaces the network for every client of this process: a fake platform in an application's tests.

Inactive unless `redcore.testing` sets a stand-in; a client checks before each step. A client that is made meanwhile
opens its own transport only if it outlives the stand-in, as most of the time that a client's creation takes is the
import of HTTP libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from redcore._transport.protocols import AsyncTransport, Transport


class StandIn(Protocol):
    """Responds instead of the network."""

    blocking: Transport
    awaited: AsyncTransport


class Stage:
    """Holds the current stand-in, and what refuses a URL before any of the SDK's own transports sends to it."""

    stand_in: StandIn | None = None
    refuse: Callable[[str], None] | None = None


STAGE = Stage()
