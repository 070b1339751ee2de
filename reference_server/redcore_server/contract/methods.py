"""Selects the handler of a method; HEAD is allowed wherever GET is (RFC 9110 sections 9.1 and 9.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from redcore_server.errors import MethodNotAllowed

_T = TypeVar("_T")


def chosen(methods: Mapping[str, _T], method: str) -> _T:
    """Return the handler of a request.

    Args:
        methods: Handlers by upper-case method name.
        method: HTTP method of the request.

    Raises:
        MethodNotAllowed: No handler exists for the method.
    """
    asked = "GET" if method == "HEAD" else method
    if asked not in methods:
        raise MethodNotAllowed({*methods, "HEAD"} if "GET" in methods else methods)
    return methods[asked]
