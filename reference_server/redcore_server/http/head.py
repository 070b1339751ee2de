"""HEAD beside GET: answered wherever GET is, as GET is, without the body (RFC 9110 sections 9.1 and 9.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from starlette.types import Message, Scope, Send

from redcore_server.errors import MethodNotAllowed

_T = TypeVar("_T")


def chosen(methods: Mapping[str, _T], method: str) -> _T:
    """Return what answers a request.

    Args:
        methods: of its address, in capitals, and what answers each.
        method: of the request.

    Raises:
        MethodNotAllowed: none of them does.
    """
    asked = "GET" if method == "HEAD" else method
    if asked not in methods:
        raise MethodNotAllowed({*methods, "HEAD"} if "GET" in methods else methods)
    return methods[asked]


def bodiless(scope: Scope, send: Send) -> Send:
    """Return a `send` that lets no byte of a body through if the request is a HEAD: not every ASGI server sees to it.

    Args:
        scope: of the request.
        send: of the server.
    """
    if scope["method"] != "HEAD":
        return send

    async def sending(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sending
