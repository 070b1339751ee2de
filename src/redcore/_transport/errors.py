"""What the HTTP libraries raise, as what the SDK promises to raise."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
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


@contextmanager
def our_errors(timeout_s: float, foreign: Foreign, late: Callable[[], str] | None = None) -> Generator[None]:
    """Raise what a library raises as what the SDK promises to raise.

    Args:
        timeout_s: How long the attempt may take, for the message.
        foreign: The exceptions of the library.
        late: Says what has taken too long; None says that the whole attempt has.
    """
    try:
        yield
    except foreign.late as problem:
        told = f"no complete answer within {timeout_s:g} s" if late is None else late()
        raise RequestTimeoutError(told) from problem
    except foreign.no_encoding as problem:
        raise ResponseError("the answer's content encoding is broken") from problem
    except foreign.no_address as problem:
        raise ArgumentError("the address of the call is no valid URL") from problem
    except foreign.no_header as problem:  # its message quotes the header's value, which may be secret
        raise ArgumentError("a header of the call cannot be sent") from problem
    except foreign.no_answer as problem:
        raise NetworkError(f"no answer: {reason(problem)}") from problem


def reason(problem: Exception) -> str:
    """What an exception says, or what its cause does, for one that says nothing itself."""
    cause: BaseException | None = problem
    while cause is not None and not str(cause):
        cause = cause.__cause__ or cause.__context__
    return str(cause or type(problem).__name__)


def closed() -> RedcoreError:
    """The error of a call that comes after `close()`."""
    return RedcoreError("this client is closed; make calls before close(), or inside its `with` block")
