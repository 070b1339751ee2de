"""Sends over the httpx client that an application brings, with its proxies, certificates and mocks; it stays theirs."""

from __future__ import annotations

import time
from typing import Any

import anyio
import httpx

from redcore._operation import Request
from redcore._response import Headers, Response
from redcore.exceptions import RedcoreError
from redcore.transport.body import Body
from redcore.transport.errors import Foreign, closed, our_errors

HTTPX = Foreign(
    late=(TimeoutError, httpx.TimeoutException),
    no_address=(UnicodeError, httpx.InvalidURL, httpx.UnsupportedProtocol),  # the first for names of hosts
    no_header=(httpx.LocalProtocolError,),
    no_encoding=(httpx.DecodingError,),
    no_answer=(OSError, httpx.HTTPError, httpx.StreamError),
)


def arguments(request: Request) -> dict[str, Any]:
    """What httpx builds a request from."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "content": request.content,
        "files": request.files,
        "data": request.fields,
    }


def check_open(client_is_closed: bool, http: httpx.Client | httpx.AsyncClient) -> None:  # noqa: FBT001
    """Say what is closed before a call fails in a stranger way."""
    if client_is_closed:
        raise closed()
    if http.is_closed:
        raise RedcoreError("the http_client is closed; keep it open as long as the client uses it")


class GivenTransport:
    """Sends requests over a given httpx.Client; see `Transport`."""

    def __init__(self, given: httpx.Client) -> None:
        self._http = given
        self._closed = False

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        check_open(self._closed, self._http)
        with our_errors(timeout_s, HTTPX):
            body = Body(None, time.monotonic() + timeout_s)  # httpx decompresses
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = self._http.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                for piece in response.iter_bytes():
                    body.add(piece)
            finally:
                response.close()
            return Response(response.status_code, Headers(response.headers), body.whole())

    def close(self) -> None:
        """Send no more; a second time does nothing."""
        self._closed = True


class AsyncGivenTransport:
    """Sends requests over a given httpx.AsyncClient; see `AsyncTransport`."""

    def __init__(self, given: httpx.AsyncClient) -> None:
        self._http = given
        self._closed = False

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        check_open(self._closed, self._http)
        with our_errors(timeout_s, HTTPX), anyio.fail_after(timeout_s):
            body = Body(None, time.monotonic() + timeout_s)  # httpx decompresses
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = await self._http.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                async for piece in response.aiter_bytes():
                    body.add(piece)
            finally:
                await response.aclose()
            return Response(response.status_code, Headers(response.headers), body.whole())

    async def aclose(self) -> None:
        """Send no more; a second time does nothing."""
        self._closed = True
