"""The tries of one call, as its error will tell them. Performs no I/O."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from redcore._base.response import Response
from redcore.exceptions import (
    AuthenticationError,
    FailedAttempt,
    RedcoreAPIError,
    RedcoreError,
    ResponseError,
    StopReason,
)


class Tries:
    """Keeps what failed; made anew for each call, when its first try begins.

    Args:
        monotonic: Gives seconds, for durations.
        request_id: The one that is sent.
    """

    __slots__ = ("_began", "_failed", "_monotonic", "_request_id", "_started")

    def __init__(self, monotonic: Callable[[], float], request_id: str) -> None:
        self._monotonic = monotonic
        self._request_id = request_id
        self._failed: list[FailedAttempt] = []
        self._started = self._began = monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first attempt began."""
        return self._monotonic() - self._started

    @property
    def waited_s(self) -> float:
        """Seconds that were waits between attempts."""
        return sum(attempt.wait_s or 0.0 for attempt in self._failed)

    def begin(self) -> None:
        """The next try begins."""
        self._began = self._monotonic()

    def refused(self, response: Response) -> None:
        """The token was refused; the call is sent again at once with another."""
        self._note(AuthenticationError.__name__, response, 0.0)
        self.begin()

    def failed(self, error: RedcoreError, wait: float | StopReason) -> None:
        """A try has failed; if there is to be no other, the error is told all of them."""
        self._note(type(error).__name__, answer_of(error), wait)
        if isinstance(wait, str):
            self._tell(error)

    def overslept(self, error: RedcoreError) -> RedcoreError:
        """The last error, told all tries: the wait for the next one took longer than the call may."""
        last = self._failed.pop()
        self._failed.append(attrs.evolve(last, wait_s=None, stopped="deadline"))
        self._tell(error)
        return error

    def _note(self, name: str, response: Response | None, wait: float | StopReason) -> None:
        told = None if response is None else response.headers.get("x-request-id")
        self._failed.append(
            FailedAttempt(
                number=len(self._failed) + 1,
                error=name,
                status=None if response is None else response.status_code,
                request_id=told or self._request_id,
                duration_s=self._monotonic() - self._began,
                wait_s=None if isinstance(wait, str) else wait,
                stopped=wait if isinstance(wait, str) else None,
            )
        )

    def _tell(self, error: RedcoreError) -> None:
        error.attempts = tuple(self._failed)
        if len(error.attempts) > 1:
            error.add_note(f"{len(error.attempts)} attempts: {'; '.join(map(str, error.attempts))}")


def answer_of(error: RedcoreError) -> Response | None:
    """The answer that an error is about; None if none came."""
    return error.response if isinstance(error, RedcoreAPIError | ResponseError) else None
