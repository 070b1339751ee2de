"""Bounds how long a client may keep the server waiting for the body of a request.

A client may take `client_s` seconds in all to send its body, and a second more for each `MIN_RATE` bytes that came, as
in Apache's mod_reqtimeout: what makes progress may last for hours, a byte now and then may not. Only time that the
server spends waiting counts.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from starlette.types import Message, Receive

from redcore_server.errors import RequestTimeout

MIN_RATE: Final = 1000  # bytes a second


class BoundedReceive:
    """An ASGI `receive` that waits for a bounded time."""

    def __init__(self, receive: Receive, client_s: float) -> None:
        """Start before the first part.

        Args:
            receive: Of the server.
            client_s: Seconds to wait in all, without what the bytes that come add.
        """
        self._receive = receive
        self._left_s = client_s
        self._has_more = True

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            RequestTimeout: The body comes too slowly.
        """
        if not self._has_more:  # only the end of the connection may still come
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
