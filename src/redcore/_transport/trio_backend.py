"""A network backend for httpcore on trio's own streams; races addresses as for the other event loops."""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import trio
from httpcore._backends.trio import TrioStream  # httpcore has no public stream over a socket

from redcore._base.clock import monotonic
from redcore._transport.connecting import connect_async
from redcore._transport.tls import holds_unread, name_in_certificate


class Stream(TrioStream):
    """A connection that notices data that TLS has taken from the socket but not handed out."""

    def get_extra_info(self, info: str) -> Any:
        """Return information about the connection."""
        if info == "is_readable" and holds_unread(self._stream):
            return True
        return super().get_extra_info(info)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, encrypted; closed if the handshake fails or is cancelled."""
        try:
            encrypted: Any = await super().start_tls(ssl_context, name_in_certificate(server_hostname), timeout)
        except BaseException:
            await trio.aclose_forcefully(self._stream)
            raise
        return Stream(encrypted._stream)  # noqa: SLF001 (of the class above)


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
        sock = await connect_async(host, port, math.inf if timeout is None else monotonic() + timeout)
        return Stream(trio.SocketStream(trio.socket.from_stdlib_socket(sock)))
