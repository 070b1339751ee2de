"""Which scopes a request gets: never more than every party to it may give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from authlib.oauth2.rfc6749 import InvalidScopeError


def narrow(requested: str | None, ceilings: Sequence[Iterable[str]], supported: frozenset[str]) -> str:
    """Return the scopes to grant, sorted and separated by spaces.

    Args:
        requested: As in the request; None or blank asks for all of the first ceiling that the others allow.
        ceilings: What the application, and on a refresh the grant, may give; `admin` allows every scope.
        supported: All supported scopes.

    Raises:
        InvalidScopeError: Something was asked for that is unknown or above a ceiling, or nothing is left.
    """
    limits = [supported if "admin" in ceiling else supported.intersection(ceiling) for ceiling in map(set, ceilings)]
    asked = set((requested or "").split())
    granted = asked or set(ceilings[0]).intersection(*limits)
    if not granted or not all(limit.issuperset(granted) for limit in limits):
        raise InvalidScopeError("The requested scope is unknown, malformed, or exceeds what was granted.")
    return " ".join(sorted(granted))
