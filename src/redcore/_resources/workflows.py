"""`client.workflows`: the generated operations, and waiting for a run to end. Performs no I/O."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs

from redcore._call.engine import CallOptions, Engine
from redcore._call.steps import Deadline, Flow, Notify, Sleep
from redcore._resources import generated
from redcore._resources.calls import AsyncCall, Call
from redcore._resources.resource import awaited
from redcore._spec import operations
from redcore._spec.models import WorkflowRun, WorkflowRunStatus
from redcore._wire.callbacks import check_blocking_callback, check_callback
from redcore.exceptions import ArgumentError, NetworkError, WaitTimeoutError

FIRST_PAUSE_S = 0.25  # a short run ends within it
LONGEST_PAUSE_S = 5.0  # 12 of the 60 requests a minute that a free plan has (contract section 4)
SLOWER = 1.5  # factor by which each pause grows
ENDED = frozenset({WorkflowRunStatus.SUCCEEDED, WorkflowRunStatus.FAILED, WorkflowRunStatus.CANCELLED})

OnProgress: TypeAlias = Callable[[WorkflowRun], object]
AsyncOnProgress: TypeAlias = Callable[[WorkflowRun], Awaitable[object] | object]
Wait: TypeAlias = Callable[[WorkflowRun | str, float | None, OnProgress | None], WorkflowRun]
AsyncWait: TypeAlias = Callable[[WorkflowRun | str, float | None, AsyncOnProgress | None], Awaitable[WorkflowRun]]


class Workflows(generated.Workflows):
    __doc__ = generated.Workflows.__doc__
    __slots__ = ("_wait",)

    def __init__(self, execute: Call, wait: Wait) -> None:
        super().__init__(execute)
        self._wait = wait

    def wait(
        self, run: WorkflowRun | str, *, timeout: float | None = None, on_progress: OnProgress | None = None
    ) -> WorkflowRun:
        """Wait until a run has ended, whether it succeeded or not; check its `status`.

        The run is polled after a quarter of a second, then less and less often, up to every five seconds.

        Args:
            run: The run, or its id.
            timeout: Maximum seconds to wait; None waits forever. The client's own `timeout`, which `with_options`
                changes, limits each poll.
            on_progress: Called with the run when it is first seen and whenever its status or progress has changed.

        Raises:
            WaitTimeoutError: the run did not end in time and continues; `run` on the error is its last known state.
            ArgumentError: the id is invalid, or `timeout` is not a number of seconds.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such run in this organisation.

        Source: contract section 7, Client.

        Example:
            client.workflows.wait("wfr_12", timeout=600)
        """
        check_blocking_callback("on_progress", on_progress)
        return self._wait(run, timeout, on_progress)


class AsyncWorkflows(generated.AsyncWorkflows):
    __doc__ = generated.AsyncWorkflows.__doc__
    __slots__ = ("_wait",)

    def __init__(self, execute: AsyncCall, wait: AsyncWait) -> None:
        super().__init__(execute)
        self._wait = wait

    async def wait(
        self,
        run: WorkflowRun | str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 (the contract's name)
        on_progress: AsyncOnProgress | None = None,
    ) -> WorkflowRun:
        return await self._wait(run, timeout, on_progress)

    wait.__doc__ = awaited(Workflows.wait.__doc__).replace(
        "progress has changed.", "progress has changed; may be a coroutine\n                function."
    )


def waiting(
    engine: Engine,
    options: CallOptions,
    run: WorkflowRun | str,
    timeout_s: float | None,
    on_progress: AsyncOnProgress | None,
) -> Flow[WorkflowRun]:
    """Poll a run until it has ended; raises the same errors as `Workflows.wait`."""
    if timeout_s is not None and not is_duration(timeout_s):
        raise ArgumentError(f"timeout must be a number of seconds above 0, or None; got {timeout_s!r}")
    check_callback("on_progress", on_progress)
    deadline = Deadline.after(engine.runtime, timeout_s)
    latest: WorkflowRun | None = run if isinstance(run, WorkflowRun) else None
    if latest is None or latest.status not in ENDED:
        latest = yield from _look(engine, options, run, deadline, latest)
    reported: tuple[object, float] | None = None
    pause = FIRST_PAUSE_S
    while True:
        if on_progress is not None and reported != (latest.status, latest.progress):
            reported = latest.status, latest.progress
            yield Notify(on_progress, latest, must_finish=False)
        if latest.status in ENDED:
            return latest
        remaining = deadline.remaining_s()
        if remaining is not None and remaining <= 0:
            raise WaitTimeoutError(f"run {latest.id} is still {latest.status} after {timeout_s:g} s", run=latest)
        yield Sleep(pause if remaining is None else min(pause, remaining))
        pause = min(LONGEST_PAUSE_S, pause * SLOWER)
        latest = yield from _look(engine, options, latest, deadline, latest)


def is_duration(value: object) -> bool:
    """Whether a value is a finite, positive number of seconds."""
    return isinstance(value, int | float) and 0 < value < math.inf


def _look(
    engine: Engine, options: CallOptions, run: WorkflowRun | str, deadline: Deadline, latest: WorkflowRun | None
) -> Flow[WorkflowRun]:
    """Fetch the run; a poll that begins before the time is up may take one timeout longer, without a retry."""
    remaining = deadline.remaining_s()
    if remaining is not None:
        longest = max(options.timeout_s, remaining)
        options = attrs.evolve(options, deadline_s=min(longest, options.deadline_s or longest))
    run_id = run.id if isinstance(run, WorkflowRun) else run
    try:
        return (yield from engine.call(operations.workflows_get_run(run_id), options))
    except NetworkError as error:
        if deadline.allows(0.0):
            raise
        raise WaitTimeoutError("the run could not be seen in time", run=latest, request_id=error.request_id) from error
