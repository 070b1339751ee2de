"""The answer to a HEAD: that to a GET, without the body (RFC 9110 section 9.3.2)."""

from __future__ import annotations

from starlette.types import Message, Scope, Send


def bodiless(scope: Scope, send: Send) -> Send:
    """Return a `send` that lets no byte of a body through if the request is a HEAD: not every ASGI server drops it.

    Args:
        scope: ASGI scope of the request.
        send: ASGI send callable of the server.
    """
    if scope["method"] != "HEAD":
        return send

    async def sending(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sending
