"""An HTTP response as the SDK keeps it: status, headers, body; never the request, which contains the token."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import attrs
import msgspec

from redcore._base.public import public


@public
class Headers(Mapping[str, str]):
    """Case-insensitive headers; the values of a repeated header are joined by commas (RFC 9110 section 5.3)."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in pairs.items()}

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Headers:
        """Make headers from name and value pairs, in which a name may be repeated."""
        headers = cls({})
        for name, value in pairs:
            key = name.lower()
            held = headers._values.get(key)
            headers._values[key] = value if held is None else f"{held}, {value}"
        return headers

    @classmethod
    def of_lower_case(cls, values: dict[str, str]) -> Headers:
        """Wrap headers whose names are already in lower case, without copying them."""
        headers = cls.__new__(cls)
        headers._values = values  # noqa: SLF001 (our own)
        return headers

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._values)})"


@public
@attrs.frozen
class Response:
    """An HTTP response."""

    status_code: int
    """HTTP status."""
    headers: Headers
    """The headers; lookup ignores case."""
    content: bytes = attrs.field(default=b"", repr=lambda body: f"{len(body)} bytes")
    """The body, decompressed."""

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: the body is not JSON.
        """
        return msgspec.json.decode(self.content.removeprefix(BOM_UTF8))  # RFC 8259 section 8.1 permits ignoring it

    @property
    def text(self) -> str:
        """The body as text; invalid UTF-8 is replaced."""
        return self.content.decode(errors="replace")


class Incoming(Protocol):
    """An HTTP response whose body is still arriving."""

    status_code: int
    headers: Headers

    def read(self) -> bytes:
        """Return the next bytes of the body, not decompressed; empty only at the end.

        Raises:
            NetworkError: the read timed out, or the connection broke.
        """
        ...

    def close(self) -> None:
        """Discard the rest: close the connection, unless the body is complete. Safe to call twice."""
        ...


class AsyncIncoming(Protocol):
    """Like `Incoming`, awaited."""

    status_code: int
    headers: Headers

    async def read(self) -> bytes:
        """Return the next bytes of the body, not decompressed; empty only at the end."""
        ...

    async def aclose(self) -> None:
        """Discard the rest, even in a cancelled task. Safe to call twice."""
        ...
