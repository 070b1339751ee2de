"""One call to the API, described as data and not yet made. Makes no bytes and reads none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

import attrs

T = TypeVar("T")
NONE: Mapping[str, Any] = {}

Shape: TypeAlias = Literal["data", "page", "cursor_page", "plain", "bytes", "open", "nothing", "any"]
"""What a success holds: `{"data": …}`, a page, one reached by cursor, a bare object, bytes, bytes still
arriving, nothing, or whatever its content type says."""


@attrs.frozen(kw_only=True)
class Operation(Generic[T]):
    """One call; T is what it returns."""

    name: str
    """The operationId."""
    method: str
    path: str
    """Template, relative to `base_url`, or to the OAuth origin when `auth` is not `bearer`."""
    path_parameters: Mapping[str, Any] | None = attrs.field(default=NONE, repr=False)
    """What fills the template; None if the path is not a template."""
    shape: Shape
    model: Any = None
    """The class of the object, or of the items of the page; None for the other shapes."""
    query: Mapping[str, Any] = attrs.field(default=NONE, repr=False)
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    """A body that is encoded already, in place of `body`."""
    media: str = "application/json"
    auth: Literal["bearer", "client", "none"] = "bearer"
    """What the call is signed with: an access token or API key, the client's id and secret, or nothing."""
    idempotent: bool = False
    """Sending it twice does what sending it once does (RFC 9110 section 9.2.2)."""
    keyed: bool = False
    """It takes an `Idempotency-Key`."""
    headers: Mapping[str, str] = attrs.field(default=NONE, repr=False)
    """Headers of this call alone."""
    raw: bool = False
    """It returns a `RawResponse`: what the shape says, with status, headers and body."""


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
