"""People: who can be signed in to the auth service, read from the identity tables."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import attrs

from redcore_server.auth.people.role import Role
from redcore_server.store.postgres import AsyncPool, queries

_QUERIES: Final = queries("people")
_FIELDS: Final = ("id", "organisation_id", "email", "name", "role")


@attrs.frozen(kw_only=True)
class Person:
    """An active user."""

    id: str
    organisation_id: str
    email: str
    name: str
    role: Role


def email_key(email: str) -> str:
    """Return what two spellings of one address have in common.

    Args:
        email: in any case and any Unicode form.
    """
    return unicodedata.normalize("NFKC", email).casefold()


def person(row: dict[str, Any]) -> Person:
    """Return the person of a row.

    Args:
        row: with at least the fields of a person.
    """
    return Person(**{name: row[name] for name in _FIELDS})


async def find_person(pool: AsyncPool, user_id: str) -> Person | None:
    """Return an active user, or None: gone, inactive, or never accepted the invitation.

    Args:
        pool: to read with.
        user_id: `usr_…`.
    """
    async with pool.connection() as connection:
        row = await (await connection.execute(_QUERIES["get"], {"id": user_id})).fetchone()
    return person(row) if row else None
