"""The waits of delayed requests, which a reset ends: what waits may not write into the data of the next test."""

from __future__ import annotations

import asyncio


class Delays:
    """The waits of one server."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Wait; return whether the request may go on, which it may not after a reset.

        Args:
            seconds: Length of the wait.
        """
        if seconds == 0:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return True
        return False

    def end(self) -> None:
        """End the waits of all requests that came before."""
        self._ended.set()
        self._ended = asyncio.Event()
