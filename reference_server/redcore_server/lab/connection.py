"""Real connection failures: closes the socket during a response.

ASGI has no message for that, so this uses uvicorn's own transport, behind its `send`. Under any other server, such as
httpx's ASGITransport, it raises an error.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.types import Message, Receive, Send


async def cut(receive: Receive, send: Send) -> None:
    """Close the connection and wait until uvicorn has noticed.

    Args:
        receive: ASGI receive callable of the request.
        send: ASGI send callable from uvicorn.

    Raises:
        RuntimeError: Uvicorn is not the server of this request.
    """
    _transport(send).close()
    while (await receive())["type"] != "http.disconnect":
        pass


def truncating(receive: Receive, send: Send) -> Send:
    """Return a `send` that closes the connection in the middle of the response body.

    Args:
        receive: ASGI receive callable of the request.
        send: ASGI send callable from uvicorn.
    """
    is_cut = False

    async def sending(message: Message) -> None:
        nonlocal is_cut
        if is_cut:
            return
        if message["type"] == "http.response.body":
            is_cut = True
            body: bytes = message.get("body", b"")
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await cut(receive, send)
        else:
            await send(message)

    return sending


def _transport(send: Send) -> asyncio.Transport:
    cycle: Any = getattr(send, "__self__", None)  # uvicorn's RequestResponseCycle
    if not hasattr(cycle, "transport"):
        raise RuntimeError("The lab can cut connections of uvicorn only.")
    return cast("asyncio.Transport", cycle.transport)
