"""The layers of the SDK: each folder imports only from the floors below it."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from tests.imports import Package, entries, folder_of

import redcore

SOURCE = Path(redcore.__file__).parent
SDK = Package(SOURCE)

FLOORS = [
    ["_base"],
    ["_spec"],
    ["exceptions"],
    ["_wire", "_paging"],
    ["pagination", "tokens", "hooks"],
    ["options"],
    ["_call"],
    ["_telemetry", "_transport", "_transfer"],
    ["_resources"],
    ["client"],
    ["login"],
    [""],
    ["testing", "cli"],  # extras, which use the SDK as applications do
]
WITH_EFFECTS = {"_transport", "tokens", "login", "testing", "cli"}
"""The folders that may wait, send or read a clock; all others only decide."""
EFFECTFUL = {
    "_base.abandoned": "sleeps, unless nothing waits for the result any more",
    "_base.cancellation": "awaits to the end",
    "_base.clock": "the clock of waits that are real",
    "_base.event_loops": "looks at which event loop runs",
    "_base.interrupts": "holds signals back",
    "_base.runtime": "the clock, the random numbers and the sleep that all others are handed",
    "_call.token_store": "asks a cache in a thread",
    "_paging.fetch": "fetches pages ahead in threads and tasks",
    "_wire.decoders": "guards msgspec with a lock",
    "_wire.multipart": "is iterated by HTTP libraries that await",
}
"""The modules of the other folders that may do so, and why."""
EFFECTS = {"asyncio", "threading", "socket", "ssl", "time", "random", "anyio", "trio", "sniffio", "httpx", "httpcore"}
FLOOR = {folder: number for number, floor in enumerate(FLOORS) for folder in floor}
CORE = Path(__file__).parent
PROCESSES = re.compile(r"\b(subprocess|multiprocessing|os\.fork|os\.spawn\w+|os\.posix_spawn)\b|ReferenceServer\(")
PURE = sorted(name for name in SDK.modules - EFFECTFUL.keys() if folder_of(name) not in WITH_EFFECTS)


def test_every_folder_has_its_floor() -> None:
    """A new folder is put on a floor; there are few enough of both to keep in mind."""
    assert set(FLOOR) == {folder_of(module) for module in SDK.modules}
    assert len([entry for entry in FLOOR if (SOURCE / entry).is_dir()]) <= 16
    assert len(FLOORS) <= 16
    assert len(entries(SOURCE)) <= 20


@pytest.mark.parametrize("module", sorted(SDK.modules))
def test_no_arrow_points_up(module: str) -> None:
    """A module imports only from lower floors, or from its own folder."""
    own, floor = folder_of(module), FLOOR[folder_of(module)]

    assert [
        name for name in SDK.own_imports(module) if folder_of(name) != own and FLOOR[folder_of(name)] >= floor
    ] == []


def test_no_import_cycle() -> None:
    """The modules can be ordered so that each comes after those it imports, within a folder too."""
    assert SDK.circle(among=SDK.modules - {""}) == []


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_have_no_effects(module: str) -> None:
    """Protocol and policy import nothing that waits, sends or reads a clock."""
    assert {name.split(".")[0] for name in SDK.imports(module)} & EFFECTS == set()


def test_the_tests_of_the_core_start_no_process() -> None:
    """Neither an interpreter nor a server, nor a fork: what needs one is tested in `tests/client/`."""
    others = [file for file in CORE.glob("*.py") if file != Path(__file__)]

    assert [file.name for file in others if PROCESSES.search(file.read_text(encoding="utf-8"))] == []


def test_all_public_names_can_be_imported() -> None:
    """`from redcore import *` brings exactly `__all__`, and `dir()` shows what is not loaded yet."""
    star: dict[str, object] = {}
    exec("from redcore import *", star)  # noqa: S102 (an import of all names is no expression)

    assert set(star) - {"__builtins__"} == set(redcore.__all__)
    assert len(redcore.__all__) == len(set(redcore.__all__))
    assert set(dir(redcore)) >= set(redcore.__all__)
    assert not [name for name in redcore.__all__ if star[name] is not getattr(redcore, name)]


def test_a_name_is_loaded_from_where_checkers_find_it() -> None:
    """The public names that type checkers see are those that are loaded at run time."""
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    declared = {
        alias.name: str(node.module)
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert set(declared) == set(redcore.__all__)
    assert [
        name for name in declared if getattr(import_module(declared[name]), name) is not getattr(redcore, name)
    ] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not public raises AttributeError as in any module, also for `hasattr` and imports."""
    with pytest.raises(AttributeError, match="module 'redcore' has no attribute 'Clinet'"):
        _ = redcore.Clinet  # type: ignore[attr-defined]  # that is the point

    assert not hasattr(redcore, "attrs")
