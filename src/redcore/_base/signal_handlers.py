"""Finds exceptions that a signal handler of the application raised: they are the application's, not a connection's.

Python runs a handler between any two instructions of the main thread, so its exception surfaces in the code that it
interrupts, such as a read from a socket or a file. There it is easily taken for an error of that socket or file.
"""

from __future__ import annotations

from inspect import currentframe
from types import FrameType
from typing import cast

from redcore._base.causes import chain


def raised_by_handler(problem: BaseException) -> BaseException | None:
    """Return the exception of a signal handler that this exception is, or was made of; None if there is none."""
    for each in chain(problem):
        if each is not problem and is_handled_above(each):
            return None
        if is_of_handler(each):
            return each
    return None


def let_through(problem: Exception) -> None:
    """Raise the exception of a signal handler that this exception is, or was made of; do nothing if there is none."""
    if (original := raised_by_handler(problem)) is None:
        return
    context = original.__context__
    try:
        raise original
    finally:
        original.__context__ = context  # raising it has put what was made of it there, whose cause it is: a circle


def is_handled_above(problem: BaseException) -> bool:
    """Whether an exception was caught by code that has called us, such as by the application before this call."""
    trace, frame = problem.__traceback__, currentframe()
    while trace is not None and frame is not None:
        if frame is trace.tb_frame:
            return True
        frame = frame.f_back
    return False


def is_of_handler(problem: BaseException) -> bool:
    """Whether a handler raised an exception: its frame is called with the frame that it interrupts."""
    trace = problem.__traceback__
    while trace is not None and (called := trace.tb_next) is not None:
        if has_got(called.tb_frame, trace.tb_frame):
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
