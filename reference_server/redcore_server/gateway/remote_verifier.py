"""Asks an auth service in another process whom a bearer token belongs to."""

from __future__ import annotations

from typing import Any

import aiohttp
import attrs
import orjson
import structlog

from redcore_server.auth.principal import Principal
from redcore_server.auth.principal_endpoint import PATH
from redcore_server.errors import InvalidToken, ServiceUnavailable, TokenExpired

_log = structlog.stdlib.get_logger("redcore_server.gateway")


@attrs.frozen
class RemoteVerifier:
    """The verifier of `redcore_server.auth.principal`, over HTTP.

    Attributes:
        session: To ask with.
        origin: Of the auth service.
    """

    session: aiohttp.ClientSession
    origin: str

    async def verify(self, bearer: str) -> Principal:
        """Check a token with everything that could have revoked it; see `Verifier`."""
        headers = {"Authorization": f"Bearer {bearer}"}
        try:
            async with self.session.post(self.origin + PATH, headers=headers) as answer:
                status = answer.status
                body: dict[str, Any] = orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            _log.error("the auth service is away", problem=str(error) or type(error).__name__)
            raise ServiceUnavailable from error
        if status == 200:
            body["scopes"] = frozenset(body["scopes"])
            return Principal(**body)
        if status != 401:
            raise ServiceUnavailable
        refusal = TokenExpired if body["error"]["code"] == TokenExpired.code else InvalidToken
        raise refusal(body["error"]["message"])
