"""Checks an application's callbacks, and their results in blocking code. Performs no I/O."""

from __future__ import annotations

from inspect import iscoroutine, iscoroutinefunction
from typing import TypeVar

from redcore.exceptions import ArgumentError, ConfigurationError

T = TypeVar("T")


def check_callback(name: str, callback: object) -> None:
    """Reject an argument that cannot be called, before anything is sent.

    Raises:
        ArgumentError: it is not None, and not a function.
    """
    if callback is not None and not callable(callback):
        raise ArgumentError(f"{name} must be a function, not {type(callback).__name__}")


def check_blocking_callback(name: str, callback: object) -> None:
    """Reject a coroutine function, which only `AsyncClient` can await, before anything is sent.

    Raises:
        ConfigurationError: it is one.
    """
    if iscoroutinefunction(callback):
        raise ConfigurationError(f"{name} is a coroutine function; use AsyncClient, or a plain function")


def at_once(answer: T) -> T:
    """Return the result of a callback.

    Raises:
        ConfigurationError: it is a coroutine, which blocking code cannot await.
    """
    if iscoroutine(answer):
        answer.close()
        raise ConfigurationError("a callback returned a coroutine; use AsyncClient, or a plain function")
    return answer
