"""Makes document nodes of plain values, for our directives. Text may hold code in backticks and no other markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from docutils import nodes
from sphinx import addnodes

Cell: TypeAlias = str | list[nodes.Node]


def inline(text: str) -> list[nodes.Node]:
    """Text in which backticks mark code."""
    pieces = enumerate(text.split("`"))
    return [nodes.literal("", piece) if place % 2 else nodes.Text(piece) for place, piece in pieces if piece]


def paragraphs(text: str) -> list[nodes.Node]:
    return [nodes.paragraph("", "", *inline(part)) for part in text.strip().split("\n\n") if part]


def joined(parts: Iterable[list[nodes.Node]], separator: str) -> list[nodes.Node]:
    return [node for part in parts for node in (nodes.Text(separator), *part)][1:]


def shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def json_block(value: object) -> nodes.literal_block:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return nodes.literal_block(text, text, language="json")


def link(domain: str, role: str, target: str, text: str) -> addnodes.pending_xref:
    """A reference that is resolved when all pages are read; a target that is nowhere fails the build."""
    target = target.lower() if domain == "std" else target
    return addnodes.pending_xref(
        "",
        nodes.literal("", text),
        refdomain=domain,
        reftype=role,
        reftarget=target,
        refexplicit=True,
        refwarn=True,
    )


def field_list(facts: Mapping[str, list[nodes.Node]]) -> nodes.field_list:
    return nodes.field_list(
        "",
        *(
            nodes.field("", nodes.field_name("", name), nodes.field_body("", nodes.paragraph("", "", *value)))
            for name, value in facts.items()
        ),
    )


def table(head: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> nodes.table:
    columns = (nodes.colspec(colwidth=1) for _ in head)
    body = nodes.tbody("", *map(row, rows))
    return nodes.table("", nodes.tgroup("", *columns, nodes.thead("", row(head)), body, cols=len(head)))


def row(cells: Iterable[Cell]) -> nodes.row:
    contents = (inline(cell) if isinstance(cell, str) else cell for cell in cells)
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in contents))
