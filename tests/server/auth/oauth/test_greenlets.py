"""Synchronous code that waits on the event loop."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from redcore_server.auth.oauth import greenlets

pytestmark = pytest.mark.anyio

WHO = ContextVar("WHO", default="nobody")


async def later(text: str) -> str:
    await asyncio.sleep(0)
    return f"{text} for {WHO.get()}"


async def fail() -> None:
    await asyncio.sleep(0)
    raise LookupError("away")


async def test_two_greenlets_wait_at_the_same_time() -> None:
    """While one waits the loop runs the other; each gets its own results, in the context of its own task."""
    waiting = asyncio.Barrier(2)

    async def caller(who: str) -> list[str]:
        WHO.set(who)

        def function() -> list[str]:
            greenlets.wait(waiting.wait())
            return [greenlets.wait(later("first")), WHO.get(), greenlets.wait(later("second"))]

        return await greenlets.run(function)

    assert list(await asyncio.gather(caller("ada"), caller("grace"))) == [
        ["first for ada", "ada", "second for ada"],
        ["first for grace", "grace", "second for grace"],
    ]


async def test_an_error_is_raised_where_it_was_awaited() -> None:
    """The function may handle it and continue to wait."""

    def function() -> str:
        try:
            greenlets.wait(fail())
        except LookupError as error:
            return greenlets.wait(later(str(error)))
        return "not reached"

    assert await greenlets.run(function) == "away for nobody"


async def test_an_error_of_the_function_reaches_its_caller() -> None:
    """Before or after it has waited."""

    def function() -> None:
        greenlets.wait(later("x"))
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await greenlets.run(function)


async def test_cancelling_reaches_the_function() -> None:
    """Its resources are released."""
    seen: list[str] = []

    def function() -> None:
        try:
            greenlets.wait(asyncio.Event().wait())
        finally:
            seen.append("cleaned up")

    task = asyncio.create_task(greenlets.run(function))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert seen == ["cleaned up"]
