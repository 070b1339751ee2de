"""Detects whether a test tool has patched httpx or httpcore.

respx, pytest-httpx and vcrpy patch these classes temporarily. Requests that do not go through httpx would then bypass
the mock and reach the network. A library that the process has not imported cannot be patched, and is not imported here.
"""

from __future__ import annotations

import sys
from typing import Any, Final, TypeAlias

Methods: TypeAlias = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Libraries, each with its methods by class and name."""

BLOCKING: Final[Methods] = (
    (
        "httpx",
        (
            ("Client", "_transport_for_url"),
            ("Client", "_send_single_request"),
            ("HTTPTransport", "handle_request"),
        ),
    ),
    ("httpcore", (("ConnectionPool", "handle_request"), ("HTTPConnection", "handle_request"))),
)
AWAITED: Final[Methods] = (
    (
        "httpx",
        (
            ("AsyncClient", "_transport_for_url"),
            ("AsyncClient", "_send_single_request"),
            ("AsyncHTTPTransport", "handle_async_request"),
        ),
    ),
    ("httpcore", (("AsyncConnectionPool", "handle_async_request"), ("AsyncHTTPConnection", "handle_async_request"))),
)

_own: set[Any] = {None}
"""The libraries' original functions; None for one that this version does not have."""


def is_intercepted(libraries: Methods) -> bool:
    """Whether one of the methods is patched. Checked before every call; costs less than a microsecond."""
    for library, methods in libraries:
        if (module := sys.modules.get(library)) is None:
            continue
        for cls, name in methods:
            function = getattr(getattr(module, cls, None), name, None)
            if function not in _own:
                if not _is_own(function, library):
                    return True
                _own.add(function)
    return False


def _is_own(function: object, library: str) -> bool:
    """Whether a function is defined in the library: a patch may have been applied before this module was imported.

    Names and files do not tell it: `functools.wraps` copies the one, and frozen applications have no other.
    """
    module: str = getattr(function, "__globals__", {}).get("__name__", "")
    return module.partition(".")[0] == library
