"""What a request and an answer of the fake are, and what a handler is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from redcore.testing._fake.access import Caller
from redcore.testing._fake.state import Row, State


@attrs.frozen
class Asked:
    """A request as it arrives."""

    method: str
    origin: str
    """Scheme and host, as `https://api.blueround.com`."""
    path: str
    """Percent-encoded, as it was sent."""
    query: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Names in lower case."""
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class Answer:
    """An answer as it leaves."""

    status: int
    headers: Mapping[str, str]
    content: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Call:
    """A request that is valid and authorised."""

    operation: str
    """The id of the operation."""
    state: State
    caller: Caller
    path: Mapping[str, str]
    query: Row
    body: Row
    """The JSON body, or the parts of an upload."""
    headers: Mapping[str, str]


@attrs.frozen(kw_only=True)
class Reply:
    """What a handler answers with; the status is the operation's own."""

    data: Any = None
    page: Row = attrs.field(factory=dict[str, Any])
    location: str | None = None


Handler: TypeAlias = Callable[[Call], Reply | Answer]
"""An `Answer` is for what is not JSON."""


def public(row: Row) -> Row:
    """A row without what the API does not show."""
    return {name: value for name, value in row.items() if not name.startswith("_")}
