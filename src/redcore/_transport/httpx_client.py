"""Sends over the httpx or httpx2 client that an application brings, with its proxies, certificates and mocks.

The client stays the application's. httpx2 is no dependency: who brings such a client has imported it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar

import anyio
import httpx

from redcore._base.response import AsyncIncoming, Headers, Incoming, Response
from redcore._transport.body_reader import ACCEPT_ENCODING, Body
from redcore._transport.errors import Foreign, closed, our_errors
from redcore._transport.streamed_response import Arriving, AsyncArriving
from redcore._transport.timeouts import Patience
from redcore._wire.encoding import Request
from redcore.exceptions import ConfigurationError, RedcoreError
from redcore.options import AsyncHttpClient, HttpClient


def errors_of(library: Any) -> Foreign:
    """The exceptions of httpx, or of httpx2, which are named alike."""
    return Foreign(
        late=(TimeoutError, library.TimeoutException),
        no_address=(UnicodeError, library.InvalidURL, library.UnsupportedProtocol),  # the first for names of hosts
        no_header=(library.LocalProtocolError,),
        no_encoding=(library.DecodingError,),
        no_answer=(OSError, library.HTTPError, library.StreamError),
    )


HTTPX = errors_of(httpx)


def errors_of_given(given: object, name: str) -> Foreign:
    """What the library of a given client raises.

    Args:
        given: The client.
        name: What its class must be called in its library.

    Raises:
        ConfigurationError: it is of another kind.
    """
    libraries = [httpx, *filter(None, [sys.modules.get("httpx2")])]
    for library in libraries:
        if isinstance(given, getattr(library, name)):
            return errors_of(library)
    kind = f"{type(given).__module__}.{type(given).__qualname__}"
    raise ConfigurationError(f"{name} takes an httpx.{name} or httpx2.{name} as http_client; got {kind}")


def arguments(request: Request) -> dict[str, Any]:
    """What httpx builds a request from."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": {"Accept-Encoding": ACCEPT_ENCODING, **request.headers},
        "content": request.content,
    }


def streamed(request: Request, iterate: Callable[[Any], Any]) -> dict[str, Any]:
    """As `arguments`, for an exchange that streams."""
    told = arguments(request)
    told["headers"]["Accept-Encoding"] = "identity"
    if not isinstance(request.content, bytes | None):
        told["content"] = iterate(request.content)  # httpx takes what iterates in both colours for blocking
    return told


@cache
def sent_as(kind: Any) -> type[Any]:
    """A body of a library's own kind without its generator, of which trio warns when an attempt breaks off."""

    class Sent(kind):  # type: ignore[misc]  # of whichever library
        def __init__(self, content: Any) -> None:
            self._content = content

        def __aiter__(self) -> AsyncIterator[bytes]:
            return aiter(self._content)

    return Sent


def header_of(response: Any) -> tuple[int, Headers]:
    """Status and headers of an answer whose body is to be read as it was sent; that of a mock is decompressed."""
    hidden = "content-encoding" if is_mock(response) else None
    return response.status_code, Headers({name: value for name, value in response.headers.items() if name != hidden})


def check_open(client_is_closed: bool, http: HttpClient | AsyncHttpClient) -> None:  # noqa: FBT001
    """Say what is closed before a call fails in a stranger way."""
    if client_is_closed:
        raise closed()
    if http.is_closed:
        raise RedcoreError("the http_client is closed; keep it open as long as the client uses it")


def is_mock(response: Any) -> bool:
    """Whether an answer was made with its body, which was never compressed."""
    return bool(response.is_stream_consumed)


def body_of(response: Any, ends_at: float) -> Body:
    """The body of an answer; we decompress it, for httpx has no bound on how far a piece grows."""
    return Body(None if is_mock(response) else response.headers.get("content-encoding"), ends_at)


async def run_out(pieces: AsyncIterator[bytes]) -> None:
    """Let the generators of a body, whose connection is closed, end in an error: trio warns of any that do not."""
    with suppress(Exception):  # of whichever library; what went wrong is being raised already
        async for _ in pieces:
            pass


class GivenTransport:
    """Sends requests over a given client; see `Transport`."""

    name: ClassVar[str | None] = "given"

    def __init__(self, given: HttpClient) -> None:
        self._errors = errors_of_given(given, "Client")
        self._http = given
        self._closed = False

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        check_open(self._closed, self._http)
        ends_at = time.monotonic() + timeout_s
        with our_errors(timeout_s, self._errors):
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = self._http.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                body = body_of(response, ends_at)
                for piece in response.iter_bytes() if is_mock(response) else response.iter_raw():
                    body.add(piece)
            finally:
                response.close()
            return Response(response.status_code, Headers(response.headers), body.whole())

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        check_open(self._closed, self._http)
        patience = Patience.begin(silence_s, ends_in_s)
        with our_errors(silence_s, self._errors, patience.late):
            built = self._http.build_request(**streamed(request, iter), timeout=patience.wait_s())
            response = self._http.send(built, stream=True, auth=None, follow_redirects=False)
            pieces = response.iter_bytes() if is_mock(response) else response.iter_raw()

        def end(_: bool) -> None:  # noqa: FBT001 (as `Arriving` calls it)
            response.close()

        return Arriving(*header_of(response), pieces, patience=patience, foreign=self._errors, end=end)

    def close(self) -> None:
        """Send no more; a second time does nothing."""
        self._closed = True


class AsyncGivenTransport:
    """Sends requests over a given client; see `AsyncTransport`."""

    name: ClassVar[str | None] = "given"

    def __init__(self, given: AsyncHttpClient) -> None:
        self._errors = errors_of_given(given, "AsyncClient")
        self._http = given
        self._closed = False

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        check_open(self._closed, self._http)
        ends_at = time.monotonic() + timeout_s
        with our_errors(timeout_s, self._errors), anyio.fail_after(timeout_s):
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = await self._http.send(built, stream=True, auth=None, follow_redirects=False)
            pieces = response.aiter_bytes() if is_mock(response) else response.aiter_raw()
            try:
                body = body_of(response, ends_at)
                async for piece in pieces:
                    body.add(piece)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
                    await run_out(pieces)
                raise
            await response.aclose()
            return Response(response.status_code, Headers(response.headers), body.whole())

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        check_open(self._closed, self._http)
        patience = Patience.begin(silence_s, ends_in_s)
        with our_errors(silence_s, self._errors, patience.late), anyio.fail_after(patience.left_s()):
            built = self._http.build_request(**streamed(request, aiter), timeout=silence_s)
            if not isinstance(request.content, bytes | None):
                built.stream = sent_as(built.stream.__class__)(request.content)
            response = await self._http.send(built, stream=True, auth=None, follow_redirects=False)
            pieces = response.aiter_bytes() if is_mock(response) else response.aiter_raw()

        async def end(whole: bool) -> None:  # noqa: FBT001 (as `AsyncArriving` calls it)
            await response.aclose()
            if not whole:
                await run_out(pieces)

        return AsyncArriving(*header_of(response), pieces, patience=patience, foreign=self._errors, end=end)

    async def aclose(self) -> None:
        """Send no more; a second time does nothing."""
        self._closed = True
