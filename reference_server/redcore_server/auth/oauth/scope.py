"""Computes the scopes granted to a request: only what every party may grant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from authlib.oauth2.rfc6749 import InvalidScopeError


def narrow(requested: str | None, ceilings: Sequence[Iterable[str]], supported: frozenset[str]) -> str:
    """Return the scopes to grant, sorted and separated by spaces.

    Args:
        requested: Scope of the request; None or blank requests all of the first ceiling that the others allow.
        ceilings: Scopes the application, and on a refresh the grant, may grant; `admin` allows every scope.
        supported: All supported scopes.

    Raises:
        InvalidScopeError: A requested scope is unknown or above a ceiling, or the result is empty.
    """
    limits = [supported if "admin" in ceiling else supported.intersection(ceiling) for ceiling in map(set, ceilings)]
    asked = set((requested or "").split())
    granted = asked or set(ceilings[0]).intersection(*limits)
    if not granted or not all(limit.issuperset(granted) for limit in limits):
        raise InvalidScopeError("The requested scope is unknown, malformed, or exceeds what was granted.")
    return " ".join(sorted(granted))
