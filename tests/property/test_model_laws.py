"""Laws of every model: to plain data and back, to JSON and back, copies, pickles, hashes."""

from __future__ import annotations

import copy
import json as stdlib_json
import pickle
import re
from typing import Any, cast

import attrs
import cattrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies import instances, words

import redcore
from redcore import CursorPage, Page, User
from redcore._base.values import Model
from redcore._spec import models
from redcore.exceptions import ArgumentError

MODELS = [
    cls
    for cls in vars(models).values()
    if isinstance(cls, type) and issubclass(cls, Model) and attrs.has(cls) and cls not in {Page, CursorPage}
]
pages = st.builds(Page[User], data=st.lists(instances(User), max_size=3), meta=instances(models.ListMeta))
behind = st.builds(CursorPage[User], data=st.lists(instances(User), max_size=3), meta=instances(models.CursorMeta))
converter = redcore.converter()


def draws(draw: st.DataObject, cls: type[Model]) -> tuple[Any, Any]:
    """Draw a value of a model, or of a page, with the type to decode it as."""
    if cls is CursorPage:
        return draw.draw(behind), CursorPage[User]
    return (draw.draw(pages), Page[User]) if cls is Page else (draw.draw(instances(cls)), cls)


@pytest.mark.parametrize("cls", [*MODELS, Page, CursorPage])
@given(st.data())
@settings(max_examples=15)  # for each of two dozen models
def test_a_model_survives_plain_data(cls: type[Model], draw: st.DataObject) -> None:
    """Its dict and its JSON give an equal model, by our converter and by that of cattrs."""
    model, kind = draws(draw, cls)
    plain = model.to_dict()

    assert kind.from_dict(plain) == model
    assert stdlib_json.loads(model.to_json()) == plain == stdlib_json.loads(stdlib_json.dumps(plain))
    assert converter.unstructure(model) == plain
    assert converter.structure(plain, kind) == model
    assert cattrs.structure(plain, kind) == model


@pytest.mark.parametrize("cls", [*MODELS, Page, CursorPage])
@given(st.data())
@settings(max_examples=15)  # for each of two dozen models
def test_copies_and_hashes(cls: type[Model], draw: st.DataObject) -> None:
    """Copies and pickles are equal, and equal values hash alike."""
    model, kind = draws(draw, cls)

    pickled = pickle.loads(pickle.dumps(model))  # noqa: S301 (our own)

    for twin in (copy.copy(model), copy.deepcopy(model), pickled, kind.from_dict(model.to_dict())):
        assert twin == model
        assert hash(twin) == hash(model)


@pytest.mark.parametrize("cls", MODELS)
@given(st.data())
@settings(max_examples=15)  # for each of two dozen models
def test_every_missing_field_is_named(cls: type[Model], draw: st.DataObject) -> None:
    """Whatever is removed, the error names exactly the missing required fields, and cattrs agrees."""
    plain = draw.draw(instances(cls)).to_dict()
    gone = draw.draw(st.sets(st.sampled_from(sorted(plain)))) if plain else set()
    required = {field.name for field in attrs.fields(cast("Any", cls)) if field.default is attrs.NOTHING}
    rest = {name: value for name, value in plain.items() if name not in gone}

    if not gone & required:
        assert isinstance(cls.from_dict(rest), cls)
        return
    with pytest.raises(ArgumentError) as caught:
        cls.from_dict(rest)

    assert {detail.field for detail in caught.value.details} == gone & required
    assert {detail.issue for detail in caught.value.details} == {"is missing"}


@pytest.mark.parametrize("cls", MODELS)
@given(st.data())
@settings(max_examples=15)  # for each of two dozen models
def test_values_of_another_type_are_named(cls: type[Model], draw: st.DataObject) -> None:
    """A value of another type is an ArgumentError with the path of the field, or the field takes anything."""
    plain = draw.draw(instances(cls)).to_dict()
    if not plain:
        return
    name = draw.draw(st.sampled_from(sorted(plain)))
    wrong: object = draw.draw(st.sampled_from([None, True, 1, 1.5, "soon", [1], {"a": 1}, ["a"], [[]]]))

    details = refused(cls, {**plain, name: wrong})

    assert {re.split(r"[.\[]", detail.field)[0] for detail in details} <= {name}


def refused(cls: type[Model], plain: dict[str, Any]) -> tuple[models.ErrorDetail, ...]:
    """Return why a model cannot be made; empty if it can."""
    try:
        cls.from_dict(plain)
    except ArgumentError as error:
        return error.details or (models.ErrorDetail(field="nothing", issue="was reported"),)
    return ()


@given(words)
def test_a_new_value_of_an_enum_survives(word: str) -> None:
    """A value that this version does not know is sent back unchanged."""
    role = models.UserRole(word)

    assert converter.structure(converter.unstructure(role), models.UserRole) == word
