"""Pending requests to an identity provider, in Redis, until the response arrives or ten minutes have passed.

A response is accepted only for our own request, once, and in the browser that started it: an attacker cannot sign a
victim in as another person, and a Redis that lost its data accepts no response. The return address is stored here and
never sent to the browser, so that it cannot be changed.
"""

from __future__ import annotations

from typing import Final

import attrs
import orjson

from redcore_server.auth.secret import digest, matches
from redcore_server.clock import Clock
from redcore_server.store.redis import AsyncRedis

_REQUEST_S: Final = 600  # time to sign in at the identity provider
_GARBAGE_S: Final = _REQUEST_S + 60  # short: a stranger may have 8000 characters stored as often as the limit allows


@attrs.frozen(kw_only=True)
class LoginRequest:
    """A pending sign-in at an identity provider.

    Attributes:
        issuer: The identity provider of the request.
        return_to: Path and query of the page that requires the sign-in; None without one.
    """

    issuer: str
    return_to: str | None


@attrs.frozen
class LoginRequests:
    """The pending requests."""

    redis: AsyncRedis
    clock: Clock

    async def add(self, request_id: str, request: LoginRequest, browser: str) -> None:
        """Store a request.

        Args:
            request_id: Id that the identity provider will repeat.
            request: The request to store.
            browser: Secret stored in the browser meanwhile.
        """
        record = {
            **attrs.asdict(request),
            "browser": digest(browser).hex(),
            "expires_at": self.clock.time() + _REQUEST_S,
        }
        await self.redis.set(_key(request_id), orjson.dumps(record), ex=_GARBAGE_S)

    async def take(self, request_id: str, browser: str) -> LoginRequest | None:
        """Return and delete a request; None if it is unknown, from another browser, or expired.

        Args:
            request_id: Request id from a verified assertion.
            browser: The secret that the browser presents.
        """
        stored = await self.redis.getdel(_key(request_id))
        if stored is None:
            return None
        record = orjson.loads(stored)
        if not matches(browser, bytes.fromhex(record["browser"])) or record["expires_at"] <= self.clock.time():
            return None
        return LoginRequest(issuer=record["issuer"], return_to=record["return_to"])


def _key(request_id: str) -> str:
    return f"saml:request:{{{request_id}}}"
