"""Asks what a process needs whether it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import attrs
import orjson
import structlog
from starlette.responses import Response

from redcore_server.http.draining import Draining
from redcore_server.store.postgres import AsyncPool
from redcore_server.store.redis import AsyncRedis

_PATIENCE_S: Final = 2.0

_log = structlog.stdlib.get_logger("redcore_server.gateway")

Question = Callable[[], Awaitable[None]]
"""Raises where there is no answer."""


@attrs.frozen(kw_only=True)
class Readiness:
    """What `/readyz` answers from.

    Attributes:
        draining: Whether this process is about to stop.
        stores: Those it needs, by name.
        services: The other processes that it needs.
    """

    draining: Draining
    stores: Mapping[str, Question]
    services: Mapping[str, Question] = attrs.field(factory=dict[str, Question])

    async def answer(self) -> Response:
        """Return 200 if all answer within two seconds, all at once, else 503; the body says which do not."""
        stores, services = await asyncio.gather(_ask(self.stores), _ask(self.services))
        is_ready = {*stores.values(), *services.values()} <= {"ok"}
        status = "draining" if self.draining.is_on else "ok" if is_ready else "unavailable"
        body = {"status": status, "stores": stores, **({"services": services} if services else {})}
        return Response(orjson.dumps(body), 200 if status == "ok" else 503, media_type="application/json")


def postgres(pool: AsyncPool) -> Question:
    """Return the question whether PostgreSQL answers.

    Args:
        pool: to ask with.
    """

    async def ask() -> None:
        async with pool.connection() as connection:
            await connection.execute("select 1")

    return ask


def redis(client: AsyncRedis) -> Question:
    """Return the question whether Redis answers.

    Args:
        client: to ask with.
    """

    async def ask() -> None:
        await client.ping()  # pyright: ignore[reportUnknownMemberType] - redis-py leaves it untyped

    return ask


async def _ask(questions: Mapping[str, Question]) -> dict[str, Literal["ok", "unavailable"]]:
    answers = await asyncio.gather(*(_answered(name, question) for name, question in questions.items()))
    return dict(zip(questions, answers, strict=True))


async def _answered(name: str, question: Question) -> Literal["ok", "unavailable"]:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await question()
    except Exception as error:  # noqa: BLE001 - a probe reports every way of not answering
        _log.warning("no answer", of=name, problem=str(error) or type(error).__name__)
        return "unavailable"
    return "ok"
