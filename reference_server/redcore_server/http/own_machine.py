"""Keeps what needs no password, because only people at this machine can reach it, from the pages of other sites.

A page of any site can have a browser on this machine send requests here: as a form, or under a host name of the site
that resolves to a loopback address (DNS rebinding).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from redcore_server.settings import LOOPBACK_HOSTS


def is_of_own_machine(request: Request) -> bool:
    """Return whether a request names this machine, and comes from no page of another one.

    Browsers send `Origin` with every request to another site that could change something (Fetch standard, section 3.2).

    Args:
        request: A request to a server that listens on a loopback address.
    """
    origin = request.headers.get("origin")
    return _is_loopback(f"//{request.headers.get('host', '')}") and (origin is None or _is_loopback(origin))


def _is_loopback(address: str) -> bool:
    try:
        return urlsplit(address).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False
