"""What the HTTP libraries raise, as what the SDK promises to raise."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

import attrs

from redcore.exceptions import ArgumentError, NetworkError, RedcoreError, RequestTimeoutError, ResponseError

Classes: TypeAlias = tuple[type[Exception], ...]


@attrs.frozen(kw_only=True)
class Foreign:
    """The exceptions of one library, by what they mean. A test holds them against all that the library has."""

    late: Classes
    """A time-out."""
    no_address: Classes
    """The URL cannot be one."""
    no_header: Classes
    """A header cannot be sent."""
    no_encoding: Classes
    """The body is not compressed as it says."""
    no_answer: Classes
    """Everything else."""


def our_errors(
    timeout_s: float, foreign: Foreign, late: Callable[[], str] | None = None
) -> AbstractContextManager[None, None]:
    """Raise what a library raises as what the SDK promises to raise.

    Args:
        timeout_s: How long the attempt may take, for the message.
        foreign: The exceptions of the library.
        late: Says what has taken too long; None says that the whole attempt has.
    """
    return _Translation(timeout_s, foreign, late)


class _Translation:
    """A class: around every call, a generator would cost a microsecond more."""

    __slots__ = ("_foreign", "_late", "_timeout_s")

    def __init__(self, timeout_s: float, foreign: Foreign, late: Callable[[], str] | None) -> None:
        self._timeout_s = timeout_s
        self._foreign = foreign
        self._late = late

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, problem: BaseException | None, __: object) -> None:
        if isinstance(problem, Exception) and (ours := self._ours(problem)) is not None:
            raise ours from problem

    def _ours(self, problem: Exception) -> RedcoreError | None:
        foreign = self._foreign
        if isinstance(problem, foreign.late):
            told = f"no complete answer within {self._timeout_s:g} s" if self._late is None else self._late()
            return RequestTimeoutError(told)
        if isinstance(problem, foreign.no_encoding):
            return ResponseError("the answer's content encoding is broken")
        if isinstance(problem, foreign.no_address):
            return ArgumentError("the address of the call is no valid URL")
        if isinstance(problem, foreign.no_header):  # its message quotes the header's value, which may be secret
            return ArgumentError("a header of the call cannot be sent")
        if isinstance(problem, foreign.no_answer):
            return NetworkError(f"no answer: {reason(problem)}")
        return None


def reason(problem: Exception) -> str:
    """What an exception says, or what its cause does, for one that says nothing itself."""
    cause: BaseException | None = problem
    while cause is not None and not str(cause):
        cause = cause.__cause__ or cause.__context__
    return str(cause or type(problem).__name__)


def closed() -> RedcoreError:
    """The error of a call that comes after `close()`."""
    return RedcoreError("this client is closed; make calls before close(), or inside its `with` block")
