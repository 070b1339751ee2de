"""A ledger of everything that was acknowledged, with its whole content, compared with the primary afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from redcore import RedcoreError

Content = Mapping[str, Any]
GONE: Content = {}

# The compared columns of each kind, and those that are unique, which shows a create that was done twice.
COLUMNS = {
    "products": ("name", "sku", "price", "stock", "status"),
    "users": ("name", "email", "role"),
    "api_keys": ("name", "scopes", "is_revoked"),
    "files": ("name", "size", "sha256"),
}
_EXPRESSIONS = {"is_revoked": sql.SQL("revoked_at is not null as is_revoked")}


@attrs.define
class Entry:
    """One resource.

    Attributes:
        contents: What may be read of it: the content acknowledged last, and those of changes that ended without an
            answer. `GONE` is a deleted one.
        changes: How often a change has begun or ended.
        is_changing: Whether a change is under way; there is one at a time.
    """

    contents: tuple[Content, ...]
    changes: int = 0
    is_changing: bool = False


@attrs.define
class Ledger:
    """Everything that was acknowledged, by table and id."""

    entries: dict[str, dict[str, Entry]] = attrs.field(factory=lambda: {table: {} for table in COLUMNS})

    def created(self, table: str, resource: Any, **more: Any) -> str:
        """Enter a resource as the answer to its creation describes it; returns its id."""
        content = {column: more.get(column, getattr(resource, column, None)) for column in COLUMNS[table]}
        self.entries[table][resource.id] = Entry((_plain(content),))
        return str(resource.id)

    def settled(self, table: str) -> list[str]:
        """Return the ids that exist for certain, and are not being changed."""
        return [
            name for name, entry in self.entries[table].items() if GONE not in entry.contents and not entry.is_changing
        ]

    @contextlib.contextmanager
    def change(self, table: str, name: str, **values: Any) -> Iterator[None]:
        """Enter a change if the block ends well, and as a possibility if it ends without an answer.

        Args:
            table: Kind of the resource.
            name: Its id.
            values: New values; none at all is a deletion.
        """
        entry = self.entries[table][name]
        after = [{**content, **_plain(values)} if values else GONE for content in entry.contents]
        entry.is_changing, entry.changes = True, entry.changes + 1
        try:
            yield
        except RedcoreError:
            entry.contents = (*entry.contents, *after)
            raise
        else:
            entry.contents = tuple(after)
        finally:
            entry.is_changing, entry.changes = False, entry.changes + 1

    def compare(self, database_url: str) -> tuple[list[str], int]:
        """Return what is lost on the primary, and how many creates were done twice.

        The load continues meanwhile: only rows that were acknowledged before and not changed since are compared.
        """
        before = {
            table: {name: entry.changes for name, entry in entries.items() if not entry.is_changing}
            for table, entries in self.entries.items()
        }
        lost: list[str] = []
        doubled = 0
        with psycopg.connect(database_url, row_factory=dict_row) as connection:
            for table, columns in COLUMNS.items():
                rows = _rows(connection, table, columns)
                lost += [
                    f"{table} {name}: {rows.get(name, GONE)}, not {' or '.join(map(str, entry.contents))}"
                    for name, changes in before[table].items()
                    if (entry := self.entries[table][name]).changes == changes
                    and rows.get(name, GONE) not in entry.contents
                ]
                names = [row["name"] for row in rows.values()]
                doubled += len(names) - len(set(names))
        return lost, doubled


def _rows(connection: psycopg.Connection[dict[str, Any]], table: str, columns: tuple[str, ...]) -> dict[str, Content]:
    listed = sql.SQL(", ").join(_EXPRESSIONS.get(column, sql.Identifier(column)) for column in columns)
    # Rows from before the load have other names.
    query = sql.SQL("select id, {} from {} where name like 'load %'").format(listed, sql.Identifier(table))
    return {row.pop("id"): row for row in connection.execute(query).fetchall()}


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as PostgreSQL gives them."""
    plain = {key: [*map(str, value)] if isinstance(value, list | tuple) else value for key, value in content.items()}
    return {key: str(value) if key in {"role", "status"} else value for key, value in plain.items()}
