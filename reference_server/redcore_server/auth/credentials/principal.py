"""The authenticated caller of a request: the gateway derives it from a bearer token and passes it to the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Literal, Protocol

import attrs

from redcore_server.auth.people.role import allows
from redcore_server.http.context import ScopeKey


@attrs.frozen
class Principal:
    """The credential of a request and what it may currently do; contains no secret."""

    kind: Literal["api_key", "token"]
    credential_id: str
    """The subject of rate limits and idempotency keys: the id of the API key, application or user."""
    organisation_id: str
    owner_id: str
    """The user returned by `/v1/me`."""
    client_id: str | None
    """The application, if the credential is a token."""
    scopes: frozenset[str]
    """Limited to the scopes of its owner's role, see `redcore_server.auth.people.role`."""
    plan: str
    expires_at: float | None = None
    """When the credential ends, in Unix seconds; None if never."""

    def allows(self, scope: str) -> bool:
        """Return whether the credential grants a scope; `admin` grants every scope.

        Args:
            scope: A scope such as `users:read`.
        """
        return allows(self.scopes, scope)


PRINCIPAL: Final = ScopeKey[Principal]("redcore.principal")
"""The caller of a request; set once the bearer token is verified."""

VERIFY_AGAIN: Final = ScopeKey[Callable[[], Awaitable[Principal]]]("redcore.verify_again")
"""Verifies the same bearer token again; set with `PRINCIPAL`, for requests that take long to arrive.

A token that expires meanwhile stays valid: the request was begun in time.
"""


class Verifier(Protocol):
    """Turns a bearer token into a principal. An implementation must reject what it cannot check."""

    async def verify(self, bearer: str, *, at: datetime | None = None) -> Principal:
        """Verify a token, including every kind of revocation.

        Args:
            bearer: The token, without `Bearer `.
            at: Time at which the token must not have expired; None is now. Revocation is always judged now.

        Raises:
            InvalidToken: Malformed, unknown or revoked.
            TokenExpired: Past its lifetime.
            ServiceUnavailable: A store needed for the check does not answer.
        """
        ...
