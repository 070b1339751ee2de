"""Signals while a blocking client works: errors of their handlers reach the application, and no token pair is lost."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any

import httpx
import pytest
import trio
from tests.client.loopback import Loopback, Raw, Reply, Seen, pair, reset, user
from tests.client.pressing import interrupt

from redcore import AsyncClient, Client, NetworkError
from redcore._base.causes import chain
from redcore._transport.connecting import connect
from redcore._transport.direct_parser import DIRECT
from redcore._transport.errors import our_errors
from redcore.tokens import FileCache

pytestmark = pytest.mark.usefixtures("ctrl_c")
LOCKING = {"authenticator.py", "file_lock.py", "single_flight.py", "steps.py", "token_store.py"}
"""The modules in which a call has locks, or acquires and releases them."""


def interrupted_refresh(seen: Seen) -> Reply | Raw:
    """Press Ctrl-C while a token is refreshed."""
    if seen.path == "/oauth/token":
        interrupt()
        return pair(2)
    return user()


def test_an_interrupt_waits_until_the_refreshed_pair_is_stored(server: Loopback, tmp_path: Path) -> None:
    """The call ends with KeyboardInterrupt before it is sent; the next process uses the new pair."""
    server.answer = interrupted_refresh
    pairs: list[dict[str, Any]] = []
    options: Any = {"client_id": "app_1", "client_secret": "s", "base_url": server.base_url}
    with Client(token_cache=FileCache(tmp_path / "t"), on_token_refreshed=pairs.append, **options) as client:
        with pytest.raises(KeyboardInterrupt):
            client.users.get("usr_1")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert [seen.path for seen in server.seen] == ["/oauth/token"]
        assert [tokens["access_token"] for tokens in pairs] == ["access-2"]

    with Client(token_cache=FileCache(tmp_path / "t"), **options) as client:
        assert client.users.get("usr_1").id == "usr_1"

    assert [seen.path for seen in server.seen] == ["/oauth/token", "/v1/users/usr_1"]


def test_an_interrupt_on_trio_waits_until_the_pair_is_stored(server: Loopback, tmp_path: Path) -> None:
    """Trio interrupts the main task wherever it waits, whatever shields it from cancellation."""
    server.answer = interrupted_refresh
    received: list[dict[str, Any]] = []
    cache = FileCache(tmp_path / "t")

    async def call() -> None:
        options: Any = {"client_id": "app_1", "client_secret": "s", "base_url": server.base_url}
        async with AsyncClient(token_cache=cache, on_token_refreshed=received.append, **options) as client:
            await client.users.get("usr_1")

    with pytest.raises(KeyboardInterrupt):
        trio.run(call)
    assert [tokens["access_token"] for tokens in received] == ["access-2"]

    trio.run(call)
    assert [seen.path for seen in server.seen if seen.path == "/oauth/token"] == ["/oauth/token"]


def test_an_interrupt_of_any_other_request_is_delivered_at_once(server: Loopback) -> None:
    """Interrupts are delayed only while a token is refreshed."""
    interrupted = threading.Event()
    before_the_response: SimpleQueue[bool] = SimpleQueue()

    def answer(_: Seen) -> Reply:
        interrupt()
        before_the_response.put(interrupted.wait(60.0))
        return user()

    server.answer = answer
    with Client(api_key="rk_test_1", base_url=server.base_url) as client, pytest.raises(KeyboardInterrupt):
        client.users.get("usr_1")
    interrupted.set()

    assert before_the_response.get(timeout=60.0)


@pytest.fixture(params=[TimeoutError, OSError, RuntimeError, UnicodeError])
def alarm(request: pytest.FixtureRequest) -> Iterator[Exception]:
    """The exception of the handler of SIGUSR1, such as those of SIGALRM that limit the time of any code."""
    error: Exception = request.param("of the application")
    left = [error]

    def handler(*_: object) -> None:
        if left:
            raise left.pop()

    before = signal.signal(signal.SIGUSR1, handler)
    yield error
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("over", ["direct", "httpcore", "httpx"])
def test_an_error_of_a_signal_handler_passes_through(server: Loopback, alarm: Exception, over: Any) -> None:
    """It counts neither as a time-out of the attempt nor as a broken connection, and there is no retry."""
    released, quiet = threading.Event(), threading.Event()

    def answer(_: Seen) -> Reply:
        while not released.wait(0.05):  # a signal just before the wait for an answer does not interrupt it
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        quiet.set()
        return user()

    server.answer = answer
    chosen: Any = {"http_client": httpx.Client()} if over == "httpx" else {"transport": over}
    with Client(api_key="rk_test_1", base_url=server.base_url, **chosen) as client:
        with pytest.raises(type(alarm)) as caught:
            client.users.get("usr_1")
        released.set()
        assert quiet.wait(30.0)  # before the handler is removed
    if over == "httpx":
        chosen["http_client"].close()

    assert caught.value is alarm
    assert len(server.seen) == 1


def test_an_error_of_a_signal_handler_while_a_request_is_sent(
    server: Loopback, alarm: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that breaks then may have received an answer; this one did not break."""

    class Signalling(socket.socket):
        def send(self, data: Any, flags: int = 0, /) -> int:
            signal.raise_signal(signal.SIGUSR1)
            return super().send(data, flags)

    def signalling(*where: Any) -> socket.socket:
        return Signalling(fileno=connect(*where).detach())

    monkeypatch.setattr("redcore._transport.direct_socket.connect", signalling)
    with (
        Client(api_key="rk_test_1", base_url=server.base_url, transport="direct") as client,
        pytest.raises(type(alarm)) as caught,
    ):
        client.users.get("usr_1")

    assert caught.value is alarm


def test_an_error_of_a_signal_handler_while_a_connection_is_opened(
    server: Loopback, alarm: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no reason to try the next address."""
    connect = socket.socket.connect

    def signalling(sock: socket.socket, where: Any) -> None:
        signal.raise_signal(signal.SIGUSR1)
        connect(sock, where)

    monkeypatch.setattr(socket.socket, "connect", signalling)
    with Client(api_key="rk_test_1", base_url=server.base_url) as client, pytest.raises(type(alarm)) as caught:
        client.users.get("usr_1")

    assert caught.value is alarm


def test_an_error_of_a_signal_handler_that_was_handled_before(server: Loopback, alarm: Exception) -> None:
    """A call that the application makes in its handler has errors of its own."""
    server.answer = lambda _: reset
    with Client(api_key="rk_test_1", base_url=server.base_url, max_retries=0) as client:
        try:
            signal.raise_signal(signal.SIGUSR1)
        except type(alarm):
            with pytest.raises(NetworkError):
                client.users.get("usr_1")


@pytest.mark.parametrize("from_cause", [True, False])
def test_an_error_of_a_signal_handler_keeps_its_cause(*, from_cause: bool) -> None:
    """What interrupted code made of it is no part of the application's error, nor does its chain end in a circle."""
    cause = ValueError("of the application") if from_cause else None

    def handler(*_: object) -> None:
        raise TimeoutError("of the application") from cause

    def interrupted() -> None:
        try:
            signal.raise_signal(signal.SIGUSR1)
        except TimeoutError as problem:
            raise OSError("no answer") from problem

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(TimeoutError) as caught, our_errors(1.0, DIRECT):
            interrupted()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert list(chain(caught.value)) == [caught.value, *filter(None, [cause])]
    assert caught.value.__cause__ is cause


def test_a_chain_of_errors_in_a_circle_ends() -> None:
    """Applications and libraries can make one with `raise ... from`."""
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    assert list(chain(first)) == [first, second]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1])
def test_other_signals_wait_until_the_refreshed_pair_is_stored(server: Loopback, tmp_path: Path, number: int) -> None:
    """Process managers stop programs with SIGTERM; alarms and Celery limit the time of a task with the others."""

    def stop(*_: object) -> None:
        raise SystemExit

    def answer(seen: Seen) -> Reply | Raw:
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        return pair(2)

    server.answer = answer
    before = signal.signal(number, stop)
    options: Any = {"client_id": "app_1", "client_secret": "s", "base_url": server.base_url}
    cache = FileCache(tmp_path / "t")
    try:
        with Client(token_cache=cache, **options) as client, pytest.raises(SystemExit):
            client.users.get("usr_1")
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)

    server.answer = lambda _: user()
    with Client(token_cache=cache, **options) as client:
        client.users.get("usr_1")
    assert [seen.path for seen in server.seen] == ["/oauth/token", "/v1/users/usr_1"]


@pytest.mark.parametrize("kind", ["source", "target", "cache"])
def test_an_error_of_a_signal_handler_while_a_file_is_read(
    server: Loopback, alarm: Exception, kind: str, tmp_path: Path
) -> None:
    """The file can be read and written, and the cache can be used."""

    class File(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            signal.raise_signal(signal.SIGUSR1)
            return super().read(size)

        def write(self, data: Any, /) -> int:
            signal.raise_signal(signal.SIGUSR1)
            return super().write(data)

    class Cache(FileCache):
        def _read(self) -> dict[str, dict[str, Any]]:
            signal.raise_signal(signal.SIGUSR1)
            return super()._read()

    content = b"x" * 100
    server.answer = lambda _: Reply(200, content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})
    options: Any = {"api_key": "rk_test_1"}
    if kind == "cache":
        options = {"client_id": "app_1", "client_secret": "s", "token_cache": Cache(tmp_path / "t")}
    with Client(base_url=server.base_url, **options) as client:
        calls: dict[str, Callable[[], object]] = {
            "source": lambda: client.files.upload(file=File(b"x" * 100), name="a"),
            "target": lambda: client.files.download("file_1", to=File()),
            "cache": client.users.get_me,
        }
        with pytest.raises(type(alarm)) as caught:
            calls[kind]()

    assert caught.value is alarm


class TestAnyMoment:
    """Python runs signal handlers when a function begins and when one in C returns, which a profiler is called for."""

    def moments(self, client: Client, interrupted_at: int | None) -> int:
        """Make a call that refreshes its token, and press Ctrl-C at a moment of it; returns how many it has."""
        moments = 0

        def profile(frame: FrameType, event: str, _: object) -> None:
            nonlocal moments
            if event in {"call", "c_return"} and Path(frame.f_code.co_filename).name in LOCKING:
                if moments == interrupted_at:
                    sys.setprofile(None)
                    signal.raise_signal(signal.SIGINT)
                moments += 1

        sys.setprofile(profile)
        try:
            client.users.get("usr_1")
        finally:
            sys.setprofile(None)
        return moments

    def test_an_interrupt_leaves_no_lock_behind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The next call of this process, and those of others, refresh the token and succeed."""
        monkeypatch.setattr(os, "fsync", lambda _: None)
        pairs = iter(range(2, 10_000))

        def answer(request: httpx.Request) -> httpx.Response:
            replied = pair(next(pairs)) if request.url.path == "/oauth/token" else user()
            return httpx.Response(replied.status, content=replied.body, headers=dict(replied.headers))

        def make(number: int) -> Client:
            cache = FileCache(tmp_path / str(number))
            return Client(client_id="app_1", refresh_token="refresh-1", token_cache=cache, http_client=http)

        with httpx.Client(transport=httpx.MockTransport(answer)) as http:
            for number in range(self.moments(make(-1), None)):
                client, sibling = make(number), make(number)
                with pytest.raises(KeyboardInterrupt):
                    self.moments(client, number)
                assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
                for each in (client, sibling):
                    assert each.users.get("usr_1", deadline=5.0).id == "usr_1"
