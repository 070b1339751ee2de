"""Streamed responses, independent of the HTTP library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import anyio

from redcore._base.response import Headers
from redcore._transport.errors import Foreign, our_errors
from redcore._transport.timeouts import Patience, until


class Arriving:
    """See `Incoming`.

    Args:
        status_code: HTTP status.
        headers: The headers.
        pieces: The raw body.
        patience: The time limits.
        foreign: The exceptions of the library.
        end: Keeps the connection if called with True for a complete body, otherwise closes it.
    """

    def __init__(
        self,
        status_code: int,
        headers: Headers,
        pieces: Iterator[bytes],
        *,
        patience: Patience,
        foreign: Foreign,
        end: Callable[[bool], None],
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self._pieces = pieces
        self._patience = patience
        self._foreign = foreign
        self._end: Callable[[bool], None] | None = end
        self._whole = False

    def read(self) -> bytes:
        """Return the next bytes of the body; empty at its end."""
        patience = self._patience
        with our_errors(patience.silence_s, self._foreign, patience.late), until(patience.ends_at):
            patience.left_s()
            piece = next(self._pieces, b"")
        self._whole = not piece
        return piece

    def close(self) -> None:
        """Keep the connection if the body is complete; close it otherwise."""
        end, self._end = self._end, None
        if end is not None:
            end(self._whole)


class AsyncArriving:
    """See `AsyncIncoming`; arguments as for `Arriving`."""

    def __init__(
        self,
        status_code: int,
        headers: Headers,
        pieces: AsyncIterator[bytes],
        *,
        patience: Patience,
        foreign: Foreign,
        end: Callable[[bool], Awaitable[None]],
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self._pieces = pieces
        self._patience = patience
        self._foreign = foreign
        self._end: Callable[[bool], Awaitable[None]] | None = end
        self._whole = False

    async def read(self) -> bytes:
        """Return the next bytes of the body; empty at its end."""
        patience = self._patience
        with our_errors(patience.silence_s, self._foreign, patience.late), anyio.fail_after(patience.left_s()):
            piece = await anext(self._pieces, b"")
        self._whole = not piece
        return piece

    async def aclose(self) -> None:
        """Keep the connection if the body is complete; close it otherwise, even in a cancelled task."""
        end, self._end = self._end, None
        if end is not None:
            with anyio.CancelScope(shield=True):
                await end(self._whole)
