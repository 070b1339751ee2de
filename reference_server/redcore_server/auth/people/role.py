"""Roles: what each may do at most, and who may give one.

Pure. Every credential is cut to the role that its owner has at the moment of use (`effective`), and whoever gives a
role, or changes a person who has it, is asked by `may_appoint`; docs/adr/0044-a-credential-never-outranks-its-owner.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

Role = Literal["admin", "editor", "viewer"]

ADMIN: Final = "admin"
_RANKS: Final[tuple[Role, ...]] = ("viewer", "editor", "admin")


def role_ceiling(role: Role, supported: frozenset[str]) -> frozenset[str]:
    """Return every scope that a role may use.

    Args:
        role: Of a person.
        supported: All supported scopes.
    """
    if role == ADMIN:
        return supported
    if role == "editor":
        return supported - {ADMIN, "users:write"}
    return frozenset(scope for scope in supported if scope.endswith(":read") or scope == "profile:write")


def effective(scopes: Collection[str], role: Role, supported: frozenset[str]) -> frozenset[str]:
    """Return what a credential grants by now: its scopes, as far as the role of its owner has them.

    Args:
        scopes: Of the credential; `admin` stands for all.
        role: Of its owner at this moment.
        supported: All supported scopes.
    """
    if role == ADMIN:
        return frozenset(scopes)
    ceiling = role_ceiling(role, supported)
    return ceiling if ADMIN in scopes else ceiling.intersection(scopes)


def allows(scopes: Collection[str], scope: str) -> bool:
    """Tell whether scopes include one; `admin` includes every one.

    Args:
        scopes: Of a credential.
        scope: A scope such as `users:read`.
    """
    return scope in scopes or ADMIN in scopes


def may_appoint(scopes: Collection[str], *roles: Role) -> bool:
    """Tell whether a credential may give these roles, or change role, status or e-mail of people who have them.

    Args:
        scopes: Of the credential, as they are by now.
        roles: Those that a change begins and ends with.
    """
    return ADMIN not in roles or ADMIN in scopes


def is_appointed(role: Role, appointer: Role | None) -> bool:
    """Tell whether a role that waits for its acceptance still stands: whoever gave it could give it now.

    Args:
        role: That was given.
        appointer: The role of who gave it by now; None if that person is gone or not active.
    """
    return may_appoint(role_ceiling(appointer, frozenset({ADMIN})) if appointer else (), role)


def is_demotion(before: Role, after: Role) -> bool:
    """Tell whether a change of role takes something away.

    Args:
        before: The role as it was.
        after: The role as it is now.
    """
    return _RANKS.index(after) < _RANKS.index(before)
