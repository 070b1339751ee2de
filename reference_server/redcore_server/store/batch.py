"""Asks a store once for what several callers want to know at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class Batch(Generic[_Question, _Answer]):
    """Collects the questions of one turn of the event loop, and asks them together.

    Under load a turn has many, which then share the price of one round trip; a lone question waits for nothing. Each is
    asked after it came in, so an answer is never older than its question.
    """

    def __init__(self, ask: Callable[[Sequence[_Question]], Awaitable[Sequence[_Answer | Exception]]]) -> None:
        """Start without questions.

        Args:
            ask: returns the answers in the order of the questions; one that is an exception is raised where it is
                awaited, and what is raised instead of answers is raised everywhere.
        """
        self._ask = ask
        self._waiting: list[tuple[_Question, asyncio.Future[_Answer]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, question: _Question) -> asyncio.Future[_Answer]:
        """Return the answer to come.

        Args:
            question: of one caller.
        """
        if not self._waiting:
            task = asyncio.create_task(self._settle())
            self._tasks.add(task)  # the loop itself would forget it
            task.add_done_callback(self._tasks.discard)
        future: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        return future

    async def _settle(self) -> None:
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
