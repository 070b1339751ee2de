"""Between bytes and models: one converter, the readers, the failures. Performs no I/O.

Two cattrs converters from one recipe: a fast one that stops at the first problem, and, only when it has stopped, a
careful one that says where every problem is. cattrs alone would coerce (null to "None"), so each hook checks the exact
JSON type first.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast, get_origin

import attrs
import cattrs
import orjson
from cattrs import transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from redcore._generated.models import ErrorDetail, OAuthError, Page
from redcore._response import Response
from redcore._values import OpenEnum
from redcore.exceptions import ArgumentError, AuthenticationError, RedcoreAPIError, ResponseError
from redcore.limits import retry_after

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]


# Hooks: what JSON may stand for each type ----------------------------------------------------


def exactly(accepted: type, then: Hook) -> Hook:
    """A hook that refuses what JSON did not spell as it should."""

    def hook(value: Any, wanted: Any) -> Any:
        if type(value) is not accepted:
            raise TypeError(f"expected {accepted.__name__}, got {type(value).__name__}")
        return then(value, wanted)

    return hook


def as_is(value: Any, _: Any) -> Any:
    return value


def a_float(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"expected float, got {type(value).__name__}")
    return float(value)


def a_datetime(value: str, _: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a timestamp without a time zone")
    return moment


def a_member(value: str, enum: type[OpenEnum]) -> OpenEnum:
    return enum(value)


def make_converter(*, careful: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=careful)

    def is_generic(origin: Any) -> Callable[[Any], bool]:
        return lambda cls: get_origin(cls) is origin

    def is_model(cls: Any) -> bool:
        return attrs.has(get_origin(cls) or cls)

    def of_model(cls: Any) -> Hook:
        fields = attrs.fields(get_origin(cls) or cls)
        wire = {f.name: override(rename=f.metadata["wire"]) for f in fields if "wire" in f.metadata}
        make = cast("Callable[..., Hook]", make_dict_structure_fn)  # its typing takes no overrides by **
        return exactly(dict, make(cls, converter, _cattrs_detailed_validation=careful, **wire))

    def of_tuple(cls: Any) -> Hook:
        return exactly(list, homogenous_tuple_structure_factory(cls, converter))

    for scalar in (str, int, bool):
        converter.register_structure_hook(scalar, exactly(scalar, as_is))
    converter.register_structure_hook(float, a_float)
    converter.register_structure_hook(dt.datetime, exactly(str, a_datetime))
    converter.register_structure_hook(OpenEnum, exactly(str, a_member))
    converter.register_structure_hook_func(is_generic(Mapping), exactly(dict, as_is))
    converter.register_structure_hook_factory(is_generic(tuple), of_tuple)
    converter.register_structure_hook_factory(is_model, of_model)
    return converter


fast = make_converter(careful=False)
careful = make_converter(careful=True)


# What comes back -----------------------------------------------------------------------------


def structure(payload: Any, model: type[T], response: Response) -> T:
    """Make a model of decoded JSON, or say in a ResponseError where it does not fit."""
    try:
        return fast.structure(payload, model)
    except Exception as problem:
        raise ResponseError(f"the answer does not fit: {where(payload, model)}", response=response) from problem


def where(payload: Any, model: type[Any]) -> str:
    """Every place at which decoded JSON does not fit a model."""
    try:
        careful.structure(payload, model)
    except Exception as problem:  # noqa: BLE001 (as above)
        return "; ".join(transform_error(problem, path="$", format_exception=told))
    return "it is not consistent"


def told(problem: BaseException, _: type | None) -> str:
    return f"missing {problem}" if isinstance(problem, KeyError) else str(problem)


def load(response: Response) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        ResponseError: the body is empty, not JSON, or no object.
    """
    if not response.content:
        raise ResponseError(f"the answer to a call is empty (status {response.status_code})", response=response)
    try:
        payload = orjson.loads(response.content)
    except ValueError as problem:
        kind = response.headers.get("content-type", "no content type")
        raise ResponseError(f"the answer is not JSON ({kind}): {problem}", response=response) from problem
    if type(payload) is not dict:
        raise ResponseError(f"the answer is a JSON {type(payload).__name__}, not an object", response=response)
    return cast("dict[str, Any]", payload)


def plain(model: type[T]) -> Callable[[Response], T]:
    """A reader of bare objects, as the OAuth endpoints send them."""
    return lambda response: structure(load(response), model, response)


def data(model: type[T]) -> Callable[[Response], T]:
    """A reader of `{"data": …}`."""
    return lambda response: structure(load(response).get("data"), model, response)


def page(model: type[T]) -> Callable[[Response], Page[T]]:
    """A reader of `{"data": […], "meta": {…}}`."""
    kind: Any = Page[model]  # type: ignore[valid-type]  # a type made at run time
    return lambda response: cast("Page[T]", structure(load(response), kind, response))


def nothing(_: Response) -> None:
    """A reader of answers that have no body."""


def binary(response: Response) -> bytes:
    """A reader of bytes."""
    return response.content


# What came back instead ----------------------------------------------------------------------


def failure(response: Response, *, now: float, request_id: str) -> RedcoreAPIError:
    """The typed error of an answer that is no success, whatever its body is."""
    code, message, docs, details = explanation(response)
    return RedcoreAPIError.for_status(response.status_code)(
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
        error = load(response)["error"]
        code, message, docs = str(error["code"]), str(error["message"]), error.get("docs")
    except (ResponseError, KeyError, TypeError, AttributeError):
        return f"HTTP_{response.status_code}", "the server gave no explanation", None, ()
    return code, message, docs if isinstance(docs, str) else None, problems(error.get("details"), response)


def problems(details: Any, response: Response) -> tuple[ErrorDetail, ...]:
    """The details of an envelope; none if they cannot be read: code and message matter more than their shape."""
    try:
        return structure(details or [], tuple[ErrorDetail, ...], response)
    except ResponseError:
        return ()


def oauth_failure(response: Response, *, now: float, request_id: str) -> RedcoreAPIError:
    """The typed error of an OAuth endpoint: RFC 6749 section 5.2 for 400 and 401, the envelope for the rest."""
    if response.status_code in (400, 401):
        try:
            error = structure(load(response), OAuthError, response)
        except ResponseError:
            return failure(response, now=now, request_id=request_id)
        message = error.error_description or "the authorization server refused"
        return AuthenticationError(message, response=response, code=error.error, request_id=request_id)
    return failure(response, now=now, request_id=request_id)


# What is sent --------------------------------------------------------------------------------


def unstructure(value: Any) -> Any:
    """One value as JSON, a query or a form can hold it.

    Raises:
        ArgumentError: a datetime has no time zone, or a number is none that JSON has.
    """
    if isinstance(value, dt.datetime):
        return timestamp(value)
    if isinstance(value, float) and not math.isfinite(value):  # orjson would send null
        raise ArgumentError(f"{value} is no number that can be sent")
    if isinstance(value, Mapping):
        return {name: unstructure(inner) for name, inner in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [unstructure(inner) for inner in cast("Sequence[Any]", value)]
    return value


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


def dump(body: Mapping[str, Any]) -> bytes:
    """A JSON body.

    Raises:
        ArgumentError: a value is none that JSON has.
    """
    try:
        return orjson.dumps(unstructure(body))
    except TypeError as problem:
        raise ArgumentError(f"the arguments cannot be sent as JSON: {problem}") from problem
    except RecursionError:
        raise ArgumentError("the arguments cannot be sent as JSON: they are nested too deep") from None
