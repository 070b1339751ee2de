"""Splits URLs into the address to connect to and the target to request. Performs no I/O."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

import attrs


@attrs.frozen
class Address:
    """The address of an origin."""

    scheme: str
    host: str
    port: int
    header: str
    """`Host`."""


@lru_cache(maxsize=64)
def address(origin: str) -> Address:
    """Parse the address of an origin.

    Raises:
        UnicodeError: the host name is invalid.
    """
    parts = urlsplit(origin)
    host = (parts.hostname or "").encode("idna").decode()
    default = 443 if parts.scheme == "https" else 80
    header = re.sub("%[^]]*", "", parts.netloc)  # an IPv6 zone is of this machine only (RFC 6874 section 1)
    return Address(parts.scheme, host, parts.port or default, header.encode("idna").decode())


def in_ascii(name: str) -> str:
    """A host name as in DNS, by IDNA 2008: Python's codec, of 2003, turns faß.de into another name, fass.de.

    Raises:
        UnicodeError: it is not a valid host name.
    """
    if name.isascii():
        return name.encode("idna").decode()
    import idna  # noqa: PLC0415 (few names need it)

    return idna.encode(name, uts46=True).decode()


def split(url: str) -> tuple[str, str]:
    """Origin and target of a URL."""
    path_at = url.find("/", url.index("://") + 3)
    return (url, "/") if path_at < 0 else (url[:path_at], url[path_at:])
