"""A network backend for httpcore on trio's own streams; races addresses as for the other event loops."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import trio
from httpcore._backends.trio import TrioStream  # httpcore has no public stream over a socket

from redcore._transport.connecting import connect_async


class TrioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections in trio's event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
        local_address: str | None = None,  # noqa: ARG002 (we ask for none)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 (as above)
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        sock = await connect_async(host, port, math.inf if timeout is None else time.monotonic() + timeout)
        return TrioStream(trio.SocketStream(trio.socket.from_stdlib_socket(sock)))
