"""Verifies bearer tokens by asking an auth service in another process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import aiohttp
import attrs
import orjson
import structlog

from redcore_server.auth.credentials.principal import Principal
from redcore_server.auth.credentials.principal_endpoint import PATH
from redcore_server.errors import InvalidToken, ServiceUnavailable, TokenExpired

_log = structlog.stdlib.get_logger("redcore_server.gateway")


@attrs.frozen
class RemoteVerifier:
    """The verifier of `redcore_server.auth.credentials.principal`, over HTTP.

    Attributes:
        session: HTTP session for the calls.
        origin: Origin of the auth service.
    """

    session: aiohttp.ClientSession
    origin: str

    async def verify(self, bearer: str, *, at: datetime | None = None) -> Principal:
        """Verify a token, including every kind of revocation; see `Verifier`."""
        del at  # only for a second time, which the API behind this gateway sees to itself
        headers = {"Authorization": f"Bearer {bearer}"}
        try:
            async with self.session.post(self.origin + PATH, headers=headers) as answer:
                status, content = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.error("the auth service is away", problem=str(error) or type(error).__name__)
            raise ServiceUnavailable from error
        try:
            return _principal(status, orjson.loads(content))
        except (ValueError, KeyError, TypeError) as error:
            # The error may quote the response, so it is not logged here.
            _log.error("what is at REDCORE_SERVER_AUTH_URL does not answer as an auth service", status=status)
            raise ServiceUnavailable from error


def _principal(status: int, body: dict[str, Any]) -> Principal:
    """Parse the response of an auth service.

    Raises:
        InvalidToken: It refused the token; or a subclass.
        ServiceUnavailable: It could not check the token.
        KeyError, TypeError, ValueError: The response is malformed.
    """
    if status == 200:
        body["scopes"] = frozenset(body["scopes"])
        return Principal(**body)
    code, message = body["error"]["code"], body["error"]["message"]
    if code == ServiceUnavailable.code:
        raise ServiceUnavailable
    if status != 401:
        raise ValueError(code)
    raise TokenExpired(message) if code == TokenExpired.code else InvalidToken(message)
