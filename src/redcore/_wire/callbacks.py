"""What an application's callback returned, for code that cannot await it. Performs no I/O."""

from __future__ import annotations

from inspect import iscoroutine
from typing import TypeVar

from redcore.exceptions import ConfigurationError

T = TypeVar("T")


def at_once(answer: T) -> T:
    """What a callback returned.

    Raises:
        ConfigurationError: it is a coroutine, which nobody would run.
    """
    if iscoroutine(answer):
        answer.close()
        raise ConfigurationError("a callback returned a coroutine; use AsyncClient, or a plain function")
    return answer
