"""Nobody gives more than they have: the scopes of a new credential, and the roles of people."""

from __future__ import annotations

from collections.abc import Iterable

from redcore_server.auth.credentials.principal import Principal
from redcore_server.auth.people.role import ADMIN, Role, may_appoint
from redcore_server.errors import InsufficientScope


def grantable(principal: Principal, scopes: Iterable[str]) -> list[str]:
    """Return the scopes, sorted.

    The operations that make credentials need `admin`, which allows every scope; this holds whatever they need.

    Args:
        principal: Who makes the credential.
        scopes: What it shall grant.

    Raises:
        InsufficientScope: The principal does not have one of them itself.
    """
    wanted = sorted(scopes)
    require(principal, wanted)
    return wanted


def require(principal: Principal, scopes: Iterable[str]) -> None:
    """Refuse a principal that lacks one of several scopes.

    Args:
        principal: The authenticated caller.
        scopes: All that are needed.

    Raises:
        InsufficientScope: Names the first that is missing.
    """
    for scope in scopes:
        if not principal.allows(scope):
            raise InsufficientScope(scope)


def require_appointment(principal: Principal, *roles: Role) -> None:
    """Refuse a principal that may not give roles, or change people who have them.

    Args:
        principal: The authenticated caller.
        roles: That the person has, and shall have.

    Raises:
        InsufficientScope: It needs `admin`.
    """
    if not may_appoint(principal.scopes, *roles):
        raise InsufficientScope(ADMIN)
