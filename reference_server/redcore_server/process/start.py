"""Prepares a process: its memory is set up, the stores answer, and the schema has the right version."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from redcore_server.clock import Clock
from redcore_server.listening.memory import return_large_blocks
from redcore_server.settings import Settings
from redcore_server.store.address import StoreError
from redcore_server.store.migrate import migrate, require_migrated
from redcore_server.store.redis import open_redis

_PAUSE_S: Final = 0.5  # between looks at a store that is starting, too
_log = structlog.stdlib.get_logger("redcore_server.process")


def prepare(settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Set up memory, wait for the stores, up to the configured time, and migrate the database to the current schema.

    If another job applies the migrations, wait for it as well. A gateway has no database and needs only Redis.

    Args:
        settings: Server settings, with the URL of Redis, and of the database if the process uses one.
        sleep: Called to wait between two attempts, with seconds.

    Raises:
        StoreError: A store cannot be used, or the schema has the wrong version.
    """
    return_large_blocks()
    deadline = time.monotonic() + settings.start_seconds
    while True:
        try:
            _prepare(settings)
        except StoreError as error:
            if time.monotonic() >= deadline:
                raise
            _log.warning("waiting for a store", problem=str(error))
            sleep(_PAUSE_S)
        else:
            return


def _prepare(settings: Settings) -> None:
    if settings.database_url is not None and settings.migrate_at_start:
        migrate(settings.database_url, clock=Clock())
    elif settings.database_url is not None:
        require_migrated(settings.database_url)
    if settings.redis_url is not None:
        asyncio.run(_answers(settings.redis_url))


async def _answers(redis_url: str) -> None:
    async with open_redis(redis_url):
        pass
