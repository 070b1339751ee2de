"""Refreshes that outlast their calls: what is done after the deadline, and what is not."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from tests.client.loopback import Loopback, Reply, Seen, pair, user

from redcore import NetworkError, RequestTimeoutError
from redcore._base.response import Headers, Response
from redcore._call.steps import Flow, Notify, Outlasted, Renewal, Sleep, Step, drive, drive_async
from redcore._transport import outlasting
from redcore._transport.outlasting import await_renewal, await_renewal_async
from redcore._wire.encoding import Request
from redcore.tokens.single_flight import SharedLock

GIVEN = Response(200, Headers({}))


def renewal(wait_s: float, lock: SharedLock | None = None) -> Renewal:
    request = Request(operation="auth_token", method="POST", url="https://api.example", headers={"X-Request-ID": "req"})
    return Renewal(request, 30.0, must_finish=True, wait_s=wait_s, lock=lock or SharedLock())


class Call:
    """A call with a refresh, which notes how far it came."""

    def __init__(self, then: Callable[[], Flow[None]]) -> None:
        self.lock = SharedLock()
        self.go_on = threading.Event()
        self.outcomes: list[object] = []
        self.ended = threading.Event()
        self._then = then

    def flow(self) -> Flow[None]:
        self.lock.acquire(claim=self)
        try:
            try:
                self.outcomes.append((yield renewal(0.0, self.lock)))
            except NetworkError as error:
                self.outcomes.append(error)
            yield from self._then()
        finally:
            self.lock.release(self)
            self.ended.set()

    def run(self) -> None:
        """Run it as a client does."""
        flow = self.flow()
        try:
            drive(flow, self.perform)
        except Outlasted as outlasted:
            outlasted.go_on(flow, self.perform)
            raise outlasted.error from None

    async def run_async(self) -> None:
        """Run it as an async client does."""
        flow = self.flow()
        try:
            await drive_async(flow, self.perform_async)
        except Outlasted as outlasted:
            outlasted.go_on(flow, self.perform_async)
            raise outlasted.error from None

    def perform(self, step: Step) -> Any:
        match step:
            case Renewal():
                return await_renewal(self.send, step)
            case Notify(callback, argument):
                return callback(argument)
            case _:
                raise AssertionError(step)

    async def perform_async(self, step: Step) -> Any:
        if isinstance(step, Renewal):
            return await await_renewal_async(self.send_async, step)
        return self.perform(step)

    def send(self, _: Request, timeout_s: float) -> Response:
        assert timeout_s == 30.0
        assert self.go_on.wait(30.0)
        return GIVEN

    async def send_async(self, request: Request, timeout_s: float) -> Response:
        return await anyio.to_thread.run_sync(self.send, request, timeout_s)


def nothing() -> Flow[None]:
    yield from ()


def refuse(_: object) -> None:
    raise ValueError("a token")


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "redcore"]


def test_the_thread_that_waits_no_longer_can_wait_for_the_lock() -> None:
    """The refresh in the background holds the lock: another call of the same thread waits for it."""
    call = Call(nothing)

    with pytest.raises(RequestTimeoutError, match="deadline passed during a token refresh") as caught:
        call.run()

    assert not call.lock.acquire(0.001)
    call.go_on.set()
    assert call.lock.acquire(30.0)
    assert (call.outcomes, caught.value.request_id) == ([GIVEN], "req")


def test_an_interrupted_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Ctrl-C, or a time-out of gevent, ends the call at once, and does not lose the pair either."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    call = Call(nothing)
    monkeypatch.setattr(outlasting, "wait", interrupt)

    with pytest.raises(KeyboardInterrupt):
        call.run()
    call.go_on.set()

    assert call.ended.wait(30.0)
    assert call.outcomes == [GIVEN]


@pytest.mark.parametrize("step", [Sleep(1.0), renewal(30.0)], ids=["a wait", "another refresh"])
def test_only_the_refresh_is_finished(step: Step) -> None:
    """What the call would do next, such as to wait or to refresh once more, is not done after its end."""
    done: list[Step] = []

    def go_on() -> Flow[None]:
        yield step
        done.append(step)

    call = Call(go_on)

    with pytest.raises(RequestTimeoutError):
        call.run()
    call.go_on.set()

    assert call.ended.wait(30.0)
    assert (call.outcomes, done) == ([GIVEN], [])


def test_a_callback_that_fails_after_the_call(caplog: pytest.LogCaptureFixture) -> None:
    """The log says so, without the message, which may have secrets."""

    def tell() -> Flow[None]:
        yield Notify(refuse, None)

    call, others = Call(tell), set(threading.enumerate())
    with pytest.raises(RequestTimeoutError):
        call.run()
    (finishing,) = set(threading.enumerate()) - others

    call.go_on.set()
    finishing.join(30.0)

    assert messages(caplog) == ["a token refresh that outlasted its call failed: ValueError"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_callback_that_fails_after_the_call_of_a_task(caplog: pytest.LogCaptureFixture, backend: str) -> None:
    """It does not affect the event loop, or the other tasks."""

    def tell() -> Flow[None]:
        yield Notify(refuse, None)
        raise AssertionError

    call = Call(tell)

    async def main() -> None:
        with pytest.raises(RequestTimeoutError):
            await call.run_async()
        call.go_on.set()
        await anyio.to_thread.run_sync(call.ended.wait, 30.0)

    anyio.run(main, backend=backend)

    assert messages(caplog) == ["a token refresh that outlasted its call failed: ValueError"]


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """At interpreter shutdown, the refresh is sent in the calling thread, within the call's deadline."""
    limits: list[float] = []

    def send(_: Request, timeout_s: float) -> Response:
        limits.append(timeout_s)
        return GIVEN

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", fail)

    assert await_renewal(send, renewal(2.0)) is GIVEN
    assert limits == [2.0]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_errors_in_time(backend: str) -> None:
    """An error of the refresh that comes in time is that of the call."""

    async def fail(_: Request, __: float) -> Response:
        await anyio.lowlevel.checkpoint()
        raise NetworkError("reset")

    def fail_blocking(_: Request, __: float) -> Response:
        raise NetworkError("reset")

    async def main() -> None:
        with pytest.raises(NetworkError, match="reset"):
            await await_renewal_async(fail, renewal(30.0))

    anyio.run(main, backend=backend)
    with pytest.raises(NetworkError, match="reset"):
        await_renewal(fail_blocking, renewal(30.0))


KILLED = """
from gevent import monkey
monkey.patch_all()
import sys
import urllib.request
import gevent
from redcore import Client

with Client(refresh_token="refresh-1", base_url=sys.argv[1], timeout=30) as client:
    call = gevent.spawn(client.users.get_me)
    urllib.request.urlopen(sys.argv[1] + "/asked").close()
    call.kill()
    urllib.request.urlopen(sys.argv[1] + "/killed").close()
    print(client.users.get_me().id)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="gevent has no poll there")
def test_a_greenlet_that_is_killed_during_a_refresh(server: Loopback) -> None:
    """Another greenlet stores the pair, and the next call has it."""
    asked, killed = threading.Event(), threading.Event()

    def answer(seen: Seen) -> Reply:
        if seen.path == "/v1/asked":
            asked.wait(30.0)
        elif seen.path == "/v1/killed":
            killed.set()
        elif seen.path == "/oauth/token":
            asked.set()
            killed.wait(30.0)
            return pair(2)
        return user()

    server.answer = answer
    program = [sys.executable, "-c", KILLED, server.base_url]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 (our own)

    assert (ended.stdout.split(), ended.stderr, len(server.asked("/oauth/token"))) == (["usr_1"], "", 1)
