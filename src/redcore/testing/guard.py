"""Prevents tests from calling BlueRound's production and staging hosts.

What a fake or a mock answers is never sent, and passes. All else is refused in two places: before the SDK's own
transports send, also through a proxy, and where the standard library looks up a name, for clients that the application
has brought.
"""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from redcore._transport.stand_in import STAGE
from redcore.exceptions import ConfigurationError

OWN = (".blueround.com", ".blueround.dev")  # contract section 2: production and staging


@contextmanager
def no_network() -> Generator[None]:
    """Refuse production and staging, for every client of this process."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        refuse(host)
        return original(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
    STAGE.refuse = lambda url: refuse(urlsplit(url).hostname)
    try:
        yield
    finally:
        STAGE.refuse = None
        socket.getaddrinfo = original


def refuse(host: bytes | str | None) -> None:
    """Reject a host name of BlueRound.

    Raises:
        ConfigurationError: it is a BlueRound host.
    """
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if f".{name.lower().rstrip('.')}".endswith(OWN):
        raise ConfigurationError(
            f"a test called {name}, which redcore_no_network forbids; use the fixture redcore_fake, or give base_url"
        )
