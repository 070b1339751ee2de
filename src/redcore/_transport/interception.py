"""Detects whether a test tool has patched httpx or httpcore.

respx, pytest-httpx and vcrpy patch these classes temporarily. Requests that do not go through httpx would then bypass
the mock and reach the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeAlias

import httpcore
import httpx

Method: TypeAlias = tuple[type[Any], str]

BLOCKING: Final[tuple[Method, ...]] = (
    (httpx.Client, "_transport_for_url"),
    (httpx.HTTPTransport, "handle_request"),
    (httpcore.ConnectionPool, "handle_request"),
    (httpcore.HTTPConnection, "handle_request"),
)
AWAITED: Final[tuple[Method, ...]] = (
    (httpx.AsyncClient, "_transport_for_url"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpcore.AsyncConnectionPool, "handle_async_request"),
    (httpcore.AsyncHTTPConnection, "handle_async_request"),
)
FOLDERS = tuple(str(Path(str(library.__file__)).parent) for library in (httpx, httpcore))

_own: set[Any] = {None}
"""The libraries' original functions; None for one that this version does not have."""


def is_intercepted(methods: tuple[Method, ...]) -> bool:
    """Whether one of the methods is patched. Checked before every call; costs half a microsecond."""
    for cls, name in methods:
        function = getattr(cls, name, None)
        if function not in _own:
            if not _is_own(function):
                return True
            _own.add(function)
    return False


def _is_own(function: object) -> bool:
    """Whether a function is defined in the library: a patch may have been applied before this module was imported."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(FOLDERS)
