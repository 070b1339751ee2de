"""The error of a failed call, and a retry budget that is used up."""

from __future__ import annotations

from tests.core.world import answer

from redcore._call.retry import RetryBudget
from redcore.exceptions import RedcoreAPIError


def failed(status: int, **headers: str) -> RedcoreAPIError:
    retry_after = headers.get("retry_after")
    cls = RedcoreAPIError.for_status(status)
    wait = None if retry_after is None else float(retry_after)
    return cls("no", response=answer(status, **headers), code="A", retry_after=wait)


def empty() -> RetryBudget:
    """A budget that is used up, at time 0."""
    budget = RetryBudget()
    while budget.spend(0.0):
        pass
    return budget
