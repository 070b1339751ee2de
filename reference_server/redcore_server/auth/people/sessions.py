"""Browser sessions in Redis: who is signed in, and who still has to give the second factor.

Only sessions of people are stored. An anonymous session is only the browser's random id, which forms are bound to; so
opening a page uses no memory, and losing Redis signs everyone out. Signing in creates a new id, which prevents session
fixation. The key contains the id's digest: reading Redis does not allow impersonation. Whether the person is still
active is read from PostgreSQL each time.
"""

# redis-py leaves `pipeline` and hash commands partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import re
from typing import Any, Final, cast

import attrs

from redcore_server.auth.lifetimes import SECOND_FACTOR_S, SESSION_S
from redcore_server.auth.people.person import Person, find_person
from redcore_server.auth.people.user_index import add_entry, end_entries
from redcore_server.auth.secret import digest, new_secret
from redcore_server.clock import Clock
from redcore_server.store import Stores

_ID: Final = re.compile(r"[0-9A-Za-z]{43}", re.ASCII)
_GARBAGE_S: Final = SESSION_S + 24 * 3600  # Redis expires it then, by its own clock


@attrs.frozen(kw_only=True)
class Session:
    """One browser's session.

    Attributes:
        id: Value of the cookie.
        person: Person who is signed in.
        pending: Person who gave the password but not yet the second factor.
    """

    id: str = attrs.field(repr=False)
    person: Person | None = None
    pending: Person | None = None

    def of(self, organisation_id: str) -> Person | None:
        """Return the signed-in person, if they belong to the organisation.

        Args:
            organisation_id: Organisation that requires the sign-in.
        """
        return self.person if self.person and self.person.organisation_id == organisation_id else None


@attrs.frozen
class Sessions:
    """The sessions of all browsers."""

    stores: Stores
    clock: Clock

    async def load(self, session_id: str | None) -> Session:
        """Return the session of a cookie; an anonymous one if it is unknown or expired.

        Args:
            session_id: Value of the cookie, may be any text; None without a cookie.
        """
        if session_id is None or not _ID.fullmatch(session_id):
            return Session(id=new_secret())
        record = cast("dict[str, str]", await self.stores.redis.hgetall(_key(session_id)))
        if not record or int(record["expires_at"]) <= self.clock.time():
            return Session(id=session_id)
        person = await find_person(self.stores.postgres, record["user_id"])
        if record["is_complete"] == "1":
            return Session(id=session_id, person=person)
        return Session(id=session_id, pending=person)

    async def start(self, before: Session, person: Person, *, is_complete: bool = True) -> Session:
        """Sign in a person under a new id, and end the browser's previous session.

        Args:
            before: Session in which the person authenticated.
            person: The authenticated person.
            is_complete: False while the second factor is missing.
        """
        now = int(self.clock.time())
        session = Session(id=new_secret(), **{"person" if is_complete else "pending": person})
        expires_at = now + (SESSION_S if is_complete else SECOND_FACTOR_S)
        record: dict[Any, Any] = {"user_id": person.id, "is_complete": int(is_complete), "expires_at": expires_at}
        index = _of_user(person.id)
        async with self.stores.redis.pipeline(transaction=False) as pipeline:
            add_entry(pipeline, index, _name(session.id), expires_at=expires_at, now=now, garbage_s=_GARBAGE_S)
            pipeline.hset(_key(session.id), mapping=record)
            pipeline.expire(_key(session.id), _GARBAGE_S)
            pipeline.delete(_key(before.id))
            await pipeline.execute()
        # A lockout commits to PostgreSQL first and ends the sessions afterwards. Here the session is written
        # first and PostgreSQL is read afterwards: in any order, one of the two sees the other.
        if await find_person(self.stores.postgres, person.id) is None:
            return await self.end(session)
        return session

    async def end(self, session: Session) -> Session:
        """Sign out; the browser continues with a new anonymous session.

        Args:
            session: Session to end.
        """
        await self.stores.redis.delete(_key(session.id))
        return Session(id=new_secret())


async def end_sessions(stores: Stores, user_id: str) -> int:
    """End all sessions of a user, on every node.

    Args:
        user_id: Id of the user who was deactivated or deleted, or whose password changed.

    Returns:
        Number of sessions found.
    """
    return await end_entries(stores, _of_user(user_id), _named)


def _name(session_id: str) -> str:
    return digest(session_id).hex()


def _key(session_id: str) -> str:
    return _named(_name(session_id))


def _named(name: str) -> str:
    return f"session:{{{name}}}"


def _of_user(user_id: str) -> str:
    return f"sessions:user:{user_id}"
