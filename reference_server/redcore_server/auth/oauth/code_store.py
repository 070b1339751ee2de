"""Authorization codes in Redis: what a person agreed to, for the application to fetch once within a minute.

A code that was used is remembered with the grant of its use, so that a second use can end that grant (RFC 6749
section 4.1.2). The key holds the code's digest. Moments come from the server's clock; the TTLs only collect garbage.
"""

# redis-py leaves `pipeline` and hash commands partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any, Final, cast

import attrs

from redcore_server.auth.lifetimes import CODE_S
from redcore_server.auth.secret import digest
from redcore_server.auth.tokens.grant_store import source
from redcore_server.store import Stores

_GARBAGE_S: Final = 24 * 3600


@attrs.frozen(kw_only=True)
class Code:
    """What a code stands for.

    Attributes:
        redirect_uri: As it was requested; blank if it was left out.
        code_challenge: Of PKCE, always S256.
        grant_id: Of its first use; blank while there is none.
    """

    client_id: str
    user_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    grant_id: str = ""

    # What Authlib asks a code.
    code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Return the address that the token request must repeat."""
        return self.redirect_uri


class Codes:
    """The codes."""

    def __init__(self, stores: Stores) -> None:
        self._redis = stores.redis
        self._redeem = stores.scripts.script(source("redeem"))

    async def add(self, text: str, code: Code, now: int) -> None:
        """Keep a new code.

        Args:
            text: Of the code; only its digest is kept.
            code: What it stands for.
            now: Current time in Unix seconds, from the server's clock.
        """
        record: dict[Any, Any] = {**attrs.asdict(code), "expires_at": now + CODE_S}
        del record["grant_id"]
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(_key(text), mapping=record)
            pipeline.expire(_key(text), _GARBAGE_S)
            await pipeline.execute()

    async def find(self, text: str) -> Code | None:
        """Return what a code stands for, used or not.

        Args:
            text: As presented, of any content.
        """
        record = cast("dict[str, str]", await self._redis.hgetall(_key(text)))
        if not record:
            return None
        del record["expires_at"]
        return Code(**record)

    async def redeem(self, text: str, grant_id: str, now: int) -> str | None:
        """Use a code up for a grant, in one step.

        Args:
            text: The presented text.
            grant_id: Of the grant that was written for it.
            now: Current time in Unix seconds, from the server's clock.

        Returns:
            The same id if this was the code's first use, that of the first use if not, None if the code is too old.
        """
        return cast("str | None", await self._redeem([_key(text)], [grant_id, now, _GARBAGE_S]))


def _key(text: str) -> str:
    return f"code:{{{digest(text).hex()}}}"
