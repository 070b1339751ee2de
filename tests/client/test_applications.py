"""An application that serves with uvicorn, on the event loop that uvicorn chooses, and calls the platform."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.client.loopback import Loopback

from redcore import AsyncClient

TRANSPORTS: list[Any] = [None, "httpcore", "aiohttp"]


@pytest.fixture(params=TRANSPORTS, ids=str)
def address(request: pytest.FixtureRequest, server: Loopback) -> Iterator[str]:
    """The address of an application that answers with the result of a call by a client made before the event loop."""
    client = AsyncClient(api_key="rk_test_key", base_url=server.base_url, transport=request.param)

    async def found(_: Any) -> JSONResponse:
        users = await asyncio.gather(*(client.users.get("usr_1") for _ in range(5)))
        loop = type(asyncio.get_running_loop()).__module__
        return JSONResponse({"ids": [user.id for user in users], "loop": loop})

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncGenerator[None]:
        async with client:
            yield

    app = Starlette(routes=[Route("/", found)], lifespan=lifespan)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    serving.should_exit = True
    thread.join(30)


def test_an_application_on_uvicorns_own_loop(address: str) -> None:
    """Its calls work on uvloop, which uvicorn uses where it is installed, and its client is closed with it."""
    answers = [httpx.get(address, timeout=10).json() for _ in range(2)]

    assert answers == [{"ids": ["usr_1"] * 5, "loop": "uvloop"}] * 2
