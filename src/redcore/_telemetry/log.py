"""Logs each attempt and each wait to the logger `redcore`; nothing is formatted unless DEBUG is enabled."""

from __future__ import annotations

from collections.abc import Mapping

from redcore._base.log import logger
from redcore._call.headers import SHOWN
from redcore._telemetry.urls import shown_url
from redcore.hooks import Attempt, AttemptResult

SHOWN_OF_ANSWERS = frozenset(
    {
        "content-length",
        "content-type",
        "date",
        "idempotent-replayed",
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-request-id",
    }
)


class CallLog:
    """Logs one call."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def attempt_started(self, attempt: Attempt, /) -> None:
        """Log nothing yet."""

    def attempt_ended(self, result: AttemptResult, /) -> None:
        """Log one line."""
        attempt = result.attempt
        logger.debug(
            "%s attempt %d: %s %s -> %s in %.3f s, request %s, sent %s, received %s",
            attempt.operation,
            attempt.number,
            attempt.method,
            shown_url(attempt.url),
            outcome(result),
            result.duration_s,
            attempt.request_id,
            shown(attempt.headers, SHOWN),
            shown(result.headers or {}, SHOWN_OF_ANSWERS),
        )

    def waiting(self, seconds: float, reason: str, /) -> None:
        """Log one line."""
        logger.debug("%s waits %.3f s (%s)", self._operation, seconds, reason)

    def ended(self, error: BaseException | None, /) -> None:
        """Log nothing: the last attempt has been logged."""


def outcome(result: AttemptResult) -> str:
    """The status, the error, or `cancelled`."""
    if result.status_code is not None:
        return str(result.status_code)
    return "cancelled" if result.error is None else f"{type(result.error).__name__}: {result.error.message}"


def shown(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    """The headers that may be logged."""
    return {name: value for name, value in headers.items() if name in names}
