"""Asks the stores whether they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

import orjson
import structlog
from starlette.responses import Response

from redcore_server.store import Stores

_PATIENCE_S: Final = 2.0

_log = structlog.stdlib.get_logger("redcore_server.gateway")


async def readiness(stores: Stores) -> Response:
    """Return 200 if both stores answer within two seconds, else 503; the body says which one does not.

    Args:
        stores: to be asked, both at once.
    """
    postgres, redis = await asyncio.gather(_ask("postgres", _ask_postgres(stores)), _ask("redis", _ask_redis(stores)))
    status = "ok" if postgres == redis == "ok" else "unavailable"
    body = {"status": status, "stores": {"postgres": postgres, "redis": redis}}
    return Response(orjson.dumps(body), 200 if status == "ok" else 503, media_type="application/json")


async def _ask(name: str, question: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await question
    except Exception as error:  # noqa: BLE001 - a probe reports every way of not answering
        _log.warning("store does not answer", store=name, problem=str(error) or type(error).__name__)
        return "unavailable"
    return "ok"


async def _ask_postgres(stores: Stores) -> None:
    async with stores.postgres.connection() as connection:
        await connection.execute("select 1")


async def _ask_redis(stores: Stores) -> None:
    await stores.redis.ping()  # pyright: ignore[reportUnknownMemberType] - redis-py leaves it untyped
