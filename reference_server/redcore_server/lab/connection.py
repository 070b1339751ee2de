"""Real damage to a connection: closes the socket under the answer.

ASGI has no message for that, so this reaches for uvicorn's own transport, behind the `send` it gave us. Under any
other server, such as httpx's ASGITransport, the damage is an error that says so.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.types import Message, Receive, Send


async def cut(receive: Receive, send: Send) -> None:
    """Close the connection and wait until uvicorn knows.

    Args:
        receive: ASGI receive callable of the request.
        send: As uvicorn gave it.

    Raises:
        RuntimeError: Uvicorn does not serve this request.
    """
    _transport(send).close()
    while (await receive())["type"] != "http.disconnect":
        pass


def truncating(receive: Receive, send: Send) -> Send:
    """Return a `send` that closes the connection in the middle of the answer's body.

    Args:
        receive: ASGI receive callable of the request.
        send: As uvicorn gave it.
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
