"""Bounds how long a client may keep the server waiting for the body of a request.

A client may take `client_s` seconds in all to send its body, plus one second for each `MIN_RATE` bytes received, as in
Apache's mod_reqtimeout: a steady upload may last for hours, an occasional byte may not. Only time that the server
spends waiting counts.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from starlette.types import Message, Receive

from redcore_server.errors import RequestTimeout

MIN_RATE: Final = 1000  # bytes per second


class BoundedReceive:
    """An ASGI `receive` with a bounded wait."""

    def __init__(self, receive: Receive, client_s: float) -> None:
        """Create it before the first message.

        Args:
            receive: ASGI receive callable of the server.
            client_s: Total seconds to wait, without the time that received bytes add.
        """
        self._receive = receive
        self._left_s = client_s
        self._has_more = True

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            RequestTimeout: The body arrives too slowly.
        """
        if not self._has_more:  # only the end of the connection may still arrive
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left_s):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout from None
        self._left_s += len(message.get("body", b"")) / MIN_RATE - (time.monotonic() - began)
        self._has_more = message.get("more_body", False)
        return message
