"""The definitions of workflows, and their runs from the queue to the end."""

from __future__ import annotations

import errno
from typing import Any

import attrs
import httpx
import pytest
from tests.server.support.callers import rows
from tests.server.support.runs import HEADING, Runs, catalog, start, upload

from redcore_server.store import Stores
from redcore_server.store.objects import ObjectsFull, ObjectsUnavailable
from redcore_server.worker.workflows import MAX_FAILURES, BeingRunElsewhere, WorkflowRunner
from redcore_server.workflows import WORKFLOWS, definition

pytestmark = pytest.mark.anyio


async def test_the_definitions_describe_their_input(caller: httpx.AsyncClient) -> None:
    """Each with the JSON Schema of its input, in pages."""
    listed = (await caller.get("/v1/workflows")).json()
    second = (await caller.get("/v1/workflows?limit=1&offset=1")).json()

    assert [found["name"] for found in listed["data"]] == list(WORKFLOWS)
    assert listed["data"][0]["input_schema"]["properties"]["format"]["enum"] == ["csv", "jsonl"]
    assert (second["data"], second["meta"]["total"]) == (listed["data"][1:2], len(WORKFLOWS))


async def test_a_run_is_queued_with_its_job(caller: httpx.AsyncClient, stores: Stores) -> None:
    """202 with Location and the run; the job is written in the same transaction."""
    response = await caller.post("/v1/workflows/catalog_export/runs", json={})

    run = response.json()["data"]
    assert (response.status_code, response.headers["Location"]) == (202, f"/v1/workflow-runs/{run['id']}")
    assert run == {
        "id": run["id"],
        "workflow": "catalog_export",
        "status": "queued",
        "progress": 0,
        "input": {},
        "result": None,
        "error": None,
        "created_at": run["created_at"],
        "started_at": None,
        "finished_at": None,
    }
    assert len(await rows(stores, "select 1 from procrastinate_jobs where args->>'run_id' = %s", run["id"])) == 1


@pytest.mark.parametrize(
    ("workflow", "given", "field"),
    [
        ("catalog_export", {"format": "xml"}, "input.format"),
        ("catalog_export", {"other": 1}, "input.other"),
        ("catalog_import", {}, "input.file_id"),
        ("catalog_import", {"file_id": 5}, "input.file_id"),
    ],
)
async def test_an_invalid_input_is_refused(
    caller: httpx.AsyncClient, workflow: str, given: dict[str, Any], field: str
) -> None:
    """400 names the field; nothing is queued."""
    response = await caller.post(f"/v1/workflows/{workflow}/runs", json={"input": given})

    assert (response.status_code, [detail["field"] for detail in response.json()["error"]["details"]]) == (400, [field])
    assert (await caller.get("/v1/workflow-runs")).json()["meta"]["total"] == 0


async def test_an_input_with_many_problems_gets_a_short_answer(caller: httpx.AsyncClient) -> None:
    """As a body with many problems does: the first fifty, and one that says there are more."""
    given = {f"k{number}": 1 for number in range(900)}

    response = await caller.post("/v1/workflows/catalog_export/runs", json={"input": given})

    details = response.json()["error"]["details"]
    assert (response.status_code, len(details)) == (400, 51)
    assert details[-1]["issue"].startswith("has more problems")


async def test_an_unknown_workflow_is_not_found(caller: httpx.AsyncClient) -> None:
    """404, as for any other resource."""
    response = await caller.post("/v1/workflows/make_coffee/runs", json={"input": {}})

    assert (response.status_code, response.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


async def test_runs_are_listed_by_workflow_and_status(caller: httpx.AsyncClient, run: Runs) -> None:
    """Newest first."""
    done, queued = await run("catalog_export"), await start(caller, "catalog_import", file_id="file_none")

    async def listed(query: str) -> list[str]:
        return [found["id"] for found in (await caller.get(f"/v1/workflow-runs{query}")).json()["data"]]

    assert await listed("") == [queued["id"], done["id"]]
    assert await listed("?status=succeeded") == [done["id"]]
    assert await listed("?workflow=catalog_import") == [queued["id"]]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "x"), OSError(errno.EDQUOT, "x"), ObjectsFull("x")])
async def test_a_full_disk_fails_the_run_at_once(
    caller: httpx.AsyncClient, runner: WorkflowRunner, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The run fails the first time: a retry would not free space."""
    started = await start(caller, "catalog_export")

    async def full(run: definition.Run) -> None:
        raise error

    workflows = {"catalog_export": attrs.evolve(WORKFLOWS["catalog_export"], work=full)}
    monkeypatch.setattr("redcore_server.worker.workflows.WORKFLOWS", workflows)
    await runner.run(started["id"])

    ended = (await caller.get(f"/v1/workflow-runs/{started['id']}")).json()["data"]
    assert (ended["status"], "no space left" in ended["error"]["message"]) == ("failed", True)


async def test_a_queued_run_is_cancelled_at_once(caller: httpx.AsyncClient, runner: WorkflowRunner) -> None:
    """200 with the run; the worker then skips it, and it cannot be cancelled twice."""
    started = await start(caller, "catalog_export")

    cancelled = await caller.post(f"/v1/workflow-runs/{started['id']}/cancel")
    await runner.run(started["id"])
    again = await caller.post(f"/v1/workflow-runs/{started['id']}/cancel")

    assert (cancelled.status_code, cancelled.json()["data"]["status"]) == (200, "cancelled")
    assert cancelled.json()["data"]["finished_at"] is not None
    assert (again.status_code, again.json()["error"]["code"]) == (422, "BUSINESS_RULE_VIOLATION")
    assert again.json()["error"]["message"] == "The run has ended already: it is cancelled."


async def test_a_running_run_is_cancelled_before_its_next_step(
    caller: httpx.AsyncClient, runner: WorkflowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its changes so far are rolled back."""
    file_id = await upload(caller, f"{HEADING}A,x,1,,\n")
    started = await start(caller, "catalog_import", file_id=file_id)
    path = f"/v1/workflow-runs/{started['id']}"
    seen: list[dict[str, Any]] = []
    report = definition.Run.report

    async def cancel_meanwhile(self: definition.Run, progress: float) -> None:
        if progress > 0:
            seen.append((await caller.post(f"{path}/cancel")).json()["data"])
        await report(self, progress)

    monkeypatch.setattr(definition.Run, "report", cancel_meanwhile)
    await runner.run(started["id"])

    ended = (await caller.get(path)).json()["data"]
    assert [found["status"] for found in seen] == ["running"]
    assert (ended["status"], ended["finished_at"] is not None) == ("cancelled", True)
    assert await catalog(caller) == {}


async def test_a_server_error_is_retried_and_reported_at_last(
    caller: httpx.AsyncClient, runner: WorkflowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job fails, so that it is retried, and the run continues; after the fifth time the run has failed."""
    started = await start(caller, "catalog_export")

    async def broken(run: definition.Run) -> None:
        raise ObjectsUnavailable("secret of the store")

    workflows = {"catalog_export": attrs.evolve(WORKFLOWS["catalog_export"], work=broken)}
    monkeypatch.setattr("redcore_server.worker.workflows.WORKFLOWS", workflows)
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(ObjectsUnavailable):
            await runner.run(started["id"])
        assert (await caller.get(f"/v1/workflow-runs/{started['id']}")).json()["data"]["status"] == "running"
    await runner.run(started["id"])

    ended = (await caller.get(f"/v1/workflow-runs/{started['id']}")).json()["data"]
    assert ended["status"] == "failed"
    assert "Something went wrong on our side" in ended["error"]["message"]
    assert "secret" not in ended["error"]["message"]


async def test_two_workers_never_do_one_run(
    caller: httpx.AsyncClient, runner: WorkflowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has to try again later; once the first is done there is nothing left to do."""
    started = await start(caller, "catalog_export")
    inner: list[type[BaseException]] = []
    report = definition.Run.report

    async def second_worker(self: definition.Run, progress: float) -> None:
        with pytest.raises(BeingRunElsewhere) as refused:
            await runner.run(started["id"])
        inner.append(refused.type)
        await report(self, progress)

    monkeypatch.setattr(definition.Run, "report", second_worker)
    await runner.run(started["id"])
    monkeypatch.undo()
    await runner.run(started["id"])

    assert inner
    assert (await caller.get("/v1/files")).json()["meta"]["total"] == 1
