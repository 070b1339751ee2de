"""The floors of the house: each file imports only from the floors below it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import redcore

SOURCE = Path(redcore.__file__).parent

FLOORS = [
    [
        "_base",
        "_wire",
        "_call",
        "_paging",
        "_resources",
        "_transfer",
        "_base.version",
        "_base.values",
        "_wire.decoders",
        "_call.cancellation",
        "_base.log",
        "_wire.progress",
    ],
    ["_base.response", "_spec.models", "_spec"],
    ["exceptions", "_call.rate_limit"],
    ["_wire.sources", "_wire.callbacks"],
    ["_wire.multipart"],
    ["_wire.codec", "_call.headers", "hooks", "tokens.token_set"],
    [
        "options",
        "_wire.encoding",
        "tokens.cache",
        "tokens.file_lock",
        "tokens.encryption",
        "tokens.keyring_entry",
        "tokens.redis_client",
        "_paging.walk",
    ],
    ["_paging.fetch", "_wire.raw_response", "_call.retry"],
    [
        "_spec.operations",
        "pagination",
        "tokens.single_flight",
        "tokens.redis_entry",
        "tokens.file",
        "tokens.keyring",
        "tokens.redis",
        "tokens",
    ],
    ["_resources.generated", "_resources.generated_raw", "_wire.custom_request", "_call.steps"],
    ["_call.observers", "_call.attempts", "_resources.auth", "_call.token_store"],
    ["_call.authenticator"],
    ["_call.engine", "_transfer.destination", "_telemetry.urls"],
    ["_transfer.download"],
    ["_transfer.transfers"],
    ["_resources.files"],
    ["_resources.workflows"],
    ["_telemetry.log", "_telemetry.otel"],
    ["_telemetry.telemetry"],
    ["_telemetry"],
    ["_call.config", "_transport.tls", "_transport.proxies", "_transport.errors", "_transport.body_reader"],
    ["_transport.timeouts"],
    ["_transport.per_loop"],
    ["_transport.connecting"],
    [
        "_transport.deadline_backend",
        "_transport.lifecycle",
        "_transport.asyncio_backend",
        "_transport.trio_backend",
        "_transport.httpcore_request",
    ],
    ["_transport.connections"],
    ["_transport.streamed_response"],
    ["_call.pickling", "_transport.httpx_client"],
    ["_transport.pool", "_transport.aiohttp_client"],
    ["_transport"],
    ["_transport.perform"],
    ["client"],
    ["login.deadline", "login.application"],
    ["login.authorization", "login.device", "login.loopback"],
    ["login.browser"],
    ["login"],
    [""],
]
ON_THE_ROOF = {"testing"}  # packages of extras, which use the SDK as applications do
PURE = [
    "_base.values",
    "_wire.callbacks",
    "_base.response",
    "_spec.models",
    "exceptions",
    "_call.rate_limit",
    "_wire.codec",
    "_call.retry",
    "_wire.encoding",
    "tokens.encryption",
    "tokens.keyring_entry",
    "tokens.redis_entry",
    "_spec.operations",
    "_resources.generated",
    "_paging.walk",
    "_telemetry.urls",
    "_telemetry.log",
    "pagination",
    "_call.authenticator",
    "_call.headers",
    "hooks",
    "_call.observers",
    "_call.attempts",
    "_wire.raw_response",
    "_wire.custom_request",
    "_resources.generated_raw",
    "_call.engine",
    "_transfer.download",
    "_transfer.transfers",
    "_resources.files",
    "_call.config",
    "_call.pickling",
    "_resources.auth",
    "_resources.workflows",
    "login.deadline",
    "login.device",
]
EFFECTS = {"asyncio", "threading", "socket", "ssl", "time", "random", "anyio", "trio", "sniffio", "httpx", "httpcore"}
EXTRAS = {
    "keyring",
    "redis",
    "cryptography",
    "aiohttp",
    "opentelemetry",
    "click",
    "rich",
    "pytest",
    "trio",
    "redcore_server",
}


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


def test_all_public_names_can_be_had() -> None:
    """`from redcore import *` brings exactly `__all__`, and `dir()` shows what is not loaded yet."""
    star: dict[str, object] = {}
    exec("from redcore import *", star)  # noqa: S102 (an import of all names is no expression)

    assert set(star) - {"__builtins__"} == set(redcore.__all__)
    assert len(redcore.__all__) == len(set(redcore.__all__))
    assert set(dir(redcore)) >= set(redcore.__all__)
    assert not [name for name in redcore.__all__ if star[name] is not getattr(redcore, name)]


def test_a_name_is_loaded_from_where_checkers_find_it() -> None:
    """What type checkers are told about the public names is what happens when they are asked for."""
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    told = {
        alias.name: str(node.module)
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert set(told) == set(redcore.__all__)
    assert [name for name in told if getattr(import_module(told[name]), name) is not getattr(redcore, name)] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not public is missing as it is from any module, also for `hasattr` and imports."""
    with pytest.raises(AttributeError, match="module 'redcore' has no attribute 'Clinet'"):
        _ = redcore.Clinet  # type: ignore[attr-defined]  # that is the point

    assert not hasattr(redcore, "attrs")


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads in a new process."""
    probe = f"import sys; before = set(sys.modules)\n{statement}\nprint(*set(sys.modules) - before)"
    told = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True)  # noqa: S603
    return set(told.stdout.split())


def test_importing_redcore_loads_nothing_yet() -> None:
    """`import redcore` costs a program nearly nothing, until it asks for a name."""
    ours = {name for name in loaded_by("import redcore") if package_of(name) == "redcore"}

    assert ours == {"redcore", "redcore._base", "redcore._base.version"}
    assert loaded_by("import redcore") & {"httpx", "httpcore", "anyio", "attrs", "msgspec", "asyncio", "ssl"} == set()


@pytest.mark.parametrize("name", ["exceptions", "tokens"])
def test_the_public_modules_need_no_import_of_their_own(name: str) -> None:
    """`import redcore` is enough for `redcore.exceptions.…`."""
    assert f"redcore.{name}" in loaded_by(f"import redcore; redcore.{name}")


@pytest.mark.parametrize("module", ["redcore", "redcore.tokens"])
def test_the_public_names_load_no_extra(module: str) -> None:
    """The base install works alone: no module of an extra is even looked for, but for what httpx itself finds."""
    loaded = loaded_by(f"import httpx; before |= set(sys.modules); from {module} import *")

    assert {package_of(name) for name in loaded} & EXTRAS == set()
