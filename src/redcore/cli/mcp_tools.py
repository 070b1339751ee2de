"""The tools of `redcore mcp`: their names, schemas and descriptions are the spec's, their calls the SDK's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import click

from redcore import Client
from redcore.cli.description import Command, Parameter
from redcore.cli.generated import COMMANDS
from redcore.cli.operations import DEFAULT_LIMIT, PAGE

SECRET_FIELDS = frozenset({"key", "client_secret"})
"""What no assistant is to see: operations that give one are not offered."""
MOST_TEXT_BYTES = 64 * 1024
"""Of a file that an assistant reads: more would push everything else out of its context."""
TYPES = {"integer": "integer", "number": "number", "boolean": "boolean", "list": "array", "object": "object"}


class Data(NamedTuple):
    """What a tool gives, as text and as data."""

    text: str
    structured: dict[str, Any]


class Tool:
    """One operation as a tool."""

    def __init__(self, described: Command) -> None:
        self._described = described
        self.scope: str = described.scope
        self.is_destructive: bool = described.destructive

    @property
    def name(self) -> str:
        """The spec's operationId."""
        return self._described.operation_id

    def described(self) -> dict[str, Any]:
        """Describe the tool as the protocol does."""
        command = self._described
        return {
            "name": self.name,
            "title": command.help,
            "description": f"{command.description or command.help} Needs the scope {command.scope}.".replace("`", ""),
            "inputSchema": self.schema(),
            "annotations": {
                "title": command.help,
                "readOnlyHint": command.method == "GET",
                "destructiveHint": command.destructive,
                "idempotentHint": command.method in {"GET", "PATCH", "DELETE"},
                "openWorldHint": False,
            },
        }

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the arguments."""
        parameters = [*self._described.arguments, *self._parameters()]
        properties = {parameter.name: property_of(parameter) for parameter in parameters}
        if self._described.paged:
            text = f"Items at most; {DEFAULT_LIMIT} if left out."
            properties["limit"] = {"type": "integer", "minimum": 1, "maximum": PAGE, "description": text}
        return {
            "type": "object",
            "properties": properties,
            "required": [parameter.name for parameter in parameters if parameter.required],
            "additionalProperties": False,
        }

    def question(self, given: Mapping[str, Any]) -> str:
        """Ask whether to go on."""
        names = " ".join(str(given.get(parameter.name, "?")) for parameter in self._described.arguments)
        return f"{self._described.help}: {names}? This cannot be undone."

    def call(self, client: Client, given: Mapping[str, Any]) -> Data:
        """Make the call.

        Raises:
            RedcoreError: as the SDK does.
            click.UsageError: an argument is missing, unknown or of another kind.
        """
        schema = self.schema()
        if missing := [name for name in schema["required"] if name not in given]:
            raise click.UsageError(f"Missing: {', '.join(missing)}.")
        if unknown := given.keys() - schema["properties"].keys():
            raise click.UsageError(f"Unknown: {', '.join(sorted(unknown))}.")
        positional = [self._checked(parameter, given[parameter.name]) for parameter in self._described.arguments]
        names = {parameter.name for parameter in self._described.arguments} | {"limit"}
        values = {name: value for name, value in given.items() if name not in names}
        return self._made(client, positional, values, given)

    def _made(self, client: Client, positional: list[str], values: dict[str, Any], given: Mapping[str, Any]) -> Data:
        resource = getattr(client, self._described.resource)
        if self._described.paged:
            walker = getattr(resource, self._described.operation.replace("list", "list_all", 1))
            limit = min(int(given.get("limit", DEFAULT_LIMIT)), PAGE)
            items = islice((item for page in walker(page_size=limit, **values) for item in page), limit)
            return as_data({"items": [item.to_dict() for item in items]})
        result = getattr(resource, self._described.operation)(*positional, **values)
        return as_data({"done": True} if result is None else result.to_dict())

    def _parameters(self) -> Iterable[Parameter]:
        return self._described.options

    @staticmethod
    def _checked(parameter: Parameter, value: Any) -> str:
        if parameter.prefix and not str(value).startswith(parameter.prefix):
            raise click.UsageError(f"{parameter.name} begins with {parameter.prefix}, which {value!r} does not.")
        return str(value)


class Upload(Tool):
    """Stores a text as a file: an assistant is given no file of this machine."""

    def _parameters(self) -> Iterable[Parameter]:
        return (
            Parameter("name", "text", "Name to store it under.", required=True),
            Parameter("content", "text", "The text of the file.", required=True),
        )

    def _made(self, client: Client, positional: list[str], values: dict[str, Any], given: Mapping[str, Any]) -> Data:  # noqa: ARG002 (as above)
        return as_data(client.files.upload(file=str(given["content"]).encode(), name=str(given["name"])).to_dict())


class Download(Tool):
    """Reads the beginning of a text file."""

    def _made(self, client: Client, positional: list[str], values: dict[str, Any], given: Mapping[str, Any]) -> Data:  # noqa: ARG002 (as above)
        start = b""
        with client.files.stream(positional[0]) as pieces:
            for piece in pieces:
                start += piece
                if len(start) > MOST_TEXT_BYTES:
                    break
        text = start[:MOST_TEXT_BYTES].decode(errors="replace")
        return Data(text, {"text": text, "truncated": len(start) > MOST_TEXT_BYTES})


SPECIAL: dict[str, type[Tool]] = {"files_upload": Upload, "files_download": Download}


def chosen_tools(*, writes: bool) -> dict[str, Tool]:
    """Return the tools that are offered, by name.

    Args:
        writes: Whether those that create, change and delete are among them.
    """
    offered = (
        SPECIAL.get(described.operation_id, Tool)(described)
        for described in COMMANDS
        if described.resource != "auth" and not gives_secret(described) and (writes or described.method == "GET")
    )
    return {tool.name: tool for tool in offered}


def gives_secret(described: Command) -> bool:
    """Whether the result of an operation holds a secret."""
    return not SECRET_FIELDS.isdisjoint(described.columns)


def why_not(name: str) -> str:
    """Say why no tool of this name is offered, and what a person can do instead."""
    described = next((c for c in COMMANDS if c.operation_id == name and c.resource != "auth"), None)
    if described is None:
        return f"There is no tool {name!r}."
    if gives_secret(described):
        reason = "it gives a secret, which no assistant is to see"
    else:
        reason = "it changes something, and the tools were started without --allow-writes"
    return f"{name} is not offered: {reason}. A person can run: redcore {described.group} {described.name}"


def property_of(parameter: Parameter) -> dict[str, Any]:
    """Return the JSON Schema of one argument."""
    schema: dict[str, Any] = {"type": TYPES.get(parameter.kind, "string"), "description": parameter.help}
    if parameter.kind == "list":
        schema["items"] = {"type": "string", **({"enum": list(parameter.choices)} if parameter.choices else {})}
    elif parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.prefix:
        schema["pattern"] = f"^{parameter.prefix}"
    return schema


def as_data(answer: dict[str, Any]) -> Data:
    """Return plain data as a tool gives it, without secrets wherever they are."""
    clean = {name: value for name, value in answer.items() if name not in SECRET_FIELDS}
    return Data(json.dumps(clean, ensure_ascii=False), clean)
