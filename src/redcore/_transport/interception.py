"""Whether a tool of an application's tests has replaced how httpx or httpcore send.

respx, pytest-httpx and vcrpy put functions of their own into these classes, and take them out again. What does not send
through httpx then would reach the network behind the back of the test.
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
"""The functions that were found to be the libraries' own; None for one that this version does not have."""


def is_intercepted(methods: tuple[Method, ...]) -> bool:
    """Whether one of the methods is not the library's own. Asked before every call: it costs half a microsecond."""
    for cls, name in methods:
        function = getattr(cls, name, None)
        if function not in _own:
            if not _is_own(function):
                return True
            _own.add(function)
    return False


def _is_own(function: object) -> bool:
    """Whether a function was written in the library: what replaces it may have been there before this module."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(FOLDERS)
