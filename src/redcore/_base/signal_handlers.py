"""Finds exceptions that a signal handler of the application raised: they are the application's, not a connection's.

Python runs a handler between any two instructions of the main thread, so its exception surfaces in the code that it
interrupts, such as a read from a socket. Libraries take a TimeoutError or OSError of it for one of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import cast


def raised_by_handler(problem: BaseException) -> BaseException | None:
    """Return the exception of a signal handler that this exception is, or was made of; None if there is none.

    Args:
        problem: An exception that the calling function has caught. Those that were being handled before do not count.
    """
    if problem.__traceback__ is None:
        return None
    catcher = problem.__traceback__.tb_frame
    return next((each for each in chain(problem) if is_of_handler(each, catcher)), None)


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, and those that it was made of."""
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def is_of_handler(problem: BaseException, catcher: FrameType) -> bool:
    """Whether a handler raised an exception: its frame is called with the frame that it interrupts."""
    trace = problem.__traceback__
    while trace is not None and (called := trace.tb_next) is not None:
        if has_got(called.tb_frame, trace.tb_frame) and catcher in callers(trace.tb_frame):
            return True
        trace = called
    return False


def has_got(frame: FrameType, interrupted: FrameType) -> bool:
    """Whether a frame has another one among its arguments, also as one of `*args`."""
    for value in frame.f_locals.values():
        values = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        if any(each is interrupted for each in values):
            return True
    return False


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back
