"""Explains why plain data does not fit a model: all problems, found by cattrs. Imported only when msgspec has failed.

Unlike cattrs' own hooks, those for the models never convert one JSON type into another: `null` is not `"None"`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import GenericAlias
from typing import Any, TypeVar, cast, get_args, get_origin

import msgspec
from cattrs import ClassValidationError, Converter, IterableValidationError

from redcore._base.values import Model, OpenEnum, OptionalTimestamp, Timestamp
from redcore._spec.models import ErrorDetail
from redcore._wire.decoders import converted
from redcore.exceptions import ArgumentError

T = TypeVar("T")
JSON: dict[Any, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
Hook = Callable[[Any, Any], Any]


def explained(kind: type[T], data: object) -> T:
    """Make an object of a type from plain data that msgspec has rejected.

    Raises:
        ArgumentError: with all problems, each with its path.
    """
    try:
        return strict().structure(data, kind)
    except (ClassValidationError, IterableValidationError, TypeError, ValueError, RecursionError) as problem:
        details = tuple(problems(problem, ""))
    name = getattr(origin_of(kind), "__name__", str(kind))
    text = "; ".join(f"{detail.field}: {detail.issue}".lstrip(": ") for detail in details)
    raise ArgumentError(f"the data does not fit {name}: {text}", details=details) from None


def problems(problem: BaseException, path: str) -> Iterator[ErrorDetail]:
    """All problems that cattrs found, with their paths."""
    if isinstance(problem, ClassValidationError):
        named, others = problem.group_exceptions()
        steps = [(inner, f"{path}.{note.name}".lstrip(".")) for inner, note in named]
    elif isinstance(problem, IterableValidationError):
        listed, others = problem.group_exceptions()
        steps = [(inner, f"{path}[{note.index!r}]") for inner, note in listed]
    else:
        issue = "is missing" if isinstance(problem, KeyError) else str(problem)
        yield ErrorDetail(field=path, issue=issue)
        return
    for inner, where in [*steps, *((other, path) for other in others)]:
        yield from problems(inner, where)


@cache
def strict() -> Converter:
    """The converter that structures models and their fields exactly as on the wire."""
    made = Converter()
    for kind in (str, int, float, bool):
        made.register_structure_hook(kind, exact(kind))
    made.register_structure_hook_func(is_open_enum, open_enum)
    made.register_structure_hook(dt.datetime, moment)
    made.register_structure_hook_func(lambda kind: kind == OptionalTimestamp, optional_moment)
    made.register_structure_hook_func(lambda kind: origin_of(kind) is Mapping, an_object)
    made.register_structure_hook_factory(lambda kind: origin_of(kind) is tuple, partial(items, made))
    made.register_structure_hook_factory(is_model_or_page, partial(model, made))
    return made


def model(made: Converter, kind: Any) -> Hook:
    """Make the hook for a model: cattrs' own, for JSON objects and instances of the model."""
    make = made.gen_structure_attrs_fromdict(kind)
    ready = origin_of(kind)
    return lambda value, _: value if isinstance(value, ready) else make(an_object(value, kind), kind)


def items(made: Converter, kind: Any) -> Hook:
    """Make the hook for tuple fields: accepts lists and tuples, but not strings."""
    several: Any = GenericAlias(list, get_args(kind)[:1])
    make = made.get_structure_hook(several)

    def listed(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError(f"expected a list, got {named(value)}")
        return tuple(make(value, several))

    return listed


def exact(kind: type) -> Hook:
    """Make the hook for one JSON type, which accepts values unchanged."""
    kinds: tuple[type, ...] = (int, float) if kind is float else (kind,)

    def accept(value: Any, _: Any) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"expected {JSON[kind]}, got {named(value)}")
        return value

    return accept


def an_object(value: Any, _: Any) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {named(value)}")
    return cast("Mapping[str, Any]", value)


def open_enum(value: Any, kind: type[OpenEnum]) -> OpenEnum:
    """A value of an enum, known or not."""
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {named(value)}")
    return kind(value)


def moment(value: Any, _: Any) -> dt.datetime:
    """A datetime with time zone."""
    if not isinstance(value, str | dt.datetime):
        raise TypeError(f"expected a timestamp, got {named(value)}")
    try:
        made: dt.datetime = converted(value, Timestamp)
    except msgspec.ValidationError:
        raise ValueError("expected a timestamp with a time zone, such as 2026-01-15T10:00:00Z") from None
    return made


def optional_moment(value: Any, kind: Any) -> dt.datetime | None:
    """A datetime with time zone, or None."""
    return None if value is None else moment(value, kind)


def origin_of(kind: Any) -> Any:
    """The origin of a generic type; the type itself if it is not generic."""
    return get_origin(kind) or kind


def named(value: object) -> str:
    """The name of a value's JSON type."""
    if isinstance(value, Mapping):
        return "an object"
    return JSON.get(type(value), "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}")


def is_model_or_page(kind: Any) -> bool:
    """Whether a type is an SDK model, or a page of models."""
    found = origin_of(kind)
    return isinstance(found, type) and issubclass(found, Model)


def is_open_enum(kind: Any) -> bool:
    """Whether a type is an SDK enum."""
    return isinstance(kind, type) and issubclass(kind, OpenEnum)
