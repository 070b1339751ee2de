"""A request as httpcore sends it, and its answer's headers. Performs no I/O."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import attrs
import httpcore
import httpx

from redcore._operation import Request
from redcore._response import Headers
from redcore.transport.body import ACCEPT_ENCODING


@attrs.frozen
class Address:
    """Where an origin is."""

    scheme: str
    host: str
    port: int | None
    header: bytes
    """`Host`."""

    @property
    def origin(self) -> httpcore.Origin:
        """The address as httpcore connects to it."""
        default = 443 if self.scheme == "https" else 80
        return httpcore.Origin(self.scheme.encode(), self.host.encode(), self.port or default)


@lru_cache(maxsize=64)
def address(origin: str) -> Address:
    """Where an origin is.

    Raises:
        UnicodeError: the name of the host cannot be one.
    """
    parts = urlsplit(origin)
    host = (parts.hostname or "").encode("idna").decode()
    return Address(parts.scheme, host, parts.port, parts.netloc.encode("idna"))


def split(url: str) -> tuple[str, str]:
    """Origin and target of a URL."""
    path_at = url.find("/", url.index("://") + 3)
    return (url, "/") if path_at < 0 else (url[:path_at], url[path_at:])


def on_the_wire(request: Request, where: Address, target: str) -> httpcore.Request:
    """The request as httpcore takes it."""
    headers = [(b"Host", where.header), (b"Accept-Encoding", ACCEPT_ENCODING.encode())]
    headers += [(name.encode("ascii"), value.encode("ascii")) for name, value in request.headers.items()]
    content: Any = request.content
    if request.files is not None:
        content, extra = multipart(request)
        headers += [(name.encode(), value.encode()) for name, value in extra.items()]
    elif content is not None:
        headers.append((b"Content-Length", str(len(content)).encode()))
    elif request.method in {"POST", "PUT", "PATCH"}:
        headers.append((b"Content-Length", b"0"))
    url = httpcore.URL(
        scheme=where.scheme.encode(), host=where.host.encode(), port=where.port, target=target.encode("ascii")
    )
    return httpcore.Request(request.method, url, headers=headers, content=content)


def multipart(request: Request) -> tuple[Any, dict[str, str]]:
    """A multipart body and the headers that describe it, as httpx writes them (RFC 7578)."""
    built = httpx.Request(request.method, request.url, files=dict(request.files or {}), data=dict(request.fields or {}))
    told = ("Content-Type", "Content-Length", "Transfer-Encoding")
    return built.stream, {name: built.headers[name] for name in told if name in built.headers}


def headers_of(response: httpcore.Response) -> Headers:
    """The headers of an answer."""
    return Headers.of_pairs((name.decode("ascii"), value.decode("latin-1")) for name, value in response.headers)
