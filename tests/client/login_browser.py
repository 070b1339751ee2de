"""A browser of a person who logs in, driven by a test."""

from __future__ import annotations

import socket
import threading
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx


class Browser:
    """Follows the address it is given as a consenting user would; `changes` alter the redirect."""

    def __init__(self, origin: str, **changes: str | None) -> None:
        self.origin = origin
        self.changes = changes
        self.asked: dict[str, str] = {}
        self.pages: list[httpx.Response] = []
        self.headers: dict[str, str] = {}
        self.thread = threading.Thread()

    def __call__(self, url: str) -> None:
        self.asked = dict(parse_qsl(urlsplit(url).query))
        redirect = {"code": "c0de", "state": self.asked["state"], "iss": self.origin, **self.changes}
        query = urlencode({name: value for name, value in redirect.items() if value is not None})
        self.go(f"{self.asked['redirect_uri']}?{query}")

    def go(self, *addresses: str) -> None:
        """Visit addresses, later and in order."""
        self.thread = threading.Thread(target=self.visit, args=addresses)
        self.thread.start()

    def visit(self, *addresses: str) -> None:
        for address in addresses:
            self.pages.append(httpx.get(address, headers=self.headers, trust_env=False))


def is_closed(uri: str) -> bool:
    """Return whether an address refuses connections."""
    parts = urlsplit(uri)
    with socket.socket(socket.AF_INET6 if ":" in str(parts.hostname) else socket.AF_INET) as probe:
        return probe.connect_ex((str(parts.hostname), parts.port)) != 0
