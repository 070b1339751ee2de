"""How long a client may take to send a body."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message
from tests.server.support.callers import callers_of, whole_app
from tests.server.support.tenants import Organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.errors import RequestTimeout
from redcore_server.gateway.slow_clients import MIN_RATE, BoundedReceive
from redcore_server.settings import Settings
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


def sending(*messages: Message) -> Any:
    """Make a `receive` with these messages, each after a turn of the loop, and then none."""
    left = list(messages)

    async def receive() -> Message:
        await asyncio.sleep(0)
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def part(size: int, *, more_body: bool = True) -> Message:
    return {"type": "http.request", "body": b"x" * size, "more_body": more_body}


async def test_a_body_that_stops_is_a_timeout() -> None:
    """With a message that ends the connection."""
    receive = BoundedReceive(sending(), client_s=0)

    with pytest.raises(RequestTimeout) as caught:
        await receive()

    assert caught.value.code == "REQUEST_TIMEOUT"
    assert caught.value.headers == {"Connection": "close"}


async def test_received_bytes_extend_the_deadline() -> None:
    """A second for each `MIN_RATE` bytes; a byte adds a thousandth, which is soon used up."""
    fast = BoundedReceive(sending(part(100 * MIN_RATE), part(1), part(1)), client_s=1)
    assert [len((await fast())["body"]) for _ in range(3)] == [100 * MIN_RATE, 1, 1]

    slow = BoundedReceive(sending(part(1)), client_s=0.02)
    await slow()
    with pytest.raises(RequestTimeout):
        await slow()


async def test_the_deadline_ends_with_the_body() -> None:
    """Waiting for the end of the connection is limited by the answer only."""
    receive = BoundedReceive(sending(part(1, more_body=False), {"type": "http.disconnect"}), client_s=0.01)

    await receive()
    receive_more = [await receive()]

    assert receive_more == [{"type": "http.disconnect"}]


async def test_a_slow_sender_gets_a_408(
    stores: Stores, auth: Auth, clock: Clock, organisation: Organisation, tmp_path: Path
) -> None:
    """The envelope, the request id, the end of the connection; of a form too."""
    settings = Settings(data=tmp_path, client_seconds=0)
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=settings)

    async def body() -> Any:
        yield b"--x"
        await asyncio.Event().wait()

    async with callers_of(app, stores, clock) as callers:
        caller = await callers.of(organisation)
        answers = [
            await caller.post("/v1/users", content=body(), headers={"Content-Type": "application/json"}),
            await caller.post("/v1/files", content=body(), headers={"Content-Type": "multipart/form-data; boundary=x"}),
            await caller.post(
                "/oauth/token", content=body(), headers={"Content-Type": "application/x-www-form-urlencoded"}
            ),
        ]

    assert [answer.status_code for answer in answers] == [408, 408, 408]
    assert {answer.headers["Connection"] for answer in answers} == {"close"}
    assert {answer.json()["error"]["code"] for answer in answers[:2]} == {"REQUEST_TIMEOUT"}
    assert answers[2].json()["error"] == "invalid_request"  # the form of OAuth
    assert all("X-Request-ID" in answer.headers for answer in answers)


async def test_a_body_in_time_is_read(
    stores: Stores, auth: Auth, clock: Clock, organisation: Organisation, tmp_path: Path
) -> None:
    """Parts that arrive in time are a request like any other."""
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=Settings(data=tmp_path))

    async def body() -> Any:
        for piece in (b'{"email": "ann@example.com", ', b'"name": "Ann", ', b'"role": "viewer"}'):
            yield piece
            await asyncio.sleep(0)

    async with callers_of(app, stores, clock) as callers:
        caller: httpx.AsyncClient = await callers.of(organisation)
        answer = await caller.post("/v1/users", content=body(), headers={"Content-Type": "application/json"})

    assert answer.status_code == 201
