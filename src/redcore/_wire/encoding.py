"""One call to the API, described and not yet made; and what goes on the wire for it. Performs no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import attrs

from redcore._base.response import Response
from redcore._base.values import UNSET
from redcore._base.version import __version__
from redcore._wire import codec
from redcore._wire.multipart import FilePart, Multipart
from redcore.exceptions import ArgumentError
from redcore.options import RequestOptions

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Reader: TypeAlias = Callable[[Response], T_co]
NONE: Mapping[str, Any] = {}
USER_AGENT = f"redcore-python/{__version__}"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@attrs.frozen(kw_only=True)
class Operation(Generic[T]):
    """One call; T is what it will give back."""

    name: str
    """The operationId."""
    method: str
    path: str
    """Relative to `base_url`, or to the OAuth origin when `auth` is not `bearer`."""
    returns: Reader[T] = attrs.field(repr=False)
    query: Mapping[str, Any] = attrs.field(default=NONE, repr=False)
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    """A body that is encoded already, in place of `body`."""
    media: str = JSON
    auth: Literal["bearer", "client", "none"] = "bearer"
    """What the call is signed with: an access token or API key, the client's id and secret, or nothing."""
    idempotent: bool = False
    """Sending it twice does what sending it once does (RFC 9110 section 9.2.2)."""
    headers: Mapping[str, str] = attrs.field(default=NONE, repr=False)
    """Headers of this call alone."""
    opens: bool = False
    """Its success is handed to `returns` open, to be read piece by piece."""
    keyed: bool = False
    """It takes an `Idempotency-Key`."""


class Execute(Protocol):
    """What makes a call, and waits for it."""

    def __call__(self, operation: Operation[T], /) -> T:
        """Make the call."""
        ...


class AsyncExecute(Protocol):
    """What makes a call."""

    async def __call__(self, operation: Operation[T], /) -> T:
        """Make the call."""
        ...


class Call(Protocol):
    """What makes a call with options of its own, and waits for it."""

    def __call__(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        """Make the call; the options count for it alone."""
        ...


class AsyncCall(Protocol):
    """What makes a call with options of its own."""

    async def __call__(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        """Make the call; the options count for it alone."""
        ...


def always_with(options: RequestOptions, call: Call) -> Execute:
    """What makes each call with the same options."""

    def execute(operation: Operation[T], /) -> T:
        return call(operation, options)

    return execute if options else call


def async_always_with(options: RequestOptions, call: AsyncCall) -> AsyncExecute:
    """As `always_with`, awaited."""

    async def execute(operation: Operation[T], /) -> T:
        return await call(operation, options)

    return execute if options else call


@attrs.frozen(kw_only=True)
class Request:
    """What one attempt sends. Its repr shows neither headers nor body: both may hold secrets."""

    operation: str
    """The name of the operation that asks for it."""
    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes | Multipart | None = attrs.field(default=None, repr=False)
    streamed: bool = attrs.field(default=False, repr=False)
    """Whether it is sent, or its answer read, piece by piece, so that only silence is bounded by the time-out."""
    opens: bool = attrs.field(default=False, repr=False)
    """Whether a success is handed over open, to be read piece by piece."""

    @property
    def replayable(self) -> bool:
        """Whether sending it once more sends the same bytes; a body that is read once is, until its reading begins."""
        return not isinstance(self.content, Multipart) or self.content.replayable


def path(template: str, **values: str) -> str:
    """Fill a path template, so that no value leaves its segment.

    Raises:
        ArgumentError: a value is no string, or empty, `.` or `..`, which are no ids.
    """
    return template.format(**{name: segment(name, value) for name, value in values.items()})


def segment(name: str, value: object) -> str:
    """Percent-encode one path segment."""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a string, not {type(value).__name__}")
    if value in {"", ".", ".."}:
        raise ArgumentError(f"{name} must not be {value!r}")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise ArgumentError(f"{name} is not valid Unicode") from None


def encode(operation: Operation[Any], origin: str, headers: Mapping[str, str]) -> Request:
    """What the first attempt of a call sends, without authorization.

    Args:
        operation: The call.
        origin: What the path is appended to, without a slash at its end.
        headers: Headers of the call.

    Raises:
        ArgumentError: an argument cannot be encoded.
    """
    url = origin + operation.path
    headers = {"Accept": JSON, "User-Agent": USER_AGENT, **operation.headers, **headers}
    if query := {name: text(name, value) for name, value in operation.query.items() if value is not None}:
        url += "?" + urlencode(query)
    if operation.content is not None:
        headers = {**headers, "Content-Type": operation.media}
        content = operation.content
        return Request(operation=operation.name, method=operation.method, url=url, headers=headers, content=content)
    if operation.body is None:
        opens = operation.opens
        return Request(
            operation=operation.name, method=operation.method, url=url, headers=headers, streamed=opens, opens=opens
        )
    body = {name: value for name, value in operation.body.items() if value is not UNSET}
    if operation.media == JSON:
        content = codec.dump(body)
    elif operation.media == FORM:
        content = urlencode({name: text(name, value) for name, value in body.items()}).encode()
    else:
        return multipart(operation, url, headers, body)
    headers = {**headers, "Content-Type": operation.media}
    return Request(operation=operation.name, method=operation.method, url=url, headers=headers, content=content)


def multipart(operation: Operation[Any], url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Request:
    """A request with a file, which is read while it is sent."""
    parts = {name: part for name, value in body.items() if (part := file_part(value)) is not None}
    if len(parts) != 1:
        raise ArgumentError(
            "the file must be bytes, a file opened for reading in binary mode, a pathlib.Path or an iterator of bytes"
        )
    ((field, part),) = parts.items()
    content = Multipart({name: text(name, value) for name, value in body.items() if name != field}, field, part)
    headers = {**headers, "Content-Type": content.content_type, content.framing[0]: content.framing[1]}
    return Request(
        operation=operation.name,
        method=operation.method,
        url=url,
        headers=headers,
        content=content,
        streamed=True,
    )


def file_part(value: Any) -> FilePart | None:
    """The part for a value of a multipart body; None if it is no file."""
    return value if isinstance(value, FilePart) else FilePart.of(value)


def text(name: str, value: Any) -> str:
    """One value of a query or a form."""
    plain = codec.unstructure(value)
    told = str(plain).lower() if isinstance(plain, bool) else str(plain)
    try:
        told.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{name} is not valid Unicode") from None
    return told
