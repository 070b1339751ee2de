"""The documentation covers the package: operations, public names, error codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from tests.docs.markdown_blocks import REPOSITORY
from tests.spec import spec

import redcore.login
import redcore.testing
from redcore._resources import generated
from redcore.cli.generated import COMMANDS

OPERATIONS = {
    operation["operationId"]: operation
    for item in spec()["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict) and "operationId" in operation
}
FOR_PROGRAMS = {
    name
    for name, operation in OPERATIONS.items()
    if operation.get("x-redcore-sdk", True) and operation.get("x-redcore-resource", True)
}
MODULES = (redcore, redcore.exceptions, redcore.login, redcore.testing, redcore.tokens)
DIRECTIVE = re.compile(r"^\.\. (auto\w+|currentmodule):: (\S+)\n((?:   .*\n)*)", re.MULTILINE)

ROW = re.compile(r"^\| (\d[\d, ]+) \| (.*?) \| `(\w+)` \|", re.MULTILINE)
CODE = re.compile(r"`([A-Z_]+) <")


@cache
def texts(*folders: str) -> str:
    """Return all pages and programs below some folders."""
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
    """The command line covers the SDK's operations under `/v1/`."""
    commands = {command.operation_id for command in COMMANDS}
    wanted = {
        operation["operationId"]
        for path, item in spec()["paths"].items()
        if path.startswith("/v1/")
        for operation in item.values()
        if isinstance(operation, dict) and operation.get("operationId") in FOR_PROGRAMS
    }
    assert wanted - commands == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_name_is_described_in_the_reference(module: ModuleType) -> None:
    """A directive of docs/reference makes an anchor for each, here or in the module it comes from."""
    described = [id(thing) for page in (REPOSITORY / "docs" / "reference").rglob("*.rst") for thing in objects_of(page)]
    assert [name for name in module.__all__ if id(getattr(module, name)) not in described] == []


def objects_of(page: Path) -> Iterator[object]:
    """Yield the objects of autodoc's directives on a page; a module with `:members:` stands for its public names."""
    module = redcore
    for directive, name, options in DIRECTIVE.findall(page.read_text(encoding="utf-8")):
        if directive.endswith("module"):
            module = import_module(name)
            left_out = re.findall(r"\w+", options.partition(":exclude-members:")[2])
            names = getattr(module, "__all__", dir(module)) if ":members:" in options else []
            yield from (getattr(module, each) for each in names if each not in left_out)
        else:
            owner, _, last = name.removesuffix("()").rpartition(".")
            yield getattr(import_module(owner) if owner else module, last)


def test_every_error_code_says_what_to_do() -> None:
    """The catalogue of docs/errors.md has each code of the spec."""
    catalogue = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = spec()["components"]["schemas"]["ErrorCode"]["enum"]
    assert [code for code in codes if code not in catalogue] == []


def test_the_catalogue_has_the_class_of_each_error() -> None:
    """Each row names the class that is raised for its status and its codes."""
    rows = ROW.findall((REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8"))
    raised = [
        (code, redcore.RedcoreAPIError.for_status(int(status), code).__name__, name)
        for statuses, codes, name in rows
        for status in statuses.split(", ")
        for code in CODE.findall(codes)
    ]

    assert len(raised) > 15
    assert [each for each in raised if each[1] != each[2]] == []
