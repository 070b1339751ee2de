"""A publisher and a visitor of documentation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.server.support.callers import Callers
from tests.server.support.publishing import Publisher
from tests.server.support.tenants import Organisation

from redcore_server.settings import Settings
from redcore_server.worker.workflows import WorkflowRunner


@pytest.fixture
def settings(kept: dict[str, Any]) -> Settings:
    return Settings(**kept)


@pytest.fixture
async def anybody(callers: Callers) -> httpx.AsyncClient:
    return await callers.bearing(None)


@pytest.fixture
def front(anybody: httpx.AsyncClient, organisation: Organisation) -> Callable[[], Awaitable[bytes]]:
    """Return the first page of the organisation's site."""

    async def front() -> bytes:
        return (await anybody.get(f"/docs/{organisation.id}/")).content

    return front


@pytest.fixture
def publish(caller: httpx.AsyncClient, runner: WorkflowRunner) -> Publisher:
    return Publisher(caller, runner)
