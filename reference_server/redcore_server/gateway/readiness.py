"""Reports whether a process can take requests and, for people and alarms, whether each store is writable."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final, Literal

import attrs
import orjson
import structlog
from starlette.responses import Response

from redcore_server.errors import ServiceUnavailable
from redcore_server.http.draining import Draining
from redcore_server.ids import random_text
from redcore_server.store.objects import Objects
from redcore_server.store.postgres import AsyncPool
from redcore_server.store.redis import AsyncRedis

_ANSWER_S: Final = 2.0  # for which a probe waits for a store; load balancers ask every 5 to 10 s
# Not parsed, as probes have no rate limit: to parse 60 kB of parameters keeps all others waiting for 20 ms.
_STORES: Final = re.compile(rb"(?:^|&)stores(?:=|&|$)")
_TRACE_S: Final = 5  # how long Redis keeps the probe's key

_log = structlog.stdlib.get_logger("redcore_server.gateway")

_Answers = dict[str, Literal["ok", "unavailable"]]
Question = Callable[[], Awaitable[None]]
"""A check; raises if there is no answer."""


@attrs.frozen(kw_only=True)
class Readiness:
    """The checks behind `/readyz`.

    An unavailable store does not make the node unready: other nodes would be affected too, and requests are answered
    with 503 and `Retry-After` (contract section 5).

    Attributes:
        draining: Whether this process is shutting down.
        stores: Write checks of the stores that the process uses, by name.
        services: Checks of the other processes that it uses.
    """

    draining: Draining
    stores: Mapping[str, Question]
    services: Mapping[str, Question] = attrs.field(factory=dict[str, Question])
    _running: dict[str, asyncio.Task[_Answers]] = attrs.field(init=False, factory=dict[str, "asyncio.Task[_Answers]"])

    @staticmethod
    def asks_of_stores(query: bytes) -> bool:
        """Return whether a query asks for the stores, which are written to for it.

        Args:
            query: Query of the request.
        """
        return _STORES.search(query) is not None

    async def answer(self, query: bytes) -> Response:
        """Return 200 if all checks pass within two seconds, else 503; the body names those that fail.

        Args:
            query: Query of the request; stores are checked only if it asks for them.
        """
        with_stores = self.asks_of_stores(query)
        stores, services = await asyncio.gather(
            self._shared("stores", self.stores if with_stores else {}), self._shared("services", self.services)
        )
        is_ready = {*stores.values(), *services.values()} <= {"ok"}
        status = "draining" if self.draining.is_on else "ok" if is_ready else "unavailable"
        body = {
            "status": status,
            **({"stores": stores} if with_stores else {}),
            **({"services": services} if services else {}),
        }
        if status == "ok":
            return Response(orjson.dumps(body), 200, media_type="application/json")
        return Response(orjson.dumps(body), 503, ServiceUnavailable().headers, media_type="application/json")

    async def _shared(self, of: str, questions: Mapping[str, Question]) -> _Answers:
        """Return the answers; all who ask at once share one check, whose connections others need."""
        if not questions:
            return {}
        running = self._running.get(of)
        if running is None or running.done():
            running = self._running[of] = asyncio.create_task(_ask(questions))
        return await asyncio.shield(running)


def postgres(pool: AsyncPool) -> Question:
    """Return the check whether PostgreSQL accepts writes.

    Args:
        pool: Connection pool for the check.
    """

    async def ask() -> None:
        # A setting would not show a full disk: this takes a page of it, until the statement ends. A server that is
        # read-only, or a standby, refuses it.
        async with pool.connection() as connection:
            await connection.execute("create temporary table readiness on commit drop as select 1")

    return ask


def redis(client: AsyncRedis) -> Question:
    """Return the check whether Redis accepts writes: it may be read-only, or out of memory.

    Args:
        client: Redis client for the check.
    """

    async def ask() -> None:
        await client.set(f"ready:{random_text(8)}", 1, ex=_TRACE_S)  # pyright: ignore[reportUnknownMemberType] - untyped

    return ask


def objects(store: Objects) -> Question:
    """Return the check whether the object store accepts writes.

    Args:
        store: The object store.
    """

    async def content() -> AsyncGenerator[bytes]:
        yield b"ready"

    async def ask() -> None:
        key = f"readiness/{random_text(8)}"
        await store.put(key, content())
        await store.delete(key)

    return ask


async def _ask(questions: Mapping[str, Question]) -> _Answers:
    answers = await asyncio.gather(*(_answered(name, question) for name, question in questions.items()))
    return dict(zip(questions, answers, strict=True))


async def _answered(name: str, question: Question) -> Literal["ok", "unavailable"]:
    try:
        async with asyncio.timeout(_ANSWER_S):
            await question()
    except Exception as error:  # noqa: BLE001 - a probe reports every kind of failure
        _log.warning("no answer", of=name, problem=str(error) or type(error).__name__)
        return "unavailable"
    return "ok"
