"""One connection of uvicorn, with limits that uvicorn lacks (docs/adr/0036-clients-that-are-slow.md).

It limits the size and duration of a head, the data around a body (trailers and chunk extensions), how many requests
wait for the responses before theirs, how long a body is read after its response was sent, and how long a client may
leave a response unread. The body of a running request is bounded where it is read
(`redcore_server.gateway.slow_clients`).

A request that is not valid HTTP is answered by the app like any other: the app finds the error as `REFUSAL` in the
scope. So that response also has a request id, the envelope and a line in the access log.

States, by what the next byte belongs to:

    HEAD     → BODY at the end of a valid head, → REFUSED if it is malformed, late or too large
    BODY     → HEAD at the end of the message, → REFUSED if a chunk is malformed or the data around it too large
    REFUSED  nothing more is read; the response closes the connection
"""

from __future__ import annotations

import asyncio
import enum
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from redcore_server.errors import (
    ApiError,
    Detail,
    HeadTooLarge,
    NotImplementedHere,
    RateLimited,
    RequestTimeout,
    ValidationFailed,
)
from redcore_server.http.addresses import PEER
from redcore_server.http.context import REFUSAL
from redcore_server.listening.joined_writes import JoinedWrites

MAX_HEAD_BYTES: Final = 64 * 1024  # uvicorn's own bound; nginx and Node allow half of it or less
MAX_FIELDS: Final = 100  # Apache's and HAProxy's default; each field costs a call, however small it is
MAX_WAITING: Final = 32  # requests behind the one being answered; benchmarks that pipeline send 16
FRAMING_PER_BYTE: Final = 16  # a chunk of one byte has 5 around it, or 13 where its size is padded to 8 digits
_VERSIONS: Final = frozenset({"1.0", "1.1"})
# RFC 3986 section 3.2: an IP literal or a name, and a port.
_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::[0-9]*)?")


class _State(enum.Enum):
    HEAD = enum.auto()
    BODY = enum.auto()
    REFUSED = enum.auto()


class Connection(HttpToolsProtocol):
    """An asyncio protocol, one per connection; see `bounded`."""

    parser: httptools.HttpRequestParser  # set by uvicorn; None only after the connection is lost

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
            config: Set by uvicorn, like the next three.
            server_state: State shared by all connections.
            app_state: State put into each scope.
            _loop: The running event loop.
            client_s: Seconds a client may take for a head, for the rest of a body after its response, or to read more
                of a response.
        """
        super().__init__(config, server_state, app_state, _loop)
        self._client_s = client_s
        self._state: _State = _State.HEAD
        self._has_begun = False  # whether a part of the head has arrived
        self._messages = 0  # heads started, heads ended, messages ended: whether a read belongs to one part only
        self._body_bytes = 0  # for this message
        self._other_bytes = 0  # for this head, or around this body
        self._fields = 0  # of this head, or of this body's trailers
        self._rest_at = 0  # where the bytes begin that the parser left, because it expects another protocol's
        self._deadline: asyncio.TimerHandle | None = None  # for data from the client
        self._reading_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for the first head."""
        super().connection_made(transport)
        self._joined = JoinedWrites(transport, self.loop)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel all timers."""
        self._stop_expecting()
        self.resume_writing()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override] # asyncio lets it answer
        """Answer complete requests although the client has closed its sending side (RFC 9112 section 9.6)."""
        if self._is_answering and self._state is _State.HEAD and self.scheme == "http":  # TLS has no half-close
            self.cycle.keep_alive = False
            return True
        return None

    def data_received(self, data: bytes) -> None:
        """Process received data, within the limits."""
        if self._is_refused():
            return
        part, body_bytes = self._messages, self._body_bytes
        super().data_received(data)
        if self._is_refused() or self.transport.is_closing():
            return
        if part == self._messages:  # else it starts with the end of another part, which is too small to matter
            self._other_bytes += len(data) - (self._body_bytes - body_bytes)
        if self._other_bytes > MAX_HEAD_BYTES + FRAMING_PER_BYTE * self._body_bytes:
            self._refuse(_too_many_bytes())
        elif self._state is _State.HEAD and self._deadline is None and (self._has_begun or not self._is_answering):
            self._expect()
        if self._rest_at:
            rest, self._rest_at = data[self._rest_at :], 0
            if rest:
                self.data_received(rest)

    def on_message_begin(self) -> None:
        """Start reading a head, unless too many requests wait: one read can hold thousands of them."""
        if len(self.pipeline) >= MAX_WAITING:
            raise RateLimited(1)
        super().on_message_begin()
        self._has_begun = True
        self._begin_part()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header field; a trailer field is only counted and never becomes a header.

        RFC 9110 section 6.5.1: a trailer for routing or authentication must not be merged into the head.
        """
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise HeadTooLarge(f"more than {MAX_FIELDS}")
        if self._state is _State.HEAD:
            super().on_header(name, value.rstrip(b" \t"))  # RFC 9110 section 5.5: not part of the value

    def on_headers_complete(self) -> None:
        """Start the app, unless the head is too large or ambiguous."""
        self._stop_expecting()
        if self.parser.get_method() == b"CONNECT":  # what comes after its head is a tunnel's, or a body: proxies differ
            raise NotImplementedHere("This server is not a proxy, so it does not support CONNECT.")
        _check_head(self.url, self.headers, self.parser.get_http_version())
        self.scope["headers"] = tuple(self.headers)
        self._name_peer()
        super().on_headers_complete()
        self.cycle.transport = self._joined
        self._state = _State.BODY
        self._begin_part()
        self._body_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body to the app."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next head, unless a trailer has ended the connection for the parser, which reads no further."""
        super().on_message_complete()
        if self._fields and not self.parser.should_keep_alive():
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.transport.close()
        self._state = _State.HEAD
        self._has_begun = False
        self._begin_part()
        self._body_bytes = 0

    def on_response_complete(self) -> None:
        """Let a client that is still sending its body read the response, but bound how long it may send."""
        self._joined.flush()  # a response without a body
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # which uvicorn has resumed: those that wait are enough
        is_last = self.cycle.response_complete  # and no pipelined request is being answered
        if is_last and self.cycle.more_body and not self.transport.is_closing():
            self._expect()

    def pause_writing(self) -> None:
        """Bound how long the client may take to read what was sent."""
        super().pause_writing()
        self._reading_deadline = self.loop.call_later(self._client_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Resume sending."""
        super().resume_writing()
        if self._reading_deadline is not None:
            self._reading_deadline.cancel()
            self._reading_deadline = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's message adds nothing to the status
        """Refuse the request at which the parser stopped, with the error raised by a callback if there is one."""
        cause = (sys.exception() or Exception()).__context__
        self._refuse(cause if isinstance(cause, ApiError) else malformed("is not valid HTTP"))

    def _unsupported_upgrade_warning(self) -> None:
        """Read on behind a request that offers another protocol (RFC 9110 section 7.8); uvicorn drops what follows."""
        offer = sys.exception()
        self._rest_at = offer.args[0] if isinstance(offer, httptools.HttpParserUpgrade) else 0

    def _is_refused(self) -> bool:
        return self._state is _State.REFUSED

    @property
    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _begin_part(self) -> None:
        self._messages += 1
        self._other_bytes = self._fields = 0

    def _refuse(self, error: ApiError) -> None:
        """Answer with an error and stop reading: the remaining bytes cannot be parsed reliably."""
        self._stop_expecting()
        error.headers["Connection"] = "close"
        is_in_body, self._state = self._state is _State.BODY, _State.REFUSED
        if not is_in_body:
            self._answer_head(error)
        elif self.cycle.response_complete:
            self.transport.close()
        else:
            self.cycle.keep_alive = False
            REFUSAL.set(self._scope, error)
            self.cycle.message_event.set()  # wakes the app if it waits for more of the body

    def _answer_head(self, error: ApiError) -> None:
        """Let the app answer a request with an invalid head, from the parts that were parsed."""
        if not self._has_begun:
            super().on_message_begin()
        is_named = _is_target(self.url)
        self.url = self.url if is_named else b"/"
        self.scope["headers"] = tuple(self.headers)
        self._name_peer()
        REFUSAL.set(self._scope, error)
        super().on_headers_complete()
        if not is_named:
            self.scope["method"] = "-"  # the parser may not have seen one
        super().on_message_complete()

    def _name_peer(self) -> None:
        if self.client is not None:
            PEER.set(self._scope, self.client[0])

    @property
    def _scope(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.scope)  # a TypedDict, which does not allow our keys

    def _expect(self) -> None:
        self._stop_expecting()
        self._deadline = self.loop.call_later(self._client_s, self._late)

    def _stop_expecting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if self.pipeline:  # reading stops until the requests before it are answered
            self._expect()
        elif self._state is _State.HEAD and self._has_begun:
            self._refuse(RequestTimeout())
        else:
            self.transport.close()


def bounded(client_s: float) -> Callable[..., Connection]:
    """Return a factory of connections.

    Args:
        client_s: See `Connection`.
    """
    return partial(Connection, client_s=client_s)


def malformed(issue: str) -> ValidationFailed:
    """Return the error for a request that is not valid HTTP.

    Args:
        issue: What is wrong with the request.
    """
    return ValidationFailed(details=[Detail("request", issue)])


def _too_many_bytes() -> HeadTooLarge:
    return HeadTooLarge(f"larger than {MAX_HEAD_BYTES} bytes")


def _check_head(url: bytes, headers: Iterable[tuple[bytes, bytes]], version: str) -> None:
    fields = list(headers)
    if len(url) + sum(len(name) + len(value) for name, value in fields) > MAX_HEAD_BYTES:
        raise _too_many_bytes()
    if version not in _VERSIONS:
        raise NotImplementedHere("This server speaks HTTP/1.1 and HTTP/1.0 only.")
    hosts = [value for name, value in fields if name == b"host"]
    # RFC 9112 section 3.2; before HTTP/1.1 a request may have none.
    if len(hosts) > 1 or (not hosts and version != "1.0"):
        raise malformed("must have exactly one Host header")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise malformed("has a Host header that is not a host and port")
    codings = [value.strip().lower() for name, value in fields if name == b"transfer-encoding"]
    if codings and codings != [b"chunked"]:  # RFC 9112 section 6.1
        raise NotImplementedHere("The only transfer coding that this server reads is chunked, once.")
    if codings and version == "1.0":  # RFC 9112 section 6.1: its framing is faulty
        raise malformed("has a Transfer-Encoding, which HTTP/1.0 does not have")
    _check_upgrade(fields)


def _check_upgrade(fields: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse an upgrade (RFC 9110 section 7.8) with a body: the parser takes the body for another protocol's bytes.

    Without a body an upgrade is ignored, as the section allows.
    """
    names = {name for name, value in fields if name != b"content-length" or value.strip(b"0 ")}
    if b"upgrade" in names and names & {b"content-length", b"transfer-encoding"}:
        raise NotImplementedHere("This server speaks HTTP/1.1 only; send a body without the header Upgrade.")


def _is_target(url: bytes) -> bool:
    try:
        return bool(httptools.parse_url(url).path)
    except httptools.HttpParserInvalidURLError:
        return False
