"""Nobody gives away more than they have: the scopes of a new credential."""

from __future__ import annotations

from collections.abc import Iterable

from redcore_server.auth.credentials.principal import Principal
from redcore_server.errors import InsufficientScope


def grantable(principal: Principal, scopes: Iterable[str]) -> list[str]:
    """Return the scopes, sorted.

    The operations that make credentials need `admin`, which allows every scope; this holds whatever they need.

    Args:
        principal: who makes the credential.
        scopes: what it shall grant.

    Raises:
        InsufficientScope: the principal does not have one of them itself.
    """
    wanted = sorted(scopes)
    for scope in wanted:
        if not principal.allows(scope):
            raise InsufficientScope(scope)
    return wanted
