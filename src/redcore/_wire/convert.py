"""Converts between models and plain data with wire names and values. Performs no I/O.

msgspec converts. If it fails, cattrs is imported to report every problem rather than only the first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec

from redcore._base.values import Model
from redcore._spec.models import CursorPage, Page
from redcore._wire.decoders import converted
from redcore._wire.encoding import unstructure
from redcore._wire.tolerance import tolerated
from redcore.exceptions import ArgumentError

T = TypeVar("T")


def to_dict(model: Model) -> dict[str, Any]:
    """Convert a model to plain data; fields that were omitted on the wire stay omitted.

    Raises:
        ArgumentError: it contains a value that cannot be represented in JSON, such as NaN in the input of a run.
    """
    plain: dict[str, Any]
    # msgspec encodes NaN as null, and accepts more types than JSON has, so values of type Any are checked one by one.
    with representing():
        is_any = is_free(cast("Any", type(model)))
        plain = unstructure(model) if is_any else msgspec.json.decode(msgspec.json.encode(model))
    leave_out(plain, model)
    return plain


def to_json(model: Model) -> str:
    """Convert a model to JSON; raises as `to_dict` does."""
    cls = cast("Any", type(model))
    with representing():
        if not is_free(cls) and not loose_fields(cls):  # nothing to check, nothing to omit
            return msgspec.json.encode(model).decode()
        return msgspec.json.encode(to_dict(model)).decode()


@contextmanager
def representing() -> Generator[None]:
    """Replace errors of values that JSON cannot represent, such as text that is not valid Unicode."""
    try:
        yield
    except ArgumentError:
        raise
    except (TypeError, ValueError, RecursionError) as problem:
        raise ArgumentError(f"the object cannot be represented in JSON: {problem}") from problem


@cache
def is_free(cls: Any) -> bool:
    """Whether a model has fields of type Any."""
    return any(holds(hint, lambda part: part is Any or isinstance(part, TypeVar)) for hint in hints_of(cls))


def hints_of(cls: Any) -> list[Any]:
    """The types of a model's fields, in order."""
    hints = get_type_hints(cls)
    return [hints[field.name] for field in cls.__attrs_attrs__]


def leave_out(plain: dict[str, Any], model: Any) -> None:
    """Remove unset fields from the plain data of a model and its nested models."""
    for name, optional in loose_fields(cast("Any", type(model))):
        value: Any = getattr(model, name)
        if value is None and optional:
            del plain[name]
        elif isinstance(value, Model):
            leave_out(plain[name], value)
        elif type(value) is tuple:
            for inner, item in zip(plain[name], cast("Iterable[Any]", value), strict=True):
                if isinstance(item, Model):
                    leave_out(inner, item)


@cache
def loose_fields(cls: Any) -> tuple[tuple[str, bool], ...]:
    """The fields that can be omitted or contain such fields; each with whether it can be omitted itself."""
    hinted = (
        (field.name, field.default is None, hint)
        for field, hint in zip(cls.__attrs_attrs__, hints_of(cls), strict=True)
    )
    return tuple((name, optional) for name, optional, hint in hinted if optional or holds(hint, is_model))


def holds(annotation: Any, test: Callable[[Any], bool]) -> bool:
    """Whether a type or one of its type arguments passes a test."""
    return test(annotation) or any(holds(part, test) for part in get_args(annotation))


def is_model(annotation: Any) -> bool:
    """Whether values of a type may be models."""
    return isinstance(annotation, TypeVar) or (isinstance(annotation, type) and issubclass(annotation, Model))


def from_dict(kind: type[T], data: Mapping[str, Any]) -> T:
    """Make an object of a type from plain data.

    Args:
        kind: A model, or a page such as `Page[User]`.
        data: The result of `to_dict`, or the `data` of a response. Values may be Python objects such as `datetime`.

    Raises:
        ArgumentError: the data does not fit; `details` lists all problems, each with its path.
    """
    if cast("Any", kind) in (Page, CursorPage):
        raise ArgumentError("a page needs the model of its items, as in Page[User].from_dict(data)")
    made: T
    try:
        try:
            made = converted(data, kind)
        except msgspec.ValidationError as problem:
            made = tolerated(partial(msgspec.to_builtins, data), kind, problem)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError):
        from redcore._wire.explain import explained  # noqa: PLC0415 (few programs need cattrs)

        return explained(kind, data)
    return made
