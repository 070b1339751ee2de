"""From a request to an answer, over httpx. One attempt; no retry, no authentication, no redirect.

Every error of httpx leaves as one of ours (a test enumerates them). Bodies are read in pieces and bounded in size; the
time-out holds for the whole attempt, not only for each silence.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import anyio
import httpx

from redcore._operation import Request
from redcore._response import Headers, Response
from redcore.exceptions import ArgumentError, ConfigurationError, NetworkError, RedcoreError, ResponseError

MAX_BODY_BYTES = 64 * 1024 * 1024
POOL = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0)


def tls() -> ssl.SSLContext:
    """The TLS settings that all clients share: making them takes longer than all the rest of a client."""
    return tls_for(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def tls_for(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    """TLS settings for these certificate authorities; None is httpx's choice."""
    if cert_file or cert_dir:
        return ssl.create_default_context(cafile=cert_file, capath=cert_dir)
    return httpx.create_ssl_context()


@contextmanager
def environment_errors() -> Generator[None]:
    """Raise what is wrong with the variables that httpx and TLS read; a proxy's is not quoted, it may be secret."""
    try:
        yield
    except OSError as problem:
        raise ConfigurationError(f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {problem}") from problem
    except ImportError as problem:
        raise ConfigurationError(f"the proxy of the environment cannot be used: {problem}") from problem
    except (ValueError, httpx.InvalidURL):
        raise ConfigurationError("HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is not the URL of a proxy") from None


@contextmanager
def our_errors(timeout_s: float) -> Generator[None]:
    """Raise what httpx raises as what the SDK promises to raise."""
    try:
        yield
    except (httpx.TimeoutException, TimeoutError) as problem:
        raise NetworkError(f"no complete answer within {timeout_s:g} s") from problem
    except httpx.DecodingError as problem:
        raise ResponseError("the answer's content encoding is broken") from problem
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as problem:  # the last for names of hosts
        raise ArgumentError("the address of the call is no valid URL") from problem
    except httpx.LocalProtocolError as problem:  # its message quotes header values, which may be secret
        raise ArgumentError("a header of the call cannot be sent") from problem
    except (httpx.HTTPError, httpx.StreamError, OSError) as problem:
        raise NetworkError(f"no answer: {str(problem) or type(problem).__name__}") from problem


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


def check_open(closed: bool, http: httpx.Client | httpx.AsyncClient) -> None:  # noqa: FBT001
    """Say what is closed before a call fails in a stranger way."""
    if closed:
        raise RedcoreError("this client is closed; make calls before close(), or inside its `with` block")
    if http.is_closed:
        raise RedcoreError("the http_client is closed; keep it open as long as the client uses it")


class Body:
    """Collects a body, up to a size and a moment."""

    def __init__(self, ends_at: float) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._ends_at = ends_at

    def add(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            ResponseError: the body is too large.
            TimeoutError: the moment has passed.
        """
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MAX_BODY_BYTES:
            raise ResponseError(f"the answer is larger than {MAX_BODY_BYTES} bytes")
        if time.monotonic() > self._ends_at:
            raise TimeoutError

    def answer(self, response: httpx.Response) -> Response:
        """The answer, with the body that was collected."""
        return Response(response.status_code, Headers(response.headers), b"".join(self._pieces))


class Transport:
    """Sends requests over an httpx.Client: the given one, which is not ours to close, or its own."""

    def __init__(self, given: httpx.Client | None = None) -> None:
        with environment_errors():
            self._http = given or httpx.Client(verify=tls(), limits=POOL, follow_redirects=False)
        self._owned = given is None
        self._closed = False

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt.

        Raises:
            NetworkError: no answer came in time.
            ResponseError: the answer is too large or its encoding broken.
        """
        check_open(self._closed, self._http)
        with our_errors(timeout_s):
            body = Body(time.monotonic() + timeout_s)
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = self._http.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                for piece in response.iter_bytes():
                    body.add(piece)
            finally:
                response.close()
            return body.answer(response)

    def close(self) -> None:
        """Send no more, and close the pool if it is ours; a second time does nothing."""
        self._closed = True
        if self._owned:
            self._http.close()


class AsyncTransport:
    """Sends requests over an httpx.AsyncClient: the given one, which is not ours to close, or its own."""

    def __init__(self, given: httpx.AsyncClient | None = None) -> None:
        with environment_errors():
            self._http = given or httpx.AsyncClient(verify=tls(), limits=POOL, follow_redirects=False)
        self._owned = given is None
        self._closed = False

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt.

        Raises:
            NetworkError: no answer came in time.
            ResponseError: the answer is too large or its encoding broken.
        """
        check_open(self._closed, self._http)
        with our_errors(timeout_s), anyio.fail_after(timeout_s):
            body = Body(time.monotonic() + timeout_s)
            built = self._http.build_request(**arguments(request), timeout=timeout_s)
            response = await self._http.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                async for piece in response.aiter_bytes():
                    body.add(piece)
            finally:
                await response.aclose()
            return body.answer(response)

    async def aclose(self) -> None:
        """Send no more, and close the pool if it is ours; a second time does nothing."""
        self._closed = True
        if self._owned:
            await self._http.aclose()
