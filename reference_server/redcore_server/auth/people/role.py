"""Roles: the maximum each may do, and who may grant one.

Pure. Every credential is limited to its owner's role at the time of use (`effective`), and `may_appoint` decides who
may grant a role or change a person who has it; docs/adr/0044-a-credential-never-outranks-its-owner.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

Role = Literal["admin", "editor", "viewer"]

ADMIN: Final = "admin"
_RANKS: Final[tuple[Role, ...]] = ("viewer", "editor", "admin")


def role_ceiling(role: Role, supported: frozenset[str]) -> frozenset[str]:
    """Return all scopes that a role may use.

    Args:
        role: Role of a person.
        supported: All supported scopes.
    """
    if role == ADMIN:
        return supported
    if role == "editor":
        return supported - {ADMIN, "users:write"}
    return frozenset(scope for scope in supported if scope.endswith(":read") or scope == "profile:write")


def effective(scopes: Collection[str], role: Role, supported: frozenset[str]) -> frozenset[str]:
    """Return the effective scopes of a credential: its scopes, limited to the role of its owner.

    Args:
        scopes: Scopes of the credential; `admin` stands for all.
        role: Current role of its owner.
        supported: All supported scopes.
    """
    if role == ADMIN:
        return frozenset(scopes)
    ceiling = role_ceiling(role, supported)
    return ceiling if ADMIN in scopes else ceiling.intersection(scopes)


def allows(scopes: Collection[str], scope: str) -> bool:
    """Return whether scopes include one; `admin` includes every scope.

    Args:
        scopes: Scopes of a credential.
        scope: A scope such as `users:read`.
    """
    return scope in scopes or ADMIN in scopes


def may_appoint(scopes: Collection[str], *roles: Role) -> bool:
    """Return whether a credential may grant these roles, or change role, status or e-mail of people who have them.

    Args:
        scopes: Effective scopes of the credential.
        roles: Roles before and after the change.
    """
    return ADMIN not in roles or ADMIN in scopes


def is_appointed(role: Role, appointer: Role | None) -> bool:
    """Return whether a role in a pending invitation is still valid: its appointer could still grant it.

    Args:
        role: The granted role.
        appointer: Current role of the appointer; None if that person is gone or inactive.
    """
    return may_appoint(role_ceiling(appointer, frozenset({ADMIN})) if appointer else (), role)


def is_demotion(before: Role, after: Role) -> bool:
    """Return whether a change of role removes any permission.

    Args:
        before: Role before the change.
        after: Role after the change.
    """
    return _RANKS.index(after) < _RANKS.index(before)
