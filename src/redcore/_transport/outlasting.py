"""Waits for the response to a refresh until its call's deadline, and finishes the refresh in the background after it.

Once the request is sent, the old pair may be dead: to give up the response would end the session. Nothing else of the
call is done in the background: the new pair is stored, the locks are released and `on_token_refreshed` is called.

States of a refresh, and the legal transitions:

    sent → answered         the response, or its error, arrives in the time of the call, which goes on
    sent → outlasting       the deadline of the call passes: the call ends, the thread or task gets its lock
    outlasting → finished   the response arrives and the new pair is stored; or an error is logged
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

import anyio

from redcore._base.abandoned import Abandoned
from redcore._base.cancellation import to_the_end
from redcore._base.event_loops import is_in_trio
from redcore._base.log import logger
from redcore._base.response import Response
from redcore._call.steps import Flow, Outlasted, Renewal, Step, drive, drive_async
from redcore.exceptions import RequestTimeoutError
from redcore.tokens.single_flight import Caller

_running: set[object] = set()
"""The tasks of asyncio, which itself keeps weak references only."""


def await_renewal(send: Callable[..., Response], step: Renewal) -> Response:
    """Send a refresh in a thread, and wait for its response; an interrupt ends the wait as the deadline does.

    Args:
        send: Sends a request, in so many seconds.
        step: The refresh.

    Raises:
        Outlasted: the time is up, or the wait was interrupted, such as by gevent.
    """
    sent: Future[Response] = Future()
    work = partial(fulfil, sent, partial(send, step.request, step.timeout_s))
    thread = threading.Thread(target=copy_context().run, args=(work,), name="redcore-refresh", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # at interpreter shutdown, when no thread can be started
        return send(step.request, step.timeout_s if step.wait_s is None else step.wait_s)
    error: BaseException
    try:
        wait([sent], step.wait_s)
    except BaseException as interrupt:  # noqa: BLE001 (raised by the client)
        error = interrupt
    else:
        if sent.done():
            return sent.result()
        error = too_late(step)
    step.lock.pass_to(Caller(thread.ident or 0, None))
    raise Outlasted(error, lambda flow, perform: sent.add_done_callback(partial(finish, flow, perform)))


def fulfil(sent: Future[Response], send: Callable[[], Response]) -> None:
    """Send, and pass on the outcome."""
    try:
        response = send()
    except BaseException as error:  # noqa: BLE001 (raised where it is awaited)
        sent.set_exception(error)
    else:
        sent.set_result(response)


def finish(flow: Flow[Any], perform: Callable[[Step], Any], sent: Future[Response]) -> None:
    """Finish a refresh whose call has ended."""

    def last(step: Step) -> Any:
        check_needed(step)
        return perform(step)

    error = sent.exception()
    with unawaited():
        drive(flow, last, partial(flow.send, sent.result()) if error is None else partial(flow.throw, error))


class RenewalTask:
    """A refresh in a task of its own.

    Args:
        sending: Its request.
    """

    response: Response

    def __init__(self, sending: Awaitable[Response]) -> None:
        self._sending = sending
        self._ended = anyio.Event()
        self._rest: tuple[Flow[Any], Callable[[Step], Awaitable[Any]]] | None = None
        self.error: BaseException | None = None

    async def run(self) -> None:
        """Send, and finish the refresh if its call has ended meanwhile."""
        try:
            self.response = await self._sending
        except BaseException as error:  # noqa: BLE001 (raised where it is awaited)
            self.error = error
        self._ended.set()
        if self._rest is not None:
            await self._finish(*self._rest)

    async def has_ended(self, wait_s: float | None) -> bool:
        """Wait for the response; returns whether it has arrived."""
        with anyio.move_on_after(wait_s):
            await self._ended.wait()
        return self._ended.is_set()

    def go_on(self, flow: Flow[Any], perform: Callable[[Step], Awaitable[Any]]) -> None:
        """Finish the refresh of a call that ends now."""
        self._rest = flow, perform

    async def _finish(self, flow: Flow[Any], perform: Callable[[Step], Awaitable[Any]]) -> None:
        async def last(step: Step) -> Any:
            check_needed(step)
            return await perform(step)

        resume = partial(flow.send, self.response) if self.error is None else partial(flow.throw, self.error)
        with unawaited():
            await drive_async(flow, last, resume)


async def await_renewal_async(send: Callable[..., Awaitable[Response]], step: Renewal) -> Response:
    """Like `await_renewal`, in a task; a cancellation is put off until the call ends."""
    renewal = RenewalTask(send(step.request, step.timeout_s))
    task = spawn(lambda: to_the_end(renewal.run()))
    if not await to_the_end(renewal.has_ended(step.wait_s)):
        step.lock.pass_to(Caller(threading.get_ident(), id(task)))
        raise Outlasted(too_late(step), renewal.go_on)
    if renewal.error is not None:
        raise renewal.error
    return renewal.response


def spawn(run: Callable[[], Coroutine[Any, Any, None]]) -> object:
    """Start a task that outlives the current one; returns the task."""
    if is_in_trio():
        import trio  # noqa: PLC0415 (the application runs it, and so has it)

        return trio.lowlevel.spawn_system_task(run, context=copy_context())
    import asyncio  # noqa: PLC0415 (blocking code needs none of it)

    task = asyncio.create_task(run())
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


def too_late(step: Renewal) -> RequestTimeoutError:
    """The error of a call that its refresh outlasts."""
    return RequestTimeoutError(
        "the call's deadline passed during a token refresh", request_id=step.request.headers["X-Request-ID"]
    )


def check_needed(step: Step) -> None:
    """Let a call that has ended do only what would lose the pair if it were left out.

    Raises:
        Abandoned: the step is another one, such as the next attempt of the refresh.
    """
    if not step.must_finish or isinstance(step, Renewal):
        raise Abandoned


@contextmanager
def unawaited() -> Generator[None]:
    """Log why a refresh could not be finished; not the message, which may be the application's and have secrets."""
    try:
        yield
    except (Abandoned, RequestTimeoutError):
        pass
    except Exception as problem:  # noqa: BLE001 (nothing awaits it)
        logger.warning("a token refresh that outlasted its call failed: %s", type(problem).__name__)
