"""Reads answers: successes by the model and shape of their operation, failures as typed errors. Performs no I/O.

msgspec checks and makes the models in one pass over the bytes; it never converts one JSON type into another. What it
refuses and the RFCs allow is read by `tolerance`.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence
from functools import cache
from typing import Any, Generic, TypeVar, cast

import attrs
import msgspec

from redcore._base.operation import Operation
from redcore._base.response import Response
from redcore._spec.models import CursorPage, ErrorDetail, OAuthError, Page
from redcore._wire.decoders import converted, decoder
from redcore._wire.rate_limit import retry_after
from redcore._wire.raw_response import RawResponse
from redcore._wire.tolerance import tolerated
from redcore.exceptions import AuthenticationError, RedcoreAPIError, ResponseError

T = TypeVar("T")


@attrs.frozen
class Envelope(Generic[T]):
    """What a single object comes in; the `meta` beside it is not kept."""

    data: T


# What comes back -----------------------------------------------------------------------------


def read(operation: Operation[T], response: Response) -> T:
    """Read what a success of an operation holds.

    Raises:
        ResponseError: the answer cannot be read; the message names the first place that does not fit.
    """
    value: Any
    match operation.shape:
        case "data":
            value = structured(response, kind_of(Envelope, operation.model), operation.model).data
        case "page":
            value = structured(response, kind_of(Page, operation.model), operation.model)
        case "cursor_page":
            value = structured(response, kind_of(CursorPage, operation.model), operation.model)
        case "plain":
            value = structured(response, operation.model, operation.model)
        case "bytes":
            value = response.content
        case "open":  # still arriving: reading it is the caller's part
            value = response
        case "nothing":
            value = None
        case "any":
            value = declared(response)
    return cast("T", RawResponse[Any].of(response, value) if operation.raw else value)


@cache
def kind_of(envelope: Any, model: Any) -> Any:
    """The type of an envelope that holds a model; making it takes longer than reading an answer."""
    return envelope[model]


def decoded(content: bytes, kind: Any) -> Any:
    """Make an object of a type from JSON; what the decoder refuses is read again, as tolerant as the RFCs allow."""
    try:
        return decoder(kind)(content)
    except msgspec.ValidationError as problem:
        return tolerated(content, kind, problem)
    except msgspec.DecodeError:
        if not content.startswith(BOM_UTF8):  # RFC 8259 section 8.1: a parser may ignore it
            raise
        return decoded(content.removeprefix(BOM_UTF8), kind)


def structured(response: Response, kind: Any, model: Any = None) -> Any:
    """Make an object of a type from a body.

    Args:
        response: The answer.
        kind: The type.
        model: What the type holds. If it has secret fields, the error does not keep the body.

    Raises:
        ResponseError: the body is empty, not JSON, or does not fit.
    """
    problem: Exception | None = None
    if not response.content:
        told = f"the answer to a call is empty (status {response.status_code})"
    else:
        try:
            return decoded(response.content, kind)
        except msgspec.ValidationError as error:
            problem, told = error, f"the answer does not fit: {error}"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            media = response.headers.get("content-type", "no content type")
            problem, told = error, f"the answer is not JSON ({media}): {error}"
    if holds_secrets(model):  # not chained: a UnicodeDecodeError has the body too
        raise ResponseError(told, response=attrs.evolve(response, content=b""))
    raise ResponseError(told, response=response) from problem


def holds_secrets(model: Any) -> bool:
    """Whether objects of a class have fields that are never shown, such as tokens."""
    return attrs.has(model) and any(field.repr is False for field in attrs.fields(model))


def declared(response: Response) -> Any:
    """JSON decoded, None for an empty body, anything else as its bytes.

    Raises:
        ResponseError: the content type says JSON, and the body is not.
    """
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not response.content:
        return None
    if media != "application/json" and not media.endswith("+json"):
        return response.content
    try:
        return response.json()
    except (ValueError, RecursionError) as problem:
        raise ResponseError(f"the answer is not JSON ({media}): {problem}", response=response) from problem


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
        error = structured(response, dict[str, Any])["error"]
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
            error: OAuthError = structured(response, OAuthError)
        except ResponseError:
            return failure(response, now=now, request_id=request_id)
        message = error.error_description or "the authorization server refused"
        return AuthenticationError(message, response=response, code=error.error, request_id=request_id)
    return failure(response, now=now, request_id=request_id)
