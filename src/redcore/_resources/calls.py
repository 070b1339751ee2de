"""How resources make calls: with options for one call, or the same options for many."""

from __future__ import annotations

from typing import Protocol, TypeVar

from redcore._base.operation import AsyncExecute, Execute, Operation
from redcore.options import RequestOptions

T = TypeVar("T")


class Call(Protocol):
    """Makes a call with per-call options and blocks until it has ended."""

    def __call__(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        """Make the call; the options apply to this call only."""
        ...


class AsyncCall(Protocol):
    """Makes a call with per-call options."""

    async def __call__(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        """Make the call; the options apply to this call only."""
        ...


def always_with(options: RequestOptions, call: Call) -> Execute:
    """Make each call with the same options."""

    def execute(operation: Operation[T], /) -> T:
        return call(operation, options)

    return execute if options else call


def async_always_with(options: RequestOptions, call: AsyncCall) -> AsyncExecute:
    """Like `always_with`, awaited."""

    async def execute(operation: Operation[T], /) -> T:
        return await call(operation, options)

    return execute if options else call
