"""One request and its response at the edge: id, time, status, and the headers of every response."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import Final, cast

from starlette.types import Message, Scope, Send

from redcore_server.clock import Clock
from redcore_server.http.context import ScopeKey
from redcore_server.http.head import bodiless

RawHeader = tuple[bytes, bytes]

_UUID: Final = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# Defaults, the strictest ones; an app may set its own.
_SECURITY: Final[tuple[RawHeader, ...]] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_STRICT: Final[RawHeader] = (b"strict-transport-security", b"max-age=31536000")  # RFC 6797: a year


class Exchange:
    """One request and its response.

    Attributes:
        request_id: UUID of the request: the client's own if it sent one.
        status: HTTP status of the response; 0 before it starts.
    """

    def __init__(self, scope: Scope, send: Send, clock: Clock, *, is_strict: bool = False) -> None:
        """Begin.

        Args:
            send: ASGI send callable of the server.
            is_strict: Whether to send HSTS, so that browsers use only TLS from now on.
        """
        self.request_id = request_id(scope)
        self.status = 0
        self._send = bodiless(scope, send)
        self._clock = clock
        self._began = time.perf_counter()
        self._added: tuple[RawHeader, ...] = ()
        self._always = (*_SECURITY, _STRICT) if is_strict else _SECURITY

    @property
    def duration_s(self) -> float:
        """Seconds since the request arrived."""
        return time.perf_counter() - self._began

    def add(self, *headers: RawHeader) -> None:
        """Set extra headers of the response; replaces those set before.

        Args:
            headers: Headers with lower-case names.
        """
        self._added = headers

    async def send(self, message: Message) -> None:
        """Send a message of the response; the first one gets the headers of every response.

        Args:
            message: An ASGI message.
        """
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = cast("Iterable[RawHeader]", message.get("headers", ()))
            message = {**message, "headers": self._complete(list(given))}
        await self._send(message)

    def _complete(self, given: list[RawHeader]) -> list[RawHeader]:
        names = {name.lower() for name, _ in given}
        # A media type without a body misleads programs that rely on it. A file that is empty has one, and an ETag.
        if (b"content-length", b"0") in given and b"etag" not in names:
            given = [(name, value) for name, value in given if name.lower() != b"content-type"]
        return [
            *given,
            *standing_headers(self.request_id, self._clock),
            *self._added,
            *(header for header in self._always if header[0] not in names),
        ]


EXCHANGE: Final = ScopeKey[Exchange]("redcore.exchange")
"""The exchange of a request; set by the gateway for its own components."""


def request_id(scope: Scope) -> str:
    """Return the request id sent by the client, or a new UUID."""
    for name, value in cast("Iterable[RawHeader]", scope["headers"]):
        if name == b"x-request-id" and _UUID.fullmatch(value):
            return value.decode()
    return new_request_id()


def new_request_id() -> str:
    """Return a random UUID, version 4 of RFC 9562; `uuid.uuid4` takes four times as long."""
    random = os.urandom(16).hex()
    variant = "89ab"[int(random[16], 16) & 3]
    return f"{random[:8]}-{random[8:12]}-4{random[13:16]}-{variant}{random[17:20]}-{random[20:]}"


def standing_headers(request_id: str, clock: Clock) -> list[RawHeader]:
    """Return `X-Request-ID` and `Date`.

    Args:
        request_id: UUID of the request.
    """
    return [(b"x-request-id", request_id.encode()), (b"date", _http_date(int(clock.time())))]


@lru_cache(maxsize=4)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
