"""Shows one operation three ways: in Python, on the command line and with curl, from the examples of the spec."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from redcore._resources import generated
from redcore.cli.description import Command, Parameter
from redcore.cli.generated import COMMANDS

Json: TypeAlias = Mapping[str, Any]
BY_OPERATION: Final = {command.operation_id: command for command in COMMANDS}
TITLES: Final = {"python": "Python", "console": "Command line", "bash": "curl"}
WIDEST: Final = 88
"""Characters that a page shows without scrolling, as in docs/ruff.toml."""


def tabs(operation: Json, method: str, path: str, body: Json | None) -> str:
    """The ways to make this call, as tabs in MyST."""
    shown = {
        "python": python(operation),
        "console": command_line(operation["operationId"], body or {}),
        "bash": curl(method, path, body),
    }
    items = (
        f":::{{tab-item}} {TITLES[language]}\n```{language}\n{code}\n```\n:::"
        for language, code in shown.items()
        if code
    )
    return "::::{tab-set}\n" + "\n".join(items) + "\n::::"


def python(operation: Json) -> str:
    """The example of the generated method; empty if there is no such method."""
    (tag,) = operation["tags"]
    owner = getattr(generated, "".join(word.capitalize() for word in tag.split("_")), None)
    method = getattr(owner, operation["operationId"].removeprefix(f"{tag}_"), None)
    _, _, example = (inspect.getdoc(method) or "").partition("Example:\n") if method else ("", "", "")
    call = inspect.cleandoc(example)
    if not call:
        return ""
    line = f"    print({call})"
    if len(line) > WIDEST:
        name, _, arguments = call.removesuffix(")").partition("(")
        line = f"    print(\n        {name}(\n            {arguments}\n        )\n    )"
    return f"from redcore import Client\n\nwith Client() as client:\n{line}"


def command_line(operation_id: str, body: Json) -> str:
    """The command, with the example's values; empty if there is none."""
    command = BY_OPERATION.get(operation_id)
    if command is None:
        return ""
    words = ["redcore", command.group, command.name, *(argument.prefix + "4711" for argument in command.arguments)]
    line = "$ " + shlex.join([*words, *options(command, body)])
    return line if len(line) <= WIDEST else line.replace(" --", " \\\n    --")


def options(command: Command, body: Json) -> Iterator[str]:
    """The options that the example of the body gives, and those that must be given."""
    for option in command.options:
        if option.name in body or option.required:
            for value in values(option, body):
                yield from (option.flag, value)


def values(option: Parameter, body: Json) -> list[str]:
    """What an option is given, once for each item of a list."""
    value = body.get(option.name, option.name)
    if option.kind == "list" and isinstance(value, list):
        return [str(item) for item in value]
    return [value if isinstance(value, str) else json.dumps(value)]


def curl(method: str, path: str, body: Json | None) -> str:
    """The same request by curl, with the variables that the SDK reads."""
    origin = '"$REDCORE_BASE_URL' + path.removeprefix("/v1") + '"' if path.startswith("/v1/") else f'"$ORIGIN{path}"'
    lines = [f"curl {origin}" if method == "GET" else f"curl -X {method} {origin}"]
    lines.append('  -H "Authorization: Bearer $REDCORE_API_KEY"')
    if body is not None:
        lines.append("  -H 'Content-Type: application/json'")
        lines.append("  -d " + shlex.quote(json.dumps(body, ensure_ascii=False)))
    return " \\\n".join(lines)
