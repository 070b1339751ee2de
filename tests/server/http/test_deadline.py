"""The deadline of each request."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from redcore_server.errors import ValidationFailed
from redcore_server.http import deadline, edge
from redcore_server.http.context import REFUSAL, REQUEST_ID

pytestmark = pytest.mark.anyio


@attrs.define
class Answer:
    """The answer that the client gets."""

    messages: list[Message] = attrs.field(factory=list)

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        (start,) = [message for message in self.messages if message["type"] == "http.response.start"]
        return int(start["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])


@pytest.fixture
def scope() -> Scope:
    return {"type": "http", "method": "GET", "path": "/", REQUEST_ID.name: "an id"}


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the deadline pass with the next turn of the loop."""
    monkeypatch.setattr(deadline.Deadline.__init__, "__defaults__", (0.0,))


async def silent() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.usefixtures("_at_once")
async def test_an_app_that_hangs_is_a_503(scope: Scope) -> None:
    """With Retry-After; the log has the place where the app hung."""
    answer = Answer()

    async def stuck(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    with capture_logs() as log:
        await edge.answer(stuck, scope, silent, answer.send)

    assert (answer.status, answer.headers[b"retry-after"]) == (503, b"2")
    assert [(entry["event"], entry["log_level"]) for entry in log] == [("no answer in time", "error")]


@pytest.mark.usefixtures("_at_once")
async def test_the_answer_does_not_wait_for_an_app_that_cannot_be_cancelled(scope: Scope) -> None:
    """As psycopg waits for a frozen server; its late answer is dropped."""
    answer, given_up = Answer(), asyncio.Event()

    async def send(message: Message) -> None:
        await answer.send(message)
        given_up.set()

    async def stubborn(_scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await given_up.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

    await edge.answer(stubborn, scope, silent, send)

    assert answer.status == 503


@pytest.mark.usefixtures("_at_once")
async def test_an_answer_that_has_started_has_no_deadline(scope: Scope) -> None:
    """A download lasts as long as its client reads."""
    answer = Answer()

    async def download(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(5):
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"x"})

    await edge.answer(download, scope, silent, answer.send)

    assert [message["type"] for message in answer.messages] == ["http.response.start", "http.response.body"]
    assert answer.status == 200


@pytest.mark.usefixtures("_at_once")
async def test_time_spent_waiting_for_the_client_does_not_count(scope: Scope) -> None:
    """An upload may last for hours; it is bounded by its own rate."""
    answer = Answer()

    async def slow() -> Message:
        for _ in range(5):
            await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def upload(_scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"x"
        await send({"type": "http.response.start", "status": 201, "headers": []})

    await edge.answer(upload, scope, slow, answer.send)

    assert answer.status == 201


async def test_a_cancelled_task_stays_cancelled(scope: Scope) -> None:
    """The server stops: that is not the deadline."""
    started = asyncio.Event()

    async def stuck(_scope: Scope, _receive: Receive, _send: Send) -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(edge.answer(stuck, scope, silent, Answer().send))
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_refused_body_is_raised_where_it_is_read(scope: Scope) -> None:
    """The connection found the rest of the body malformed while the app was reading."""
    answer = Answer()

    async def receive() -> Message:
        REFUSAL.set(scope, ValidationFailed())
        return {"type": "http.request", "body": b"", "more_body": True}

    async def reading(_scope: Scope, receive: Receive, _send: Any) -> None:
        while True:
            await receive()

    await edge.answer(reading, scope, receive, answer.send)

    assert answer.status == 400
