"""Every flow is driven: a generator of steps that is called and forgotten would do nothing, without an error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import redcore

SOURCE = Path(redcore.__file__).parent
FILES = [file for file in sorted(SOURCE.rglob("*.py")) if "Flow[" in file.read_text()]


def returns_flow(node: ast.AST) -> bool:
    """Return whether a function is annotated to return a flow."""
    return isinstance(node, ast.FunctionDef) and node.returns is not None and "Flow[" in ast.unparse(node.returns)


@cache
def clear() -> set[str]:
    """Return the names that identify a flow by themselves; others do on `self`, in a class with such a method."""
    nodes = [node for file in SOURCE.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {n.name for n in functions if returns_flow(n)} - {n.name for n in functions if not returns_flow(n)}


def gives_flow(node: ast.expr, own: set[str]) -> bool:
    """Return whether an expression is a call that gives a flow."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
            return name in own | clear()
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return name in clear()
        case _:
            return False


def ends(node: ast.AST) -> list[ast.expr]:
    """Return the expressions that a node uses in a way that discards a generator."""
    match node:
        case ast.Expr(value=value) | ast.Yield(value=ast.expr() as value) | ast.Await(value=value):
            return [value]
        case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test) | ast.IfExp(test=test):
            return [test]
        case ast.BoolOp(values=values):
            return values
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Compare(left=left, comparators=comparators):
            return [left, *comparators]
        case _:
            return []


def forgotten(node: ast.AST, own: frozenset[str] = frozenset()) -> Iterator[int]:
    """Return the lines on which a flow is made but never driven."""
    if isinstance(node, ast.ClassDef):
        own = frozenset(
            method.name for method in node.body if isinstance(method, ast.FunctionDef) and returns_flow(method)
        )
    yield from (end.lineno for end in ends(node) if gives_flow(end, {*own}))
    for child in ast.iter_child_nodes(node):
        yield from forgotten(child, own)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_every_flow_is_driven(file: Path) -> None:
    """A call that gives a flow is followed by `yield from`, returned, kept or passed on."""
    assert list(forgotten(ast.parse(file.read_text()))) == []


@pytest.mark.parametrize(
    "line",
    [
        "self.read()",
        "yield self.read()",
        "if self.read(): pass",
        "done = not self.read()",
        "x = self.read() is None",
        "self._engine._renewed(budget)",
    ],
)
def test_a_flow_that_is_not_driven_is_found(line: str) -> None:
    """The test finds each of the mistakes that it guards against."""
    source = f"class A:\n def read(self) -> Flow[bytes]:\n  {line}"

    assert list(forgotten(ast.parse(source))) == [3]


def test_the_engine_is_looked_at() -> None:
    """The files with the flows of calls, tokens and transfers are among those that are read."""
    read = {str(file.relative_to(SOURCE)) for file in FILES}

    assert read >= {"_call/engine.py", "_call/authenticator.py", "_call/token_store.py", "_transfer/download.py"}
    assert {"_renewed", "bearer", "log_in"} <= clear()
