"""Between bytes and models: the readers, the failures, the writers. Performs no I/O.

msgspec checks and makes the models in one pass over the bytes; it never converts one JSON type into another.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import attrs
import msgspec

from redcore._base.response import Response
from redcore._call.rate_limit import retry_after
from redcore._spec.models import ErrorDetail, OAuthError, Page
from redcore._wire.decoders import converted, decoder
from redcore.exceptions import ArgumentError, AuthenticationError, RedcoreAPIError, ResponseError

T = TypeVar("T")


@attrs.frozen
class Envelope(Generic[T]):
    """What a single object comes in; the `meta` beside it is not kept."""

    data: T


# What comes back -----------------------------------------------------------------------------


def read(response: Response, kind: Any) -> Any:
    """Make an object of a type from a body, or say in a ResponseError why it cannot be made.

    Raises:
        ResponseError: the body is empty, not JSON, or does not fit; the first place that does not is told.
    """
    if not response.content:
        raise ResponseError(f"the answer to a call is empty (status {response.status_code})", response=response)
    try:
        return decoder(kind)(response.content)
    except msgspec.ValidationError as problem:
        raise ResponseError(f"the answer does not fit: {problem}", response=response) from problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        told = response.headers.get("content-type", "no content type")
        raise ResponseError(f"the answer is not JSON ({told}): {problem}", response=response) from problem


def plain(model: type[T]) -> Callable[[Response], T]:
    """A reader of bare objects, as the OAuth endpoints send them."""
    return lambda response: cast("T", read(response, model))


def data(model: type[T]) -> Callable[[Response], T]:
    """A reader of `{"data": …}`."""
    kind: Any = Envelope[model]  # type: ignore[valid-type]  # a type made at run time
    return lambda response: cast("T", read(response, kind).data)


def page(model: type[T]) -> Callable[[Response], Page[T]]:
    """A reader of `{"data": […], "meta": {…}}`."""
    kind: Any = Page[model]  # type: ignore[valid-type]  # as above
    return lambda response: cast("Page[T]", read(response, kind))


def nothing(_: Response) -> None:
    """A reader of answers that have no body."""


def opened(response: Any) -> Any:
    """A reader of answers that are still arriving: it leaves that to the caller."""
    return response


def binary(response: Response) -> bytes:
    """A reader of bytes."""
    return response.content


# What came back instead ----------------------------------------------------------------------


def failure(response: Response, *, now: float, request_id: str) -> RedcoreAPIError:
    """The typed error of an answer that is no success, whatever its body is."""
    code, message, docs, details = explanation(response)
    return RedcoreAPIError.for_status(response.status_code, code)(
        message,
        response=response,
        code=code,
        docs=docs,
        details=details,
        retry_after=retry_after(response.headers, now),
        request_id=request_id,
    )


def explanation(response: Response) -> tuple[str, str, str | None, Sequence[ErrorDetail]]:
    """Code, message, docs and details of an error envelope, as far as the answer has them."""
    try:
        error = read(response, dict[str, Any])["error"]
        code, message, docs = str(error["code"]), str(error["message"]), error.get("docs")
    except (ResponseError, KeyError, TypeError, AttributeError):
        return f"HTTP_{response.status_code}", "the server gave no explanation", None, ()
    return code, message, docs if isinstance(docs, str) else None, problems(error.get("details"))


def problems(details: Any) -> tuple[ErrorDetail, ...]:
    """The details of an envelope; none if they cannot be read: code and message matter more than their shape."""
    try:
        return cast("tuple[ErrorDetail, ...]", converted(details or [], tuple[ErrorDetail, ...]))
    except msgspec.ValidationError:
        return ()


def oauth_failure(response: Response, *, now: float, request_id: str) -> RedcoreAPIError:
    """The typed error of an OAuth endpoint: RFC 6749 section 5.2 for 400 and 401, the envelope for the rest."""
    if response.status_code in (400, 401):
        try:
            error: OAuthError = read(response, OAuthError)
        except ResponseError:
            return failure(response, now=now, request_id=request_id)
        message = error.error_description or "the authorization server refused"
        return AuthenticationError(message, response=response, code=error.error, request_id=request_id)
    return failure(response, now=now, request_id=request_id)


# What is sent --------------------------------------------------------------------------------


def unstructure(value: Any) -> Any:
    """One value as JSON, a query or a form can hold it.

    Raises:
        ArgumentError: a datetime has no time zone, or the value is none that JSON has.
    """
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dt.datetime):
        return timestamp(value)
    if isinstance(value, float):
        if not math.isfinite(value):  # msgspec would send null
            raise ArgumentError(f"{value} is no number that can be sent")
        return value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, Any]", value).items()
        return {field_name(name): unstructure(inner) for name, inner in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [unstructure(inner) for inner in cast("Sequence[Any]", value)]
    raise ArgumentError(f"a value of type {type(value).__name__} cannot be sent")


def field_name(name: object) -> str:
    """The name of a field of a JSON object.

    Raises:
        ArgumentError: it is no string.
    """
    if not isinstance(name, str):
        raise ArgumentError(f"the names of an object are strings, not {type(name).__name__}")
    return name


def timestamp(moment: dt.datetime) -> str:
    """A moment in UTC, with Z.

    Raises:
        ArgumentError: it has no time zone, or UTC has no such moment.
    """
    if moment.utcoffset() is None:
        raise ArgumentError("a datetime needs a time zone, such as datetime.now(datetime.UTC)")
    try:
        return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise ArgumentError(f"{moment} is out of the range of times that UTC can express") from None


def dump(body: Any) -> bytes:
    """A JSON body.

    Raises:
        ArgumentError: a value is none that JSON has.
    """
    try:
        return msgspec.json.encode(unstructure(body))
    except (TypeError, ValueError, OverflowError) as problem:  # ValueError: texts that are not Unicode
        raise ArgumentError(f"the arguments cannot be sent as JSON: {problem}") from problem
    except RecursionError:
        raise ArgumentError("the arguments cannot be sent as JSON: they are nested too deep") from None
