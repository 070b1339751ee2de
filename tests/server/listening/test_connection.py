"""The limits of a connection, with a loop whose time stands still."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from redcore_server.errors import HeadTooLarge, ValidationFailed
from redcore_server.http.context import REFUSAL
from redcore_server.http.render_error import render
from redcore_server.listening.connection import MAX_FIELDS, MAX_HEAD_BYTES, MAX_WAITING, Connection, bounded

CLIENT_S = 30.0
HEAD = b"GET /v1/me HTTP/1.1\r\nHost: x\r\n"


@attrs.define(eq=False)
class Timer:
    """The result of `call_later`."""

    delay_s: float
    act: Callable[..., None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@attrs.define(eq=False)
class Task:
    """The result of `create_task`: an answer, run until it waits."""

    work: Any

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

    def call_soon(self, act: Callable[..., None]) -> None:
        act()

    def create_task(self, work: Any) -> Task:
        with contextlib.suppress(StopIteration):
            work.send(None)
        self.tasks.append(Task(work))
        return self.tasks[-1]

    @property
    def waiting(self) -> list[float]:
        """The timers that are running."""
        return [timer.delay_s for timer in self.timers if not timer.is_cancelled]

    def let_time_pass(self) -> None:
        """Let all of them expire."""
        for timer in list(self.timers):
            if not timer.is_cancelled:
                timer.cancel()
                timer.act()


@attrs.define
class Transport(asyncio.Transport):
    """A transport that keeps what is written."""

    written: bytes = b""
    is_closed: bool = False
    is_aborted: bool = False
    reads_on: bool = True

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
        self.reads_on = False

    def resume_reading(self) -> None:
        self.reads_on = True


@attrs.define
class App:
    """An ASGI app that answers what the connection refused, and leaves everything else unanswered."""

    scopes: list[Scope] = attrs.field(factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if error := REFUSAL.find(scope):
            await render(error, "an id")(scope, receive, send)
        else:
            await _endless()


@types.coroutine
def _endless() -> Generator[None]:
    while True:
        yield


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def app() -> App:
    return App()


@contextlib.contextmanager
def connected(loop: Loop, transport: Transport, app: App) -> Iterator[Connection]:
    """Open a connection; at the end it is lost, and its unanswered requests end with it."""
    config = Config(app, log_config=None, lifespan="off")
    made = bounded(CLIENT_S)(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    made.connection_made(transport)
    yield made
    cycle: RequestResponseCycle | None = made.cycle
    if cycle is not None:
        cycle.disconnected = True  # buffered data is dropped
    made.connection_lost(None)
    made.logger.disabled = True  # uvicorn logs each app that is closed before its answer
    try:
        for task in loop.tasks:
            task.work.close()
    finally:
        made.logger.disabled = False


@pytest.fixture
def connection(loop: Loop, transport: Transport, app: App) -> Iterator[Connection]:
    with connected(loop, transport, app) as made:
        yield made


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


@pytest.mark.parametrize("pieces", [1, 2, 20])
def test_a_head_that_is_too_large_is_a_431(
    connection: Connection, loop: Loop, transport: Transport, pieces: int
) -> None:
    """However it arrives, whole or in parts, and whether or not it ends."""
    head = HEAD + b"X-Large: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n"
    size = len(head) // pieces + 1
    for start in range(0, len(head), size):
        if not transport.is_closed:
            connection.data_received(head[start : start + size])

    assert transport.written.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"\r\nconnection: close\r\n" in transport.written
    assert transport.is_closed


def test_a_head_without_end_is_a_431(connection: Connection, transport: Transport) -> None:
    """Bytes that never become a request are not kept."""
    connection.data_received(HEAD + b"X-Large: ")
    while not transport.is_closed:
        connection.data_received(b"x" * 10_000)

    assert transport.written.startswith(b"HTTP/1.1 431 ")


def test_a_head_with_too_many_fields_is_a_431(connection: Connection, app: App, transport: Transport) -> None:
    """Tiny ones too: each costs the parser a call. The answer goes to the requested path."""
    connection.data_received(HEAD + b"a:b\r\n" * MAX_FIELDS + b"\r\n")

    assert (status(transport), transport.is_closed) == (431, True)
    assert b"more than 100" in transport.written
    assert (app.scopes[0]["path"], len(app.scopes[0]["headers"])) == ("/v1/me", MAX_FIELDS)


def test_a_head_with_the_maximum_of_fields_is_served(connection: Connection, app: App) -> None:
    """Of each request of a connection."""
    for _ in range(2):
        connection.data_received(HEAD + b"a:b\r\n" * (MAX_FIELDS - 1) + b"\r\n")

    assert REFUSAL.find(app.scopes[0]) is None
    assert not connection.transport.is_closing()


def test_too_many_trailers_are_a_431_in_place_of_the_body(connection: Connection, app: App) -> None:
    """They cost as much as fields of the head."""
    connection.data_received(CHUNKED + b"1\r\na\r\n0\r\n" + b"a:b\r\n" * (MAX_FIELDS + 1) + b"\r\n")

    assert isinstance(REFUSAL.find(app.scopes[0]), HeadTooLarge)
    assert connection.cycle.message_event.is_set()


def test_bytes_that_are_not_http_are_a_400(connection: Connection, transport: Transport) -> None:
    """The connection is closed."""
    connection.data_received(b"\x00\x01\x02\r\n\r\n")

    assert transport.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert transport.is_closed


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


CHUNKED = b"POST /v1/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def status(transport: Transport) -> int:
    """Return the status of the first answer."""
    return int(transport.written.split(b" ", 2)[1])


def test_trailers_are_dropped(connection: Connection, app: App) -> None:
    """RFC 9110 section 6.5.1: fields for authentication or routing are never merged into the head."""
    trailers = b"Authorization: Bearer x\r\nX-Forwarded-For: 7.7.7.7\r\nExpect: 100-continue\r\n"
    connection.data_received(CHUNKED + b"1\r\na\r\n0\r\n" + trailers + b"\r\n")

    (scope,) = app.scopes
    assert scope["headers"] == ((b"host", b"x"), (b"transfer-encoding", b"chunked"))
    assert not connection.cycle.more_body


@given(behind=st.binary(max_size=200), cut=st.integers(0, 200))
def test_no_byte_behind_the_head_changes_the_headers(behind: bytes, cut: int) -> None:
    """Whatever follows, well-formed or not, in however many reads."""
    app = App()
    with connected(Loop(), Transport(), app) as made:
        made.data_received(CHUNKED + b"1\r\na\r\n0\r\nA: ")
        for piece in (behind[:cut], behind[cut:], b"\r\n\r\n"):
            made.data_received(piece)

    assert app.scopes[0]["headers"] == ((b"host", b"x"), (b"transfer-encoding", b"chunked"))


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"1\r\na\r\n0\r\nA: ", b"b"),
        (b"1;a=", b"b"),
        (b"1;a=b\r\na\r\n1;", b"a;"),
    ],
    ids=["trailer", "extension", "extensions"],
)
def test_chunk_extensions_and_trailers_are_bounded(
    connection: Connection, app: App, beginning: bytes, piece: bytes
) -> None:
    """Like a head: the app reads 431 in place of the rest of the body."""
    connection.data_received(CHUNKED + beginning)
    for _ in range(MAX_HEAD_BYTES // 1000 + 1):
        assert REFUSAL.find(app.scopes[0]) is None
        connection.data_received(piece * (1000 // len(piece)))
    connection.data_received(piece * 1000)

    assert isinstance(REFUSAL.find(app.scopes[0]), HeadTooLarge)
    assert connection.cycle.message_event.is_set()
    assert not connection.cycle.keep_alive


def test_small_chunks_are_accepted(connection: Connection, app: App) -> None:
    """A body of single bytes, each with a padded size, as some programs send it."""
    connection.data_received(CHUNKED)
    for _ in range(20):
        connection.data_received(b"00000001\r\na\r\n" * 1000)
        connection.cycle.body = bytearray()

    assert REFUSAL.find(app.scopes[0]) is None


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        b"GET /healthz HTTP/1.1\r\nHost:\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a b\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: u@a\r\n",
        b"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n",
    ],
)
def test_exactly_one_host(connection: Connection, app: App, transport: Transport, head: bytes) -> None:
    """RFC 9112 section 3.2: any other number, or an invalid host, is a 400."""
    connection.data_received(head + b"\r\n")

    assert (status(transport), transport.is_closed) == (400, True)
    assert app.scopes[0]["path"] == "/healthz"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:4010\r\n",
        b"GET / HTTP/1.1\r\nHost: api.example.com:443\r\n",
    ],
)
def test_valid_hosts(connection: Connection, app: App, head: bytes) -> None:
    """HTTP/1.0 has none; a literal address and a port are allowed."""
    connection.data_received(head + b"\r\n")

    assert REFUSAL.find(app.scopes[0]) is None


def test_white_space_around_a_header_value_is_stripped(connection: Connection, app: App) -> None:
    """RFC 9110 section 5.5."""
    connection.data_received(b"GET / HTTP/1.1\r\nHost: a \t\r\nX-Name: \t b c\t \r\n\r\n")

    assert (b"x-name", b"b c") in app.scopes[0]["headers"]


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity", b"x"])
def test_other_transfer_codings_are_a_501(connection: Connection, transport: Transport, coding: bytes) -> None:
    """RFC 9112 section 6.1."""
    connection.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")

    assert (status(transport), transport.is_closed) == (501, True)


@pytest.mark.parametrize("version", [b"2.0", b"0.9"])
def test_other_versions_of_http_are_refused(connection: Connection, transport: Transport, version: bytes) -> None:
    """RFC 9112 section 2.3: the parser would take it for HTTP/1.1."""
    connection.data_received(b"GET / HTTP/" + version + b"\r\nHost: x\r\n\r\n")

    assert (status(transport), transport.is_closed) == (501, True)


def test_a_chunk_that_is_malformed_is_a_400_in_place_of_the_body(connection: Connection, app: App) -> None:
    """The app has started to read: it gets the error instead of more of the body."""
    connection.data_received(CHUNKED + b"zz\r\n")

    assert isinstance(REFUSAL.find(app.scopes[0]), ValidationFailed)
    assert connection.cycle.message_event.is_set()


def test_an_answer_of_the_parser_has_the_known_facts(connection: Connection, app: App, transport: Transport) -> None:
    """Method, path and headers for the log; a request without them still has its answer."""
    connection.data_received(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-ID: abc\r\nX: a\0b\r\n\r\n")

    (scope,) = app.scopes
    assert (scope["method"], scope["path"]) == ("GET", "/healthz")
    assert (b"x-request-id", b"abc") in scope["headers"]
    assert status(transport) == 400


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


PIECE = 64 * 1024
HUNDRED_MB = 100 * 1024 * 1024


@pytest.mark.parametrize(
    "beginning",
    [b"", b"G", HEAD, HEAD + b"A: ", CHUNKED + b"1;", CHUNKED + b"1\r\na\r\n0\r\n", CHUNKED + b"1\r\na\r\n0\r\nA: "],
    ids=["nothing", "method", "head", "field", "extension", "trailers", "trailer"],
)
@pytest.mark.parametrize("piece", [b"a", b"a: b\r\n", b"\r\n"], ids=["letters", "fields", "lines"])
def test_a_hundred_megabytes_are_not_kept_in_memory(connection: Connection, beginning: bytes, piece: bytes) -> None:
    """Memory stays within 10 MB of what it was, whether or not the app ever reads."""
    read = piece * (PIECE // len(piece))
    tracemalloc.start()
    try:
        connection.data_received(beginning)
        for _ in range(HUNDRED_MB // PIECE):
            connection.data_received(read)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10 * 1024 * 1024


def test_an_upgrade_is_ignored_or_refused_without_losing_a_body(connection: Connection, transport: Transport) -> None:
    """Some clients offer HTTP/2 with each request; the parser would take their body for another protocol."""
    upgrade = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    connection.data_received(b"GET / HTTP/1.1\r\n" + upgrade + b"\r\n")
    assert transport.written == b""
    connection.cycle.response_complete = connection.cycle.disconnected = True

    connection.data_received(b"POST / HTTP/1.1\r\n" + upgrade + b"Content-Length: 1\r\n\r\nx")

    assert status(transport) == 501


def test_requests_behind_an_upgrade_in_one_read_are_not_lost(connection: Connection) -> None:
    """The parser stops behind each of them, and the rest of the read is bounded as ever."""
    offer = HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    connection.data_received(offer + HEAD + b"\r\n" + offer + b"GET /last HT")
    connection.data_received(b"TP/1.1\r\nHost: x\r\n\r\n")
    assert len(connection.pipeline) == 3

    connection.data_received(offer * 1000)
    assert len(connection.pipeline) == MAX_WAITING + 1


@pytest.mark.parametrize("target", [b"/", b"example.com:443"])
@pytest.mark.parametrize("framing", [b"", b"Content-Length: 35\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_connect_is_refused_and_nothing_behind_it_is_read(
    connection: Connection, transport: Transport, app: App, target: bytes, framing: bytes
) -> None:
    """The parser reads no body of it, where a proxy may send one: it would be the next request of the connection."""
    connection.data_received(b"CONNECT " + target + b" HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n")
    connection.data_received(b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (status(transport), transport.is_closed, len(app.scopes)) == (501, True, 1)


@pytest.mark.parametrize("is_answered", [False, True])
@pytest.mark.parametrize("trailer", [b"Connection: close", b"Proxy-Connection: close", b"connection: a, close"])
def test_a_trailer_that_ends_the_connection_for_the_parser_ends_it_for_the_client(
    connection: Connection, transport: Transport, trailer: bytes, *, is_answered: bool
) -> None:
    """Otherwise the response would promise to read on, and the next request would get no answer."""
    connection.data_received(CHUNKED + b"0\r\n")
    connection.cycle.response_complete = is_answered

    connection.data_received(trailer + b"\r\n\r\n")

    assert (connection.cycle.keep_alive, transport.is_closed) == (False, is_answered)
    connection.cycle.response_complete = True
