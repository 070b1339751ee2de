"""Pagination: how every listing of the API searches, counts and pages.

A page starts at an `offset`, with a count; or after the item of a `cursor`, on the index that the listing is ordered
by, at a cost that does not grow with depth. Counting reads all matches, so it is done only if `total` is requested. A
counted query returns `total` beside each row and, for a page past the end, one row whose `id` is null; so one round
trip returns both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from redcore_server.api.cursor import Binding
from redcore_server.api.handler import Call, Reply, Row
from redcore_server.errors import Detail, ValidationFailed
from redcore_server.store.postgres import queries

_QUERIES: Final = queries("listing")
_COUNTS: Final = frozenset({"total", "before"})


async def page(call: Call, matching: bytes) -> Reply:
    """Return the page requested by the query parameters.

    Args:
        call: Call of a listing operation.
        matching: Query for all items of the listing.
    """
    binding, limit = Binding.of(call), call.query["limit"]
    behind = _behind(call, binding, [_moment, str])
    parameters = {**call.query, "after_time": behind and behind[0], "after_id": behind and behind[1]}
    is_counted = _is_counted(call)
    is_search = call.query.get("q") is not None
    rows = await call.listed(cut_of(matching, is_counted=is_counted, is_search=is_search), **parameters)
    items = [{name: row[name] for name in row if name not in _COUNTS} for row in rows if row["id"] is not None]
    shown = items[:limit]
    last = shown[-1] if len(items) > len(shown) else None
    next_cursor = binding.write([last["created_at"].isoformat(), last["id"]]) if last else None
    if not is_counted:
        return Reply(data=shown, page={"limit": limit, "next_cursor": next_cursor})
    counts, offset = rows[0], call.query["offset"]
    return _counted(shown, counts["total"], limit, counts["before"] if behind else offset, next_cursor)


def cut(call: Call, items: Sequence[Row]) -> Reply:
    """Return the page of a listing that is in memory.

    Args:
        call: Call of a listing operation.
        items: All items, in a stable order; each with a unique `name`.
    """
    binding, limit, offset = Binding.of(call), call.query["limit"], call.query["offset"]
    if behind := _behind(call, binding, [str]):
        offset = next((index + 1 for index, item in enumerate(items) if item["name"] == behind[0]), len(items))
    shown = items[offset : offset + limit]
    next_cursor = binding.write([shown[-1]["name"]]) if offset + limit < len(items) else None
    if not _is_counted(call):
        return Reply(data=shown, page={"limit": limit, "next_cursor": next_cursor})
    return _counted(shown, len(items), limit, offset, next_cursor)


def cut_of(matching: bytes, *, is_counted: bool, is_search: bool = False) -> bytes:
    """Return the query for one page.

    Args:
        matching: Query for all items of the listing.
        is_counted: Whether to count the whole listing as well.
        is_search: Whether the items must contain `q`.
    """
    page = _QUERIES["searched" if is_search else "walked"]
    cut = _QUERIES["counted"].replace(b"{page}", page) if is_counted else page
    return cut.replace(b"{everything}", matching.replace(b"%(q)s", b"null")).replace(b"{matching}", matching)


def _counted(shown: Sequence[Row], total: int, limit: int, offset: int, next_cursor: str | None) -> Reply:
    position = {"total": total, "limit": limit, "offset": offset, "next_cursor": next_cursor}
    return Reply(data=shown, page=position)


def _is_counted(call: Call) -> bool:
    asked: bool | None = call.query["include_total"]
    return call.query["cursor"] is None if asked is None else asked


def _behind(call: Call, binding: Binding, parts: Sequence[Callable[[str], Any]]) -> list[Any] | None:
    """Return the position of the cursor; None without a cursor."""
    cursor: str | None = call.query["cursor"]
    if cursor is None:
        return None
    if call.query["offset"]:
        raise ValidationFailed(details=[Detail("offset", "does not go together with cursor")])
    return binding.read(cursor, parts)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
