"""Type hints of the public classes at run time."""

from __future__ import annotations

import typing
from collections.abc import Iterator

import pytest

import redcore

PUBLIC = sorted(name for name in redcore.__all__ if isinstance(getattr(redcore, name), type))


def functions(cls: type) -> Iterator[object]:
    """Return the functions of a class: methods, and those behind properties and class methods."""
    for member in vars(cls).values():
        function = getattr(getattr(member, "fget", member), "__func__", getattr(member, "fget", member))
        if hasattr(function, "__annotations__") and not isinstance(function, type):
            yield function


@pytest.mark.parametrize("name", PUBLIC)
def test_type_hints_can_be_resolved(name: str) -> None:
    """`typing.get_type_hints` works on every public class and its methods, as dependency injectors need it."""
    cls = getattr(redcore, name)

    for annotated in (cls, *functions(cls)):
        assert isinstance(typing.get_type_hints(annotated), dict)
