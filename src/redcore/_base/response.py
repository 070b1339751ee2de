"""One HTTP answer as the SDK keeps it: status, headers, body; never the request, which carries the token."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import attrs
import msgspec

from redcore._base.public import public


@public
class Headers(Mapping[str, str]):
    """Header names in any case; a repeated header is one value, joined by commas (RFC 9110 section 5.3)."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in pairs.items()}

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Headers:
        """Headers as they came, a repeated one more than once."""
        headers = cls({})
        for name, value in pairs:
            key = name.lower()
            held = headers._values.get(key)
            headers._values[key] = value if held is None else f"{held}, {value}"
        return headers

    @classmethod
    def of_lower_case(cls, values: dict[str, str]) -> Headers:
        """Headers whose names are in lower case already, without copying them."""
        headers = cls({})
        headers._values = values
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
    """An HTTP answer."""

    status_code: int
    """HTTP status."""
    headers: Headers
    """The headers, found in any case."""
    content: bytes = attrs.field(default=b"", repr=lambda body: f"{len(body)} bytes")
    """The body, decompressed."""

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: the body is not JSON.
        """
        return msgspec.json.decode(self.content.removeprefix(BOM_UTF8))  # RFC 8259 section 8.1 lets it be ignored

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.content.decode(errors="replace")


class Incoming(Protocol):
    """An HTTP answer whose body is still arriving."""

    status_code: int
    headers: Headers

    def read(self) -> bytes:
        """The next bytes of the body as they were sent, not decompressed; empty only at the end.

        Raises:
            NetworkError: nothing came for too long, or the connection broke.
        """
        ...

    def close(self) -> None:
        """Do without what has not arrived: the connection is closed, unless the body is complete. May be repeated."""
        ...


class AsyncIncoming(Protocol):
    """As `Incoming`, awaited."""

    status_code: int
    headers: Headers

    async def read(self) -> bytes:
        """The next bytes of the body as they were sent, not decompressed; empty only at the end."""
        ...

    async def aclose(self) -> None:
        """Do without what has not arrived, also in a task that is cancelled. May be repeated."""
        ...
