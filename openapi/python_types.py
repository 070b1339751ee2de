"""The Python names and types of what the parser read from the spec."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen
from openapi_python_client.parser import properties as p
from openapi_python_client.parser.properties.literal_enum_property import LiteralEnumProperty


def trusted(text: Any) -> str:
    """Return a text of the spec as written; the parser wraps it, as its spec could be anyone's."""
    return str(text.get_untrusted_value()) if hasattr(text, "get_untrusted_value") else str(text)


def wire(prop: Any) -> str:
    return trusted(prop.name)


def is_mapping(model: p.ModelProperty) -> bool:
    return not (model.required_properties or model.optional_properties) and bool(model.additional_properties)


def is_enum(prop: Any) -> bool:
    return isinstance(prop, p.EnumProperty | LiteralEnumProperty)


def type_of(prop: Any) -> str:
    """Return the Python type of one property, always without Unset."""
    match prop:
        case p.ListProperty():
            return f"tuple[{type_of(prop.inner_property)}, ...]"
        case p.UnionProperty():
            return " | ".join(dict.fromkeys(type_of(inner) for inner in prop.inner_properties))
        case p.FileProperty():
            return "FileContent"
        case p.ModelProperty() if is_mapping(prop):
            return f"Mapping[str, {type_of(prop.additional_properties)}]"
        case _:
            return str(prop.get_type_string(no_optional=True).as_unembedded_code())


def word(value: str) -> str:
    """Return the name of an enum's member: its value in capitals, its words separated."""
    return re.sub(r"\W+", "_", value).upper()


def input_type(prop: Any) -> str:
    """Return the type of an argument, which is wider than that of an answer."""
    if is_enum(prop):
        return f"{type_of(prop)} | Literal[{', '.join(repr(trusted(value)) for value in prop.values.values())}]"
    if isinstance(prop, p.ListProperty):
        return f"Sequence[{input_type(prop.inner_property)}]"
    return type_of(prop)


def properties(model: p.ModelProperty) -> list[Any]:
    return [*(model.required_properties or []), *(model.optional_properties or [])]


def inner_of(prop: Any) -> Any:
    """Return the property without its null."""
    if isinstance(prop, p.UnionProperty):
        known = [inner for inner in prop.inner_properties if not isinstance(inner, p.NoneProperty)]
        return known[0] if len(known) == 1 else prop
    return prop


def converter_of(prop: Any) -> str | None:
    """Return the name of the converter of a field's constructor argument."""
    match inner := inner_of(prop):
        case p.DateTimeProperty():
            return "moment"
        case p.ListProperty():
            found = Listed.of(inner)
            return "strings" if found is None else found.converter
        case _:
            return type_of(inner) if is_enum(inner) else None


@frozen
class Listed:
    """The item type of a list."""

    name: str
    is_enum: bool

    @property
    def converter(self) -> str:
        """Return the name of the function that makes a tuple of them."""
        return f"_{re.sub('(?<!^)(?=[A-Z])', '_', self.name).lower()}s"

    @classmethod
    def of(cls, prop: Any) -> Listed | None:
        """Return the items of a list of enums or models; None for anything else."""
        inner = inner_of(prop)
        if not isinstance(inner, p.ListProperty) or type_of(inner.inner_property) == "str":
            return None
        return cls(type_of(inner.inner_property), is_enum(inner.inner_property))
