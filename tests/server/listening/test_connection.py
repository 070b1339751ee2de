"""The limits of a connection in time and in number of requests."""

from __future__ import annotations

import pytest
from tests.server.support.still_connection import CLIENT_S, HEAD, App, Loop, Transport, status

from redcore_server.listening.connection import MAX_WAITING, Connection


def test_a_silent_connection_is_closed(connection: Connection, loop: Loop, transport: Transport) -> None:
    """Without an answer, as no request was sent."""
    assert loop.waiting == [CLIENT_S]
    loop.let_time_pass()

    assert (transport.is_closed, transport.written) == (True, b"")


def test_an_endless_head_is_a_408(connection: Connection, loop: Loop, transport: Transport) -> None:
    """A byte now and then does not restart the timer."""
    for piece in (HEAD, b"X-A: 1\r\n", b"X-B: 2\r\n"):
        connection.data_received(piece)
        assert loop.waiting == [CLIENT_S]
    loop.let_time_pass()

    assert transport.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert transport.is_closed


def test_a_complete_request_has_no_timer(connection: Connection, loop: Loop) -> None:
    """The duration of the answer does not depend on the client."""
    connection.data_received(HEAD + b"\r\n")

    assert loop.waiting == []
    assert len(loop.tasks) == 1


def test_the_next_head_of_a_connection_is_bounded_too(connection: Connection, loop: Loop) -> None:
    """From its first byte; before that uvicorn's keep-alive applies."""
    connection.data_received(HEAD + b"\r\n")
    connection.data_received(b"GET /")

    assert loop.waiting == [CLIENT_S]


def test_an_unread_body_is_not_received_forever(connection: Connection, loop: Loop, transport: Transport) -> None:
    """The answer was given before the body was read: the client may read it, then the connection is closed."""
    connection.data_received(b"POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
    connection.cycle.response_complete = True
    connection.on_response_complete()
    connection.data_received(b"x")
    assert CLIENT_S in loop.waiting
    loop.let_time_pass()

    assert transport.is_closed


@pytest.mark.parametrize("reads", [1, 3, 100])
def test_too_many_pipelined_requests_are_a_429(
    connection: Connection, app: App, transport: Transport, reads: int
) -> None:
    """After those before it are answered; a read of 256 KiB holds thousands of requests, and each takes kilobytes."""
    requests = (HEAD + b"\r\n") * 1000
    for start in range(0, len(requests), size := len(requests) // reads):
        connection.data_received(requests[start : start + size])
    assert len(connection.pipeline) == MAX_WAITING + 1
    assert transport.written == b""

    while not transport.is_closed:
        connection.on_response_complete()

    assert (status(transport), len(app.scopes)) == (429, 1 + MAX_WAITING + 1)
    assert b"\r\nretry-after: 1\r\n" in transport.written
    assert b"\r\nconnection: close\r\n" in transport.written


def test_reading_pauses_while_requests_wait(connection: Connection, transport: Transport) -> None:
    """Not after each answer either: the client has to keep what it sends without end."""
    connection.data_received((HEAD + b"\r\n") * 3)
    assert not transport.reads_on

    connection.on_response_complete()
    assert not transport.reads_on
    connection.on_response_complete()

    assert transport.reads_on


def test_a_pipelined_request_has_its_own_deadline(connection: Connection, loop: Loop) -> None:
    """Its body is bounded where it is read, like any other."""
    connection.data_received(HEAD + b"\r\n" + b"POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
    connection.on_response_complete()

    assert loop.waiting == []
    assert len(loop.tasks) == 2


def test_an_answer_that_is_not_received_ends_the_connection(
    connection: Connection, loop: Loop, transport: Transport
) -> None:
    """Each time the client receives some, the timer restarts."""
    connection.data_received(HEAD + b"\r\n")
    connection.pause_writing()
    connection.resume_writing()
    assert loop.waiting == []
    connection.pause_writing()
    loop.let_time_pass()

    assert transport.is_aborted


def test_a_lost_connection_has_no_timer(connection: Connection, loop: Loop) -> None:
    """No timer keeps it in memory."""
    connection.pause_writing()
    connection.connection_lost(None)

    assert loop.waiting == []


def test_a_client_that_closes_its_half_gets_its_answer(connection: Connection, transport: Transport) -> None:
    """As `nc` and `curl --http1.0` behind a pipe do; the connection ends with the answer."""
    connection.data_received(HEAD + b"\r\n")

    assert connection.eof_received() is True
    assert not connection.cycle.keep_alive


@pytest.mark.parametrize("sent", [b"", HEAD, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"])
def test_a_client_that_disconnects_within_a_request_gets_no_answer(connection: Connection, sent: bytes) -> None:
    """There is no complete request to answer."""
    connection.data_received(sent)

    assert not connection.eof_received()


def test_a_head_behind_a_long_answer_does_not_time_out(
    connection: Connection, loop: Loop, transport: Transport
) -> None:
    """While requests wait for their turn the server itself does not read on."""
    connection.data_received(HEAD + b"\r\n" + HEAD + b"\r\n" + HEAD)
    loop.let_time_pass()

    assert not transport.is_closed
    assert loop.waiting == [CLIENT_S]


def test_line_breaks_before_a_head_do_not_extend_the_deadline(
    connection: Connection, loop: Loop, transport: Transport
) -> None:
    """They are skipped (RFC 9112 section 2.2), but the timer of the head runs."""
    for _ in range(3):
        connection.data_received(b"\r\n\r\n")
    assert loop.waiting == [CLIENT_S]
    loop.let_time_pass()

    assert transport.is_closed
