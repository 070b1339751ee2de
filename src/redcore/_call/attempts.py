"""The history of the failed attempts of one call, for its error. Performs no I/O."""

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


class AttemptHistory:
    """Records failed attempts; created for each call when its first attempt begins.

    Args:
        monotonic: A monotonic clock, in seconds.
        request_id: The request id that is sent.
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
        """Seconds spent waiting between attempts."""
        return sum(attempt.wait_s or 0.0 for attempt in self._failed)

    def begin(self) -> None:
        """Record the start of the next attempt."""
        self._began = self._monotonic()

    def refused(self, response: Response) -> None:
        """Record that the token was rejected; the call is repeated immediately with a new token."""
        self._note(AuthenticationError.__name__, response, 0.0)
        self.begin()

    def failed(self, error: RedcoreError, wait: float | StopReason) -> None:
        """Record a failed attempt; on the last one, attach the full history to the error."""
        self._note(type(error).__name__, answer_of(error), wait)
        if isinstance(wait, str):
            self._tell(error)

    def overslept(self, error: RedcoreError) -> RedcoreError:
        """Attach the full history to the last error: the wait for the next attempt exceeded the deadline."""
        last = self._failed.pop()
        self._failed.append(attrs.evolve(last, wait_s=None, stopped="deadline"))
        self._tell(error)
        return error

    def _note(self, name: str, response: Response | None, wait: float | StopReason) -> None:
        echoed_id = None if response is None else response.headers.get("x-request-id")
        self._failed.append(
            FailedAttempt(
                number=len(self._failed) + 1,
                error=name,
                status_code=None if response is None else response.status_code,
                request_id=echoed_id or self._request_id,
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
    """The response of an error; None if no response was received."""
    return error.response if isinstance(error, RedcoreAPIError | ResponseError) else None
