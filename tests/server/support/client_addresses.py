"""Addresses of clients, so that no test uses the counters of another."""

from __future__ import annotations

import secrets
from ipaddress import IPv4Address


def new_address() -> str:
    """Return an address that no other client has."""
    return str(IPv4Address(secrets.randbits(32)))
