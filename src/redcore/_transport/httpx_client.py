"""Sends over the application's httpx or httpx2 client, with its proxies, certificates and mocks.

The application owns the client. httpx2 is not a dependency: an application with such a client has imported it.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar

import anyio
import httpx

from redcore._base.clock import monotonic
from redcore._base.response import AsyncIncoming, Headers, Incoming, Response
from redcore._transport.body_reader import ACCEPT_ENCODING, BODILESS, Body, announces_body
from redcore._transport.errors import BY_LOOPS, Foreign, closed, our_errors
from redcore._transport.streamed_response import AsyncStreamedResponse, StreamedResponse
from redcore._transport.timeouts import TimeLimits
from redcore._transport.tls import holds_unread
from redcore._wire.encoding import Request
from redcore.exceptions import ConfigurationError, RedcoreError
from redcore.options import AsyncHttpClient, HttpClient


def errors_of(library: Any) -> Foreign:
    """The exceptions of httpx or httpx2, which have the same names."""
    return Foreign(
        late=(TimeoutError, library.TimeoutException),
        no_address=(UnicodeError, library.InvalidURL, library.UnsupportedProtocol),  # UnicodeError: invalid host names
        no_header=(library.LocalProtocolError,),
        no_encoding=(library.DecodingError,),
        no_answer=(*BY_LOOPS, library.HTTPError, library.StreamError),
    )


HTTPX = errors_of(httpx)


def errors_of_given(given: object, name: str) -> Foreign:
    """Return the exceptions of the given client's library.

    Args:
        given: The client.
        name: The required class name.

    Raises:
        ConfigurationError: the client is of another class.
    """
    libraries = [httpx, *filter(None, [sys.modules.get("httpx2")])]
    for library in libraries:
        if isinstance(given, getattr(library, name)):
            return errors_of(library)
    kind = f"{type(given).__module__}.{type(given).__qualname__}"
    raise ConfigurationError(f"{name} takes an httpx.{name} or httpx2.{name} as http_client; got {kind}")


def arguments(request: Request) -> dict[str, Any]:
    """The arguments of a request of httpx."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": {"Accept-Encoding": ACCEPT_ENCODING, **request.headers},
        "content": request.content,
    }


def streamed(request: Request, iterate: Callable[[Any], Any]) -> dict[str, Any]:
    """Like `arguments`, for a streamed exchange."""
    made = arguments(request)
    made["headers"]["Accept-Encoding"] = "identity"
    if not isinstance(request.content, bytes | None):
        made["content"] = iterate(request.content)  # httpx treats a body with both `__iter__` and `__aiter__` as sync
    return made


@cache
def sent_as(kind: Any) -> type[Any]:
    """A body of the library without its generator, about which trio warns when an attempt is interrupted."""

    class Sent(kind):  # type: ignore[misc]  # of whichever library
        def __init__(self, content: Any) -> None:
            self._content = content

        def __aiter__(self) -> AsyncIterator[bytes]:
            return aiter(self._content)

    return Sent


def header_of(response: Any) -> tuple[int, Headers]:
    """Status and headers of a response whose body is read raw; the body of a mock is already decompressed."""
    hidden = "content-encoding" if is_mock(response) else None
    return response.status_code, Headers({name: value for name, value in response.headers.items() if name != hidden})


def check_open(client_is_closed: bool, http: HttpClient | AsyncHttpClient) -> None:  # noqa: FBT001
    """Raise a clear error if the transport or the client is closed."""
    if client_is_closed:
        raise closed()
    if http.is_closed:
        raise RedcoreError("the http_client is closed; keep it open as long as the client uses it")


def is_mock(response: Any) -> bool:
    """Whether a response was created with its body, as mocks do, and was never compressed."""
    return bool(response.is_stream_consumed)


def body_of(response: Any, ends_at: float) -> Body:
    """The raw body of a response; the SDK decompresses it, as httpx does not limit the decompressed size."""
    encoding = None if is_mock(response) else response.headers.get("content-encoding")
    return Body(response.status_code, encoding, ends_at)


def pieces_of(response: Any) -> Iterator[bytes]:
    """The chunks of a body; httpx's `iter_raw` would give the connection back before `cut_if_out_of_sync` sees it."""
    pieces = response.iter_bytes() if is_mock(response) else response.stream
    return filter(None, pieces)  # a frame of HTTP/2 may be empty


async def async_pieces_of(response: Any) -> AsyncIterator[bytes]:
    """Like `pieces_of`, awaited."""
    async for piece in response.aiter_bytes() if is_mock(response) else response.stream:
        if piece:
            yield piece


def is_out_of_sync(response: Any) -> bool:
    """Whether the next request on a connection could get bytes behind this response, or the body of a 204, for its own.

    httpx does not expose what its parser has read ahead, so this reads private attributes.
    """
    if is_mock(response) or not response.http_version.startswith("HTTP/1"):
        return False
    if response.status_code in BODILESS and announces_body(Headers(response.headers)):
        return True
    connected = response.extensions["network_stream"]
    if holds_unread(connected) or holds_unread(getattr(connected, "_stream", None)):
        return True
    part = response.stream
    for name in ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state"):
        part = getattr(part, name, None)
    return part is not None and bool(part.trailing_data[0])


def cut_if_out_of_sync(response: Any) -> None:
    """Let the pool of httpx find a connection closed that must not be used again; called before it gets it back."""
    stream = response.extensions.get("network_stream")
    sock = None if stream is None or not is_out_of_sync(response) else stream.get_extra_info("socket")
    if sock is not None:
        # A copy, as sockets of uvloop cannot be shut down; not closed, as the pool of trio would fail at that.
        with suppress(OSError), socket.fromfd(sock.fileno(), sock.family, sock.type) as copy:
            copy.shutdown(socket.SHUT_RDWR)


async def run_out(pieces: AsyncIterator[bytes]) -> None:
    """End the generators of a body whose connection is closed: trio warns about unfinished ones."""
    with suppress(Exception):  # of either library; the original error is already being raised
        async for _ in pieces:
            pass


class GivenTransport:
    """Sends requests over the application's client; see `Transport`."""

    name: ClassVar[str | None] = "given"

    def __init__(self, given: HttpClient) -> None:
        self._errors = errors_of_given(given, "Client")
        self._http = given
        self.closed = False

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        check_open(self.closed, self._http)
        ends_at = monotonic() + timeout_s
        with our_errors(timeout_s, self._errors):
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = self._http.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                body = body_of(response, ends_at)
                for piece in pieces_of(response):
                    body.add(piece)
                cut_if_out_of_sync(response)
            finally:
                response.close()
            return Response(response.status_code, Headers(response.headers), body.whole())

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        check_open(self.closed, self._http)
        limits = TimeLimits.begin(silence_s, ends_in_s)
        with our_errors(silence_s, self._errors, limits.late):
            built = self._http.build_request(**streamed(request, iter), timeout=limits.wait_s())
            response = self._http.send(built, stream=True, auth=None, follow_redirects=False)
            pieces = pieces_of(response)

        def end(whole: bool) -> None:  # noqa: FBT001 (as `StreamedResponse` calls it)
            if whole:
                cut_if_out_of_sync(response)
            response.close()

        return StreamedResponse(*header_of(response), pieces, limits=limits, foreign=self._errors, end=end)

    def close(self) -> None:
        """Close the transport, but not the client. Safe to call twice."""
        self.closed = True


class AsyncGivenTransport:
    """Sends requests over the application's client; see `AsyncTransport`."""

    name: ClassVar[str | None] = "given"

    def __init__(self, given: AsyncHttpClient) -> None:
        self._errors = errors_of_given(given, "AsyncClient")
        self._http = given
        self.closed = False

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        check_open(self.closed, self._http)
        ends_at = monotonic() + timeout_s
        with our_errors(timeout_s, self._errors), anyio.fail_after(timeout_s):
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = await self._http.send(built, stream=True, auth=None, follow_redirects=False)
            pieces = async_pieces_of(response)
            try:
                body = body_of(response, ends_at)
                async for piece in pieces:
                    body.add(piece)
                cut_if_out_of_sync(response)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
                    await run_out(pieces)
                raise
            await response.aclose()
            return Response(response.status_code, Headers(response.headers), body.whole())

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        check_open(self.closed, self._http)
        limits = TimeLimits.begin(silence_s, ends_in_s)
        with our_errors(silence_s, self._errors, limits.late), anyio.fail_after(limits.left_s()):
            built = self._http.build_request(**streamed(request, aiter), timeout=silence_s)
            if not isinstance(request.content, bytes | None):
                built.stream = sent_as(built.stream.__class__)(request.content)
            response = await self._http.send(built, stream=True, auth=None, follow_redirects=False)
            pieces = async_pieces_of(response)

        async def end(whole: bool) -> None:  # noqa: FBT001 (as `AsyncStreamedResponse` calls it)
            if whole:
                cut_if_out_of_sync(response)
            await response.aclose()
            if not whole:
                await run_out(pieces)

        return AsyncStreamedResponse(*header_of(response), pieces, limits=limits, foreign=self._errors, end=end)

    async def aclose(self) -> None:
        """Close the transport, but not the client. Safe to call twice."""
        self.closed = True
