"""The workers of one process: urgent jobs never wait for long ones."""

from __future__ import annotations

import asyncio

import attrs

from redcore_server.worker.runner import Worker
from redcore_server.worker.thread import WorkerThread


@attrs.frozen(kw_only=True)
class Workers:
    """The two workers.

    Attributes:
        urgent: Sends mail, revokes and deletes.
        runs: Executes workflow runs.
    """

    urgent: Worker
    runs: WorkerThread

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.urgent.run())
            tasks.create_task(self.runs.run())
