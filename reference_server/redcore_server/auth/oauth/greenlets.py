"""Lets Authlib, which is sync, wait for the stores on the event loop.

Authlib runs in a greenlet, a stack of its own on the loop's thread. Where one of its hooks needs a store it waits for
an awaitable: the stack is left standing while the loop goes on. A thread would do the same for the price of two
handovers and of a fight for the interpreter, which cost more than making a token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from greenlet import getcurrent, greenlet

_Result = TypeVar("_Result")


async def run(function: Callable[[], _Result]) -> _Result:
    """Return what a function returns, which may call `wait`; it holds the loop up in between.

    Args:
        function: Sync; whatever cancels the caller is raised in it.
    """
    fiber = greenlet(function)
    fiber.gr_context = getcurrent().gr_context  # whatever is logged inside tells the request's id
    answer = fiber.switch()
    while not fiber.dead:
        try:
            value = await answer
        except BaseException as error:  # noqa: BLE001 - it is the function's to handle or not
            answer = fiber.throw(error)
        else:
            answer = fiber.switch(value)
    return cast("_Result", answer)


def wait(awaitable: Awaitable[_Result]) -> _Result:
    """Return the result of an awaitable; only what `run` has called may do so.

    Args:
        awaitable: Which the event loop serves meanwhile.
    """
    loop_side = getcurrent().parent
    assert loop_side is not None  # noqa: S101 - there is one in whatever `run` has called
    return cast("_Result", loop_side.switch(awaitable))
