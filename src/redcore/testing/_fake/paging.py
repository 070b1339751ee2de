"""Pages of a listing: by offset, counted, or behind the item that a cursor names (contract section 3)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from redcore.testing._fake.call import Call, Reply, public
from redcore.testing._fake.contract import invalid
from redcore.testing._fake.state import Row, newest_first

OF_THE_PAGE = {"limit", "offset", "cursor", "include_total"}
FOREIGN = "is not a cursor of this listing with these filters; use the next_cursor of one of its pages"


def page(call: Call, rows: Iterable[Row]) -> Reply:
    """The page of the rows that the call asks for, newest first."""
    return cut(call, newest_first(rows), ("created_at", "id"))


def cut(call: Call, rows: Sequence[Row], key: tuple[str, ...]) -> Reply:
    """The page of the rows that the call asks for.

    Args:
        call: Of a listing operation.
        rows: All that the listing has, in its order.
        key: The fields that say where a row stands.
    """
    limit, start = call.query["limit"], call.query["offset"] or 0
    if call.query["cursor"] is not None:
        start = behind(call, rows, key)
    shown = rows[start : start + limit]
    is_last = start + limit >= len(rows)
    about: Row = {
        "limit": limit,
        "next_cursor": None if is_last else cursor_of(call, [shown[-1][name] for name in key]),
    }
    counted = call.query["include_total"]
    if call.query["cursor"] is None if counted is None else counted:
        about |= {"total": len(rows), "offset": start}
    return Reply(data=[public(row) for row in shown], page=about)


def behind(call: Call, rows: Sequence[Row], key: tuple[str, ...]) -> int:
    """Number of rows before the position of the cursor, even if its row has been deleted.

    Raises:
        Problem: VALIDATION_ERROR, for a cursor of another listing, or beside an offset.
    """
    if call.query["offset"]:
        raise invalid([("offset", "does not go together with cursor")])
    binding, place = call.state.cursors.get(call.query["cursor"], (None, []))
    if binding != binding_of(call):
        raise invalid([("cursor", FOREIGN)])
    places = [[row[name] for name in key] for row in rows]
    if place in places:
        return places.index(place) + 1
    return sum(each > place for each in places)


def cursor_of(call: Call, place: list[Any]) -> str:
    """A new cursor that leads behind a place; opaque, and known to this fake only."""
    cursor = secrets.token_urlsafe(16)
    call.state.cursors[cursor] = (binding_of(call), place)
    return cursor


def binding_of(call: Call) -> tuple[Any, ...]:
    """What a cursor belongs to: the listing and its filters."""
    filters = {name: value for name, value in call.query.items() if name not in OF_THE_PAGE}
    return call.operation, tuple(sorted(filters.items()))
