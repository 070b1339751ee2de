"""Laws of encoding and decoding: nothing leaves its place, nothing is lost."""

from __future__ import annotations

from urllib.parse import unquote

import attrs
import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.world import BASE_URL
from tests.property.strategies import instances, json, words

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
