"""What sends invitations, and a worker that runs its jobs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from tests.server.support.postbox import Postbox

from redcore_server.clock import Clock
from redcore_server.invitations.job import TASK
from redcore_server.store import Stores
from redcore_server.worker import Worker
from redcore_server.worker.invitations import InvitationSender


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def no_jobs_of_others(stores: Stores) -> None:
    """Delete the jobs of other tests: this worker would do them first."""
    async with stores.postgres.connection() as connection:
        await connection.execute("delete from procrastinate_jobs")


@pytest.fixture
def sender(stores: Stores, clock: Clock, postbox: Postbox, no_jobs_of_others: None) -> InvitationSender:
    return InvitationSender(
        stores=stores, mailer=postbox, clock=clock, origin="https://x.example", sender="us@x.example"
    )


@pytest.fixture
async def worker(stores: Stores, sender: InvitationSender) -> AsyncIterator[Worker]:
    running = Worker(stores.postgres, {TASK: sender.send})
    task = asyncio.create_task(running.run())
    yield running
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
