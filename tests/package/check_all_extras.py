"""Run by `nox -s package` where the wheel is installed with the extra `all`: everything but the server works."""

from __future__ import annotations

import importlib.metadata
import sys
from importlib.util import find_spec

EXTRAS = {
    "keyring": ["keyring"],
    "redis": ["redis", "cryptography"],
    "aiohttp": ["aiohttp"],
    "otel": ["opentelemetry"],
    "cli": ["click", "rich"],
    "mcp": ["mcp"],
    "testing": ["pytest"],
}
"""Each extra but `server`, with modules that it installs."""


def check_extras() -> None:
    """`all` installs what every extra installs, except the server's."""
    declared = set(importlib.metadata.metadata("redcore-sdk").get_all("Provides-Extra") or [])
    assert declared == {*EXTRAS, "all", "server"}, declared
    missing = [module for modules in EXTRAS.values() for module in modules if not find_spec(module)]
    assert not missing, f"`all` does not bring {missing}"
    assert not find_spec("procrastinate"), "`all` brings the server"


def check_names() -> None:
    """The objects of each extra can be made."""
    from redcore import AsyncClient
    from redcore.tokens import KeyringCache, RedisCache

    KeyringCache()
    RedisCache("redis://127.0.0.1")
    AsyncClient(api_key="rk_test_1", transport="aiohttp")


if __name__ == "__main__":
    check_extras()
    check_names()
    sys.stdout.write("1 passed: `all` is everything but the server\n")
