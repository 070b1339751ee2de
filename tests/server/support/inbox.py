"""An SMTP server in the test's own event loop, which outlives the servers that send to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import attrs
from aiosmtpd.smtp import SMTP, Envelope


# aiosmtpd calls a handler's methods with more arguments than this one needs.
# ruff: noqa: ARG002
@attrs.define
class Inbox:
    """An SMTP server's handler that keeps its mail and answers as the test says."""

    received: list[Envelope] = attrs.field(factory=list[Envelope])
    recipient_answer: str = "250 OK"
    data_answer: str = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Accept or refuse a recipient."""
        if self.recipient_answer == "250 OK":
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Accept or refuse the mail."""
        self.received.append(envelope)
        return self.data_answer


@contextlib.asynccontextmanager
async def listening(inbox: Inbox, **options: Any) -> AsyncGenerator[int]:
    """Run an SMTP server and yield its port."""
    sessions: list[SMTP] = []

    def connected() -> SMTP:
        sessions.append(SMTP(inbox, hostname="test", **options))
        return sessions[-1]

    async with await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        await asyncio.sleep(0)  # closing takes a turn of the loop
