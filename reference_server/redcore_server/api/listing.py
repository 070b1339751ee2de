"""Pages: how every listing of the API searches, counts and cuts.

A listing query returns `total` beside each row and, for a page past the end, one row whose `id` is null; so one
round trip gives both the page and the count.
"""

from __future__ import annotations

from redcore_server.api.handler import Call, Reply


async def page(call: Call, sql: bytes) -> Reply:
    """Return the page that the call's query parameters ask for.

    Args:
        call: of a listing operation.
        sql: a listing query.
    """
    query = call.query
    rows = await call.all(sql, **query)
    total = rows[0]["total"]
    items = [{name: row[name] for name in row if name != "total"} for row in rows if row["id"] is not None]
    return Reply(data=items, page={"total": total, "limit": query["limit"], "offset": query["offset"]})
