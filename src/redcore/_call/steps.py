"""The steps of a call. A call is a generator that yields steps and is sent their results.

This way all decisions of the SDK (when to authenticate, what to retry, how long to wait) are written once, perform no
I/O and are tested without it; `Client` and `AsyncClient` only perform the steps, blocking or awaiting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from inspect import GEN_CLOSED, getgeneratorstate
from types import TracebackType
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

import attrs

from redcore._base.cancellation import deliver, put_off
from redcore._base.runtime import Runtime
from redcore._wire.encoding import Request
from redcore.exceptions import RedcoreError, RequestTimeoutError
from redcore.tokens.single_flight import SharedLock

T = TypeVar("T")


@attrs.frozen
class Send:
    """Send a request. Result: its `Response`; NetworkError or ResponseError is thrown in instead."""

    request: Request
    timeout_s: float
    must_finish: bool = False
    """Whether to finish even if the calling task is cancelled, which could otherwise lose a token pair in transit."""


@attrs.frozen
class Renewal(Send):
    """Send a refresh that may outlast its call: the call ends with its deadline, and the new pair is stored later.

    Result: as for `Send`, if it arrives in time; otherwise `Outlasted` is raised, not thrown in.
    """

    wait_s: float | None = attrs.field(kw_only=True)
    """How long the call can wait for the response; None if as long as the request may take."""
    lock: SharedLock = attrs.field(kw_only=True)
    """Held by the call; whatever finishes the refresh holds it then."""


class Outlasted(BaseException):
    """Ends a call whose refresh outlasts it.

    Args:
        error: What the caller gets instead.
        go_on: Takes the call and what performs its steps, and finishes the refresh in the background.
    """

    def __init__(self, error: BaseException, go_on: Callable[[Flow[Any], Callable[[Step], Any]], None]) -> None:
        super().__init__()
        self.error = error
        self.go_on = go_on


@attrs.frozen
class Stream:
    """Send a request with a streamed body. Result: its `Response`, or an open response if it is a streamed success."""

    must_finish: ClassVar[bool] = False
    request: Request
    silence_s: float
    """The longest period without network activity, in seconds."""
    ends_in_s: float | None
    """When everything must end, including reading the response; None means no limit."""


@attrs.frozen
class Read:
    """Read the next bytes of a response. Result: the bytes; empty at the end."""

    must_finish: ClassVar[bool] = False
    answer: Any


@attrs.frozen
class Close:
    """Close a response without reading the rest. Result: None."""

    must_finish: ClassVar[bool] = False
    answer: Any


@attrs.frozen
class Work:
    """Call a function that may block on disk I/O; async code runs it in a thread. Result: its return value."""

    must_finish: ClassVar[bool] = False
    function: Callable[[], Any]


@attrs.frozen
class Sleep:
    """Wait. Result: None."""

    must_finish: ClassVar[bool] = False
    seconds: float
    reason: Literal["retry", "pacing"] | None = None
    """Why the call waits, for observers; None if it is not reported."""


@attrs.frozen
class Acquire:
    """Acquire a lock, which the generator releases even if it is interrupted here. Result: whether it was acquired."""

    must_finish: ClassVar[bool] = False
    lock: SharedLock
    timeout_s: float
    claim: object
    """What the generator releases it with."""


@attrs.frozen
class Ask:
    """Call a token cache, finishing even if cancelled: an acquired lock must not be lost. Result: its return value."""

    must_finish: ClassVar[bool] = True
    function: Callable[[], Any] = attrs.field(repr=False)
    blocks: bool
    """Whether it may block other tasks, and so runs in a thread; otherwise its result is awaited."""
    locks: bool = False
    """Whether it acquires a lock, which an interrupt just afterwards would leave locked."""


@attrs.frozen
class Notify:
    """Call a callback of the application. Result: its return value, awaited if it is awaitable."""

    callback: Callable[[Any], object]
    argument: Any = attrs.field(repr=False)
    """The argument of the callback."""
    must_finish: bool = True
    """Whether to finish even if the calling task is cancelled."""


Step: TypeAlias = Send | Sleep | Acquire | Ask | Notify | Stream | Read | Close | Work
Flow: TypeAlias = Generator[Step, Any, T]


@attrs.frozen(kw_only=True)
class Deadline:
    """The remaining time of something that waits: a call, a login, a wait for a run."""

    runtime: Runtime
    ends_at: float | None
    """On the monotonic clock; None means no limit."""

    @classmethod
    def after(cls, runtime: Runtime, seconds: float | None) -> Deadline:
        """A deadline so many seconds from now; None means no limit."""
        return cls(runtime=runtime, ends_at=ending(runtime, seconds))

    def remaining_s(self) -> float | None:
        """Seconds until the deadline, or None."""
        return None if self.ends_at is None else self.ends_at - self.runtime.monotonic()

    def allows(self, wait_s: float) -> bool:
        """Whether a wait ends before the deadline."""
        remaining = self.remaining_s()
        return remaining is None or wait_s < remaining


@attrs.frozen(kw_only=True)
class Budget(Deadline):
    """The remaining time of a call, over all attempts, waits, pacing and token refreshes."""

    timeout_s: float
    """Of one attempt."""
    request_id: str

    def attempt_s(self) -> float:
        """How long the next attempt may take, in seconds.

        Raises:
            RequestTimeoutError: the deadline has passed.
        """
        if self.ends_at is None:
            return self.timeout_s
        remaining = self.ends_at - self.runtime.monotonic()
        if remaining <= 0:
            raise RequestTimeoutError("the call's deadline has passed", request_id=self.request_id)
        return min(self.timeout_s, remaining)


def ending(runtime: Runtime, seconds: float | None) -> float | None:
    """When so many seconds from now end, on the monotonic clock; None means no limit."""
    return None if seconds is None else runtime.monotonic() + seconds


def sending(request: Request, budget: Budget) -> Send | Stream:
    """Make the step that sends a request.

    Raises:
        RequestTimeoutError: the deadline has passed.
    """
    timeout_s = budget.attempt_s()
    if not request.streamed:
        return Send(request, timeout_s)
    return Stream(request, budget.timeout_s, budget.remaining_s())


def drive(flow: Flow[T], perform: Callable[[Step], Any], resume: Callable[[], Step] | None = None) -> T:
    """Run a call by performing its steps.

    Args:
        flow: The call.
        perform: Performs a step and returns its result.
        resume: Resumes a call between two steps, by sending or throwing something in; None begins it.
    """
    try:
        step = next(flow) if resume is None else resume()
        while True:
            try:
                result = perform(step)
            except BaseException as error:  # noqa: BLE001 (the call decides; an interrupt passes through it)
                step = throw_in(flow, error)
            else:
                step = flow.send(result)
    except StopIteration as done:
        value: T = done.value
        return value
    except BaseException as error:
        if is_interrupted(flow, error):  # a signal, between two steps: the call has locks to release
            return drive(flow, perform, partial(flow.throw, error))
        if isinstance(error, RedcoreError):
            error.__traceback__ = without_our_frames(error.__traceback__)
        raise


async def drive_async(
    flow: Flow[T], perform: Callable[[Step], Awaitable[Any]], resume: Callable[[], Step] | None = None
) -> T:
    """Run a call by awaiting its steps; cancellation passes through the call, which releases its locks.

    Arguments as for `drive`.
    """
    try:
        step = next(flow) if resume is None else resume()
        while True:
            try:
                result = await perform(step)
            except BaseException as error:  # noqa: BLE001 (the call decides; a cancellation passes through it)
                step = throw_in(flow, error)
            else:
                step = flow.send(result)
    except StopIteration as done:
        value: T = done.value
    except BaseException as error:
        if is_interrupted(flow, error):  # as above
            return await drive_async(flow, perform, partial(flow.throw, error))
        if isinstance(error, RedcoreError):
            error.__traceback__ = without_our_frames(error.__traceback__)
        if isinstance(error, Exception) and put_off:
            await deliver()
        raise
    if put_off:
        await deliver()
    return value


def throw_in(flow: Flow[Any], error: BaseException) -> Step:
    """Let the call handle an error of a step.

    Raises:
        Outlasted: the call has none to handle, as something else goes on with it.
    """
    if isinstance(error, Outlasted):
        raise error
    return flow.throw(error)


def is_interrupted(flow: Flow[Any], error: BaseException) -> bool:
    """Whether an error has come from outside, between two steps of a call."""
    return getgeneratorstate(flow) != GEN_CLOSED and not isinstance(error, Outlasted)


def without_our_frames(trace: TracebackType | None) -> TracebackType | None:
    """Shorten the traceback of an error of ours: readers look for their own line, and a cause keeps its traceback.

    One with a frame of the caller's, such as that of a hook, stays whole.
    """
    frame = trace
    while frame is not None:
        if not frame.tb_frame.f_globals.get("__name__", "").startswith("redcore."):
            return trace
        frame = frame.tb_next
    return None
