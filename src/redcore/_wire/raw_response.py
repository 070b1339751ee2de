"""An answer as it came, beside what was made of it. Performs no I/O."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

import attrs

from redcore._base.response import Headers, Response
from redcore._wire.encoding import Operation

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class RawResponse(Generic[T]):
    """What `client.raw` and `client.request` give: a value, and the answer that it was read from."""

    value: T
    """What the method would have returned."""
    status_code: int
    """HTTP status."""
    headers: Headers
    """The headers, found in any case."""
    content: bytes = attrs.field(repr=lambda body: f"{len(body)} bytes")
    """The body, decompressed."""

    @property
    def request_id(self) -> str | None:
        """The `X-Request-ID` that the server answered with; None if it did not."""
        return self.headers.get("x-request-id")


def raw(operation: Operation[T]) -> Operation[RawResponse[T]]:
    """The same call, giving its answer too."""

    def read(response: Response) -> RawResponse[T]:
        return RawResponse(
            value=operation.returns(response),
            status_code=response.status_code,
            headers=response.headers,
            content=response.content,
        )

    return cast("Operation[RawResponse[T]]", attrs.evolve(operation, returns=cast("Any", read)))
