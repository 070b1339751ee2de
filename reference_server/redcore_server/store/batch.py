"""Asks a store once for what several callers want to know at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class Batch(Generic[_Question, _Answer]):
    """Asks one trip at a time, each with all questions that came up in the meantime.

    Under load they share the price of a trip; a question that comes up alone waits for nothing, any other for one trip
    at most before its own. Each is asked after it came in, so an answer is never older than its question.
    """

    def __init__(self, ask: Callable[[Sequence[_Question]], Awaitable[Sequence[_Answer | Exception]]]) -> None:
        """Start without questions.

        Args:
            ask: Returns the answers in the order of the questions; one that is an exception is raised where it is
                awaited, and what is raised instead of answers is raised everywhere.
        """
        self._ask = ask
        self._waiting: list[tuple[_Question, asyncio.Future[_Answer]]] = []
        self._asking: asyncio.Task[None] | None = None

    def answer(self, question: _Question) -> asyncio.Future[_Answer]:
        """Return the answer to come; the question is asked even if nobody awaits it.

        Args:
            question: Of one caller.
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
        except Exception as error:  # noqa: BLE001 - it is raised where the answers are awaited
            answers = [error] * len(asked)
        for (_, future), answer in zip(asked, answers, strict=True):
            _set(future, answer)


def _set(future: asyncio.Future[_Answer], answer: _Answer | Exception) -> None:
    if future.done():  # its caller is gone
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
