"""Who may call what: scopes, organisations, and the operations that are not built yet; generated from the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from tests.server.support.callers import Callers, rows
from tests.server.support.operations import API, CONTRACT, call
from tests.server.support.tenants import ISSUER, Organisation, make_organisation

from redcore_server.api.app import HANDLERS
from redcore_server.auth.app import Auth
from redcore_server.auth.credentials.principal import PRINCIPAL
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.contract.spec import Operation
from redcore_server.http.context import REQUEST_ID
from redcore_server.process import assembly
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects

pytestmark = pytest.mark.anyio
BUILT = [operation for operation in API if operation.id in HANDLERS]
ABOUT_ONE = [operation for operation in BUILT if "{" in operation.path]


@pytest.fixture
async def ids(caller: httpx.AsyncClient) -> dict[str, str]:
    """Return the ids of one object of each kind in the test's organisation."""
    new: dict[str, tuple[str, dict[str, Any]]] = {
        "user_id": ("/v1/users", {"email": "victim@example.com", "name": "Victim"}),
        "product_id": ("/v1/products", {"name": "x", "sku": "SKU-1", "price": 1}),
        "key_id": ("/v1/api-keys", {"name": "x", "scopes": ["users:read"]}),
        "application_id": ("/v1/applications", {"name": "x", "scopes": ["users:read"]}),
    }
    made = {name: (await caller.post(path, json=body)).json()["data"]["id"] for name, (path, body) in new.items()}
    file = await caller.post("/v1/files", files={"file": b"secret"})
    run = await caller.post("/v1/workflows/catalog_export/runs", json={})
    return {**made, "file_id": file.json()["data"]["id"], "run_id": run.json()["data"]["id"], "name": "none"}


async def contents(stores: Stores, organisation: Organisation) -> list[Any]:
    """Return the content of an organisation and its pending jobs; there is no other activity meanwhile."""
    owned = [
        await rows(stores, f"select * from {table} where organisation_id = %s order by id", organisation.id)  # noqa: S608
        for table in ("users", "products", "api_keys", "applications", "files", "workflow_runs")
    ]
    invitations = "select * from invitations join users on users.id = user_id where organisation_id = %s order by 1"
    jobs = "select id, task_name, args, status from procrastinate_jobs order by id"
    return [*owned, await rows(stores, invitations, organisation.id), await rows(stores, jobs)]


def test_every_operation_is_built() -> None:
    """Every operation with a scope has a handler."""
    assert [operation.id for operation in API if operation.id not in HANDLERS] == []


def test_every_handler_has_an_operation() -> None:
    """Every handler implements an operation of the contract."""
    assert HANDLERS.keys() <= CONTRACT.operations.keys()


@pytest.mark.parametrize("operation", API, ids=lambda o: o.id)
async def test_each_operation_needs_its_scope(
    callers: Callers, organisation: Organisation, operation: Operation
) -> None:
    """All other scopes together are not enough; the one alone is; the answer names it."""
    assert operation.scope is not None
    without = await callers.of(organisation, *(CONTRACT.scopes - {operation.scope, "admin"}))
    holder = await callers.of(organisation, operation.scope)

    refused, passed = await call(without, operation), await call(holder, operation)

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert refused.json()["error"]["message"] == f"This call needs the scope {operation.scope}."
    assert f'scope="{operation.scope}"' in refused.headers["WWW-Authenticate"]
    assert passed.status_code != 403


@pytest.mark.parametrize("operation", ABOUT_ONE, ids=lambda o: o.id)
async def test_another_organisations_id_is_unknown_and_nothing_changes(
    callers: Callers, organisation: Organisation, ids: dict[str, str], operation: Operation
) -> None:
    """404, never 403: not even its existence is revealed."""
    before = await contents(callers.stores, organisation)
    stranger = await callers.of(await make_organisation(callers.stores, callers.clock))

    response = await call(stranger, operation, ids)

    assert (response.status_code, response.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert await contents(callers.stores, organisation) == before


async def test_a_list_shows_one_organisation(
    callers: Callers, ids: dict[str, str], stores: Stores, clock: Clock
) -> None:
    """No row of another organisation, neither listed nor counted."""
    stranger = await callers.of(await make_organisation(stores, clock))

    lists = [f"/v1/{name}" for name in ("users", "products", "api-keys", "applications", "files", "workflow-runs")]
    totals = [(await stranger.get(path)).json()["meta"]["total"] for path in lists]

    assert totals == [1, 0, 1, 0, 0, 0]


async def test_organisations_do_not_share_unique_values(
    callers: Callers, ids: dict[str, str], stores: Stores, clock: Clock
) -> None:
    """An e-mail address and a sku are unique within one."""
    stranger = await callers.of(await make_organisation(stores, clock))

    responses = [
        await stranger.post("/v1/users", json={"email": "victim@example.com", "name": "V"}),
        await stranger.post("/v1/products", json={"name": "x", "sku": "SKU-1", "price": 1}),
    ]

    assert [response.status_code for response in responses] == [201, 201]


async def test_scope_is_checked_before_the_request(callers: Callers, organisation: Organisation) -> None:
    """A caller without the scope learns nothing about the request."""
    caller = await callers.of(organisation, "products:read")

    assert (await caller.post("/v1/users", json={})).status_code == 403


async def test_unknown_paths_and_methods(caller: httpx.AsyncClient) -> None:
    """404, and 405 with the methods that exist."""
    unknown, wrong = await caller.get("/v1/nothing"), await caller.put("/v1/users", json={})

    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["Allow"] == "GET, HEAD, POST"


async def test_the_api_serves_no_other_service(stores: Stores, auth: Auth, clock: Clock, tmp_path: Path) -> None:
    """An operation without a scope is not the API's, however the request got there."""
    settings = Settings(data=tmp_path)
    build = assembly.api_service(settings, stores, spec.load(), clock, open_objects(settings))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await build({**scope, REQUEST_ID.name: "x", PRINCIPAL.name: None}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as client:
        assert (await client.get("/healthz")).status_code == 404
