"""Reports what a call does to the hooks of the application, and to observers such as logs and traces.

An observed call sits between a call and the code that performs its steps, and passes each step on. A call without hooks
and observers has none and no overhead. Performs no I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import attrs

from redcore._base.operation import Operation
from redcore._base.response import Headers, Response
from redcore._call.headers import checked_headers, shown_headers
from redcore._call.steps import Flow, Notify, Send, Sleep, Step, Stream
from redcore._wire.encoding import Request
from redcore.exceptions import ArgumentError, RedcoreError
from redcore.hooks import Added, AsyncHooks, Attempt, AttemptResult

T = TypeVar("T")


class CallObserver(Protocol):
    """Observes one call. Must not block or raise. Cancellation is reported like any other outcome."""

    def attempt_started(self, attempt: Attempt, /) -> Mapping[str, str] | None:
        """Called before a request is sent; the returned headers, such as `traceparent`, are added to it."""
        ...

    def attempt_ended(self, result: AttemptResult, /) -> None:
        """Called after a response or an error; with neither if the caller cancelled the call."""
        ...

    def waiting(self, seconds: float, reason: str, /) -> None:
        """Called before the call waits; the reason is `retry` or `pacing`."""
        ...

    def ended(self, error: BaseException | None, /) -> None:
        """Called when the call has ended; successfully if there is no error."""
        ...


class Observer(Protocol):
    """Observes all calls of a client."""

    def started(self, operation: Operation[Any], /) -> CallObserver | None:
        """Called when a call begins; returns None to ignore it."""
        ...


class HookFailed(BaseException):
    """Wraps an exception of a hook, so that the call does not handle it as one of its own errors."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class ObservedCall:
    """Reports the steps of one call.

    Args:
        observers: The observers of this call.
        hooks: The application's hooks, or None.
        monotonic: Gives seconds, for durations.
    """

    def __init__(
        self, observers: Sequence[CallObserver], hooks: AsyncHooks | None, monotonic: Callable[[], float]
    ) -> None:
        self._observers = observers
        self._before = None if hooks is None else hooks.before_attempt
        self._after = None if hooks is None else hooks.after_attempt
        self._monotonic = monotonic
        self._sent: Counter[str] = Counter()
        self._unreported: AttemptResult | None = None

    def over(self, flow: Flow[T]) -> Flow[T]:
        """Return the same call, watched."""
        ended_by: BaseException | None = None
        try:
            return (yield from self._to_the_end(flow))
        except HookFailed as failed:
            ended_by = failed.error
            raise failed.error from failed.error.__cause__
        except BaseException as error:
            ended_by = error
            raise
        finally:
            for observer in self._observers:
                observer.ended(ended_by)

    def _to_the_end(self, flow: Flow[T]) -> Flow[T]:
        try:
            value = yield from self._pass_on(flow)
        except Exception:
            yield from self._report()
            raise
        yield from self._report()
        return value

    def _pass_on(self, flow: Flow[T]) -> Flow[T]:
        """Pass each step to the performer and its result back, as `drive` does one layer below."""
        try:
            step = next(flow)
            while True:
                try:
                    result = yield from self._performed(step)
                except BaseException as error:  # noqa: BLE001 (the call handles it; cancellation passes through)
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as done:
            value: T = done.value
            return value

    def _performed(self, step: Step) -> Flow[Any]:
        if isinstance(step, Send | Stream):
            yield from self._report()
            return (yield from self._attempt(step))
        if isinstance(step, Sleep) and step.reason is not None:
            yield from self._report()
            for observer in self._observers:
                observer.waiting(step.seconds, step.reason)
        return (yield step)

    def _attempt(self, step: Send | Stream) -> Flow[Response]:
        request = step.request
        self._sent[request.operation] += 1
        attempt = Attempt(
            operation=request.operation,
            number=self._sent[request.operation],
            method=request.method,
            url=request.url,
            url_template=request.url_template,
            headers=Headers(shown_headers(request.headers)),
            request_id=request.headers["X-Request-ID"],
        )
        added = yield from self._added(attempt)
        request = with_headers(request, *(observer.attempt_started(attempt) for observer in self._observers), added)
        began = self._monotonic()
        try:
            response: Response = yield attrs.evolve(step, request=request)
        except BaseException as error:
            own = error if isinstance(error, RedcoreError) else None
            self._note(AttemptResult(attempt=attempt, duration_s=self._monotonic() - began, error=own))
            raise
        self._note(
            AttemptResult(
                attempt=attempt,
                duration_s=self._monotonic() - began,
                status_code=response.status_code,
                headers=response.headers,
            )
        )
        return response

    def _note(self, result: AttemptResult) -> None:
        """Notify observers now and the hook later: it may fail, and a response with new tokens must be stored first."""
        self._unreported = result
        for observer in self._observers:
            observer.attempt_ended(result)

    def _report(self) -> Flow[None]:
        result, self._unreported = self._unreported, None
        if result is not None:
            yield from self._ask(self._after, result)

    def _added(self, attempt: Attempt) -> Flow[Added]:
        """Call the hook for the headers that it adds to an attempt.

        Raises:
            HookFailed: it raised, or returned headers that cannot be sent.
        """
        answer = yield from self._ask(self._before, attempt)
        try:
            return None if answer is None else hook_headers(answer)
        except ArgumentError as error:
            raise HookFailed(error) from error

    def _ask(self, hook: Callable[[Any], object] | None, argument: Attempt | AttemptResult) -> Flow[Any]:
        """Call a hook.

        Raises:
            HookFailed: it raised.
        """
        if hook is None:
            return None
        try:
            return (yield Notify(hook, argument, must_finish=False))
        except Exception as error:
            raise HookFailed(error) from error


def hook_headers(answer: object) -> Mapping[str, str]:
    """Validate the headers that a hook returned.

    Raises:
        ArgumentError: they are not headers, cannot be sent, or include one that belongs to the whole call.
    """
    if not isinstance(answer, Mapping):
        raise ArgumentError(f"before_attempt must return headers or None, not {type(answer).__name__}")
    checked = checked_headers(cast("Mapping[str, str]", answer))
    if "X-Request-ID" in checked:
        raise ArgumentError("the header X-Request-ID is one for the whole call; a hook cannot set it")
    return checked


def with_headers(request: Request, *added: Added) -> Request:
    """Add headers to a request."""
    more = [headers for headers in added if headers]
    if not more:
        return request
    merged = dict(request.headers)
    for headers in more:
        merged.update(headers)
    return attrs.evolve(request, headers=merged)
