"""Indexes in Redis of what belongs to a user, so that all of it can be ended: browser sessions, codes, device logins.

An index is a sorted set of names, scored by when they expire. Entries are written to it before what they name: an extra
one is harmless, a missing one would survive the end of the others.
"""

# redis-py leaves `pipeline` partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from redcore_server.store import Stores


def add_entry(pipeline: Any, index: str, name: str, *, expires_at: float, now: float, garbage_s: int) -> None:
    """Add an entry to an index, and forget those that have expired.

    Args:
        pipeline: Pipeline of commands that is executed by the caller.
        index: Key of the index.
        name: Name of the entry.
        expires_at: When it expires, in Unix seconds.
        now: Current time in Unix seconds, from the server's clock.
        garbage_s: Seconds after which Redis deletes an index without new entries.
    """
    pipeline.zadd(index, {name: expires_at})
    pipeline.zremrangebyscore(index, "-inf", now)
    pipeline.expire(index, garbage_s)


async def end_entries(stores: Stores, index: str, key: Callable[[str], str]) -> int:
    """Delete what an index names, on every node; return how much it named.

    Args:
        index: Key of the index.
        key: Returns the key of what an entry names.
    """
    names = cast("list[str]", await stores.redis.zrange(index, 0, -1))
    if names:
        keys = [key(name) for name in names]
        async with stores.redis.pipeline(transaction=False) as pipeline:
            for each in keys:
                pipeline.delete(each)
            await pipeline.execute()
        await stores.scripts.replicated(keys)
        # Deleted after what they name, so that an interrupted call can be repeated.
        await stores.redis.zrem(index, *names)
    return len(names)
