"""Awaits that finish although their task is cancelled, and the cancellation that is delivered afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from redcore import NetworkError
from redcore._base.cancellation import to_the_end
from redcore._call.steps import Flow, Sleep, Step, drive_async


class Finishing:
    """Performs steps that must not be cut off; `begun` is set when one waits, until `go`."""

    def __init__(self) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: Step) -> Any:
        return await to_the_end(self._wait())

    async def _wait(self) -> str:
        self.begun.set()
        await self.go.wait()
        return "done"


def one_step() -> Flow[str]:
    """A call that ends with its step."""
    done: str = yield Sleep(0.0)
    return done


def failing() -> Flow[str]:
    """A call that fails after its step."""
    yield Sleep(0.0)
    raise NetworkError("no answer")


async def timed_out(flow: Flow[str]) -> None:
    """Let a call time out during its last step."""
    perform = Finishing()

    async def passing(limit: asyncio.Timeout) -> None:
        await perform.begun.wait()
        limit.reschedule(0.0)
        while not limit.expired():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0)
        perform.go.set()

    async with asyncio.timeout(None) as limit:
        helper = asyncio.create_task(passing(limit))
        await drive_async(flow, perform)
    await helper


async def cancelled(flow: Flow[str]) -> None:
    """Cancel a call during its last step."""
    perform = Finishing()
    call = asyncio.create_task(drive_async(flow, perform))
    await perform.begun.wait()
    call.cancel()
    await asyncio.sleep(0)
    perform.go.set()
    await call


@pytest.mark.parametrize("flow", [one_step, failing])
@pytest.mark.parametrize(("ended", "error"), [(timed_out, TimeoutError), (cancelled, asyncio.CancelledError)])
def test_a_cancellation_during_the_last_step(
    flow: Callable[[], Flow[str]], ended: Callable[[Flow[str]], Awaitable[None]], error: type[BaseException]
) -> None:
    """It is delivered by the call, not by what the task awaits afterwards."""

    async def main() -> None:
        with pytest.raises(error):
            await ended(flow())
        await asyncio.sleep(0)

    asyncio.run(main())


def test_a_timeout_of_ours_during_a_step_that_fails() -> None:
    """The error is raised: nothing outside has cancelled the call."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise OSError("broken")

    async def perform(_: Step) -> None:
        with anyio.CancelScope() as timeout:
            timeout.cancel()
            await to_the_end(fail())

    def call() -> Flow[None]:
        yield Sleep(0.0)

    async def main() -> None:
        with pytest.raises(OSError, match="broken"):
            await drive_async(call(), perform)
        await asyncio.sleep(0)

    asyncio.run(main())


def test_a_loop_that_ends_during_a_step() -> None:
    """`asyncio.run` cancels all tasks when its coroutine returns; the step finishes all the same."""
    perform, results = Finishing(), list[str]()

    def call() -> Flow[None]:
        results.append((yield Sleep(0.0)))

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(drive_async(call(), perform))
        await perform.begun.wait()
        asyncio.get_running_loop().call_soon(perform.go.set)
        return task

    task = asyncio.run(main())

    assert results == ["done"]
    assert task.cancelled()
