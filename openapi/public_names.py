"""The public names of the packages: one table each, the imports of its `__init__.py`.

`__all__`, and `_HOMES` of the names that are loaded on first use, are rendered from these imports.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

PACKAGES = ("__init__.py", "login/__init__.py", "testing/__init__.py", "tokens/__init__.py")


def public_names(target: Path) -> dict[str, str]:
    """Render the packages: path below src/redcore/ -> source."""
    return {name: completed((target / name).read_text()) for name in PACKAGES}


def completed(source: str) -> str:
    """Return the source of a package with the tables that follow from its imports."""
    tree = ast.parse(source)
    lazy = [node for block in tree.body if is_for_checkers(block) for node in block.body]
    tables = {"__all__": list(imported([*tree.body, *lazy])), "_HOMES": imported(lazy)}
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    lines = source.splitlines(keepends=True)
    for node in sorted(assignments, key=lambda each: -each.lineno):
        if (name := ast.unparse(node.targets[0])) in tables:
            lines[node.lineno - 1 : node.end_lineno] = [f"{' ' * node.col_offset}{name} = {tables[name]!r}\n"]
    return "".join(lines)


def is_for_checkers(node: ast.stmt) -> TypeGuard[ast.If]:
    """Return whether it is the block that only type checkers read."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(statements: Sequence[ast.stmt]) -> dict[str, str]:
    """Return the public names that statements import from the SDK, sorted, each with its module."""
    imports = [
        node for node in statements if isinstance(node, ast.ImportFrom) and str(node.module).startswith("redcore")
    ]
    homes = {alias.name: str(node.module) for node in imports for alias in node.names if not alias.name.startswith("_")}
    return {name: homes[name] for name in sorted(homes, key=by_kind)}


def by_kind(name: str) -> tuple[bool, bool, str]:
    """Sort constants before classes before functions, as ruff sorts `__all__` (RUF022)."""
    return not name.isupper(), not name[0].isupper(), name
