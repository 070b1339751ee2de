"""Workflows: definitions and runs; the worker executes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from psycopg.types.json import Jsonb

from redcore_server.api import listing
from redcore_server.api.authority import require
from redcore_server.api.handler import Call, Handler, Reply, Row
from redcore_server.contract.schema_messages import first_of, issues
from redcore_server.errors import NotFound, RuleViolation, ValidationFailed
from redcore_server.ids import new_id
from redcore_server.store.postgres import queries
from redcore_server.worker.workflows import defer_run
from redcore_server.workflows import WORKFLOWS
from redcore_server.workflows.definition import LANES

_QUERIES: Final = queries("workflows")
_INPUT: Final = "input"


async def workflows_list(call: Call) -> Reply:
    """Return one page of the definitions."""
    definitions: list[Row] = [
        {"name": found.name, "description": found.description, "input_schema": found.input_schema}
        for found in WORKFLOWS.values()
    ]
    return listing.cut(call, definitions)


async def workflows_run(call: Call) -> Reply:
    """Write a run and the job that executes it."""
    name = call.path["name"]
    if name not in WORKFLOWS:
        raise NotFound.named("Workflow", name)
    require(call.principal, WORKFLOWS[name].scopes)
    given: Any = call.body.get(_INPUT, {})
    found = issues(WORKFLOWS[name].rule, given, "")
    if problems := first_of(problem.inside(_INPUT) for problem in found):
        raise ValidationFailed(details=problems)
    run_id = new_id("wfr")
    row = await call.one(
        _QUERIES["add"],
        id=run_id,
        owner_id=call.principal.owner_id,
        credential_id=call.principal.client_id or call.principal.credential_id,
        workflow=name,
        input=Jsonb(given),
        request_id=call.request_id,
        scopes=sorted(call.principal.scopes),
        lanes=LANES,
    )
    assert row is not None  # noqa: S101 - an insert returns its row
    place = {name: row.pop(name) for name in ("lane", "turn")}
    await defer_run(call.connection, run_id=run_id, organisation_id=call.principal.organisation_id, **place)
    return Reply(data=row, status=202, location=f"/v1/workflow-runs/{run_id}")


async def workflows_list_runs(call: Call) -> Reply:
    """Return one page of the runs."""
    return await listing.page(call, _QUERIES["matching"])


async def workflows_get_run(call: Call) -> Reply:
    """Return the current state of a run."""
    return Reply(data=await call.found("Workflow run", _QUERIES["get"], call.path["run_id"]))


async def workflows_cancel_run(call: Call) -> Reply:
    """Cancel a run before its next step."""
    run_id = call.path["run_id"]
    row = await call.one(_QUERIES["cancel"], id=run_id)
    if row is None:
        ended = await call.one(_QUERIES["get"], id=run_id)
        if ended is None:
            raise NotFound.named("Workflow run", run_id)
        raise RuleViolation(f"The run has ended already: it is {ended['status']}.")
    return Reply(data=row)


HANDLERS: Final[Mapping[str, Handler]] = {
    "workflows_list": workflows_list,
    "workflows_run": workflows_run,
    "workflows_list_runs": workflows_list_runs,
    "workflows_get_run": workflows_get_run,
    "workflows_cancel_run": workflows_cancel_run,
}
