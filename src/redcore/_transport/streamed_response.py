"""Streamed responses, independent of the HTTP library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import anyio

from redcore._base.response import Headers
from redcore._transport.errors import Foreign, our_errors
from redcore._transport.timeouts import TimeLimits, until


class StreamedResponse:
    """See `Incoming`.

    Args:
        status_code: HTTP status.
        headers: The headers.
        pieces: The raw body.
        limits: The time limits.
        foreign: The exceptions of the library.
        end: Keeps the connection if called with True for a complete body, otherwise closes it.
    """

    def __init__(
        self,
        status_code: int,
        headers: Headers,
        pieces: Iterator[bytes],
        *,
        limits: TimeLimits,
        foreign: Foreign,
        end: Callable[[bool], None],
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self._pieces = pieces
        self._limits = limits
        self._foreign = foreign
        self._end: Callable[[bool], None] | None = end
        self._whole = False

    def read(self) -> bytes:
        """Return the next bytes of the body; empty at its end."""
        limits = self._limits
        with our_errors(limits.silence_s, self._foreign, limits.late), until(limits.ends_at):
            limits.left_s()
            piece = next(self._pieces, b"")
        self._whole = not piece
        return piece

    def close(self) -> None:
        """Keep the connection if the body is complete; close it otherwise."""
        end, self._end = self._end, None
        if end is not None:
            end(self._whole)


class AsyncStreamedResponse:
    """See `AsyncIncoming`; arguments as for `StreamedResponse`."""

    def __init__(
        self,
        status_code: int,
        headers: Headers,
        pieces: AsyncIterator[bytes],
        *,
        limits: TimeLimits,
        foreign: Foreign,
        end: Callable[[bool], Awaitable[None]],
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self._pieces = pieces
        self._limits = limits
        self._foreign = foreign
        self._end: Callable[[bool], Awaitable[None]] | None = end
        self._whole = False

    async def read(self) -> bytes:
        """Return the next bytes of the body; empty at its end."""
        limits = self._limits
        with our_errors(limits.silence_s, self._foreign, limits.late), anyio.fail_after(limits.left_s()):
            piece = await anext(self._pieces, b"")
        self._whole = not piece
        return piece

    async def aclose(self) -> None:
        """Keep the connection if the body is complete; close it otherwise, even in a cancelled task."""
        end, self._end = self._end, None
        if end is not None:
            with anyio.CancelScope(shield=True):
                await end(self._whole)
