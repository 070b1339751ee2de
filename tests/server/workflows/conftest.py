"""A run from its start to its end."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.server.support.runs import Runs, start

from redcore_server.worker.workflows import WorkflowRunner


@pytest.fixture
def run(caller: httpx.AsyncClient, runner: WorkflowRunner) -> Runs:
    """Start a run, do its work as the worker would, and return it when it has ended."""

    async def run(workflow: str, **given: Any) -> dict[str, Any]:
        started = await start(caller, workflow, **given)
        await runner.run(started["id"])
        ended: dict[str, Any] = (await caller.get(f"/v1/workflow-runs/{started['id']}")).json()["data"]
        return ended

    return run
