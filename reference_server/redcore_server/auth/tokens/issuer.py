"""Turns an authorised request into a token response: signs the access token, stores the grant.

Authorisation is decided before; this module only creates tokens, in an order that leaves no valid token for a client
that is being removed meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import structlog

from redcore_server.auth.credentials.applications import Application, Applications
from redcore_server.auth.lifetimes import ACCESS_TOKEN_S, REFRESH_TOKEN_S
from redcore_server.auth.tokens.access_token import AccessToken, AccessTokens, expiry
from redcore_server.auth.tokens.grant_store import Grant, GrantStore, fingerprint, new_refresh_token
from redcore_server.auth.tokens.signing_keys import SigningKeys
from redcore_server.clock import Clock
from redcore_server.ids import new_id, random_text

_log = structlog.stdlib.get_logger("redcore_server.auth")


@attrs.frozen
class TokenIssuer:
    """Issues and refreshes tokens."""

    applications: Applications
    grants: GrantStore
    keys: SigningKeys
    tokens: AccessTokens
    clock: Clock

    async def issue(
        self,
        client: Application,
        *,
        subject: str,
        owner_id: str,
        scope: str,
        claim: Callable[[str], Awaitable[bool]] | None = None,
    ) -> dict[str, Any] | None:
        """Return the response to a new authorisation, or None if client or owner were removed or demoted meanwhile.

        Args:
            client: Authenticated.
            subject: Subject of the tokens: the client itself, or the user who signed in.
            owner_id: User whose removal ends the grant.
            scope: Scope, already narrowed.
            claim: Consumes what the grant is issued for, such as a code, and returns whether this was the first use.
                Called with the id of the grant, which is already written, so that a second use can end it. None if
                there is nothing to consume.
        """
        now = int(self.clock.time())
        grant_id = new_id("grt")
        refresh_token = new_refresh_token(grant_id)
        grant = Grant(
            id=grant_id,
            client_id=client.id,
            organisation_id=client.organisation_id,
            owner_id=owner_id,
            subject=subject,
            scope=scope,
            created_at=now,
            expires_at=now + REFRESH_TOKEN_S,
            refresh=fingerprint(refresh_token),
        )
        await self.grants.add(grant)
        if claim is not None and not await claim(grant_id):
            await self.grants.remove(grant_id)
            return None
        return await self._response(client, grant, refresh_token, scope, now)

    async def refresh(self, client: Application, grant: Grant, presented: str, scope: str) -> dict[str, Any] | None:
        """Return the response to a refresh, or None if the presented token is not the current one.

        Args:
            client: Authenticated client that owns the grant.
            grant: Grant of the presented token.
            presented: Refresh token, consumed by this call.
            scope: Scope of the access token, already narrowed; the grant keeps its own (RFC 6749 section 6).
        """
        now = int(self.clock.time())
        successor = new_refresh_token(grant.id)
        outcome = await self.grants.rotate(grant, presented, successor, now)
        if outcome == "reused":
            _log.warning("refresh token reused, family revoked", grant_id=grant.id, client_id=client.id)
        if outcome != "rotated":
            return None
        return await self._response(client, grant, successor, scope, now)

    async def _response(
        self, client: Application, grant: Grant, refresh_token: str, scope: str, now: int
    ) -> dict[str, Any] | None:
        # A removal or a demotion commits to PostgreSQL first and deletes the grants afterwards. Here the grant was
        # written first and PostgreSQL is read afterwards: in any order, one of the two sees the other.
        scopes = frozenset(scope.split())
        if await self.applications.granted(scopes, client_id=client.id, owner_id=grant.owner_id) != scopes:
            await self.grants.remove(grant.id)
            return None
        token = AccessToken(
            jti=random_text(22),
            grant_id=grant.id,
            client_id=client.id,
            subject=grant.subject,
            organisation_id=grant.organisation_id,
            plan=client.plan,
            scope=scope,
            issued_at=now,
            expires_at=expiry(now),
        )
        return {
            "access_token": self.tokens.sign(token, await self.keys.current(), self.clock.now()),
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_S,
            "refresh_token": refresh_token,
            "scope": scope,
        }
