"""A connection of the server on a loop whose time stands still."""

from __future__ import annotations

import asyncio
import contextlib
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

import attrs
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from redcore_server.http.context import REFUSAL
from redcore_server.http.render_error import render
from redcore_server.listening.connection import Connection, bounded

CLIENT_S = 30.0
HEAD = b"GET /v1/me HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST /v1/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


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


def status(transport: Transport) -> int:
    """Return the status of the first answer."""
    return int(transport.written.split(b" ", 2)[1])
