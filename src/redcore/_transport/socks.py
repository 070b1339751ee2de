"""Asks a SOCKS 5 proxy for a connection (RFC 1928), with user name and password if needed (RFC 1929). Performs no I/O.

A dialogue yields bytes to send, or the number of bytes to receive, and gets exactly these: a proxy may send its replies
in pieces.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from typing import TypeAlias

Dialogue: TypeAlias = Generator[bytes | int, bytes, None]

VERSION, LOGIN_VERSION = 5, 1  # RFC 1928 section 3; RFC 1929 section 2
NO_LOGIN, LOGIN = 0, 2  # RFC 1928 section 3, methods
CONNECT = 1  # section 4
IPV4, NAME, IPV6 = 1, 3, 4  # section 5, address types
LONGEST = 255  # of a name, a user and a password: their length is one byte
ADDRESS_BYTES = {IPV4: 4, IPV6: 16}  # section 5
PORT_BYTES = 2  # section 4
REASONS = {  # section 6
    1: "general failure",
    2: "its rules do not allow it",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}


def dialogue(host: str, port: int, login: tuple[bytes, bytes] | None) -> Dialogue:
    """Ask for a connection. The proxy resolves a name, also for `socks5://`, as with httpx and Go.

    Args:
        host: An ASCII name, or an IP address without brackets.
        port: TCP port.
        login: User name and password, or None.

    Raises:
        ConnectionError: the proxy refuses, or does not speak SOCKS 5.
    """
    methods = (NO_LOGIN,) if login is None else (NO_LOGIN, LOGIN)
    yield bytes((VERSION, len(methods), *methods))
    version, method = yield 2
    if version != VERSION:
        raise ConnectionError("it does not speak SOCKS 5")
    if method == LOGIN and login is not None:
        yield bytes((LOGIN_VERSION,)) + sized(login[0]) + sized(login[1])
        _, status = yield 2
        if status:
            raise ConnectionError("it does not accept the user name and password")
    elif method != NO_LOGIN:
        raise ConnectionError("it accepts none of the ways to log in")
    yield bytes((VERSION, CONNECT, 0)) + address(host) + port.to_bytes(PORT_BYTES, "big")
    _, code, _, kind = yield 4
    if code:
        raise ConnectionError(REASONS.get(code, f"code {code}"))
    size = ADDRESS_BYTES.get(kind)
    if size is None:
        size = (yield 1)[0]
    yield size + PORT_BYTES


def address(host: str) -> bytes:
    """A host with its type."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return bytes((NAME,)) + sized(host.encode("ascii"))
    return bytes((IPV4 if found.version == 4 else IPV6,)) + found.packed


def sized(value: bytes) -> bytes:
    """A value after its length.

    Raises:
        ConnectionError: it is too long.
    """
    if len(value) > LONGEST:
        raise ConnectionError(f"names, users and passwords have at most {LONGEST} bytes")
    return bytes((len(value),)) + value
