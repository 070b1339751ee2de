"""The bounds of a connection, by a loop whose time stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from redcore_server.listening.connection import MAX_HEAD_BYTES, Connection, bounded

CLIENT_S = 30.0
HEAD = b"GET /v1/me HTTP/1.1\r\nHost: x\r\n"


@attrs.define(eq=False)
class Timer:
    """What `call_later` gives."""

    delay_s: float
    act: Callable[..., None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@attrs.define(eq=False)
class Task:
    """What `create_task` gives: an answer that is never finished."""

    def add_done_callback(self, act: Callable[..., object]) -> None:
        pass


@attrs.define
class Loop:
    """An event loop that keeps the timers it is given."""

    timers: list[Timer] = attrs.field(factory=list)
    tasks: list[Task] = attrs.field(factory=list)

    def call_later(self, delay_s: float, act: Callable[..., None]) -> Timer:
        self.timers.append(Timer(delay_s, act))
        return self.timers[-1]

    def create_task(self, work: Any) -> Task:
        work.close()
        self.tasks.append(Task())
        return self.tasks[-1]

    @property
    def waiting(self) -> list[float]:
        """The bounds that are running."""
        return [timer.delay_s for timer in self.timers if not timer.is_cancelled]

    def let_time_pass(self) -> None:
        """Let all of them end."""
        for timer in self.timers:
            if not timer.is_cancelled:
                timer.cancel()
                timer.act()


@attrs.define
class Transport(asyncio.Transport):
    """A transport that keeps what is written."""

    written: bytes = b""
    is_closed: bool = False
    is_aborted: bool = False

    def get_extra_info(self, name: str, default: object = None) -> Any:
        assert name in {"socket", "peername", "sockname", "sslcontext"}
        return default

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def app(_scope: object, _receive: object, _send: object) -> None:
    """Nobody waits for its answer."""


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def connection(loop: Loop, transport: Transport) -> Connection:
    config = Config(app, log_config=None, lifespan="off")
    made = bounded(CLIENT_S)(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    made.connection_made(transport)
    return made


def test_a_silent_connection_is_closed(connection: Connection, loop: Loop, transport: Transport) -> None:
    """Nobody is there to be told."""
    assert loop.waiting == [CLIENT_S]
    loop.let_time_pass()

    assert (transport.is_closed, transport.written) == (True, b"")


def test_a_head_that_does_not_end_is_a_408(connection: Connection, loop: Loop, transport: Transport) -> None:
    """A byte now and then does not begin the time anew."""
    for piece in (HEAD, b"X-A: 1\r\n", b"X-B: 2\r\n"):
        connection.data_received(piece)
        assert loop.waiting == [CLIENT_S]
    loop.let_time_pass()

    assert transport.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert transport.is_closed
    assert loop.tasks == []


def test_a_request_that_has_come_is_waited_for_no_more(connection: Connection, loop: Loop) -> None:
    """How long the answer takes is not the client's doing."""
    connection.data_received(HEAD + b"\r\n")

    assert loop.waiting == []
    assert len(loop.tasks) == 1


def test_the_next_head_of_a_connection_is_bounded_too(connection: Connection, loop: Loop) -> None:
    """From its first byte; before that uvicorn's keep-alive counts."""
    connection.data_received(HEAD + b"\r\n")
    connection.data_received(b"GET /")

    assert loop.waiting == [CLIENT_S]


@pytest.mark.parametrize("pieces", [1, 2, 20])
def test_a_head_that_is_too_large_is_a_431(
    connection: Connection, loop: Loop, transport: Transport, pieces: int
) -> None:
    """However it comes, whole or in parts, and whether or not it ends."""
    head = HEAD + b"X-Large: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n"
    size = len(head) // pieces + 1
    for start in range(0, len(head), size):
        if not transport.is_closed:
            connection.data_received(head[start : start + size])

    assert transport.written.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"\r\nconnection: close\r\n" in transport.written
    assert transport.is_closed
    assert loop.tasks == []


def test_a_head_without_end_is_a_431(connection: Connection, transport: Transport) -> None:
    """Nothing is kept that never becomes a request."""
    connection.data_received(HEAD + b"X-Large: ")
    while not transport.is_closed:
        connection.data_received(b"x" * 10_000)

    assert transport.written.startswith(b"HTTP/1.1 431 ")


def test_what_is_no_http_is_a_400(connection: Connection, transport: Transport) -> None:
    """And the end of the connection."""
    connection.data_received(b"\x00\x01\x02\r\n\r\n")

    assert transport.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert transport.is_closed


def test_a_body_that_nobody_wants_is_not_read_for_ever(
    connection: Connection, loop: Loop, transport: Transport
) -> None:
    """The answer was given before the body was read: the client may read it, then the connection ends."""
    connection.data_received(b"POST /v1/users HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx")
    connection.cycle.response_complete = True
    connection.on_response_complete()
    connection.data_received(b"x")
    assert CLIENT_S in loop.waiting
    loop.let_time_pass()

    assert transport.is_closed


def test_a_request_that_came_behind_another_has_its_own_time(connection: Connection, loop: Loop) -> None:
    """Its body is bounded where it is read, like any other."""
    connection.data_received(HEAD + b"\r\n" + b"POST /v1/users HTTP/1.1\r\nContent-Length: 9\r\n\r\nx")
    connection.on_response_complete()

    assert loop.waiting == []
    assert len(loop.tasks) == 2


def test_an_answer_that_nobody_takes_ends_the_connection(
    connection: Connection, loop: Loop, transport: Transport
) -> None:
    """Each time the client takes some, the time begins anew."""
    connection.data_received(HEAD + b"\r\n")
    connection.pause_writing()
    connection.resume_writing()
    assert loop.waiting == []
    connection.pause_writing()
    loop.let_time_pass()

    assert transport.is_aborted


def test_a_lost_connection_is_waited_for_no_more(connection: Connection, loop: Loop) -> None:
    """No timer keeps it in memory."""
    connection.pause_writing()
    connection.connection_lost(None)

    assert loop.waiting == []
