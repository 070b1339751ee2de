"""Who makes a request: what the gateway learns from a bearer token and hands to the API."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import attrs

from redcore_server.auth.people.role import allows
from redcore_server.http.context import ScopeKey


@attrs.frozen
class Principal:
    """The credential behind a request and what it may do at this moment; it holds no secret."""

    kind: Literal["api_key", "token"]
    credential_id: str
    """What rate limits and idempotency keys belong to: the id of the API key, application or user."""
    organisation_id: str
    owner_id: str
    """The user whom `/v1/me` answers with."""
    client_id: str | None
    """The application, for a token."""
    scopes: frozenset[str]
    """No more than the role of its owner has, see `redcore_server.auth.people.role`."""
    plan: str

    def allows(self, scope: str) -> bool:
        """Tell whether the credential grants a scope; `admin` grants every one.

        Args:
            scope: A scope such as `users:read`.
        """
        return allows(self.scopes, scope)


PRINCIPAL: Final = ScopeKey[Principal]("redcore.principal")
"""Who makes a request; set once the bearer token is verified."""


class Verifier(Protocol):
    """Turns a bearer token into a principal. An implementation must refuse what it cannot check."""

    async def verify(self, bearer: str) -> Principal:
        """Check a token with everything that could have revoked it.

        Args:
            bearer: The token alone, without `Bearer `.

        Raises:
            InvalidToken: Malformed, unknown or revoked.
            TokenExpired: Past its lifetime.
            ServiceUnavailable: A store that must be asked does not answer.
        """
        ...
