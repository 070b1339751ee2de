"""Callers cannot grant more than they have: the scopes of a new credential, and the roles of people."""

from __future__ import annotations

from collections.abc import Iterable

from redcore_server.auth.credentials.principal import Principal
from redcore_server.auth.people.role import ADMIN, Role, may_appoint
from redcore_server.errors import InsufficientScope


def grantable(principal: Principal, scopes: Iterable[str]) -> list[str]:
    """Return the scopes, sorted.

    The operations that create credentials require `admin`, which allows every scope; this check does not rely on that.

    Args:
        principal: Caller who creates the credential.
        scopes: Scopes of the new credential.

    Raises:
        InsufficientScope: The principal does not have one of them itself.
    """
    wanted = sorted(scopes)
    require(principal, wanted)
    return wanted


def require(principal: Principal, scopes: Iterable[str]) -> None:
    """Reject a principal that lacks any of several scopes.

    Args:
        principal: The authenticated caller.
        scopes: All required scopes.

    Raises:
        InsufficientScope: Names the first missing scope.
    """
    for scope in scopes:
        if not principal.allows(scope):
            raise InsufficientScope(scope)


def require_appointment(principal: Principal, *roles: Role) -> None:
    """Reject a principal that may not grant roles, or change people who have them.

    Args:
        principal: The authenticated caller.
        roles: Current and new roles of the person.

    Raises:
        InsufficientScope: The change requires `admin`.
    """
    if not may_appoint(principal.scopes, *roles):
        raise InsufficientScope(ADMIN)
