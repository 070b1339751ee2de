"""Checks bearer tokens for the gateway: API keys in PostgreSQL, access tokens by signature, in Redis and in PostgreSQL.

A store that does not answer is an error, never a pass. Only public keys and verified signatures are cached between
requests, so that a revocation, or a demotion of a credential's owner, takes effect immediately.
"""

from __future__ import annotations

from datetime import datetime

import psycopg
import structlog
from redis.exceptions import RedisClusterException, RedisError

from redcore_server.auth.credentials.api_keys import PREFIX, verify_api_key
from redcore_server.auth.credentials.applications import Applications
from redcore_server.auth.credentials.principal import Principal
from redcore_server.auth.tokens import redis_keys
from redcore_server.auth.tokens.grant_store import source
from redcore_server.auth.tokens.reader import TokenReader
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken, ServiceUnavailable
from redcore_server.store import Stores

_log = structlog.stdlib.get_logger("redcore_server.auth")


class BearerVerifier:
    """The verifier of `redcore_server.auth.credentials.principal`, backed by the stores."""

    def __init__(self, stores: Stores, reader: TokenReader, clock: Clock, scopes: frozenset[str]) -> None:
        """Start with an empty cache.

        Args:
            reader: Reads access tokens.
            scopes: All supported scopes.
        """
        self._postgres = stores.postgres
        self._applications = Applications(stores.postgres, scopes)
        self._scopes = scopes
        self._owner = stores.scripts.script(source("owner"))
        self._reader = reader
        self._clock = clock

    async def verify(self, bearer: str, *, at: datetime | None = None) -> Principal:
        """Verify a token, including every kind of revocation; see `Verifier`."""
        try:
            if bearer.startswith(PREFIX):
                return await verify_api_key(self._postgres, bearer, at or self._clock.now(), self._scopes)
            return await self._verify_access_token(bearer, at)
        except (psycopg.OperationalError, RedisError, RedisClusterException) as error:
            _log.error("a store needed to verify a token is away", problem=str(error))
            raise ServiceUnavailable from error

    async def _verify_access_token(self, bearer: str, at: datetime | None) -> Principal:
        token = await self._reader.read(bearer, at=at)
        keys = [redis_keys.grant(token.grant_id), redis_keys.revoked(token.grant_id)]
        owner_id: str | None = await self._owner(keys, [token.jti])
        if owner_id is None:
            raise _revoked()
        granted = await self._applications.granted(token.scope.split(), client_id=token.client_id, owner_id=owner_id)
        if granted is None:
            raise _revoked()
        return Principal(
            kind="token",
            credential_id=token.subject,
            organisation_id=token.organisation_id,
            owner_id=owner_id,
            client_id=token.client_id,
            scopes=granted,
            plan=token.plan,
            expires_at=token.expires_at,
        )


def _revoked() -> InvalidToken:
    return InvalidToken("The access token has been revoked.")
