"""Authorization codes in Redis: a person's consent, which the application can redeem once within a minute.

A used code is stored with the grant issued for it, so that a second use can end that grant (RFC 6749
section 4.1.2). The key contains the code's digest. Times come from the server's clock; the TTLs only collect garbage.
"""

# redis-py leaves `pipeline` and hash commands partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any, Final, cast

import attrs

from redcore_server.auth.lifetimes import CODE_S
from redcore_server.auth.people.user_index import add_entry, end_entries
from redcore_server.auth.secret import digest
from redcore_server.auth.tokens.grant_store import source
from redcore_server.store import Stores

_GARBAGE_S: Final = 24 * 3600  # for a day, a second use of a code still ends its tokens


@attrs.frozen(kw_only=True)
class Code:
    """The data of a code.

    Attributes:
        redirect_uri: Redirect URI of the request; blank if absent.
        code_challenge: PKCE challenge, always S256.
        grant_id: Id of the grant of its first use; blank before that.
    """

    client_id: str
    user_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    grant_id: str = ""

    # Called by Authlib.
    code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Return the redirect URI that the token request must repeat."""
        return self.redirect_uri


class Codes:
    """The codes."""

    def __init__(self, stores: Stores) -> None:
        self._redis = stores.redis
        self._redeem = stores.scripts.script(source("redeem"))

    async def add(self, text: str, code: Code, now: int) -> None:
        """Store a new code.

        Args:
            text: Text of the code; only its digest is stored.
            code: Data of the code.
            now: Current time in Unix seconds, from the server's clock.
        """
        record: dict[Any, Any] = {**attrs.asdict(code), "expires_at": now + CODE_S}
        del record["grant_id"]
        index = _of_user(code.user_id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            add_entry(pipeline, index, _name(text), expires_at=now + CODE_S, now=now, garbage_s=_GARBAGE_S)
            await pipeline.execute()
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(_key(text), mapping=record)
            pipeline.expire(_key(text), _GARBAGE_S)
            await pipeline.execute()

    async def find(self, text: str) -> Code | None:
        """Return the data of a code, used or not.

        Args:
            text: The presented value; may be any text.
        """
        record = cast("dict[str, str]", await self._redis.hgetall(_key(text)))
        if not record:
            return None
        del record["expires_at"]
        return Code(**record)

    async def redeem(self, text: str, grant_id: str, now: int) -> str | None:
        """Consume a code for a grant, in one atomic step.

        Args:
            text: The presented text.
            grant_id: Id of the grant written for it.
            now: Current time in Unix seconds, from the server's clock.

        Returns:
            The same id on the first use, else the grant id of the first use; None if the code has expired.
        """
        return cast("str | None", await self._redeem([_key(text)], [grant_id, now, _GARBAGE_S]))


async def end_codes(stores: Stores, user_id: str) -> None:
    """End the codes that a user consented to and that may still be redeemed: a return must not revive them.

    Args:
        user_id: Id of the user who was demoted, deactivated or deleted.
    """
    await end_entries(stores, _of_user(user_id), _named)


def _name(text: str) -> str:
    return digest(text).hex()


def _key(text: str) -> str:
    return _named(_name(text))


def _named(name: str) -> str:
    return f"code:{{{name}}}"


def _of_user(user_id: str) -> str:
    return f"codes:user:{user_id}"
