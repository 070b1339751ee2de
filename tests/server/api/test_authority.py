"""No one grants or does more than they may: roles, credentials and workflows (contract section 5)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.people import make_person
from tests.server.support.tenants import Client, Organisation, make_client

from redcore_server.auth.people.role import role_ceiling
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.invitations.link import invitation_token, link_secret
from redcore_server.store import Stores
from redcore_server.worker.workflows import WorkflowRunner
from redcore_server.workflows import WORKFLOWS

pytestmark = pytest.mark.anyio

EVIL = {"email": "evil@example.com", "name": "Evil", "role": "admin"}
INPUTS: dict[str, dict[str, Any]] = {"catalog_export": {}, "docs_publish": {"file_id": "file_1"}}


def answer(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"] if response.is_error else {"code": ""}
    return response.status_code, error["code"]


FORBIDDEN = (403, "INSUFFICIENT_SCOPE")


async def token_of(callers: Callers, client: Client, scope: str | None = None) -> httpx.Response:
    anybody = await callers.bearing(None)
    data = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
    return await anybody.post("/oauth/token", data=data, auth=client.basic)


async def test_a_key_without_admin_appoints_no_admin(
    callers: Callers, caller: httpx.AsyncClient, organisation: Organisation
) -> None:
    """403 for create, update, resend and delete of an administrator; other roles and the name it may change."""
    clerk = await callers.of(organisation, "users:read", "users:write")
    viewer = (await clerk.post("/v1/users", json={"email": "v@example.com", "name": "V"})).json()["data"]["id"]
    pending = (await caller.post("/v1/users", json={**EVIL, "email": "a@example.com"})).json()["data"]["id"]
    admin = f"/v1/users/{organisation.owner_id}"

    refused = [
        await clerk.post("/v1/users", json=EVIL),
        await clerk.patch(f"/v1/users/{viewer}", json={"role": "admin"}),
        await clerk.patch(admin, json={"role": "viewer"}),
        await clerk.patch(admin, json={"status": "inactive"}),
        await clerk.patch(admin, json={"email": "evil@example.com"}),
        await clerk.patch(f"/v1/users/{pending}", json={"email": "evil@example.com"}),
        await clerk.post(f"/v1/users/{pending}/invitation"),
        await clerk.delete(admin),
    ]
    done = [
        await clerk.patch(f"/v1/users/{viewer}", json={"role": "editor"}),
        await clerk.patch(admin, json={"name": "Ada L"}),
        await clerk.delete(f"/v1/users/{viewer}"),
    ]

    assert [answer(response) for response in refused] == [FORBIDDEN] * 8
    assert [response.status_code for response in done] == [200, 200, 204]


@pytest.mark.parametrize("name", list(WORKFLOWS))
async def test_a_run_needs_the_scopes_of_its_work(callers: Callers, organisation: Organisation, name: str) -> None:
    """`workflows:write` alone starts nothing, and every scope is required."""
    needed, given = WORKFLOWS[name].scopes, {"input": INPUTS.get(name, {"file_id": "file_1"})}
    path = f"/v1/workflows/{name}/runs"

    for missing in needed:
        some = await callers.of(organisation, "workflows:write", *set(needed) - {missing})
        refused = await some.post(path, json=given)
        assert (answer(refused), missing in refused.json()["error"]["message"]) == (FORBIDDEN, True)
    enough = await callers.of(organisation, "workflows:write", *needed)
    assert (await enough.post(path, json=given)).status_code == 202


async def test_an_import_appoints_no_admin_without_the_scope(
    callers: Callers, organisation: Organisation, runner: WorkflowRunner, stores: Stores
) -> None:
    """The row of an administrator is a problem; with `partial` the others are imported."""
    clerk = await callers.of(
        organisation, "workflows:write", "workflows:read", "files:write", "files:read", "users:write"
    )
    content = b"email,name,role\nevil@example.com,Evil,admin\ngood@example.com,Good,editor\n"
    file_id = (await clerk.post("/v1/files", files={"file": ("u.csv", content)})).json()["data"]["id"]
    given = {"input": {"file_id": file_id, "partial": True}}
    started = await clerk.post("/v1/workflows/user_import/runs", json=given)

    await runner.run(started.json()["data"]["id"])

    run = (await clerk.get(f"/v1/workflow-runs/{started.json()['data']['id']}")).json()["data"]
    assert (run["status"], run["result"]["created"]) == ("succeeded", 1)
    issue = "needs the scope admin, with which the run was not started"
    assert run["result"]["problems"] == [{"field": "row 1.role", "issue": issue}]
    assert await rows(stores, "select 1 from users where email = 'evil@example.com'") == []


@pytest.mark.parametrize("change", ["update users set role = 'viewer'", "update users set status = 'inactive'"])
async def test_a_queued_run_ends_with_the_rights_of_its_owner(
    callers: Callers, organisation: Organisation, runner: WorkflowRunner, clock: Clock, change: str
) -> None:
    """A run that waits while its owner is demoted or locked out does nothing."""
    stores = callers.stores
    person = await make_person(stores, clock, organisation, "editor")
    editor = await callers.of(person, "admin")
    run_id = (await editor.post("/v1/workflows/catalog_export/runs", json={})).json()["data"]["id"]
    await rows(stores, f"{change} where id = %s returning id", person.owner_id)

    await runner.run(run_id)

    (run,) = await rows(stores, "select status, error from workflow_runs where id = %s", run_id)
    assert (run["status"], run["error"]["message"]) == (
        "failed",
        "The person or the credential that started the run may no longer do what it does.",
    )


async def test_a_demotion_cuts_every_credential_at_once(
    callers: Callers, caller: httpx.AsyncClient, organisation: Organisation, second_node: Callers, clock: Clock
) -> None:
    """Key, application and their tokens are limited to the new role, on every node; the rest of their rights stays."""
    stores = callers.stores
    person = await make_person(stores, clock, organisation, "admin")
    key = await callers.key_for(person, "admin")
    client = await make_client(stores, clock, person, ("admin",))
    before = (await token_of(callers, client)).json()
    assert before["scope"] == "admin"

    demoted = await caller.patch(f"/v1/users/{person.owner_id}", json={"role": "viewer"})

    assert demoted.status_code == 200
    for node in (callers, second_node):
        keyed, tokened = await node.bearing(key), await node.bearing(before["access_token"])
        assert answer(await keyed.patch(f"/v1/users/{person.owner_id}", json={"role": "admin"})) == FORBIDDEN
        assert answer(await keyed.get("/v1/api-keys")) == FORBIDDEN
        assert (await keyed.get("/v1/users")).status_code == 200
        assert answer(await tokened.get("/v1/users")) == (401, "INVALID_TOKEN")
    after = (await token_of(callers, client)).json()
    assert after["scope"] == " ".join(sorted(role_ceiling("viewer", spec.load().scopes)))
    assert (await token_of(callers, client, "users:write")).json()["error"] == "invalid_scope"


async def test_a_remaining_token_is_limited_to_the_role(
    callers: Callers, organisation: Organisation, clock: Clock
) -> None:
    """A token that no revocation has reached does no more than its owner may: the role is checked at each use."""
    person = await make_person(callers.stores, clock, organisation, "admin")
    client = await make_client(callers.stores, clock, person, ("admin",))
    holder = await callers.bearing((await token_of(callers, client)).json()["access_token"])
    assert (await holder.get("/v1/api-keys")).status_code == 200

    await rows(callers.stores, "update users set role = 'viewer' where id = %s returning id", person.owner_id)

    assert answer(await holder.get("/v1/api-keys")) == FORBIDDEN
    assert (await holder.get("/v1/products")).status_code == 200


async def test_an_address_is_invited_five_times_an_hour_at_most(caller: httpx.AsyncClient, clock: Clock) -> None:
    """By creating, resending, deleting and creating; then 422 says when to try again."""
    invited = {"email": "b@example.com", "name": "B"}
    path = f"/v1/users/{(await caller.post('/v1/users', json=invited)).json()['data']['id']}"
    for _ in range(3):
        assert (await caller.post(f"{path}/invitation")).status_code == 202
    assert (await caller.delete(path)).status_code == 204
    path = f"/v1/users/{(await caller.post('/v1/users', json=invited)).json()['data']['id']}"

    refused = await caller.post(f"{path}/invitation")

    assert answer(refused) == (422, "BUSINESS_RULE_VIOLATION")
    assert "it may be invited again after 20" in refused.json()["error"]["message"]
    assert (await caller.post("/v1/users", json={**invited, "email": "c@example.com"})).status_code == 201
    clock.advance(3601)
    assert (await caller.post(f"{path}/invitation")).status_code == 202


async def test_an_address_is_invited_ten_times_a_day_at_most(caller: httpx.AsyncClient, clock: Clock) -> None:
    """Spread over hours, the eleventh has to wait for the next day."""
    made = await caller.post("/v1/users", json={"email": "b@example.com", "name": "B"})
    path = f"/v1/users/{made.json()['data']['id']}"
    for _ in range(9):
        clock.advance(1200)
        assert (await caller.post(f"{path}/invitation")).status_code == 202

    clock.advance(3601)
    refused = await caller.post(f"{path}/invitation")
    clock.advance(86_400)

    assert answer(refused) == (422, "BUSINESS_RULE_VIOLATION")
    assert (await caller.post(f"{path}/invitation")).status_code == 202


async def test_an_import_invites_no_address_too_often(
    callers: Callers, caller: httpx.AsyncClient, runner: WorkflowRunner
) -> None:
    """Its row is a problem; other people of the file are invited, however many."""
    for _ in range(5):
        made = await caller.post("/v1/users", json={"email": "b@example.com", "name": "B"})
        await caller.delete(f"/v1/users/{made.json()['data']['id']}")
    lines = ["email,name", "B@example.com,B", *(f"p{number}@example.com,P" for number in range(2000))]
    file_id = (await caller.post("/v1/files", files={"file": ("u.csv", "\n".join(lines).encode())})).json()["data"][
        "id"
    ]
    given = {"input": {"file_id": file_id, "partial": True}}
    run_id = (await caller.post("/v1/workflows/user_import/runs", json=given)).json()["data"]["id"]

    await runner.run(run_id)

    result = (await caller.get(f"/v1/workflow-runs/{run_id}")).json()["data"]["result"]
    assert (result["created"], result["failed"], result["problems"][0]["field"]) == (2000, 1, "row 1.email")
    assert "invited too often" in result["problems"][0]["issue"]


async def test_an_admin_whose_appointer_was_demoted_cannot_accept(
    callers: Callers, caller: httpx.AsyncClient, organisation: Organisation, clock: Clock
) -> None:
    """An invitation gives no more than its sender has; resent by an administrator it works."""
    stores = callers.stores
    boss = await make_person(stores, clock, organisation, "admin")
    user = (await (await callers.of(boss, "admin")).post("/v1/users", json=EVIL)).json()["data"]["id"]
    link = await link_of(stores, user)
    anybody = await callers.bearing(None)
    assert (await anybody.get(link)).status_code == 200

    await caller.patch(f"/v1/users/{boss.owner_id}", json={"role": "editor"})

    assert (await anybody.get(link)).status_code != 200
    await caller.post(f"/v1/users/{user}/invitation")
    assert (await anybody.get(await link_of(stores, user))).status_code == 200


async def link_of(stores: Stores, user_id: str) -> str:
    """Return the path of the link of a user's newest invitation, without a mail."""
    (row,) = await rows(
        stores, "select id, expires_at from invitations where user_id = %s and voided_at is null", user_id
    )
    async with stores.postgres.connection() as connection:
        secret = await link_secret(connection)
    return f"/oauth/invitations/{invitation_token(row['id'], expires_at=row['expires_at'], secret=secret)}"
