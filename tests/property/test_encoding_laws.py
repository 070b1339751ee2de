"""Laws of encoding and decoding: nothing leaves its place, nothing is lost."""

from __future__ import annotations

import datetime as dt
import enum
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import unquote

import attrs
import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.world import BASE_URL

from redcore._base.operation import Operation
from redcore._base.response import Headers, Response
from redcore._base.values import MappingModel, Model, OpenEnum
from redcore._spec import models, operations
from redcore._wire.decoding import read
from redcore._wire.encoding import dump, encode, unstructure
from redcore.exceptions import ArgumentError

MODELS = [
    cls for cls in vars(models).values() if isinstance(cls, type) and issubclass(cls, MappingModel) and attrs.has(cls)
]
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


@given(st.text())
def test_an_id_never_leaves_its_segment(user_id: str) -> None:
    """An id is refused, or it is exactly one segment of the path that decodes to it, also for the HTTP library."""
    try:
        request = encode(operations.users_get(user_id), BASE_URL, {})
    except ArgumentError:
        assert user_id in {"", ".", ".."} or not user_id.isprintable()
        return

    prefix, _, segment = request.url.rpartition("/")
    assert prefix == f"{BASE_URL}/users"
    assert unquote(segment) == user_id
    assert httpx.URL(request.url).raw_path.decode() == f"/v1/users/{segment}"


@pytest.mark.parametrize("cls", MODELS)
@given(st.data())
def test_unstructure_then_structure_is_identity(cls: type[Model], draw: st.DataObject) -> None:
    """A model that is sent and decoded again is equal."""
    model = draw.draw(instances(cls))

    body = msgspec.json.encode({"data": unstructure(model)})

    asked = Operation[Model](name="x", method="GET", path="/x", shape="data", model=cls)
    assert read(asked, Response(200, Headers({}), body)) == model


@given(words)
def test_an_open_enum_keeps_every_value(word: str) -> None:
    """Any string is a value of any enum, equal to itself."""
    value: OpenEnum = models.UserRole(word)

    assert (value, value.value, str(value)) == (word, word, word)


@given(json)
def test_json_arrives_as_it_was_given(value: object) -> None:
    """JSON is sent unchanged."""
    assert msgspec.json.decode(dump({"input": value})) == {"input": value}
