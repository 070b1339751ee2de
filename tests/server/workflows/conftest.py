"""The worker's runner, with the files that the API stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp
from tests.server.support.callers import whole_app
from tests.server.support.runs import Runs, start

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects
from redcore_server.worker.workflows import WorkflowRunner


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def app(stores: Stores, auth: Auth, clock: Clock, settings: Settings) -> ASGIApp:
    return whole_app(stores=stores, auth=auth, clock=clock, settings=settings)


@pytest.fixture
def runner(stores: Stores, clock: Clock, settings: Settings) -> WorkflowRunner:
    return WorkflowRunner(
        stores=stores,
        objects=open_objects(settings),
        clock=clock,
        storage_bytes=settings.storage_bytes,
    )


@pytest.fixture
def run(caller: httpx.AsyncClient, runner: WorkflowRunner) -> Runs:
    """Start a run, do its work as the worker would, and return it when it has ended."""

    async def run(workflow: str, **given: Any) -> dict[str, Any]:
        started = await start(caller, workflow, **given)
        await runner.run(started["id"])
        ended: dict[str, Any] = (await caller.get(f"/v1/workflow-runs/{started['id']}")).json()["data"]
        return ended

    return run
