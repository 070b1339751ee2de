"""A refusal of the fake platform, before it becomes an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Problem(Exception):  # noqa: N818 (it says what happened)
    """A request that is refused, in the contract's terms.

    Args:
        code: An error code of the contract.
        message: For people.
        details: What is wrong with each field, for `VALIDATION_ERROR`.
        headers: Additional headers of the response.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.headers = headers or {}

    def envelope(self) -> dict[str, Any]:
        """The body of the answer (contract section 3)."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "docs": f"https://docs.blueround.com/api/errors#{self.code}",
                "details": [{"field": field, "issue": issue} for field, issue in self.details],
            }
        }


class OAuthProblem(Exception):  # noqa: N818 (as above)
    """A refusal of the token endpoint (RFC 6749 section 5.2).

    Args:
        error: Such as `invalid_grant`.
        description: For people.
        status: HTTP status.
        headers: Additional headers of the response.
    """

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers or {}


def not_found(kind: str, id_: str) -> Problem:
    """What is not there."""
    return Problem("RESOURCE_NOT_FOUND", f"{kind} {id_} does not exist.")


def rule(message: str) -> Problem:
    """What is well-formed, but not allowed."""
    return Problem("BUSINESS_RULE_VIOLATION", message)
