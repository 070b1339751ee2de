"""Encodes the request of an operation: URL, headers and body. Performs no I/O."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, quote_plus, urlencode

import attrs
import msgspec

from redcore._base.operation import NONE, Operation
from redcore._base.values import UNSET, Model, exact, fields_of
from redcore._base.version import __version__
from redcore._wire.multipart import FilePart, Multipart
from redcore.exceptions import ArgumentError

USER_AGENT = f"redcore-python/{__version__}"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
SIMPLE = frozenset({str, int, bool, type(None)})
PLAIN_ID = re.compile(r"[A-Za-z0-9_-]+")  # needs no percent-encoding (RFC 3986 section 2.3), like all ids of the API


@attrs.frozen(kw_only=True)
class Request:
    """The request of a call. Its repr shows neither headers nor body, as both may contain secrets."""

    operation: str
    """The name of the operation."""
    method: str
    url: str
    url_template: str | None = attrs.field(default=None, repr=False)
    """The URL with path parameter names instead of values; None if it has no template."""
    headers: dict[str, str] = attrs.field(repr=False)
    """Each attempt sets its `Authorization`."""
    content: bytes | Multipart | None = attrs.field(default=None, repr=False)
    streamed: bool = attrs.field(default=False, repr=False)
    """Whether the request or its response is streamed, so that the timeout limits only inactivity."""
    opens: bool = attrs.field(default=False, repr=False)
    """Whether a success is returned open, to be read in chunks."""

    @property
    def replayable(self) -> bool:
        """Whether sending it again sends the same bytes; a one-shot body is repeatable until it is first read."""
        return not isinstance(self.content, Multipart) or self.content.replayable


def filled(template: str, values: Mapping[str, Any]) -> str:
    """Fill a path template, keeping each value within its segment.

    Raises:
        ArgumentError: a value is not a string, or is empty, `.` or `..`, which are not valid ids.
    """
    return template.format_map({name: segment(name, value) for name, value in values.items()})


def segment(name: str, value: object) -> str:
    """Percent-encode one path segment."""
    if type(value) is str and PLAIN_ID.fullmatch(value):
        return value
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a string, not {type(value).__name__}")
    if value in {"", ".", ".."}:
        raise ArgumentError(f"{name} must not be {value!r}")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise ArgumentError(f"{name} is not valid Unicode") from None


def call_headers(operation: Operation[Any], request_id: str, added: Mapping[str, str] = NONE) -> dict[str, str]:
    """Make the headers of a call: the only copy, to which those of its body and of its credentials are added.

    Args:
        operation: The call.
        request_id: Its id.
        added: Headers of the application, which replace these.
    """
    return {"Accept": JSON, "User-Agent": USER_AGENT, **operation.headers, "X-Request-ID": request_id, **added}


def encode(operation: Operation[Any], origin: str, headers: dict[str, str]) -> Request:
    """Make the request of a call, without authorization.

    Args:
        operation: The call.
        origin: The URL that the path is appended to, without a trailing slash.
        headers: Headers of the call; those of the body are added.

    Raises:
        ArgumentError: an argument cannot be encoded.
    """
    values = operation.path_parameters
    content = content_of(operation)
    if content is not None:
        headers.update(content_headers(operation, content))
    opens = operation.shape == "open"
    return Request(
        operation=operation.name,
        method=operation.method,
        url=origin + (filled(operation.path, values) if values else operation.path) + query_of(operation.query),
        url_template=None if values is None else origin + operation.path,
        headers=headers,
        content=content,
        streamed=opens or isinstance(content, Multipart),
        opens=opens,
    )


def query_of(parameters: Mapping[str, Any]) -> str:
    """The query string with its question mark; empty if every parameter is None."""
    if not parameters:
        return ""
    given = [f"{quoted(name)}={quoted(text(name, value))}" for name, value in parameters.items() if value is not None]
    return "?" + "&".join(given) if given else ""


def quoted(part: str) -> str:
    """Encode a name or a value of a query; a plain one, as most are, needs none of what costs most of `urlencode`."""
    return part if PLAIN_ID.fullmatch(part) else quote_plus(part)


def content_of(operation: Operation[Any]) -> bytes | Multipart | None:
    """The body of a request; None if the operation has none."""
    if operation.content is not None or operation.body is None:
        return operation.content
    body = {name: value for name, value in operation.body.items() if value is not UNSET}
    if operation.media == JSON:
        return dump(body)
    if operation.media == FORM:
        return urlencode(texts(body)).encode() or None
    return multipart(body)


def content_headers(operation: Operation[Any], content: bytes | Multipart) -> Mapping[str, str]:
    """The headers that describe a body."""
    if isinstance(content, Multipart):
        return {"Content-Type": content.content_type, content.framing[0]: content.framing[1]}
    return {"Content-Type": operation.media}


def multipart(body: Mapping[str, Any]) -> Multipart:
    """A multipart body with a file, which is read while it is sent.

    Raises:
        ArgumentError: not exactly one of the fields is a file.
    """
    parts = {name: part for name, value in body.items() if (part := file_part(value)) is not None}
    if len(parts) != 1:
        raise ArgumentError(
            "the file must be bytes, a file opened for reading in binary mode, a pathlib.Path or an iterator of bytes"
        )
    ((field, part),) = parts.items()
    return Multipart(texts({name: value for name, value in body.items() if name != field}), field, part)


def file_part(value: Any) -> FilePart | None:
    """The multipart file part for a value; None if it is not a file."""
    return value if isinstance(value, FilePart) else FilePart.of(value)


def texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """Encode the values of a form; it has no null, so those that are None are left out."""
    return {name: text(name, value) for name, value in fields.items() if value is not None}


def text(name: str, value: Any) -> str:
    """Encode one value of a query or a form.

    Raises:
        ArgumentError: it is not a single value, or cannot be encoded.
    """
    try:
        encoded = unstructure(value)
    except ArgumentError as problem:
        raise ArgumentError(f"{name}: {problem.message}") from None
    if not isinstance(encoded, str):
        if isinstance(encoded, dict | list):
            raise ArgumentError(f"{name} must be a single value, not {type(value).__name__}")
        encoded = str(encoded).lower() if isinstance(encoded, bool) else str(encoded)
    try:
        encoded.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{name} is not valid Unicode") from None
    return encoded


def unstructure(value: Any) -> Any:
    """Convert one value to a form that JSON, a query or a form can represent.

    Raises:
        ArgumentError: a datetime has no time zone, or the value cannot be represented in JSON.
    """
    if type(value) in SIMPLE:
        return value
    if isinstance(value, str | int | float):
        return simple(value)
    if isinstance(value, dt.datetime):
        return timestamp(value)
    if isinstance(value, Model):
        return {field.name: unstructure(getattr(value, field.name)) for field in fields_of(value)}
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, Any]", value).items()
        return {field_name(name): unstructure(inner) for name, inner in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [unstructure(inner) for inner in cast("Sequence[Any]", value)]
    raise ArgumentError(f"a value of type {type(value).__name__} cannot be sent")


def simple(value: str | float) -> str | float:
    """Return a string or a number of a subclass, such as a member of `(str, Enum)`, as what it holds.

    Raises:
        ArgumentError: it is not finite, which msgspec would send as null.
    """
    if isinstance(value, str):
        return exact(value)
    if isinstance(value, int):
        return int(value)
    if not math.isfinite(value):
        raise ArgumentError(f"{value} is not a number that JSON has")
    return float(value)


def field_name(name: object) -> str:
    """Check the key of a JSON object.

    Raises:
        ArgumentError: it is not a string.
    """
    if not isinstance(name, str):
        raise ArgumentError(f"the names of an object are strings, not {type(name).__name__}")
    return exact(name)


def timestamp(moment: dt.datetime) -> str:
    """Format a datetime in UTC, with Z.

    Raises:
        ArgumentError: it has no time zone, or is out of range in UTC.
    """
    if moment.utcoffset() is None:
        raise ArgumentError("a datetime needs a time zone, such as datetime.now(datetime.UTC)")
    try:
        return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise ArgumentError(f"{moment} is out of the range of times that UTC can express") from None


def dump(body: Any) -> bytes:
    """Encode a JSON body.

    Raises:
        ArgumentError: a value cannot be represented in JSON.
    """
    try:
        return msgspec.json.encode(unstructure(body))
    except (TypeError, ValueError, OverflowError) as problem:  # ValueError: strings that are not valid Unicode
        raise ArgumentError(f"{unsendable(body)} cannot be sent as JSON: {problem}") from problem
    except RecursionError:
        raise ArgumentError("the arguments cannot be sent as JSON: they are nested too deep") from None


def unsendable(body: Any) -> str:
    """Name the argument that cannot be represented in JSON; all of them if it is not a single one."""
    for name, value in cast("Mapping[object, Any]", body).items() if isinstance(body, Mapping) else ():
        try:
            msgspec.json.encode(unstructure(value))
        except (TypeError, ValueError, OverflowError, RecursionError):
            return str(name)
    return "the arguments"
