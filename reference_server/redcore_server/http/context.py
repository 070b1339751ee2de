"""What the services that a request passes leave for each other in its ASGI scope, by typed keys.

A key of a service's own is defined there, such as `redcore_server.auth.credentials.principal.PRINCIPAL`.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar, cast

import attrs
from starlette.types import Scope

from redcore_server.errors import ApiError

_T = TypeVar("_T")


@attrs.frozen
class ScopeKey(Generic[_T]):
    """A place in the scope for a value of one type."""

    name: str

    def set(self, scope: Scope, value: _T) -> None:
        """Store a value.

        Args:
            scope: ASGI scope of the request.
            value: For the services behind.
        """
        scope[self.name] = value

    def of(self, scope: Scope) -> _T:
        """Return the value.

        Args:
            scope: Of a request for which it was set.
        """
        return cast("_T", scope[self.name])

    def find(self, scope: Scope) -> _T | None:
        """Return the value, or None if it was not set.

        Args:
            scope: Of any request.
        """
        return cast("_T | None", scope.get(self.name))


REQUEST_ID: Final = ScopeKey[str]("redcore.request_id")
"""UUID of the request; set by the gateway, and by a service in a process of its own."""

OPERATION: Final = ScopeKey[str]("redcore.operation")
"""operationId; set by the API once it is found."""

REFUSAL: Final = ScopeKey[ApiError]("redcore.refusal")
"""What to answer a request with that is not valid HTTP; set by the connection, before or while the body is read."""
