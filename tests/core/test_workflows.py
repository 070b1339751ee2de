"""Waiting for a workflow run, in a world whose clock advances only by waiting."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from tests.core.world import Answer, World, answer, refusal

from redcore._base.response import Response
from redcore._call.engine import CallOptions
from redcore._resources.workflows import waiting
from redcore._spec.models import WorkflowRun
from redcore.exceptions import ArgumentError, NetworkError, NotFoundError, RedcoreError, WaitTimeoutError


def seen(status: str = "running", progress: float = 0.0) -> Response:
    """Return an answer with the run `wfr_1`."""
    times = {"created_at": "2026-01-15T10:00:00Z", "started_at": None, "finished_at": None}
    facts = {"id": "wfr_1", "workflow": "catalog_export", "status": status, "progress": progress}
    return answer(200, {"data": {**facts, "input": {}, "result": None, "error": None, **times}, "meta": {}})


class Waiting(World):
    """A world in which a caller waits for a run."""

    def __init__(self, *script: Answer) -> None:
        super().__init__(*script)
        self.progress: list[tuple[str, float]] = []

    def wait(self, run: Any = "wfr_1", *, timeout: Any = None, **options: Any) -> WorkflowRun:
        """Wait, and record the reported progress."""
        return self.run(waiting(self.engine, CallOptions(**options), run, timeout, self._progressed))

    def _progressed(self, run: WorkflowRun) -> None:
        self.progress.append((run.status, run.progress))


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_wait_returns_when_the_run_has_ended(status: str) -> None:
    """Whatever its final status; each change is reported once."""
    answers = [seen("queued"), seen(), seen(progress=0.5), seen(progress=0.5), seen(status, 1.0)]
    world = Waiting(*answers)

    assert world.wait().status == status
    assert world.progress == [("queued", 0.0), ("running", 0.0), ("running", 0.5), (status, 1.0)]
    assert world.slept == [0.25, 0.375, 0.5625, 0.84375]
    assert set(world.paths) == {"/v1/workflow-runs/wfr_1"}


def test_the_polling_interval_grows_to_five_seconds() -> None:
    """A run of hours is not polled more often."""
    world = Waiting(*[seen()] * 12, seen("succeeded"))

    world.wait()

    assert world.slept[-3:] == [5.0, 5.0, 5.0]


def test_a_run_that_has_ended_is_not_polled() -> None:
    """It cannot change any more."""
    world = Waiting(seen("succeeded", 1.0))
    run = world.wait()

    assert world.wait(run) is run
    assert len(world.sent) == 1
    assert world.progress == [("succeeded", 1.0)] * 2


def test_an_unknown_status_is_waited_out() -> None:
    """A status that is not known to be final counts as running."""
    world = Waiting(seen("paused"), seen("succeeded"))

    assert world.wait().status == "succeeded"


def test_the_deadline_of_a_wait() -> None:
    """The last pause ends with it, then the run is polled once more; the error has it, also after pickling."""
    world = Waiting(*[seen(progress=number / 10) for number in range(4)])

    with pytest.raises(WaitTimeoutError, match="run wfr_1 is still running after 1 s") as caught:
        world.wait(timeout=1.0)

    assert world.slept == [0.25, 0.375, 0.375]
    assert isinstance(caught.value, RedcoreError)
    assert isinstance(caught.value, TimeoutError)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 (our own)
    assert again.run == caught.value.run
    assert caught.value.run is not None
    assert caught.value.run.progress == 0.3


def test_a_failed_poll_is_raised() -> None:
    """After its retries, as by `get_run`."""
    with pytest.raises(NotFoundError):
        Waiting(refusal(404, "RESOURCE_NOT_FOUND")).wait()
    with pytest.raises(NetworkError) as caught:
        Waiting(*[NetworkError("reset")] * 3).wait()
    assert not isinstance(caught.value, WaitTimeoutError)


def test_a_failed_poll_at_the_deadline() -> None:
    """That error is raised, with the run as it was seen last."""
    world = Waiting(seen())

    def hang(_: object) -> Response:
        world.time += 1.0
        raise NetworkError("no complete answer")

    world.script.append(hang)
    with pytest.raises(WaitTimeoutError, match="the run could not be seen in time") as caught:
        world.wait(timeout=1.2, timeout_s=0.5)

    assert caught.value.run is not None
    assert isinstance(caught.value.__cause__, NetworkError)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5"])
def test_an_invalid_deadline(timeout: Any) -> None:
    """Nothing is sent."""
    world = Waiting()

    with pytest.raises(ArgumentError, match="timeout must be a number of seconds above 0"):
        world.wait(timeout=timeout)


def test_an_invalid_run_id() -> None:
    """As for every method."""
    with pytest.raises(ArgumentError, match="run_id must not be"):
        Waiting().wait("..")
