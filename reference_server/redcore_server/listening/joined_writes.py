"""Sends the head of a response together with the first part of its body: one system call and one packet instead of two.

uvicorn writes them apart, and a write costs as much as all that the gateway does for a request.
"""

from __future__ import annotations

import asyncio


class JoinedWrites(asyncio.Transport):
    """The writing side of a transport, which holds back one write until the next one.

    What nothing follows at once is sent when the event loop turns, so at most one write is held, and never for long.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Start with nothing held.

        Args:
            transport: Transport of the connection.
            loop: Its event loop.
        """
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:  # type: ignore[override] # uvicorn writes nothing else
        """Send, together with what is held; if nothing is, hold it."""
        if self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        else:
            self._held = data
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what is held."""
        if self._held and not self._transport.is_closing():
            self._transport.write(self._held)
        self._held = b""

    def close(self) -> None:
        """Send what is held, and close the connection."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether the connection is closing."""
        return self._transport.is_closing()
