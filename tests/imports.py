"""The imports of a package's modules, read from their sources, and the cycles among them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import attrs


@attrs.define(slots=False)
class Package:
    """The sources of a package; its modules are named without the package, itself by the empty string."""

    source: Path

    @cached_property
    def modules(self) -> set[str]:
        """Return every module."""
        return {self._name_of(file) for file in self.source.rglob("*.py")}

    def imports(self, module: str) -> Iterator[str]:
        """Return the full names of a module's imports, anywhere in the file."""
        for node in ast.walk(ast.parse(self._file_of(module).read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield inner if self._inner(inner) in self.modules else str(node.module)

    def own_imports(self, module: str) -> set[str]:
        """Return the modules of the package that a module imports."""
        return {name for full in self.imports(module) if (name := self._inner(full)) in self.modules}

    def circle(self, group: Callable[[str], str] = str, among: Iterable[str] | None = None) -> list[str]:
        """Return a cycle of groups of modules that import each other; empty if there is none.

        Args:
            group: The group of a module; by default each module is its own.
            among: The modules to look at; None is all of them.
        """
        seen = self.modules if among is None else set(among)
        arrows: dict[str, set[str]] = {}
        for module in seen:
            targets = {group(name) for name in self.own_imports(module) & seen}
            arrows.setdefault(group(module), set()).update(targets - {group(module)})
        try:
            TopologicalSorter(arrows).prepare()
        except CycleError as error:
            return list(error.args[1])
        return []

    def _inner(self, full: str) -> str | None:
        top, _, rest = full.partition(".")
        return rest if top == self.source.name else None

    def _name_of(self, file: Path) -> str:
        return ".".join(file.relative_to(self.source).with_suffix("").parts).removesuffix("__init__").rstrip(".")

    def _file_of(self, module: str) -> Path:
        file = self.source / Path(*module.split(".")) if module else self.source
        return file / "__init__.py" if file.is_dir() else file.with_suffix(".py")


def folder_of(module: str) -> str:
    """Return the top-level entry of the package that a module is, or lies in."""
    return module.partition(".")[0]


def entries(folder: Path) -> list[str]:
    """Return the names in a folder, without `py.typed` and what Python or an editor leaves there."""
    left = {"__pycache__", "py.typed"}
    return sorted(file.name for file in folder.iterdir() if file.name not in left and not file.name.startswith("."))
