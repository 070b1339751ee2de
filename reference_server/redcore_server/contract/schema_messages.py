"""Says what is wrong with a value, in our own words.

The words of the validator quote the whole value and the dialect of JSON Schema; these quote little and name what would
be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import jsonschema_rs

from redcore_server.contract.spec import Rule
from redcore_server.errors import Detail

_MAX_QUOTED: Final = 40

_TYPES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a text",
}
_ADDRESS: Final = "an e-mail address"
_FORMATS: Final = {
    "date-time": "a time such as 2026-01-15T10:00:00Z",
    "idn-email": _ADDRESS,
    "uri": "a URI",
    "uuid": "a UUID",
}

# What the patterns of texts for people are about; a test compares. Any other is quoted.
_PATTERNS: Final[Mapping[str, Callable[[object], str]]] = {
    r"^[^\s\x00-\x1f\x7f-\x9f\xad<>\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$": (
        lambda value: f"{_quoted(value)} is not {_ADDRESS}"
    ),
    r"^([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f\u2028\u2029][^\x00-\x1f\x7f-\x9f\u2028\u2029]*)?$": (
        lambda _value: "must not be blank or have control characters"
    ),
}

# The keywords of JSON Schema that the contract uses in requests; a test compares.
_WORDS: Final[Mapping[str, Callable[[Mapping[str, Any], object], str]]] = {
    "enum": lambda facts, _value: f"must be one of {', '.join(map(str, facts['options']))}",
    "format": lambda facts, value: f"{_quoted(value)} is not {_FORMATS[facts['format']]}",
    "maximum": lambda facts, _value: f"must be at most {facts['limit']}",
    "maxItems": lambda facts, _value: f"must have at most {facts['limit']} entries",
    "maxLength": lambda facts, _value: f"must have at most {facts['limit']} characters",
    "minimum": lambda facts, _value: f"must be at least {facts['limit']}",
    "minItems": lambda _facts, _value: "must not be empty",
    "minLength": lambda _facts, _value: "must not be empty",
    "pattern": lambda facts, value: _mismatch(facts["pattern"], value),
    "type": lambda facts, _value: f"must be {' or '.join(_TYPES[name] for name in facts['types'])}",
    "uniqueItems": lambda _facts, _value: "must not have an entry twice",
}


def issues(rule: Rule, value: object, name: str) -> Iterator[Detail]:
    """Yield every problem of a value.

    Args:
        rule: that it must obey.
        value: as read from JSON.
        name: of the value, for problems of the whole.
    """
    if rule.validator.is_valid(value):
        return
    # An e-mail address may break its format and its pattern, which is told once.
    yield from dict.fromkeys(detail for error in rule.validator.iter_errors(value) for detail in _details(error, name))


def _details(error: jsonschema_rs.ValidationError, name: str) -> Iterator[Detail]:
    path = [str(part) for part in error.instance_path]
    keyword, facts = error.kind.name, error.kind.as_dict()
    if keyword == "required":
        yield Detail(".".join([*path, facts["property"]]), "is required")
    elif keyword == "additionalProperties":
        for unexpected in facts["unexpected"]:
            yield Detail(".".join([*path, unexpected]), "is not a field of this request")
    else:
        yield Detail(".".join(path) or name, _WORDS[keyword](facts, error.instance))


def _mismatch(pattern: str, value: object) -> str:
    said = _PATTERNS.get(pattern)
    return said(value) if said else f"must match {pattern}"


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
