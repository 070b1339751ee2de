"""Between models and plain data: the names and values that the wire has. Performs no I/O.

msgspec converts. cattrs is imported where msgspec has refused, to tell every problem rather than the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec

from redcore._base.values import Model
from redcore._spec.models import CursorPage, Page
from redcore._wire.decoders import converted
from redcore._wire.encoding import unstructure
from redcore.exceptions import ArgumentError

T = TypeVar("T")


def to_dict(model: Model) -> dict[str, Any]:
    """A model as plain data; fields that the wire left out are left out again.

    Raises:
        ArgumentError: it holds what JSON cannot represent, such as NaN in the input of a run.
    """
    plain: dict[str, Any]
    # msgspec would send NaN as null, and takes more types than JSON has: what is of any type is looked at one by one.
    plain = unstructure(model) if is_free(cast("Any", type(model))) else msgspec.json.decode(msgspec.json.encode(model))
    leave_out(plain, model)
    return plain


def to_json(model: Model) -> str:
    """A model as JSON; raises as `to_dict` does."""
    cls = cast("Any", type(model))
    if not is_free(cls) and not loose_fields(cls):  # nothing to check, nothing to leave out
        return msgspec.json.encode(model).decode()
    return msgspec.json.encode(to_dict(model)).decode()


@cache
def is_free(cls: Any) -> bool:
    """Whether a model has fields whose values may be anything."""
    return any(holds(hint, lambda part: part is Any or isinstance(part, TypeVar)) for hint in hints_of(cls))


def hints_of(cls: Any) -> list[Any]:
    """The types of a model's fields, in order."""
    hints = get_type_hints(cls)
    return [hints[field.name] for field in cls.__attrs_attrs__]


def leave_out(plain: dict[str, Any], model: Any) -> None:
    """Take out of the plain data of a model what the model does not have, in its nested models too."""
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
    """The fields that can be left out, or whose values have some that can; each with whether itself it can be."""
    told = (
        (field.name, field.default is None, hint)
        for field, hint in zip(cls.__attrs_attrs__, hints_of(cls), strict=True)
    )
    return tuple((name, optional) for name, optional, hint in told if optional or holds(hint, is_model))


def holds(annotation: Any, test: Callable[[Any], bool]) -> bool:
    """Whether a type, or one of those it is made of, passes a test."""
    return test(annotation) or any(holds(part, test) for part in get_args(annotation))


def is_model(annotation: Any) -> bool:
    """Whether values of a type are models, or may be some."""
    return isinstance(annotation, TypeVar) or (isinstance(annotation, type) and issubclass(annotation, Model))


def from_dict(kind: type[T], data: Mapping[str, Any]) -> T:
    """An object of a type from plain data.

    Args:
        kind: A model, or a page of some such as `Page[User]`.
        data: What `to_dict` gave, or the `data` of an answer. Values may be Python's own, such as a `datetime`.

    Raises:
        ArgumentError: it does not fit; its `details` are all problems, each with its path.
    """
    if cast("Any", kind) in (Page, CursorPage):
        raise ArgumentError("a page needs the model of its items, as in Page[User].from_dict(data)")
    try:
        made: T = converted(data, kind)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError):
        from redcore._wire.explain import explained  # noqa: PLC0415 (few programs need cattrs)

        return explained(kind, data)
    return made
