"""Factories for tests: `make(User, name="Ada")` returns an object that is valid by the spec, the same in every run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

import attrs

from redcore._base.values import Model
from redcore._spec.models import CursorMeta, CursorPage, ListMeta, Page
from redcore.testing._fake.contract import contract

ModelT = TypeVar("ModelT", bound=Model)

MOMENT = "2026-01-15T10:00:00Z"  # of the examples in openapi/redcore.yaml
PREFIX = re.compile(r"\^([a-z]+_)")
HEXADECIMAL = "0" * 64
BY_FORMAT: Mapping[str, Any] = {
    "date-time": MOMENT,
    "idn-email": "ada@example.com",
    "uri": "https://shop.example.com/callback",
    "password": "secret",
}
BY_NAME: Mapping[str, Any] = {
    "name": "Ada Lovelace",
    "sku": "ENG-1",
    "price": 129900,
    "content_type": "text/csv",
    "workflow": "catalog_export",
    "version": "1.2.0",
    "hint": "1234",
    "progress": 0.0,
    "limit": 20,
    "offset": 0,
}
"""Values that are more readable in test output than the name of the field."""


def make(model: type[ModelT], /, **fields: Any) -> ModelT:
    """Make an API object for a test. The same arguments make equal objects; pass `id=` for a different one.

    Args:
        model: Such as `User`, `Product` or `Page`.
        fields: The fields that matter to the test; all others get valid values. Enum fields also accept strings.

    Returns:
        The object.

    Raises:
        TypeError: the model has no such field, or is not part of the spec.

    Example:
        make(User, name="Ada", role="admin").role  # UserRole.ADMIN
    """
    if issubclass(model, Page | CursorPage):
        items = tuple(fields.get("data", ()))
        meta = fields.get("meta") or (make(ListMeta, total=len(items)) if issubclass(model, Page) else make(CursorMeta))
        page: ModelT = cast("Any", model)(data=items, meta=meta)
        return page
    made: ModelT = attrs.evolve(_example(cast("Any", model)), **fields)
    return made


@cache
def _example(model: type[Any]) -> Any:
    schemas = contract().schemas
    if model.__name__ not in schemas:
        raise TypeError(f"{model.__name__} is not an object of the API")
    return model.from_dict(_value(schemas[model.__name__], ""))


def _value(schema: Mapping[str, Any], name: str) -> Any:
    if "$ref" in schema:
        return _value(contract().schemas[schema["$ref"].rpartition("/")[2]], name)
    kinds = schema.get("type", "")
    if "oneOf" in schema or "null" in kinds:
        return None
    if "enum" in schema:
        return schema["enum"][0]
    return BY_TYPE[kinds](schema, name)


def _object(schema: Mapping[str, Any], _: str) -> dict[str, Any]:
    return {name: _value(schema["properties"][name], name) for name in schema.get("required", ())}


def _number(schema: Mapping[str, Any], name: str) -> Any:
    return BY_NAME.get(name, max(1, schema.get("minimum", 0)))


def _text(schema: Mapping[str, Any], name: str) -> str:
    pattern = schema.get("pattern", "")
    if prefix := PREFIX.match(pattern):
        return f"{prefix[1]}1"
    if "{64}" in pattern:
        return HEXADECIMAL
    value: str = BY_FORMAT.get(schema.get("format", "")) or BY_NAME.get(name, name)
    return value


BY_TYPE: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "object": _object,
    "array": lambda schema, name: [_value(schema["items"], name)],
    "boolean": lambda _, __: True,
    "integer": _number,
    "number": _number,
    "string": _text,
}
