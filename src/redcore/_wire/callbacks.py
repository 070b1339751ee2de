"""Checks the results of an application's callbacks in blocking code. Performs no I/O."""

from __future__ import annotations

from inspect import iscoroutine
from typing import TypeVar

from redcore.exceptions import ConfigurationError

T = TypeVar("T")


def at_once(answer: T) -> T:
    """Return the result of a callback.

    Raises:
        ConfigurationError: it is a coroutine, which blocking code cannot await.
    """
    if iscoroutine(answer):
        answer.close()
        raise ConfigurationError("a callback returned a coroutine; use AsyncClient, or a plain function")
    return answer
