"""A bound on how long a request may wait for its answer, whatever the service behind is stuck in.

A store that is frozen holds a request for longer than a cancellation helps: libpq waits for it even then. So the answer
does not wait for the app to give up, and what the app sends later is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from starlette.types import Message, Receive, Send

DEADLINE_S: Final = 20.0  # with the way there and back below the 25 s that we promise, and the SDK's timeout of 30 s


class Deadline:
    """The time of one request, without what the client takes to send its body.

    States:
        running   → waiting while a message of the client is awaited, and back
                  → begun when the answer begins: a download may take hours
                  → passed when the time is up: the answer is given without the app, whose task is cancelled
    """

    def __init__(
        self, send: Send, give_up: Callable[[], Coroutine[Any, Any, None]], seconds: float = DEADLINE_S
    ) -> None:
        """Begin to count, for the current task.

        Args:
            send: Where the answer goes.
            give_up: Answers instead of the app.
            seconds: Until then.
        """
        self.has_begun = False
        self.has_passed = False
        self._send = send
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._left_s = seconds
        self._answer: asyncio.Task[None] | None = None
        self._run()

    async def send(self, message: Message) -> None:
        """Send a part of the app's answer, or drop it if it comes too late.

        Args:
            message: An ASGI message.
        """
        if not self.has_passed:
            self.has_begun = True
            self.stop()
            await self._send(message)

    def receiving(self, receive: Receive) -> Receive:
        """Return a `receive` that stops the time while it waits.

        Args:
            receive: Waits for the client.
        """

        async def waiting() -> Message:
            if self.has_begun or self.has_passed:
                return await receive()
            self._left_s = self._ends_at - self._loop.time()
            self.stop()
            try:
                return await receive()
            finally:
                if not self.has_begun:
                    self._run()

        return waiting

    def stop(self) -> None:
        """Count no more."""
        self._timer.cancel()

    def is_cancelled_by_others(self) -> bool:
        """Take back that the task was cancelled at the deadline; whether it was cancelled for another reason too."""
        return self._task is not None and self._task.uncancel() > 0

    async def answered(self) -> None:
        """Wait for the answer that was given instead of the app's, if there was one."""
        if self._answer is not None:
            await self._answer

    def _run(self) -> None:
        self._ends_at = self._loop.time() + self._left_s
        self._timer = self._loop.call_at(self._ends_at, self._pass)

    def _pass(self) -> None:
        self.has_passed = True
        self._answer = self._loop.create_task(self._give_up())
        if self._task is not None:
            self._task.cancel()
