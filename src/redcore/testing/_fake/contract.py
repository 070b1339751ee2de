"""The spec as the fake needs it: which operation a request is for, and what is wrong with the request.

Read from `contract.json`, which is made of openapi/redcore.yaml and comes with the package.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache, cached_property
from pkgutil import get_data
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import attrs
import msgspec

from redcore.exceptions import ConfigurationError
from redcore.testing._fake.call import Asked
from redcore.testing._fake.problem import Problem

try:
    import jsonschema_rs
except ModuleNotFoundError as problem:
    raise ConfigurationError("FakeBlueRound needs its extra: pip install 'redcore-sdk[testing]'") from problem

MAX_LIMIT = 100  # contract section 3


@attrs.frozen
class Operation:
    """One operation of the spec."""

    id: str
    method: str
    path: str
    scope: str | None
    """What the caller must be allowed to do; None for an operation of the OAuth service."""
    success: int
    keyed: bool
    query: Mapping[str, Mapping[str, Any]]
    """The schema of each query parameter."""
    body: Mapping[str, Any] | None
    """The schema of the JSON body."""
    answer: Mapping[str, Any] | None
    """The schema of the JSON of a success."""
    is_upload: bool
    schemas: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def glob(self) -> str:
        """Its path with `*` in place of each parameter."""
        return re.sub(r"\{[^}]+\}", "*", self.path)

    @cached_property
    def _body_rule(self) -> jsonschema_rs.Draft202012Validator:
        return self._rule(self.body or {})

    @cached_property
    def _answer_rule(self) -> jsonschema_rs.Draft202012Validator:
        return self._rule(self.answer or {})

    @cached_property
    def _query_rules(self) -> Mapping[str, jsonschema_rs.Draft202012Validator]:
        return {name: self._rule(schema) for name, schema in self.query.items()}

    def _rule(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        whole = {**schema, "components": {"schemas": self.schemas}}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)

    def parameters(self, query: str) -> dict[str, Any]:
        """The query's values, typed; a `limit` above the largest counts as that (contract section 3).

        Raises:
            Problem: VALIDATION_ERROR with every problem.
        """
        pairs = parse_qsl(query, keep_blank_values=True)
        given = dict(pairs)
        values: dict[str, Any] = {}
        problems = [(name, "is not a parameter of this operation") for name in given.keys() - self.query.keys()]
        times = Counter(name for name, _ in pairs)
        problems += [(name, "is given more than once") for name in given if times[name] > 1]
        problems += [(name, "must not contain the character U+0000") for name in given if "\0" in given[name]]
        for name, rule in self._query_rules.items():
            if name not in given:
                values[name] = self.query[name].get("default")
                continue
            value: Any = given[name]
            if self.query[name].get("type") in {"integer", "boolean"}:
                value = _typed(value)
            if name == "limit" and isinstance(value, int):
                value = min(value, MAX_LIMIT)
            problems += [problem_of(error, name) for error in rule.iter_errors(value)]
            values[name] = value
        if problems:
            raise invalid(problems)
        return values

    def json(self, asked: Asked) -> Any:
        """The body, checked.

        Raises:
            Problem: VALIDATION_ERROR with every problem; UNSUPPORTED_MEDIA_TYPE.
        """
        if self.body is None:
            return {}
        if not asked.content:
            raise invalid([("body", "is required")])
        media = asked.headers.get("content-type", "").lower().replace('"', "").replace(" ", "")
        if media not in {"application/json", "application/json;charset=utf-8"}:
            raise Problem("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.")
        try:
            value = msgspec.json.decode(asked.content)
        except msgspec.DecodeError as error:
            raise invalid([("body", f"is not valid JSON: {error}")]) from None
        if problems := self.body_problems(value):
            raise invalid(problems)
        return value

    def body_problems(self, value: Any) -> list[tuple[str, str]]:
        """What is wrong with a body: where, and what."""
        if self._body_rule.is_valid(value):
            return []
        return list(dict.fromkeys(problem_of(error, "body") for error in self._body_rule.iter_errors(value)))

    def answer_problems(self, value: Any) -> list[tuple[str, str]]:
        """What is wrong with the JSON of a success."""
        return [problem_of(error, "answer") for error in self._answer_rule.iter_errors(value)]


class Contract:
    """All operations, and the statuses of the error codes."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.version = str(content["version"])
        self.statuses = cast("Mapping[str, int]", content["statuses"])
        self.schemas = cast("Mapping[str, Any]", content["schemas"])
        self.scopes = sorted(cast("list[str]", content["scopes"]))
        self.operations = {
            each["id"]: Operation(**each, schemas=self.schemas) for each in cast("list[Any]", content["operations"])
        }

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation of a request, and the parameters of its path.

        Raises:
            Problem: RESOURCE_NOT_FOUND or METHOD_NOT_ALLOWED.
        """
        words = path.split("/")
        allowed: list[str] = []
        for operation in self.operations.values():
            values = _matched(operation.path.split("/"), words)
            if values is not None and operation.method == method:
                return operation, values
            if values is not None:
                allowed.append(operation.method)
        if "GET" in allowed:
            allowed.append("HEAD")
        if allowed:
            headers = {"Allow": ", ".join(sorted(allowed))}
            raise Problem("METHOD_NOT_ALLOWED", f"This address answers {headers['Allow']} only.", headers=headers)
        raise Problem("RESOURCE_NOT_FOUND", "There is nothing at this address.")


@cache
def contract() -> Contract:
    """The contract that came with this package, read once per process."""
    content = get_data("redcore.testing._fake", "contract.json")  # like code: a test may replace the file system
    return Contract(msgspec.json.decode(content or b""))


def invalid(problems: list[tuple[str, str]]) -> Problem:
    """What is malformed, field by field."""
    return Problem("VALIDATION_ERROR", "The request is not valid.", details=problems)


def _matched(template: list[str], words: list[str]) -> dict[str, str] | None:
    if len(template) != len(words):
        return None
    values: dict[str, str] = {}
    for expected, word in zip(template, map(unquote, words), strict=True):
        if expected.startswith("{") and word and "\0" not in word:
            values[expected.strip("{}")] = word
        elif expected != word:
            return None
    return values


def _typed(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if text.removeprefix("-").isdecimal() else text


def problem_of(error: jsonschema_rs.ValidationError, name: str) -> tuple[str, str]:
    """Where a value is wrong, and how.

    Args:
        error: What the validator found.
        name: Of the value, for problems of the whole.
    """
    path = [str(part) for part in error.instance_path]
    facts = error.kind.as_dict()
    if error.kind.name == "required":
        return ".".join([*path, str(facts["property"])]), "is required"
    if error.kind.name == "additionalProperties":
        return ".".join([*path, str(facts["unexpected"][0])]), "is not a field of this request"
    if error.kind.name in {"pattern", "format"}:  # the validator's words quote the whole pattern
        return ".".join(path) or name, "does not have the form that the documentation names"
    return ".".join(path) or name, error.message
