"""The floors of the house: each file imports only from the floors below it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import redcore

SOURCE = Path(redcore.__file__).parent

FLOORS = [
    ["_version", "_values", "_shield"],
    ["_response", "_generated.models", "_generated"],
    ["exceptions", "limits"],
    ["_codec", "retry", "tokens.token_set"],
    ["_operation", "tokens.cache"],
    ["_generated.operations", "pagination", "tokens.single_flight", "tokens"],
    ["_generated.resources", "_steps"],
    ["auth", "session"],
    ["_engine"],
    ["_config", "options", "transport.tls", "transport.proxies", "transport.errors", "transport.body"],
    ["transport.bounded"],
    ["transport.given"],
    ["transport.pool"],
    ["transport"],
    ["client"],
    ["login.deadline", "login.application"],
    ["login.authorization", "login.device", "login.loopback"],
    ["login.browser"],
    ["login"],
    [""],
]
ON_THE_ROOF = {"testing"}  # packages of extras, which use the SDK as applications do
PURE = [
    "_values",
    "_response",
    "_generated.models",
    "exceptions",
    "limits",
    "_codec",
    "retry",
    "_operation",
    "_generated.operations",
    "_generated.resources",
    "pagination",
    "auth",
    "_engine",
    "_config",
    "session",
    "login.deadline",
    "login.device",
]
EFFECTS = {"asyncio", "threading", "socket", "ssl", "time", "random", "anyio", "trio", "sniffio", "httpx", "httpcore"}
EXTRAS = {"keyring", "redis", "aiohttp", "opentelemetry", "click", "rich", "pytest", "trio", "redcore_server"}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def package_of(module: str) -> str:
    return module.partition(".")[0]


def imports(module: str) -> Iterator[str]:
    """The full names of what a module of redcore imports, wherever in the file."""
    file = SOURCE / Path(*module.split(".")) if module else SOURCE
    source = (file / "__init__.py") if file.is_dir() else file.with_suffix(".py")
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner.removeprefix("redcore.") in MODULES else str(node.module)


MODULES = {name_of(file) for file in SOURCE.rglob("*.py")}
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor}
FLOOR |= {module: len(FLOORS) for module in MODULES if package_of(module) in ON_THE_ROOF}


def test_every_module_has_its_floor() -> None:
    """A new module is put on a floor."""
    assert set(FLOOR) == MODULES


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_arrow_points_up(module: str) -> None:
    """A module imports only from lower floors, or from its own."""
    ours = [name.removeprefix("redcore").lstrip(".") for name in imports(module) if name.split(".")[0] == "redcore"]

    assert [name for name in ours if FLOOR[name] > FLOOR[module]] == []


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_have_no_effects(module: str) -> None:
    """Protocol and policy import nothing that waits, sends or reads a clock."""
    assert {name.split(".")[0] for name in imports(module)} & EFFECTS == set()


def test_the_public_names_are_the_namespace() -> None:
    """`__all__` is sorted and lists exactly what can be had from redcore."""
    public = {name for name, value in vars(redcore).items() if not name.startswith("_") and not is_module(value)}

    assert set(redcore.__all__) == public
    assert len(redcore.__all__) == len(public)


def is_module(value: object) -> bool:
    return isinstance(value, type(sys))


def test_importing_redcore_loads_no_extra() -> None:
    """The base install works alone: no module of an extra is even looked for, but for what httpx itself finds."""
    probe = (
        "import sys, httpx; before = set(sys.modules); import redcore;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )

    loaded = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True)  # noqa: S603

    assert set(loaded.stdout.split()) & EXTRAS == set()
