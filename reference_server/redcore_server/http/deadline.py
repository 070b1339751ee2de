"""A deadline for the answer to a request, even if the service behind is stuck.

A frozen store blocks a request even after cancellation, because libpq keeps waiting for it. So the deadline answers
without waiting for the app to stop, and whatever the app sends later is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from starlette.types import Message, Receive, Send

DEADLINE_S: Final = 20.0  # together with network time below the promised 25 s, and the SDK's timeout of 30 s


class Deadline:
    """The deadline of one request, excluding the time the client takes to send its body.

    States:
        running   → waiting while a message from the client is awaited, and back
                  → begun when the answer begins: a download may take hours
                  → passed when the time is up: the answer is given without the app, whose task is cancelled
    """

    def __init__(
        self, send: Send, give_up: Callable[[], Coroutine[Any, Any, None]], seconds: float = DEADLINE_S
    ) -> None:
        """Start the timer, for the current task.

        Args:
            send: ASGI send callable for the answer.
            give_up: Sends the answer if the app is too late.
            seconds: Seconds until the deadline.
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
        """Return a `receive` that pauses the timer while it waits.

        Args:
            receive: ASGI receive callable to wrap.
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
        """Stop the timer."""
        self._timer.cancel()

    def is_cancelled_by_others(self) -> bool:
        """Undo the cancellation made at the deadline; return whether the task was also cancelled for another reason."""
        return self._task is not None and self._task.uncancel() > 0

    async def answered(self) -> None:
        """Wait until the answer sent in place of the app's is complete, if there is one."""
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
