"""Describes schema violations in our own words, at a bounded cost.

The validator's messages quote the whole value and use JSON Schema terms; these quote little and say what is valid. The
validator collects all problems at once, so list lengths are checked before it sees the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, cast

import jsonschema_rs

from redcore_server.contract.spec import Rule
from redcore_server.errors import Detail

MAX_PROBLEMS: Final = 50  # more would not help, and the response stays far below 64 KiB
_MAX_QUOTED: Final = 40  # characters of a wrong value: enough to recognise it
_MAX_FIELD: Final = 200  # for the path of a field, which may be a name that the client invented
_MAX_OPTIONS: Final = 20  # names in one message
MAX_ENTRIES: Final = 1000  # for a list whose schema sets no maximum

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

# Descriptions of the patterns of human-readable texts; a test compares them with the spec. Other patterns are quoted.
_PATTERNS: Final[Mapping[str, Callable[[object], str]]] = {
    r"^[^\s\x00-\x1f\x7f-\x9f\xad<>\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$": (
        lambda value: f"{_quoted(value)} is not {_ADDRESS}"
    ),
    "^(([^\\s\\ufeff\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029][^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*)?[^\\s\\ufeff\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ue000-\\uf8ff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufdd0-\\ufdef\\ufff0-\\ufffc\\ufffe\\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]([^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*[^\\s\\ufeff\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029])?)?$": (  # noqa: E501
        lambda _value: "must not be blank, have blanks at its ends, or have control characters"
    ),
    "^([^\\s\\ufeff\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ue000-\\uf8ff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufdd0-\\ufdef\\ufff0-\\ufffc\\ufffe\\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]([^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ue000-\\uf8ff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufdd0-\\ufdef\\ufff0-\\ufffc\\ufffe\\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]*[^\\s\\ufeff\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ue000-\\uf8ff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufdd0-\\ufdef\\ufff0-\\ufffc\\ufffe\\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff])?)?$": (  # noqa: E501
        lambda _value: "must not be blank, have blanks at its ends, or have characters that cannot be seen"
    ),
}

# The JSON Schema keywords that the contract uses in requests; a test compares them with the spec.
_WORDS: Final[Mapping[str, Callable[[Mapping[str, Any], object], str]]] = {
    "enum": lambda facts, _value: f"must be one of {_listed(facts['options'])}",
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
    """Yield the problems of a value: only lists that are too long if there are any, else all problems.

    Args:
        rule: Schema of the value.
        value: Value parsed from JSON.
        name: Name of the value, for problems that concern all of it.
    """
    if rule.validator.is_valid(value):
        return
    if too_long := list(_too_long(rule.schema, rule.components, value)):
        yield from too_long
        return
    # An e-mail address may violate both its format and its pattern; this is reported once.
    yield from dict.fromkeys(detail for error in rule.validator.iter_errors(value) for detail in _details(error, name))


def first_of(problems: Iterable[Detail]) -> list[Detail]:
    """Return the first problems, and a note if there are more.

    Args:
        problems: Problems of one request.
    """
    found = list(islice(problems, MAX_PROBLEMS + 1))
    if len(found) > MAX_PROBLEMS:
        found[MAX_PROBLEMS:] = [Detail("request", f"has more problems; these are the first {MAX_PROBLEMS}")]
    return found


def _too_long(schema: Mapping[str, Any], components: Mapping[str, Any], value: object, *path: str) -> Iterator[Detail]:
    """Yield a problem for each list with more entries than its schema allows."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list) and len(cast("list[object]", value)) > schema.get("maxItems", MAX_ENTRIES):
        yield Detail(_field(path), f"must have at most {schema.get('maxItems', MAX_ENTRIES)} entries")
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        for name, part in cast("dict[str, object]", value).items():
            if name in known:
                yield from _too_long(known[name], components, part, *path, name)


def _details(error: jsonschema_rs.ValidationError, name: str) -> Iterator[Detail]:
    path = [str(part) for part in error.instance_path]
    keyword, facts = error.kind.name, error.kind.as_dict()
    if keyword == "required":
        yield Detail(_field([*path, facts["property"]]), "is required")
    elif keyword == "additionalProperties":
        for unexpected in islice(facts["unexpected"], MAX_PROBLEMS + 1):
            yield Detail(_field([*path, unexpected]), "is not a field of this request")
    else:
        yield Detail(_field(path) or name, _WORDS[keyword](facts, error.instance))


def _mismatch(pattern: str, value: object) -> str:
    said = _PATTERNS.get(pattern)
    return said(value) if said else f"must match {pattern}"


def _field(path: Iterable[str]) -> str:
    return shortened(".".join(part[:_MAX_FIELD] for part in path), _MAX_FIELD)


def _listed(options: Iterable[object]) -> str:
    names = [str(option) for option in options]
    return ", ".join(names[:_MAX_OPTIONS]) + (", …" if len(names) > _MAX_OPTIONS else "")


def _quoted(value: object) -> str:
    start = value[: _MAX_QUOTED + 1] if isinstance(value, str) else value
    return shortened(repr(start), _MAX_QUOTED)


def shortened(text: str, length: int) -> str:
    """Return a text, truncated to a maximum length.

    Args:
        text: Text to quote.
        length: Maximum number of characters, without the truncation mark.
    """
    return text if len(text) <= length else f"{text[:length]}…"
