"""Objects for tests are valid, typed and the same in every run."""

from __future__ import annotations

import inspect
from typing import Any

import jsonschema_rs
import pytest

from redcore import CursorPage, Page, Product, ProductStatus, User, UserRole, testing
from redcore._base.values import Model
from redcore._spec import models
from redcore.testing import make
from redcore.testing._fake.contract import contract

MODELS: list[Any] = [
    found
    for name in models.__all__
    if inspect.isclass(found := getattr(models, name)) and issubclass(found, Model) and found not in {Page, CursorPage}
]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_made_valid_by_the_spec(model: Any) -> None:
    """Its plain data follows the schema, and equal calls make equal objects."""
    schemas = contract().schemas
    rule = {**schemas[model.__name__], "components": {"schemas": schemas}}

    made = make(model)

    jsonschema_rs.Draft202012Validator(rule, validate_formats=True).validate(made.to_dict())
    assert made == make(model)


def test_given_fields_are_used_and_enums_are_enums() -> None:
    """A plain string becomes the enum member of its field."""
    user = make(User, name="Ada", role="viewer")

    assert (user.name, user.role) == ("Ada", UserRole.VIEWER)
    assert user.role.known
    assert make(Product, status="discontinued").status is ProductStatus.DISCONTINUED


def test_an_unknown_field_is_refused() -> None:
    """A misspelt name is an error."""
    with pytest.raises(TypeError, match="nmae"):
        make(User, nmae="Ada")


def test_a_class_that_is_not_a_model_is_refused() -> None:
    """A class of the application, for example."""

    class Mine(Model):
        pass

    with pytest.raises(TypeError, match="Mine is not an object of the API"):
        make(Mine)


def test_the_names_of_the_module() -> None:
    """They are listed before any is loaded; an unknown one is an AttributeError."""
    assert set(testing.__all__) <= set(dir(testing))
    with pytest.raises(AttributeError, match="no attribute 'maker'"):
        _ = testing.maker


def test_a_page_counts_its_items() -> None:
    """`meta.total` follows from the items."""
    page = make(Page, data=[make(User), make(User, id="usr_2")])

    assert (len(page), page.meta.total) == (2, 2)
