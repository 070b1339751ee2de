"""Whether to retry, and after how long. Pure: the caller sleeps and draws the random number.

By default three attempts: 1, wait 1 s, 2, wait 2 s, 3 (contract section 7, Retries). tenacity decides, by the default
strategies or those of the application. It is imported when a call fails, so that successful calls do not pay for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

from redcore.exceptions import (
    ArgumentError,
    AuthenticationError,
    ConfigurationError,
    RedcoreAPIError,
    RedcoreError,
    StopReason,
)
from redcore.options import Retry

if TYPE_CHECKING:
    from tenacity import RetryCallState

LONGEST_BACKOFF_S = 60.0  # a minute; longer waits are the server's to ask for, by Retry-After
JITTER = 0.1  # of a wait, applied after the cap, so that clients never align (contract section 7, Retries)
LONGEST_RETRY_AFTER_S = 600.0  # docs/adr/0005-retry-after-bound.md
BURST = 500.0  # this and the next two: docs/adr/0022-retry-budget.md
RETRIES_PER_SECOND = 10.0  # ADR 22
RETRIES_PER_SUCCESS = 0.2  # ADR 22
FINAL = (ArgumentError, ConfigurationError, AuthenticationError)
"""Errors that no strategy may retry: a rejected token was refreshed once, and reusing a dead one revokes its family."""


def wait_s(
    policy: Retry, error: RedcoreError, attempt: int, draw: float, *, elapsed_s: float = 0.0, waited_s: float = 0.0
) -> float | StopReason:
    """How long to wait before the next attempt.

    Args:
        policy: The retry policy.
        error: Why the attempt failed.
        attempt: Number of the attempt that failed, from 1.
        draw: A random number from [0, 1), for the jitter of the default wait.
        elapsed_s: Seconds since the first attempt began.
        waited_s: How many of these were spent waiting.

    Returns:
        Seconds, or the reason to raise the error.

    Raises:
        ConfigurationError: a strategy of the application returned an invalid value.
    """
    if isinstance(error, FINAL) or (policy.retry is None and not error.is_retry_safe):
        return "not retryable"
    try:
        from tenacity import RetryCallState, Retrying  # noqa: PLC0415 (see the module's docstring)
    except (OSError, ImportError):  # no file can be opened any more, or the interpreter is shutting down
        return "not retryable"
    retrying = Retrying(**strategies(policy, asked_wait_s(error), draw))
    retrying.begin()
    state = RetryCallState(retrying, None, (), {})
    state.set_exception((type(error), error, error.__traceback__))
    state.attempt_number, state.idle_for = attempt, waited_s
    state.start_time, state.outcome_timestamp = 0.0, elapsed_s
    traceback = error.__traceback__
    try:
        decided = cast("float | StopReason", retrying.iter(state))
    except RedcoreError as raised:
        if raised is not error:
            raise
        return "not retryable"  # tenacity re-raises errors that its strategy does not retry
    finally:
        error.__traceback__ = traceback  # without the frames of tenacity
        state.outcome = None  # no cycle from the error over its traceback to itself
    if isinstance(decided, float) and decided > LONGEST_RETRY_AFTER_S and asked_wait_s(error) is not None:
        return "Retry-After too long"
    return decided


def strategies(policy: Retry, asked_s: float | None, draw: float) -> dict[str, Any]:
    """The arguments of tenacity: the policy's strategies, with the contract's as defaults."""
    from tenacity import retry_if_exception, stop_after_attempt, wait_exponential  # noqa: PLC0415 (as above)

    doubling = wait_exponential(max=LONGEST_BACKOFF_S)
    if asked_s is not None:
        wait: Callable[[RetryCallState], float] = lambda _: asked_s  # noqa: E731 (one of three)
    elif policy.wait is not None:
        wait = seconds_of(policy.wait)
    else:
        wait = lambda state: doubling(state) * (1 - JITTER + 2 * JITTER * draw)  # noqa: E731 (as above)
    reason: StopReason = "retries used up" if policy.stop is None else "retry policy"
    return {
        "retry": retry_if_exception(is_retry_safe) if policy.retry is None else truth_of(policy.retry),
        "wait": wait,
        "stop": stop_after_attempt(policy.max_retries + 1) if policy.stop is None else truth_of(policy.stop),
        "retry_error_callback": partial(said, reason),
    }


def said(reason: StopReason, _: RetryCallState) -> StopReason:
    """Why there is no further attempt, instead of tenacity's RetryError."""
    return reason


def is_retry_safe(error: BaseException) -> bool:
    """Whether the error is marked as safe to retry."""
    return isinstance(error, RedcoreError) and error.is_retry_safe


def truth_of(strategy: Callable[[Any], bool]) -> Callable[[RetryCallState], bool]:
    """A stop or retry strategy with a checked result."""

    def decide(state: RetryCallState) -> bool:
        result = strategy(state)
        if isawaitable(result):
            raise ConfigurationError(f"{strategy!r} of the retry policy must be awaited; take one of tenacity itself")
        return result

    return decide


def seconds_of(strategy: Callable[[Any], object]) -> Callable[[RetryCallState], float]:
    """A wait strategy with a checked result."""

    def seconds(state: RetryCallState) -> float:
        result = strategy(state)
        if not isinstance(result, int | float) or not 0 <= result < math.inf:
            raise ConfigurationError(f"{strategy!r} of the retry policy gave {result!r}, not a number of seconds")
        return float(result)

    return seconds


class RetryBudget:
    """Limits the retries of all calls of a client together, so that they do not overload a platform in an outage.

    It starts with 500 retries, and refills to that with time and with each success. Shared by threads and tasks without
    a lock, which a fork could leave locked: two retries at the same instant may be counted as one.
    """

    def __init__(self) -> None:
        self._left = BURST
        self._filled_at = 0.0

    def refund(self) -> None:
        """Refill after a successful call."""
        if self._left < BURST:
            self._left += RETRIES_PER_SUCCESS

    def spend(self, now: float) -> bool:
        """Spend one retry.

        Args:
            now: Seconds on a monotonic clock.

        Returns:
            Whether the budget allows it; if not, nothing is spent.
        """
        passed_s = max(0.0, now - self._filled_at)  # the clock of a machine restored from a snapshot can go back
        left = min(BURST, self._left + passed_s * RETRIES_PER_SECOND)
        self._filled_at = now
        self._left = left - 1.0 if left >= 1.0 else left
        return left >= 1.0


def asked_wait_s(error: RedcoreError) -> float | None:
    """The `Retry-After` of an error in seconds, or None."""
    return error.retry_after if isinstance(error, RedcoreAPIError) else None
