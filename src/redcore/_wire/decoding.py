"""Decodes responses: successes by the model and shape of the operation, failures as typed errors. Performs no I/O.

msgspec validates and builds the models in one pass over the bytes; it never converts one JSON type into another.
Values that it rejects although the RFCs allow them are handled by `tolerance`.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
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

ORIGIN = re.compile(r"((?:https?:)?//)(?:[^/?#@]*@)?((?:[\w.-]+|\[[\w:.]+\])(?::\d+)?)", re.ASCII | re.IGNORECASE)
"""The origin at the start of a URL, which may lack its scheme; without a user name and password."""

LONGEST_REASON = 300  # characters; an intermediary may send anything
REASONS = ("message", "detail", "error_description", "title", "error")
"""Where gateways and frameworks say why they refuse: also RFC 9457 section 3.1 and RFC 6749 section 5.2."""


@attrs.frozen
class Envelope(Generic[T]):
    """The envelope of a single object; its `meta` is discarded."""

    data: T


# Successes -----------------------------------------------------------------------------------


def read(operation: Operation[T], response: Response) -> T:
    """Decode a successful response of an operation.

    Raises:
        ResponseError: the response cannot be decoded; the message names the first location that does not fit.
    """
    value: Any
    match operation.shape:
        case "data":
            value = decoded_body(response, kind_of(Envelope, operation.model), operation.model).data
        case "page":
            value = decoded_body(response, kind_of(Page, operation.model), operation.model)
        case "cursor_page":
            value = decoded_body(response, kind_of(CursorPage, operation.model), operation.model)
        case "plain":
            value = decoded_body(response, operation.model, operation.model)
        case "bytes":
            value = response.content
        case "open":  # still arriving: the caller reads it
            value = response
        case "nothing":
            value = None
        case "any":
            value = declared(response)
    if operation.raw:
        value = RawResponse[Any].of(response, value)
    answer: T = value
    return answer


@cache
def kind_of(envelope: Any, model: Any) -> Any:
    """The envelope type for a model; cached, as creating it takes longer than decoding a response."""
    return envelope[model]


def decoded(content: bytes, kind: Any) -> Any:
    """Decode JSON to a type; if the decoder rejects it, decode again with the tolerance that the RFCs allow."""
    try:
        return decoder(kind)(content)
    except msgspec.ValidationError as problem:
        return tolerated(partial(msgspec.json.decode, content), kind, problem)
    except msgspec.DecodeError:
        if not content.startswith(BOM_UTF8):  # RFC 8259 section 8.1: a parser may ignore it
            raise
        return decoded(content.removeprefix(BOM_UTF8), kind)


def decoded_body(response: Response, kind: Any, model: Any = None) -> Any:
    """Decode a response body to a type.

    Args:
        response: The response.
        kind: The type.
        model: The model in the type. If it has secret fields, the error does not keep the body.

    Raises:
        ResponseError: the body is empty, not JSON, or does not fit.
    """
    problem: Exception | None = None
    if not response.content:
        reason = f"the answer to a call is empty (status {response.status_code})"
    else:
        try:
            return decoded(response.content, kind)
        except msgspec.ValidationError as error:
            problem, reason = error, f"the answer does not fit: {error}"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            media = response.headers.get("content-type", "no content type")
            problem, reason = error, f"the answer is not JSON ({media}): {error}"
    if holds_secrets(model):  # not chained: a UnicodeDecodeError contains the body too
        raise ResponseError(reason, response=attrs.evolve(response, content=b""))
    raise ResponseError(reason, response=response) from problem


def holds_secrets(model: Any) -> bool:
    """Whether a class has secret fields, such as tokens."""
    return attrs.has(model) and any(field.repr is False for field in attrs.fields(model))


def declared(response: Response) -> Any:
    """Return decoded JSON, None for an empty body, or the bytes of any other body.

    Raises:
        ResponseError: the content type says JSON, but the body is not JSON.
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


# Failures ------------------------------------------------------------------------------------


def failure(response: Response, *, now: float, request_id: str) -> RedcoreAPIError:
    """Make the typed error of a failed response, for any body."""
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
    """Code, message, docs and details of an error envelope, as far as the response has them."""
    try:
        body: dict[str, Any] = decoded_body(response, dict[str, Any])
    except ResponseError:
        body = {}
    error: Any = body.get("error")
    envelope = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    code = first_text(envelope, "code") or f"HTTP_{response.status_code}"
    message = first_text(envelope, "message") or unexplained(response, body)
    return code, message, first_text(envelope, "docs"), details_of(envelope.get("details"))


def first_text(fields: Mapping[str, Any], *names: str) -> str | None:
    """The first of some fields that is a text; None if none is, or if it is empty."""
    return next((value for name in names if isinstance(value := fields.get(name), str) and value), None)


def unexplained(response: Response, body: Mapping[str, Any]) -> str:
    """The message for a response without an error envelope; of a redirect, only the origin is shown."""
    location = response.headers.get("location", "")
    if not (300 <= response.status_code < 400 and location):
        return (first_text(body, *REASONS) or "the server gave no explanation")[:LONGEST_REASON]
    origin = ORIGIN.match(location)
    where = "another path" if origin is None else "".join(origin.groups())
    return (
        f"the server redirects to {where}, where the SDK sends no token; correct base_url, or log in to the network "
        "if it asks for it"
    )


def details_of(details: Any) -> tuple[ErrorDetail, ...]:
    """The details of an envelope; without malformed ones, as code and message matter more."""
    found: list[ErrorDetail] = []
    for detail in cast("Sequence[Any]", details) if isinstance(details, list) else ():
        with suppress(msgspec.ValidationError):
            found.append(converted(detail, ErrorDetail))
    return tuple(found)


def oauth_failure(response: Response, *, now: float, request_id: str) -> RedcoreAPIError:
    """Make the typed error of an OAuth endpoint: that of RFC 6749 section 5.2, else that of the error envelope."""
    try:
        error: OAuthError = decoded_body(response, OAuthError)
    except ResponseError:
        return failure(response, now=now, request_id=request_id)
    message = error.error_description or "the authorization server refused"
    if response.status_code in (400, 401):
        return AuthenticationError(message, response=response, code=error.error, request_id=request_id)
    return RedcoreAPIError.for_status(response.status_code, error.error)(
        message,
        response=response,
        code=error.error,
        retry_after=retry_after(response.headers, now),
        request_id=request_id,
    )
