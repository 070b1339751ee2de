"""How resources make their calls: with options of one call, or the same options for many."""

from __future__ import annotations

from typing import Protocol, TypeVar

from redcore._base.operation import AsyncExecute, Execute, Operation
from redcore.options import RequestOptions

T = TypeVar("T")


class Call(Protocol):
    """Makes a call with options of its own and blocks until it has ended."""

    def __call__(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        """Make the call; the options apply to it alone."""
        ...


class AsyncCall(Protocol):
    """Makes a call with options of its own."""

    async def __call__(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        """Make the call; the options apply to it alone."""
        ...


def always_with(options: RequestOptions, call: Call) -> Execute:
    """Make each call with the same options."""

    def execute(operation: Operation[T], /) -> T:
        return call(operation, options)

    return execute if options else call


def async_always_with(options: RequestOptions, call: AsyncCall) -> AsyncExecute:
    """As `always_with`, awaited."""

    async def execute(operation: Operation[T], /) -> T:
        return await call(operation, options)

    return execute if options else call
