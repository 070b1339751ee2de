"""People: users who can sign in to the auth service, read from the identity tables."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import attrs
import idna

from redcore_server.auth.people.role import Role
from redcore_server.store.postgres import AsyncPool, queries

MAX_EMAIL: Final = 254  # RFC 5321 section 4.5.3.1.3
_QUERIES: Final = queries("people")
_QUOTED: Final = re.compile(r'"(.*)"', re.DOTALL)
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_FULL_STOP: Final = "\u3002"  # mapped to a dot before a name is looked up (RFC 5895 section 2), but not by NFKC
# Default_Ignorable_Code_Point of Unicode 17: mail servers drop these from domains (UTS 46), so that one mailbox would
# have any number of spellings.
_IGNORED: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_ACE_PREFIX: Final = "xn--"  # maximum length of an encoded label (RFC 5890 section 2.3.1)
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
    """Return the normalised form of an e-mail address, equal for all its spellings.

    Args:
        email: Address in any case and Unicode form, its domain in Unicode or encoded with IDNA. A text that is too
            long for one is returned unchanged: normalising and decoding take a time squared.
    """
    if len(email) > MAX_EMAIL:
        return email
    folded = unicodedata.normalize("NFKC", _IGNORED.sub("", email)).casefold()
    local, at, domain = folded.rpartition("@")
    return f"{_unquoted(local)}{at}{_unicode_domain(domain.replace(_FULL_STOP, '.'))}"


def is_same_mailbox(one: str, other: str) -> bool:
    """Return whether two addresses with the same key name one person for certain.

    An organisation has one user at most of `straße` and `strasse`, or of a wide and a narrow `a`, because people do not
    tell them apart. At an identity provider they may be two people.

    Args:
        one: An address.
        other: An address with the same `email_key`.
    """
    parts = [_unquoted(email.rpartition("@")[0]) for email in (one, other)]
    first, second = (unicodedata.normalize("NFC", part).lower() for part in parts)
    # The Kelvin sign is a K in NFC; no form makes a letter of ASCII of what was none.
    return first == second and parts[0].isascii() == parts[1].isascii()


def _unquoted(local: str) -> str:
    """Return a local part without the quotes that it may be written in (RFC 5321 section 4.1.2)."""
    quoted = _QUOTED.fullmatch(local)
    return _QUOTED_PAIR.sub(r"\1", quoted[1]) if quoted else local


def _unicode_domain(domain: str) -> str:
    """Return a domain with each label in Unicode (RFC 5891); a label that is not valid IDNA stays unchanged."""
    if _ACE_PREFIX not in domain:
        return domain
    return ".".join(map(_unicode_label, domain.split(".")))


def _unicode_label(label: str) -> str:
    try:
        return idna.decode(label).casefold() if label.startswith(_ACE_PREFIX) else label
    except idna.IDNAError:
        return label


def person(row: dict[str, Any]) -> Person:
    """Return the person of a row.

    Args:
        row: Row with at least the fields of a person.
    """
    return Person(**{name: row[name] for name in _FIELDS})


async def find_person(pool: AsyncPool, user_id: str) -> Person | None:
    """Return an active user, or None: gone, inactive, or never accepted the invitation.

    Args:
        pool: Connection pool for reads.
        user_id: User id, `usr_…`.
    """
    async with pool.connection() as connection:
        row = await (await connection.execute(_QUERIES["get"], {"id": user_id})).fetchone()
    return person(row) if row else None
