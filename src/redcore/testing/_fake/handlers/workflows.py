"""Workflows: what can be run, and the runs. `fake.finish_runs()`, or a client that waits, lets them end."""

from __future__ import annotations

from collections.abc import Mapping

import jsonschema_rs

from redcore.testing._fake.call import Call, Handler, Reply
from redcore.testing._fake.contract import invalid, problem_of
from redcore.testing._fake.paging import cut, page
from redcore.testing._fake.problem import not_found, rule
from redcore.testing._fake.state import Row
from redcore.testing._fake.work import DEFINITIONS


def workflows_list(call: Call) -> Reply:
    """One page of the definitions."""
    definitions = [
        {"name": name, "description": each.description, "input_schema": each.input_schema}
        for name, each in DEFINITIONS.items()
    ]
    return cut(call, definitions, ("name",))


def workflows_run(call: Call) -> Reply:
    """Queue a run."""
    name = call.path["name"]
    if name not in DEFINITIONS:
        raise not_found("Workflow", name)
    for scope in DEFINITIONS[name].scopes:
        call.caller.require(scope)
    given = call.body.get("input", {})
    rule_of_input = jsonschema_rs.Draft202012Validator(DEFINITIONS[name].input_schema)
    if problems := [problem_of(error, "") for error in rule_of_input.iter_errors(given)]:
        raise invalid([(f"input.{where}".rstrip("."), what) for where, what in problems])
    run: Row = {
        "id": call.state.new_id("wfr"),
        "workflow": name,
        "status": "queued",
        "progress": 0.0,
        "input": given,
        "result": None,
        "error": None,
        "created_at": call.state.moment(),
        "started_at": None,
        "finished_at": None,
    }
    call.state.runs[run["id"]] = run
    return Reply(data=run, location=f"/v1/workflow-runs/{run['id']}")


def workflows_list_runs(call: Call) -> Reply:
    """One page of the runs."""
    wanted = [
        run
        for run in call.state.runs.values()
        if all(call.query[name] in {None, run[name]} for name in ("workflow", "status"))
    ]
    return page(call, wanted)


def workflows_get_run(call: Call) -> Reply:
    """A run as it is now."""
    return Reply(data=found(call))


def workflows_cancel_run(call: Call) -> Reply:
    """Stop a run that has not ended."""
    run = found(call)
    if run["status"] not in {"queued", "running"}:
        raise rule(f"The run has ended already: it is {run['status']}.")
    run.update(status="cancelled", finished_at=call.state.moment())
    return Reply(data=run)


def found(call: Call) -> Row:
    """The run of the path."""
    run = call.state.runs.get(call.path["run_id"])
    if run is None:
        raise not_found("Workflow run", call.path["run_id"])
    return run


HANDLERS: Mapping[str, Handler] = {
    "workflows_list": workflows_list,
    "workflows_run": workflows_run,
    "workflows_list_runs": workflows_list_runs,
    "workflows_get_run": workflows_get_run,
    "workflows_cancel_run": workflows_cancel_run,
}
