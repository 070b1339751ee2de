"""The description of one API call, as data. Neither encodes nor decodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

import attrs

T = TypeVar("T")
NONE: Mapping[str, Any] = {}

Shape: TypeAlias = Literal["data", "page", "cursor_page", "plain", "bytes", "open", "nothing", "any"]
"""What a success contains: `{"data": …}`, a page, a page reached by cursor, a bare object, bytes, a stream of
bytes, nothing, or what its content type says."""


@attrs.frozen(kw_only=True)
class Operation(Generic[T]):
    """One call; T is its return type."""

    name: str
    """The operationId."""
    method: str
    path: str
    """Template, relative to `base_url`, or to the OAuth origin when `auth` is not `bearer`."""
    path_parameters: Mapping[str, Any] | None = attrs.field(default=NONE, repr=False)
    """Values of the path parameters; None if the path is not a template."""
    shape: Shape
    model: Any = None
    """The class of the object, or of the items of the page; None for the other shapes."""
    query: Mapping[str, Any] = attrs.field(default=NONE, repr=False)
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    """An already encoded body, instead of `body`."""
    media: str = "application/json"
    auth: Literal["bearer", "client", "none"] = "bearer"
    """What the call is signed with: an access token or API key, the client's id and secret, or nothing."""
    idempotent: bool = False
    """Whether the call is idempotent (RFC 9110 section 9.2.2)."""
    keyed: bool = False
    """Whether the call accepts an `Idempotency-Key`."""
    headers: Mapping[str, str] = attrs.field(default=NONE, repr=False)
    """Headers for this call only."""
    raw: bool = False
    """Whether to return a `RawResponse`: the value with status, headers and body."""


class Execute(Protocol):
    """Makes a call and blocks until it has ended."""

    def __call__(self, operation: Operation[T], /) -> T:
        """Make the call."""
        ...


class AsyncExecute(Protocol):
    """Makes a call."""

    async def __call__(self, operation: Operation[T], /) -> T:
        """Make the call."""
        ...
