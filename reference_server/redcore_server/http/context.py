"""Typed keys for values that services pass to each other in the ASGI scope of a request.

A key that belongs to one service is defined there, such as `redcore_server.auth.credentials.principal.PRINCIPAL`.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar, cast

import attrs
from starlette.types import Scope

from redcore_server.errors import ApiError

_T = TypeVar("_T")


@attrs.frozen
class ScopeKey(Generic[_T]):
    """A typed key of the ASGI scope."""

    name: str

    def set(self, scope: Scope, value: _T) -> None:
        """Store a value.

        Args:
            value: Value for the services further in.
        """
        scope[self.name] = value

    def of(self, scope: Scope) -> _T:
        """Return the value.

        Args:
            scope: Scope of a request for which the value was set.
        """
        return cast("_T", scope[self.name])

    def find(self, scope: Scope) -> _T | None:
        """Return the value, or None if it was not set.

        Args:
            scope: ASGI scope of any request.
        """
        return cast("_T | None", scope.get(self.name))


REQUEST_ID: Final = ScopeKey[str]("redcore.request_id")
"""UUID of the request; set by the gateway, and by a service in its own process."""

OPERATION: Final = ScopeKey[str]("redcore.operation")
"""operationId; set by the API once it is found."""

REFUSAL: Final = ScopeKey[ApiError]("redcore.refusal")
"""The error for a request that is not valid HTTP; set by the connection, before or while the body is read."""
