"""Strategies for the models: any values of their fields."""

from __future__ import annotations

import datetime as dt
import enum
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import msgspec
from hypothesis import strategies as st

moments = st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001 (hypothesis adds the zone)
words = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**63), 2**64 - 1)
json = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Draw values of a model's field."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in {types.UnionType, Union}:
        return st.one_of([values(part) for part in parts if part is not msgspec.UnsetType])
    if origin is tuple:
        return st.lists(values(parts[0]), max_size=3).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(words, json, max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from(list(annotation)) | words.map(annotation)
    if isinstance(annotation, type) and attrs.has(annotation):
        return instances(annotation)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: words,
        int: numbers,
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        dt.datetime: moments,
        types.NoneType: st.none(),
    }
    return plain[annotation]


def instances(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Draw instances of a model."""
    hints = get_type_hints(cls)
    return st.builds(cls, **{field.name: values(hints[field.name]) for field in attrs.fields(cls)})
