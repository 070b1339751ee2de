"""How the direct transport treats a connection, beyond what all transports do (see test_transports)."""

from __future__ import annotations

import gc
import hashlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from tests.client.colours import LOOPS, Colour, colours_over, named
from tests.client.loopback import Loopback, Reply, delivered, refusal, reset, stored, user

from redcore import Client, NetworkError, RedcoreAPIError, RequestTimeoutError
from redcore._transport import connections, direct_asyncio, pool_async
from redcore._transport.timeouts import TimeLimits

DIRECT = [("sync", "direct"), *((name, "direct") for name in LOOPS if name != "trio")]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


colour = colours_over(DIRECT)


# What is on the wire -------------------------------------------------------------------------


def test_the_request_as_it_is_sent(call: Colour, make: Any) -> None:
    """One head, in one piece with the body, each header once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        got: list[bytes] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                got.append(connection.recv(2**16))
                connection.sendall(user().encode())

        thread = threading.Thread(target=answer)
        thread.start()
        port = listener.getsockname()[1]
        call(make(base_url=f"http://127.0.0.1:{port}/v1").users.update, "usr_1", name="Ada")
        thread.join(30)

    head, _, body = got[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "PATCH /v1/users/usr_1 HTTP/1.1"
    assert headers[:2] == [f"Host: 127.0.0.1:{port}", "Accept-Encoding: gzip"]
    assert len({header.partition(":")[0].lower() for header in headers}) == len(headers)
    assert (f"Content-Length: {len(body)}" in headers, body) == (True, b'{"name":"Ada"}')


# What follows an answer ----------------------------------------------------------------------


@pytest.mark.parametrize("surplus", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", b"x"], ids=["answer", "junk"])
@pytest.mark.parametrize("when", ["with it", "later"])
def test_bytes_after_an_answer_reach_no_call(
    call: Colour, make: Any, server: Loopback, surplus: bytes, when: str
) -> None:
    """The connection is closed; the next call gets the answer to its own request over another one."""
    sent = threading.Event()

    def two(connection: socket.socket) -> None:
        if when == "with it":
            connection.sendall(user(name="first").encode() + surplus)
        else:
            connection.sendall(user(name="first").encode())
            connection.sendall(surplus)
        sent.set()
        with suppress(OSError):
            connection.recv(1)

    server.answer = lambda _: two if len(server.seen) == 1 else user(name="second")
    client = make(max_retries=0)

    assert call(client.users.get_me).name == "first"
    assert sent.wait(30)
    assert call(client.users.get_me).name == "second"
    assert server.accepted == 2


def test_an_answer_to_head(call: Colour, make: Any, server: Loopback) -> None:
    """Its Content-Length is that of a body that is not sent."""
    server.script(Reply(200, headers={"Content-Length": "1000"}), user())
    client = make()

    assert call(client.request, "HEAD", "/me").headers["content-length"] == "1000"
    assert call(client.users.get_me).id == "usr_1"


def test_a_server_that_closes_only_its_side(call: Colour, make: Any, server: Loopback) -> None:
    """An answer without a length ends there; the connection is not used again."""

    def half(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n" + user().body)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    server.answer = lambda _: half if len(server.seen) == 1 else user()
    client = make()

    assert call(client.users.get_me).id == "usr_1"
    assert call(client.users.get_me).id == "usr_1"
    assert server.accepted == 2


# Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 413])
def test_a_refusal_by_a_server_that_stops_reading(call: Colour, make: Any, status: int) -> None:
    """The server does not hang up: the rest of the body is not sent, and the connection is closed."""
    ended = threading.Event()
    taken: list[int] = []

    def refuse(connection: socket.socket) -> None:
        connection.sendall(refusal(status, "TOO_LARGE").encode())
        ended.wait(30)

    def pieces() -> Any:
        for number in range(1000):
            taken.append(number)
            yield bytes(2**16)

    with Unread(refuse) as base_url:
        client = make(base_url=base_url, max_retries=0)
        with pytest.raises(RedcoreAPIError) as caught:
            call(client.files.upload, file=pieces())
        ended.set()

    assert caught.value.status_code == status
    assert len(taken) < 1000


def test_a_refusal_before_the_event_loop_has_read_it(call: Colour, make: Any) -> None:
    """A reset follows it, and the next piece is sent before the loop reads: the refusal is not lost."""
    is_reset = threading.Event()

    def refuse(connection: socket.socket) -> None:
        connection.sendall(refusal(413, "TOO_LARGE").encode())
        delivered(connection)
        reset(connection)
        is_reset.set()

    def pieces() -> Iterator[bytes]:
        yield bytes(2**16)
        assert is_reset.wait(30)
        for _ in range(10):
            yield bytes(2**16)

    async def awaited() -> AsyncIterator[bytes]:
        for piece in pieces():  # blocks the loop
            yield piece

    with Unread(refuse) as base_url:
        client = make(base_url=base_url, max_retries=0)
        with pytest.raises(RedcoreAPIError) as caught:
            call(client.files.upload, file=pieces() if call.name == "sync" else awaited())

    assert caught.value.status_code == 413


class Unread:
    """A server that reads only the first bytes of a request, and then does as the test says with the socket."""

    def __init__(self, does: Callable[[socket.socket], object]) -> None:
        self._does = does
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(1000)
                self._does(connection)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(30)


def test_a_refusal_while_a_body_in_memory_is_sent(call: Colour, make: Any) -> None:
    """The answer is read although the server reads no more of the body."""
    ended = threading.Event()

    def refuse(connection: socket.socket) -> None:
        connection.sendall(refusal(413, "TOO_LARGE").encode())
        ended.wait(30)

    with Unread(refuse) as base_url:
        client = make(base_url=base_url, max_retries=0)
        with pytest.raises(RedcoreAPIError) as caught:
            call(client.request, "POST", "/things", content=bytes(2**25))
        ended.set()

    assert caught.value.status_code == 413


def test_a_connection_that_breaks_while_a_body_is_sent(call: Colour, make: Any) -> None:
    """A network error is raised, and no answer is made up."""
    with Unread(reset) as base_url:
        client = make(base_url=base_url, max_retries=0)
        with pytest.raises(NetworkError, match="no answer"):
            call(client.request, "POST", "/things", content=bytes(2**25))


def test_a_server_that_stops_reading_a_body(call: Colour, make: Any) -> None:
    """A server that neither reads nor answers counts as silent."""
    ended = threading.Event()
    with Unread(lambda _: ended.wait(30)) as base_url:
        client = make(base_url=base_url, timeout=0.2, max_retries=0)
        with pytest.raises(RequestTimeoutError, match=r"no byte moved for 0\.2 s"):
            call(client.files.upload, file=bytes(2**25))
        ended.set()


def test_an_early_success_does_not_cut_an_upload(call: Colour, make: Any) -> None:
    """Only a refusal means that the rest is not wanted; informational answers and an early 201 do not."""
    content = bytes(2**22)
    arrived = threading.Event()

    def eager(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + stored(content).encode())
        size = 0
        while size < len(content) - 1000:  # which were read already
            size += len(connection.recv(2**20))
        arrived.set()

    with Unread(eager) as base_url:
        assert call(make(base_url=base_url).files.upload, file=content).id == "file_1"
        assert arrived.wait(30)


def test_an_early_success_that_is_the_last_of_a_connection(call: Colour, make: Any) -> None:
    """A server that answers, closes its side and reads no more has ended the upload, too."""
    content = bytes(2**25)
    ended = threading.Event()
    left_by_client: list[bool] = []

    def last(connection: socket.socket) -> None:
        connection.sendall(stored(content).encode())
        connection.shutdown(socket.SHUT_WR)
        left_by_client.append(ended.wait(30))

    with Unread(last) as base_url:
        assert call(make(base_url=base_url).files.upload, file=content).id == "file_1"
        ended.set()

    assert left_by_client == [True]


def test_an_early_answer_without_end(call: Colour, make: Any) -> None:
    """What comes before the request is sent is read up to a bound; the rest waits in the socket."""
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        with suppress(OSError):  # the client has closed the connection
            while sum(sent) < 2**26:
                sent.append(connection.send(bytes(2**20)))

    with Unread(flood) as base_url:
        client = make(base_url=base_url, timeout=0.2, max_retries=0)
        with pytest.raises(RequestTimeoutError, match=r"no byte moved for 0\.2 s"):
            call(client.files.upload, file=bytes(2**25))

    assert sum(sent) < 2**26


# Answers one after another -------------------------------------------------------------------


def test_answers_without_a_body_leave_the_connection_readable(call: Colour, make: Any, server: Loopback) -> None:
    """Reading pauses while a caller leaves much of a body unread; heads do not add up to that."""
    empty = hashlib.sha256(b"").hexdigest()
    padding = {f"X-Padding-{number}": "x" * 8000 for number in range(8)}
    server.answer = lambda _: Reply(headers={"ETag": f'"{empty}"', **padding})
    client = make(max_retries=0)

    assert [call(client.files.download, "file_1") for _ in range(6)] == [b""] * 6
    assert server.accepted == 1


# Connections that are all in use -------------------------------------------------------------


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients have one connection. `pool_async` is loaded on demand, and would otherwise keep this number."""
    for module in (connections, direct_asyncio, pool_async):
        monkeypatch.setattr(module, "MAX_CONNECTIONS", 1)


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("colour", [*DIRECT, ("asyncio", "httpcore"), ("trio", None)], ids=named)
def test_a_call_that_gets_no_connection_says_so(call: Colour, make: Any, server: Loopback) -> None:
    """It is not the server that took too long."""
    asked, ended = threading.Event(), threading.Event()

    def slow(connection: socket.socket) -> None:
        asked.set()
        ended.wait(30)
        connection.sendall(user().encode())

    server.answer = lambda _: slow
    client = make(max_retries=0)
    first = threading.Thread(target=call, args=[client.users.get_me])
    first.start()
    assert asked.wait(30)

    with pytest.raises(RequestTimeoutError, match="nothing was sent in time: all connections"):
        call(client.users.get_me, timeout=0.3)
    ended.set()
    first.join(30)

    assert len(server.seen) == 1


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("transport", ["direct", "httpcore"])
def test_an_interrupt_takes_no_connection_away(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, transport: Any
) -> None:
    """A signal handler may raise between any two steps, even before a call knows what to give back."""
    take = connections.Slots.take

    def interrupted(slots: connections.Slots, limits: TimeLimits) -> None:
        take(slots, limits)
        raise KeyboardInterrupt

    with Client(api_key="k", base_url=server.base_url, max_retries=0, transport=transport) as client:
        with monkeypatch.context() as patched:
            patched.setattr(connections.Slots, "take", interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.users.get_me()
        gc.collect()

        assert client.users.get_me().id == "usr_1"


# Interrupts and greenlets --------------------------------------------------------------------


INTERRUPTED = """
import signal
import sys
from redcore import Client

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background inherit that it is ignored
client = Client(api_key="k", base_url=sys.argv[1], timeout=30, transport="direct")
print("ready", flush=True)
try:
    client.users.get_me()
except KeyboardInterrupt:
    print("interrupted", flush=True)
client.users.get_me()
client.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGINT for a child alone")
def test_ctrl_c_ends_a_call_at_once(server: Loopback) -> None:
    """A blocking call that waits for an answer is interrupted; the client continues with another connection."""
    asked = threading.Event()

    def silent(connection: socket.socket) -> None:
        asked.set()
        connection.recv(1)

    server.answer = lambda _: silent if len(server.seen) == 1 else user()
    program = [sys.executable, "-c", INTERRUPTED, server.base_url]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own)
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)

    assert (output.split(), process.returncode, server.accepted) == (["ready", "interrupted"], 0, 2)


GREEN = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from redcore import Client

with Client(api_key="k", base_url=sys.argv[1], timeout=60, max_retries=0, transport="direct") as client:
    calls = [gevent.spawn(client.users.get_me) for _ in range(20)]
    gevent.joinall(calls, raise_error=True)
    print(*{call.value.id for call in calls})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="gevent has no poll there")
def test_greenlets_make_calls_concurrently(server: Loopback) -> None:
    """No call waits for another one's answer: the server answers when it has all twenty requests."""
    all_there = threading.Barrier(20)

    def together(connection: socket.socket) -> None:
        all_there.wait(60)
        connection.sendall(user().encode())

    server.answer = lambda _: together
    program = [sys.executable, "-c", GREEN, server.base_url]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 (our own)

    assert (ended.stdout.split(), ended.stderr, server.accepted) == (["usr_1"], "", 20)
