"""Numbers in the code say where they come from: a constant names its source or its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src/redcore", "reference_server/redcore_server", "openapi")
OF_NUMBERS = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Tuple, ast.Call, ast.keyword)
SIMPLE = {0.0, 1.0, -1.0}  # say nothing by themselves: a start, a step, a switch


def numbers(value: ast.expr) -> set[float]:
    """The numbers that an expression consists of, with names of other constants; empty for any other expression."""
    nodes = [node for node in ast.walk(value) if not isinstance(node, ast.Name | ast.Attribute | ast.expr_context)]
    if not all(isinstance(node, OF_NUMBERS) for node in nodes):
        return set()
    found = [node.value for node in nodes if isinstance(node, ast.Constant)]
    numeric = {value for value in found if isinstance(value, int | float) and not isinstance(value, bool)}
    return numeric if all(value in numeric for value in found) else set()


def unexplained(source: str) -> Iterator[str]:
    """The constants with a number that have neither a comment on or above their line nor a docstring."""
    lines = source.splitlines()
    for scope in ast.walk(ast.parse(source)):
        if not isinstance(scope, ast.Module | ast.ClassDef):
            continue
        for node, following in zip(scope.body, [*scope.body[1:], None], strict=True):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                continue
            name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            if not name.isupper() or numbers(node.value) <= SIMPLE:
                continue
            is_commented = "#" in lines[node.lineno - 1] or lines[node.lineno - 2].startswith("#")
            is_documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if not is_commented and not is_documented:
                yield name


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_constant_with_a_number_has_a_reason(folder: str) -> None:
    """Its line, the line above or the docstring below says what set the number."""
    silent = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in unexplained(path.read_text(encoding="utf-8"))
    ]

    assert silent == []


def test_an_unexplained_number_is_found() -> None:
    """Also in arithmetic, in a call and in a tuple; not behind a comment or before a docstring."""
    source = "A = 5\nB = 2 * A\nC = span(3)\nD = (1, 2)\nE = 5  # why\nF = 5\n'''Why.'''\nG = 1\nH = {2: 'x'}\n"

    assert list(unexplained(source)) == ["A", "B", "C", "D"]
