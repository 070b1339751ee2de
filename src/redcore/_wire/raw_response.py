"""An answer as it came, beside what was made of it. Performs no I/O."""

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
    """What `client.raw` and `client.request` give: a value, and the answer that it was read from."""

    value: T_co
    """What the method would have returned."""
    status_code: int
    """HTTP status."""
    headers: Headers
    """The headers, found in any case."""
    content: bytes = attrs.field(repr=lambda body: f"{len(body)} bytes")
    """The body, decompressed."""

    @staticmethod
    def of(response: Response, value: T) -> RawResponse[T]:
        """The value with the answer that it was read from."""
        return RawResponse(
            value=value,
            status_code=response.status_code,
            headers=response.headers,
            content=response.content,
        )

    @property
    def request_id(self) -> str | None:
        """The `X-Request-ID` that the server answered with; None if it did not."""
        return self.headers.get("x-request-id")


def raw(operation: Operation[T]) -> Operation[RawResponse[T]]:
    """The same call, returning its answer too."""
    return cast("Operation[RawResponse[T]]", attrs.evolve(operation, raw=True))
