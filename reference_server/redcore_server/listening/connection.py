"""One connection of uvicorn, with the bounds that it lacks (docs/adr/0037-clients-that-are-slow.md).

How large the head of a request may be, and how long it may take; how long a body is still read whose answer has been
given; how long a client may leave an answer untaken.
The body of a request under way is bounded where it is read (`redcore_server.gateway.slow_clients`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

MAX_HEAD_BYTES: Final = 64 * 1024


class HeadTooLarge(Exception):  # noqa: N818 - reads as the state it reports
    """Stops the parser."""


class Connection(HttpToolsProtocol):
    """A protocol of asyncio, made for each connection; see `bounded`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        client_s: float,
    ) -> None:
        """Start before the first byte.

        Args:
            config: of uvicorn, as the next three.
            server_state: shared by all connections.
            app_state: put into each scope.
            _loop: the running one.
            client_s: seconds that a head may take, or what is left of a body after its answer, or room for more of it.
        """
        super().__init__(config, server_state, app_state, _loop)
        self._client_s = client_s
        self._head_bytes = 0  # of a head that has not come whole
        self._is_too_large = False
        self._deadline: asyncio.TimerHandle | None = None  # for what the client sends
        self._reading_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for the first head."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_expecting()
        self.resume_writing()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._head_bytes = 1

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head that has not come whole is too large already."""
        super().data_received(data)
        if self._head_bytes and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            elif self._deadline is None:
                self._expect()

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is too large."""
        self._head_bytes = 0
        self._stop_expecting()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD_BYTES:
            self._is_too_large = True
            raise HeadTooLarge
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Let a client that still sends its body read the answer, but not send for ever."""
        super().on_response_complete()
        is_last = self.cycle.response_complete  # and none that came behind it is being answered
        if is_last and self.cycle.more_body and not self.transport.is_closing():
            self._expect()

    def pause_writing(self) -> None:
        """Give the client some time to take what has been sent."""
        super().pause_writing()
        self._reading_deadline = self.loop.call_later(self._client_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Send on."""
        super().resume_writing()
        if self._reading_deadline is not None:
            self._reading_deadline.cancel()
            self._reading_deadline = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words say no more than the status
        """Refuse what the parser stopped at."""
        too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse(too_large if self._is_too_large else HTTPStatus.BAD_REQUEST)

    def _refuse(self, status: HTTPStatus) -> None:
        body = status.phrase.encode()
        head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()

    def _expect(self) -> None:
        self._stop_expecting()
        self._deadline = self.loop.call_later(self._client_s, self._late)

    def _stop_expecting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()


def bounded(client_s: float) -> Callable[..., Connection]:
    """Return what makes a connection.

    Args:
        client_s: see `Connection`.
    """
    return partial(Connection, client_s=client_s)
