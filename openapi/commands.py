"""The command line, derived from the spec: one command for each operation, with its options."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Final

from attrs import frozen
from descriptions import PAGE_PARAMETERS
from spec_file import Json, resolve, sentence

PREFIX: Final = re.compile(r"`([a-z]+_)…`")
"""The part of a path parameter's description that names the kind of its id."""
DESTRUCTIVE: Final = ("delete", "revoke", "rotate")
FORMATS: Final = {"binary": "file", "date-time": "timestamp", "password": "secret"}
KINDS: Final = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "object": "object"}


@frozen
class Parameter:
    """One argument or option of a command."""

    name: str
    kind: str
    required: bool
    help: str
    choices: tuple[str, ...]
    prefix: str

    @classmethod
    def of(cls, spec: Json, name: str, raw: Json, *, required: bool, description: str | None) -> Parameter:
        """Describe one parameter.

        Args:
            spec: The spec that `$ref`s refer to.
            name: The spec's name of it.
            raw: Its schema.
            required: Whether a request without it is refused.
            description: Its purpose; None to use that of the schema.
        """
        schema = resolve(spec, raw)
        text = sentence(description or schema.get("description"))
        items = resolve(spec, schema["items"]) if schema.get("type") == "array" else schema
        found = PREFIX.search(text)
        return cls(
            name, cls.kind_of(schema), required, text, tuple(items.get("enum", ())), found.group(1) if found else ""
        )

    @staticmethod
    def kind_of(schema: Json) -> str:
        """Return the kind of value that a schema takes."""
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kind = next(name for name in types if name != "null")
        if kind == "array":
            return "list"
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        return "choice" if "enum" in schema else KINDS[kind]


@frozen
class Command:
    """One command of the command line."""

    group: str
    name: str
    resource: str
    operation: str
    method: str
    path: str
    help: str
    description: str
    scope: str
    arguments: list[Parameter]
    options: list[Parameter]
    columns: list[str]
    keyed: bool
    paged: bool
    destructive: bool
    examples: list[str]


def command(spec: Json, name: str, method: str, path: str, op: Json) -> Command:
    """Describe the command of one operation."""
    tag = op["tags"][0]
    group, short = placed(tag, name.removeprefix(f"{tag}_"))
    scopes = [scope for requirement in op["security"] for scope in requirement.get("oauth2", [])]
    query = [q for q in op["parameters"] if q["in"] == "query" and q["name"] not in PAGE_PARAMETERS]
    options = [
        Parameter.of(spec, q["name"], q["schema"], required=q.get("required", False), description=q.get("description"))
        for q in query
    ]
    return Command(
        group=group,
        name=short.replace("_", "-"),
        resource=tag,
        operation=name.removeprefix(f"{tag}_"),
        method=method.upper(),
        path=path,
        help=sentence(op["summary"]),
        description=sentence(op.get("description")),
        scope=scopes[0] if scopes else "",
        arguments=[
            Parameter.of(spec, q["name"], q["schema"], required=True, description=q.get("description"))
            for q in op["parameters"]
            if q["in"] == "path"
        ],
        options=[*body_parameters(spec, op), *options],
        columns=columns(spec, op),
        keyed=op.get("x-redcore-idempotency") == "key",
        paged="x-redcore-pagination" in op,
        destructive=short.startswith(DESTRUCTIVE),
        examples=examples(spec, f"redcore {group} {short.replace('_', '-')}", op),
    )


def examples(spec: Json, words: str, op: Json) -> list[str]:
    """Return command lines that people can copy: the spec's examples of path and body, and a filter of a listing."""
    placed = [shlex.quote(q["example"]) for q in op["parameters"] if q["in"] == "path"]
    line = " ".join([words, *placed])
    if "requestBody" in op:
        body: Json = next(iter(resolve(spec, op["requestBody"])["content"].values())).get("example", {})
        kinds = {field.name: field.kind for field in body_parameters(spec, op)}
        objects = [value for value in body.values() if isinstance(value, dict)]
        piped = f"echo {shlex.quote(json.dumps(objects[0]))} | " if objects else ""
        options = [option for name, value in body.items() for option in given(name, value, kinds.get(name))]
        return [f"{piped}{' '.join([line, *options])}"] if body else []
    if "x-redcore-pagination" not in op:
        return [line]
    choices = [(q["name"], resolve(spec, q["schema"]).get("enum")) for q in op["parameters"] if q["in"] == "query"]
    chosen = [f"--{name} {values[0]}" for name, values in choices if values][:1]
    return [" ".join([line, *chosen, "--limit 5"]), f"{line} --all --json {','.join(columns(spec, op)[:2])}"]


def given(name: str, value: Any, kind: str | None) -> list[str]:
    """Return the options that give one field of the body; an object or a secret is read from stdin."""
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, list):
        return [f"{flag} {shlex.quote(str(item))}" for item in value]
    return [f"{flag} {'-' if kind in {'object', 'secret'} else shlex.quote(str(value))}"]


def placed(tag: str, short: str) -> tuple[str, str]:
    """Return the group and the name of a command: `get_me` of users is `me get`, `list_runs` `runs list`."""
    for suffix, group in (("_me", "me"), ("_runs", "runs"), ("_run", "runs")):
        if short.endswith(suffix):
            return group, short.removesuffix(suffix)
    return tag.replace("_", "-"), short


def body_parameters(spec: Json, op: Json) -> list[Parameter]:
    """Return the fields of the body, the required ones first."""
    if "requestBody" not in op:
        return []
    (media, *_) = resolve(spec, op["requestBody"])["content"].values()
    schema = resolve(spec, media["schema"])
    required = schema.get("required", [])
    fields = [
        Parameter.of(spec, name, raw, required=name in required, description=raw.get("description"))
        for name, raw in schema["properties"].items()
    ]
    return sorted(fields, key=lambda field: not field.required)


def columns(spec: Json, op: Json) -> list[str]:
    """Return the fields of the operation's answer, in the order of the spec; empty if it has none."""
    answer = resolve(spec, next(answer for status, answer in op["responses"].items() if status < "300"))
    content: dict[str, Any] = answer.get("content", {})
    if "application/json" not in content:
        return []
    schema = resolve(spec, content["application/json"]["schema"])
    data = resolve(spec, schema.get("properties", {}).get("data", schema))
    item = resolve(spec, data["items"]) if data.get("type") == "array" else data
    return list(item.get("properties", ()))
