"""What the package offers is in its documentation: operations, public names, error codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from tests.docs.markdown_blocks import REPOSITORY

import redcore
from redcore._resources import generated
from redcore.cli.generated import COMMANDS

SPEC = yaml.safe_load((REPOSITORY / "openapi" / "redcore.yaml").read_text(encoding="utf-8"))
OPERATIONS = {
    operation["operationId"]: operation
    for item in SPEC["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict) and "operationId" in operation
}
FOR_PROGRAMS = {
    name
    for name, operation in OPERATIONS.items()
    if operation.get("x-redcore-sdk", True) and operation.get("x-redcore-resource", True)
}


def texts(*folders: str) -> str:
    """All pages and programs below some folders."""
    paths = (path for folder in folders for path in Path(REPOSITORY, folder).rglob("*"))
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.suffix in {".md", ".rst", ".py"})


@pytest.mark.parametrize("name", sorted(FOR_PROGRAMS))
def test_operation_is_a_method_and_is_used(name: str) -> None:
    """Each operation is a method of the SDK, and a test or an example calls it."""
    (tag,) = OPERATIONS[name]["tags"]
    method = name.removeprefix(f"{tag}_")
    assert hasattr(getattr(generated, "".join(word.capitalize() for word in tag.split("_"))), method)
    assert re.search(rf"\b{tag}\.{method}\(", texts("tests", "examples", "docs"))


def test_every_operation_of_the_api_is_a_command() -> None:
    """The command line has what the SDK has under `/v1/`."""
    commands = {command.operation_id for command in COMMANDS}
    wanted = {
        operation["operationId"]
        for path, item in SPEC["paths"].items()
        if path.startswith("/v1/")
        for operation in item.values()
        if isinstance(operation, dict) and operation.get("operationId") in FOR_PROGRAMS
    }
    assert wanted - commands == set()


def test_every_public_name_is_in_the_reference() -> None:
    """A name of `redcore.__all__` is described in docs/reference."""
    reference = texts("docs/reference")
    described_by_module = {name for name in redcore.__all__ if name.endswith("Error") or name in _names_of_tokens()}
    missing = {
        name for name in redcore.__all__ if name not in described_by_module and not re.search(rf"\b{name}\b", reference)
    }
    assert missing == set()


def _names_of_tokens() -> set[str]:
    """What `automodule:: redcore.tokens` describes."""
    return {name for name in dir(redcore.tokens) if not name.startswith("_")}


def test_every_error_code_says_what_to_do() -> None:
    """The catalogue of docs/errors.md has each code of the spec."""
    catalogue = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = SPEC["components"]["schemas"]["ErrorCode"]["enum"]
    assert [code for code in codes if code not in catalogue] == []
