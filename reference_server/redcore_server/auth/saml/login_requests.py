"""Requests on their way to an identity provider, in Redis, until the answer comes or ten minutes have passed.

An answer is accepted for a request of ours alone, once, and in the browser that made it: nobody can sign another
person in as somebody else, and a Redis that lost its data accepts none. Where the browser goes afterwards is kept
here and never travels, so that nobody can change it.
"""

from __future__ import annotations

from typing import Final

import attrs
import orjson

from redcore_server.auth.secret import digest, matches
from redcore_server.clock import Clock
from redcore_server.store.redis import AsyncRedis

_REQUEST_S: Final = 600
_GARBAGE_S: Final = _REQUEST_S + 24 * 3600  # Redis may forget it then, by a clock of its own


@attrs.frozen(kw_only=True)
class LoginRequest:
    """A person was sent to an identity provider.

    Attributes:
        issuer: The identity provider that was asked.
        return_to: Path and query of the page that wants somebody signed in; None if none does.
    """

    issuer: str
    return_to: str | None


@attrs.frozen
class LoginRequests:
    """The requests that are not answered yet."""

    redis: AsyncRedis
    clock: Clock

    async def add(self, request_id: str, request: LoginRequest, browser: str) -> None:
        """Remember a request.

        Args:
            request_id: As the identity provider will repeat it.
            request: What to remember.
            browser: A secret that the browser keeps meanwhile.
        """
        record = {
            **attrs.asdict(request),
            "browser": digest(browser).hex(),
            "expires_at": self.clock.time() + _REQUEST_S,
        }
        await self.redis.set(_key(request_id), orjson.dumps(record), ex=_GARBAGE_S)

    async def take(self, request_id: str, browser: str) -> LoginRequest | None:
        """Return a request and forget it, or None if there is none, not of this browser, or too old.

        Args:
            request_id: From a verified assertion.
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
