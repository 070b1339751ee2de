"""Translates errors of HTTP libraries into errors of the SDK."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Self, TypeAlias

import attrs

from redcore._base.causes import chain
from redcore._base.signal_handlers import let_through
from redcore._transport.proxies import source
from redcore._transport.tls import advice
from redcore.exceptions import ArgumentError, NetworkError, RedcoreError, RequestTimeoutError, ResponseError

Classes: TypeAlias = tuple[type[Exception], ...]

BY_LOOPS: Classes = (OSError, RuntimeError)
"""What event loops raise for a connection. RuntimeError: it has just been closed, "the handler is closed" in uvloop."""


class AllInUse(TimeoutError):  # noqa: N818 (never leaves the transport)
    """No connection became free in time: nothing was sent."""


@attrs.frozen(kw_only=True)
class Foreign:
    """The exceptions of one library, by meaning. A test compares them with all exceptions of the library."""

    late: Classes
    """A timeout."""
    no_address: Classes
    """The URL is invalid."""
    no_header: Classes
    """A header cannot be sent."""
    no_encoding: Classes
    """The body is not compressed as declared."""
    by_proxy: Classes = ()
    """The proxy cannot be reached, or refuses."""
    no_answer: Classes
    """Everything else."""


class our_errors:  # noqa: N801 (a context manager; as a generator it would cost a microsecond more per call)
    """Translates exceptions of a library into errors of the SDK.

    Args:
        timeout_s: How long the attempt may take, for the message.
        foreign: The exceptions of the library.
        late: Describes what timed out; None means the whole attempt.
    """

    __slots__ = ("_foreign", "_late", "_timeout_s", "is_proxied")

    is_proxied: bool
    """Whether the attempt goes through a proxy, which messages then name; set when it is known."""

    def __init__(self, timeout_s: float, foreign: Foreign, late: Callable[[], str] | None = None) -> None:
        self.is_proxied = False
        self._timeout_s = timeout_s
        self._foreign = foreign
        self._late = late

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, problem: BaseException | None, __: object) -> None:
        if not isinstance(problem, Exception) or isinstance(problem, RedcoreError):  # of a transport that it used
            return
        let_through(problem)
        if (ours := self._ours(problem)) is not None:
            raise ours from (None if quotes(problem) else problem)

    def _ours(self, problem: Exception) -> RedcoreError | None:
        foreign = self._foreign
        if isinstance(problem, AllInUse):
            return RequestTimeoutError("nothing was sent in time: all connections of the client were in use")
        if isinstance(problem, foreign.late):
            whole = f"no complete answer within {round(self._timeout_s, 3):g} s"
            return RequestTimeoutError((whole if self._late is None else self._late()) + self._way())
        return refused(problem, foreign) or unanswered(problem, foreign, self._way())

    def _way(self) -> str:
        """The end of a message about an answer that did not come: a proxy may be to blame, or the variable."""
        return f"; sent through a proxy, see {source()}" if self.is_proxied else ""


def refused(problem: Exception, foreign: Foreign) -> RedcoreError | None:
    """The error of a request that cannot be sent, or of an answer that cannot be read."""
    if isinstance(problem, foreign.no_encoding):
        return ResponseError("the answer's content encoding is broken")
    if isinstance(problem, foreign.no_address):
        return ArgumentError("the address of the call is not a valid URL")
    if isinstance(problem, foreign.no_header):  # its message contains the header's value, which may be secret
        return ArgumentError("a header of the call cannot be sent")
    return None


def unanswered(problem: Exception, foreign: Foreign, way: str) -> RedcoreError | None:
    """The error of a request without an answer."""
    if isinstance(problem, foreign.by_proxy):
        return NetworkError(f"no connection through the proxy: {reason(problem)}; see {source()}{advice(problem)}")
    if isinstance(problem, foreign.no_answer):
        return NetworkError(f"no answer: {reason(problem)}{advice(problem)}{way}")
    return None


QUOTED = re.compile(r"[:,]?\s*(bytearray\()?b['\"].*", re.DOTALL)
"""Received bytes at the end of a parser's message. They may be of any answer, such as one with a token."""


def reason(problem: Exception) -> str:
    """The message of an exception, or of its cause if it has none; in one line, without received bytes."""
    cause = next((each for each in chain(problem) if str(each)), problem)
    text = getattr(cause, "message", "") or str(cause)  # aiohttp's text has a status, which no server has sent
    return " ".join(QUOTED.sub("", text).split()) or type(problem).__name__


def quotes(problem: BaseException) -> bool:
    """Whether an exception, or one that it was made of, quotes received bytes."""
    return any(QUOTED.search(str(each)) for each in chain(problem))


def closed() -> RedcoreError:
    """The error of a call after `close()`."""
    return RedcoreError("this client is closed; make calls before close(), or inside its `with` block")
