"""Marks public classes, which appear as `redcore.User` in tracebacks and pickles, wherever they are defined."""

from __future__ import annotations

from typing import Any, ForwardRef, TypeVar

C = TypeVar("C", bound=type[Any])


def public(cls: C) -> C:
    """Set a class's module to the package, so that its real module can be renamed without breaking pickles.

    Annotations that are still text keep the module whose names they use: `typing.get_type_hints` looks there.
    """
    defined_in = cls.__module__
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if isinstance(annotation, str):
            cls.__annotations__[name] = ForwardRef(annotation, is_argument=False, module=defined_in, is_class=True)
    cls.__module__ = "redcore"
    return cls
