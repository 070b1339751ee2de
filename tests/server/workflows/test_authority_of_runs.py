"""A run ends with the authority of the credential that started it, and with the lockout of its owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import httpx
import pytest
from tests.server.support.authorizing import Flow, register, signed_in
from tests.server.support.callers import Callers, rows
from tests.server.support.people import make_person
from tests.server.support.tenants import Client, Organisation

from redcore_server.auth.secret import digest
from redcore_server.worker.workflows import WorkflowRunner
from redcore_server.workflows.definition import Run

pytestmark = pytest.mark.anyio

FAILED = (
    "failed",
    {"message": "The person or the credential that started the run may no longer do what it does.", "details": []},
)
ENDS = ("the key is revoked", "the application is deleted", "the application's owner is demoted")


@attrs.frozen
class Thief:
    """A stranger with a key of the administrator, or with a token that a colleague's application has for him."""

    caller: httpx.AsyncClient
    ends: Callable[[], Awaitable[object]]


@pytest.fixture(params=ENDS)
async def thief(
    request: pytest.FixtureRequest, callers: Callers, caller: httpx.AsyncClient, organisation: Organisation
) -> Thief:
    """Return the thief, and how the credential ends."""
    if request.param == "the key is revoked":
        secret = await callers.key_for(organisation)
        stolen = await callers.bearing(secret)
        (key,) = await rows(callers.stores, "select id from api_keys where hash = %s", digest(secret))
        return Thief(stolen, lambda: caller.delete(f"/v1/api-keys/{key['id']}"))
    colleague = await make_person(callers.stores, callers.clock, organisation, "admin")
    application = await register(callers.stores, callers.clock, colleague, scopes=("admin",))
    stolen = await callers.bearing((await pair_of(callers, organisation, application))["access_token"])
    if request.param == "the application is deleted":
        return Thief(stolen, lambda: caller.delete(f"/v1/applications/{application.id}"))
    return Thief(stolen, lambda: caller.patch(f"/v1/users/{colleague.owner_id}", json={"role": "viewer"}))


async def pair_of(callers: Callers, person: Organisation, application: Client) -> dict[str, Any]:
    """Return the tokens that an application gets for a person."""
    browser = await signed_in(await callers.bearing(None), callers.stores, callers.clock, person.owner_id)
    flow = Flow(browser, application)
    pair: dict[str, Any] = (await flow.redeem(await flow.code(scope="admin"))).json()
    return pair


async def start_import(caller: httpx.AsyncClient) -> str:
    """Start an import of an administrator, and return the id of the run."""
    content = b"email,name,role\nevil@example.com,Evil,admin\n"
    file_id = (await caller.post("/v1/files", files={"file": ("u.csv", content)})).json()["data"]["id"]
    started = await caller.post("/v1/workflows/user_import/runs", json={"input": {"file_id": file_id}})
    return str(started.json()["data"]["id"])


async def ended(caller: httpx.AsyncClient, run_id: str) -> tuple[str, dict[str, Any] | None]:
    """Return status and error of a run."""
    run = (await caller.get(f"/v1/workflow-runs/{run_id}")).json()["data"]
    return run["status"], run["error"]


async def test_a_queued_run_ends_with_its_credential(
    thief: Thief, caller: httpx.AsyncClient, runner: WorkflowRunner, organisation: Organisation
) -> None:
    """What waits does nothing when its turn comes."""
    run_id = await start_import(thief.caller)
    await thief.ends()

    await runner.run(run_id)

    assert await ended(caller, run_id) == FAILED
    assert await invited(runner, organisation) == []


async def test_a_running_run_ends_with_its_credential(
    thief: Thief,
    caller: httpx.AsyncClient,
    runner: WorkflowRunner,
    organisation: Organisation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has begun changes nothing."""
    run_id = await start_import(thief.caller)
    succeed = Run.succeed

    async def succeed_late(self: Run, *arguments: Any) -> None:
        await thief.ends()
        await succeed(self, *arguments)

    monkeypatch.setattr(Run, "succeed", succeed_late)

    await runner.run(run_id)

    assert await ended(caller, run_id) == FAILED
    assert await invited(runner, organisation) == []


async def invited(runner: WorkflowRunner, organisation: Organisation) -> list[dict[str, Any]]:
    """Return the users whom an import has made in an organisation."""
    sql = "select id from users where organisation_id = %s and email = 'evil@example.com'"
    return await rows(runner.stores, sql, organisation.id)


async def test_a_run_outlives_a_sign_out(
    callers: Callers, caller: httpx.AsyncClient, runner: WorkflowRunner, organisation: Organisation
) -> None:
    """The end of a session takes no authority away."""
    application = await register(callers.stores, callers.clock, organisation, scopes=("admin",))
    pair = await pair_of(callers, organisation, application)
    run_id = await start_import(await callers.bearing(pair["access_token"]))
    form = {"token": pair["refresh_token"]}
    await (await callers.bearing(None)).post("/oauth/revoke", data=form, auth=application.basic)

    await runner.run(run_id)

    assert await ended(caller, run_id) == ("succeeded", None)


async def test_a_run_outlives_the_lifetime_of_its_key(
    callers: Callers, caller: httpx.AsyncClient, runner: WorkflowRunner, organisation: Organisation
) -> None:
    """It was started in time: expiry is not revocation."""
    run_id = await start_import(await callers.of(organisation))
    sql = "update api_keys set expires_at = created_at + interval '1 s' where owner_id = %s returning id"
    await rows(callers.stores, sql, organisation.owner_id)
    callers.clock.advance(2)

    await runner.run(run_id)

    (run,) = await rows(callers.stores, "select status from workflow_runs where id = %s", run_id)
    assert run["status"] == "succeeded"


@pytest.mark.parametrize("end", ["deactivation", "deletion"])
async def test_a_lockout_ends_the_runs_of_a_person_at_once(
    callers: Callers, caller: httpx.AsyncClient, runner: WorkflowRunner, organisation: Organisation, end: str
) -> None:
    """They have ended when the answer comes, and do not go on after a return."""
    person = await make_person(callers.stores, callers.clock, organisation, "admin")
    path = f"/v1/users/{person.owner_id}"
    run_id = await start_import(await callers.of(person))

    await (caller.delete(path) if end == "deletion" else caller.patch(path, json={"status": "inactive"}))

    assert await ended(caller, run_id) == FAILED
    await caller.patch(path, json={"status": "active"})
    await runner.run(run_id)
    assert await ended(caller, run_id) == FAILED


async def test_a_lockout_ends_the_runs_of_the_persons_applications(
    callers: Callers, caller: httpx.AsyncClient, organisation: Organisation
) -> None:
    """Also those that others started with them: an application lives only as long as its owner."""
    person = await make_person(callers.stores, callers.clock, organisation, "admin")
    application = await register(callers.stores, callers.clock, person, scopes=("admin",))
    pair = await pair_of(callers, organisation, application)
    run_id = await start_import(await callers.bearing(pair["access_token"]))
    other = await start_import(caller)

    await caller.patch(f"/v1/users/{person.owner_id}", json={"status": "inactive"})

    assert await ended(caller, run_id) == FAILED
    assert await ended(caller, other) == ("queued", None)
