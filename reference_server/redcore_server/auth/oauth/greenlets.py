"""Lets Authlib, which is sync, wait for the stores on the event loop.

Authlib runs in a greenlet, a separate stack on the loop's thread. When one of its hooks needs a store, it waits for an
awaitable: the stack is suspended while the loop continues. A thread would do the same at the price of two thread
switches and contention for the GIL, which cost more than creating a token.

States of a greenlet, and the legal transitions:

    running → waiting   `wait`: the stack is suspended, the loop awaits
    waiting → running   the awaitable has a result, or its error is raised in the hook; so is a cancellation
    running → ended     the function returns or raises
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from greenlet import getcurrent, greenlet

_Result = TypeVar("_Result")


async def run(function: Callable[[], _Result]) -> _Result:
    """Run a sync function that may call `wait`, and return its result; between waits it blocks the loop.

    Args:
        function: A sync function; a cancellation of the caller is raised in it.
    """
    stack = greenlet(function)
    stack.gr_context = getcurrent().gr_context  # log lines inside carry the request id
    answer = stack.switch()
    while not stack.dead:
        try:
            value = await answer
        except BaseException as error:  # noqa: BLE001 - the function decides whether to handle it
            answer = stack.throw(error)
        else:
            answer = stack.switch(value)
    return cast("_Result", answer)


def wait(awaitable: Awaitable[_Result]) -> _Result:
    """Return the result of an awaitable; only for code called by `run`.

    Args:
        awaitable: Awaited on the event loop meanwhile.
    """
    loop_side = getcurrent().parent
    assert loop_side is not None  # noqa: S101 - code called by `run` always has one
    return cast("_Result", loop_side.switch(awaitable))
