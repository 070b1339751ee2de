"""What a call may ask of the one who runs it. A call is a generator that yields steps and is sent their results.

So everything the SDK decides (when to authenticate, what to retry, how long to wait) is written once, performs no I/O
and is tested without any; `Client` and `AsyncClient` only perform steps, each in its colour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, cast

import attrs

from redcore._base.runtime import Runtime
from redcore._wire.encoding import Request
from redcore.exceptions import RequestTimeoutError
from redcore.tokens.single_flight import SharedLock

T = TypeVar("T")


@attrs.frozen
class Send:
    """Send a request. Result: its `Response`; NetworkError or ResponseError is thrown in instead."""

    request: Request
    timeout_s: float
    must_finish: bool = False
    """Not to be cut short when the calling task is cancelled: a token pair would be lost on its way."""


@attrs.frozen
class Stream:
    """Send a request of which a body is streamed. Result: its `Response`, or, if it opens, a success still arriving."""

    must_finish: ClassVar[bool] = False
    request: Request
    silence_s: float
    """How long each wait for the other side may be."""
    ends_in_s: float | None
    """When all must be over, the reading of the answer included; None is never."""


@attrs.frozen
class Read:
    """Take the next bytes of an answer. Result: the bytes; none at the end."""

    must_finish: ClassVar[bool] = False
    answer: Any


@attrs.frozen
class Close:
    """Do without the rest of an answer. Result: None."""

    must_finish: ClassVar[bool] = False
    answer: Any


@attrs.frozen
class Work:
    """Call what may wait for a disk; in a thread, where others must not wait meanwhile. Result: what it returns."""

    must_finish: ClassVar[bool] = False
    function: Callable[[], Any]


@attrs.frozen
class Sleep:
    """Wait. Result: None."""

    must_finish: ClassVar[bool] = False
    seconds: float
    reason: Literal["retry", "pacing"] | None = None
    """What the call waits for; None if nobody need know."""


@attrs.frozen
class Acquire:
    """Take a lock, which the generator releases. Result: whether it was taken in time."""

    must_finish: ClassVar[bool] = False
    lock: SharedLock
    timeout_s: float


@attrs.frozen
class Ask:
    """Ask a token cache, to the end whatever happens: a lock that it gives must not be lost. Result: its answer."""

    must_finish: ClassVar[bool] = True
    function: Callable[[], Any] = attrs.field(repr=False)
    blocks: bool
    """Whether others must not wait meanwhile; otherwise its result is awaited."""


@attrs.frozen
class Notify:
    """Call the application back. Result: what it returns, awaited if it can be."""

    callback: Callable[[Any], object]
    told: Any = attrs.field(repr=False)
    """What it is called with."""
    must_finish: bool = True
    """Not to be cut short when the calling task is cancelled."""


Step: TypeAlias = Send | Sleep | Acquire | Ask | Notify | Stream | Read | Close | Work
Flow: TypeAlias = Generator[Step, Any, T]


@attrs.frozen(kw_only=True)
class Budget:
    """How long a call may still take, over all attempts, waits, pacing and renewals."""

    runtime: Runtime
    timeout_s: float
    """Of one attempt."""
    ends_at: float | None
    """On the monotonic clock; None is never."""
    request_id: str

    @classmethod
    def starting(cls, runtime: Runtime, timeout_s: float, deadline_s: float | None, request_id: str) -> Budget:
        """The budget of a call that begins now.

        Args:
            runtime: Has the clock.
            timeout_s: Seconds one attempt may take.
            deadline_s: Seconds the call may take in all; None is no limit.
            request_id: The id of the call.
        """
        ends_at = None if deadline_s is None else runtime.monotonic() + deadline_s
        return cls(runtime=runtime, timeout_s=timeout_s, ends_at=ends_at, request_id=request_id)

    def remaining_s(self) -> float | None:
        """Seconds until the deadline; None if there is none."""
        return None if self.ends_at is None else self.ends_at - self.runtime.monotonic()

    def allows(self, wait_s: float) -> bool:
        """Whether a wait ends before the deadline."""
        remaining = self.remaining_s()
        return remaining is None or wait_s < remaining

    def attempt_s(self) -> float:
        """How long the next attempt may take.

        Raises:
            RequestTimeoutError: the deadline has passed.
        """
        remaining = self.remaining_s()
        if remaining is None:
            return self.timeout_s
        if remaining <= 0:
            raise RequestTimeoutError("the call's deadline has passed", request_id=self.request_id)
        return min(self.timeout_s, remaining)


def sending(request: Request, budget: Budget) -> Send | Stream:
    """The step that sends a request.

    Raises:
        RequestTimeoutError: the deadline has passed.
    """
    timeout_s = budget.attempt_s()
    if not request.streamed:
        return Send(request, timeout_s)
    return Stream(request, budget.timeout_s, budget.remaining_s())


def drive(flow: Flow[T], perform: Callable[[Step], Any]) -> T:
    """Run a call by performing its steps."""
    try:
        step = next(flow)
        while True:
            try:
                result = perform(step)
            except BaseException as error:  # noqa: BLE001 (the call decides; an interrupt passes through it)
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as done:
        return cast("T", done.value)


async def drive_async(flow: Flow[T], perform: Callable[[Step], Awaitable[Any]]) -> T:
    """Run a call by awaiting its steps; a cancellation passes through the call, which releases what it holds."""
    try:
        step = next(flow)
        while True:
            try:
                result = await perform(step)
            except BaseException as error:  # noqa: BLE001 (the call decides; a cancellation passes through it)
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as done:
        return cast("T", done.value)
