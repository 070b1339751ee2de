"""A decoded value together with its HTTP response. Performs no I/O."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

import attrs

from redcore._base.operation import Operation
from redcore._base.public import public
from redcore._base.response import Headers, Response

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@public
@attrs.frozen(kw_only=True)
class RawResponse(Generic[T_co]):
    """The result of `client.raw` and `client.request`: a value, and the response that it was decoded from."""

    value: T_co
    """The value that the method of `client` would have returned."""
    status_code: int
    """HTTP status."""
    headers: Headers
    """The headers; lookup ignores case."""
    content: bytes = attrs.field(repr=lambda body: f"{len(body)} bytes")
    """The body, decompressed."""

    @staticmethod
    def of(response: Response, value: T) -> RawResponse[T]:
        """Combine a value with the response that it was decoded from."""
        return RawResponse(
            value=value,
            status_code=response.status_code,
            headers=response.headers,
            content=response.content,
        )

    @property
    def request_id(self) -> str | None:
        """The `X-Request-ID` of the response, or None."""
        return self.headers.get("x-request-id")


def raw(operation: Operation[T]) -> Operation[RawResponse[T]]:
    """The same operation, returning a `RawResponse`."""
    return cast("Operation[RawResponse[T]]", attrs.evolve(operation, raw=True))
