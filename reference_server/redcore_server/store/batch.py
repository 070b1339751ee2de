"""Batches concurrent queries of several callers into one round trip to a store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class Batch(Generic[_Question, _Answer]):
    """Runs one round trip at a time, each with all queries that arrived in the meantime.

    Under load, queries share the cost of a round trip; a lone query starts at once, any other waits for at most one
    round trip before its own. Each is sent after it arrived, so an answer is never older than its query.
    """

    def __init__(self, ask: Callable[[Sequence[_Question]], Awaitable[Sequence[_Answer | Exception]]]) -> None:
        """Start with no queries.

        Args:
            ask: Returns the answers in the order of the queries. An answer that is an exception is raised to its
                caller; an exception raised by `ask` itself is raised to all callers.
        """
        self._ask = ask
        self._waiting: list[tuple[_Question, asyncio.Future[_Answer]]] = []
        self._asking: asyncio.Task[None] | None = None

    def answer(self, question: _Question) -> asyncio.Future[_Answer]:
        """Return a future of the answer; the query is sent even if the future is not awaited.

        Args:
            question: Query of one caller.
        """
        future: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return future

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                await self._ask_waiting()
        finally:
            self._asking = None

    async def _ask_waiting(self) -> None:
        asked, self._waiting = self._waiting, []
        answers: Sequence[_Answer | Exception]
        try:
            answers = await self._ask([question for question, _ in asked])
        except Exception as error:  # noqa: BLE001 - it is raised to the callers that await
            answers = [error] * len(asked)
        for (_, future), answer in zip(asked, answers, strict=True):
            _set(future, answer)


def _set(future: asyncio.Future[_Answer], answer: _Answer | Exception) -> None:
    if future.done():  # its caller was cancelled
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
