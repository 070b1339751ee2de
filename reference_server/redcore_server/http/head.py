"""The response to HEAD: that of GET, without the body (RFC 9110 section 9.3.2)."""

from __future__ import annotations

from starlette.types import Message, Scope, Send


def bodiless(scope: Scope, send: Send) -> Send:
    """Return a `send` that drops the body if the request is a HEAD: not every ASGI server does.

    Args:
        send: ASGI send callable of the server.
    """
    if scope["method"] != "HEAD":
        return send

    async def sending(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sending
