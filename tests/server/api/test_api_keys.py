"""`/v1/api-keys`: keys are created, shown once, listed without their secrets, and revoked at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.tenants import Client, Organisation, make_organisation

from redcore_server.api.authority import grantable
from redcore_server.auth.credentials.principal import Principal
from redcore_server.clock import Clock
from redcore_server.errors import InsufficientScope
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

NIGHTLY = {"name": "nightly export", "scopes": ["products:read"]}


async def create(caller: httpx.AsyncClient, **fields: object) -> dict[str, Any]:
    response = await caller.post("/v1/api-keys", json={**NIGHTLY, **fields})
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


def error(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_a_new_key_is_shown_once_and_works(
    caller: httpx.AsyncClient, callers: Callers, organisation: Organisation
) -> None:
    """201 with Location and the key, which then reads the catalog as its owner, and no more."""
    response = await caller.post("/v1/api-keys", json=NIGHTLY)

    made = response.json()["data"]
    assert (response.status_code, response.headers["Location"]) == (201, f"/v1/api-keys/{made['id']}")
    assert made == {
        "id": made["id"],
        "name": "nightly export",
        "mode": "live",
        "hint": made["key"][-4:],
        "scopes": ["products:read"],
        "created_at": made["created_at"],
        "expires_at": None,
        "key": made["key"],
    }
    assert made["key"].startswith("rk_live_")
    bearer = await callers.bearing(made["key"])
    assert (await bearer.get("/v1/products")).status_code == 200
    assert error(await bearer.get("/v1/users")) == (403, "INSUFFICIENT_SCOPE")


async def test_an_end_of_null_is_none(caller: httpx.AsyncClient) -> None:
    """As answers have it: a key can be made with what another one shows."""
    assert (await create(caller, expires_at=None))["expires_at"] is None


async def test_mode_and_end_are_as_asked(caller: httpx.AsyncClient, callers: Callers, clock: Clock) -> None:
    """A test key that expires in an hour: it works, and an hour later it is refused as expired."""
    end = clock.now() + timedelta(hours=1)
    made = await create(caller, mode="test", expires_at=end.isoformat())
    bearer = await callers.bearing(made["key"])

    assert made["key"].startswith("rk_test_")
    assert datetime.fromisoformat(made["expires_at"]) == end.astimezone(UTC)
    assert (await bearer.get("/v1/products")).status_code == 200
    clock.advance(3600)
    assert error(await bearer.get("/v1/products")) == (401, "TOKEN_EXPIRED")


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        ("2020-01-01T00:00:00Z", (422, "BUSINESS_RULE_VIOLATION")),
        ("2090-12-31T23:59:60Z", (400, "VALIDATION_ERROR")),
        ("9999-12-31T23:59:59-12:00", (400, "VALIDATION_ERROR")),
        ("tomorrow", (400, "VALIDATION_ERROR")),
    ],
)
async def test_an_invalid_expiry_is_refused(
    caller: httpx.AsyncClient, expires_at: str, expected: tuple[int, str]
) -> None:
    """A past moment violates a rule; any other value is malformed."""
    response = await caller.post("/v1/api-keys", json={**NIGHTLY, "expires_at": expires_at})

    assert error(response) == expected


@pytest.mark.parametrize("scopes", [[], ["users:fly"], ["users:read", "users:read"]])
async def test_scopes_are_those_of_the_contract(caller: httpx.AsyncClient, scopes: list[str]) -> None:
    """A missing, unknown or repeated scope is refused."""
    assert error(await caller.post("/v1/api-keys", json={**NIGHTLY, "scopes": scopes})) == (400, "VALIDATION_ERROR")


async def test_the_list_shows_active_keys_without_secrets(caller: httpx.AsyncClient) -> None:
    """Newest first, in pages; a revoked one is gone."""
    made = [await create(caller, name=f"key {number}") for number in range(3)]
    await caller.delete(f"/v1/api-keys/{made[1]['id']}")

    response = await caller.get("/v1/api-keys", params={"limit": 2})

    body = response.json()
    assert [key["name"] for key in body["data"]] == ["key 2", "key 0"]
    assert body["meta"] | {"total": 3, "limit": 2, "offset": 0} == body["meta"]  # with the caller's own
    assert body["data"][1] == {name: value for name, value in made[0].items() if name != "key"}


async def test_two_keys_are_valid_until_one_is_revoked(caller: httpx.AsyncClient, callers: Callers) -> None:
    """Rotation: create a second, switch, revoke the first."""
    old, new = await create(caller), await create(caller)
    first, second = await callers.bearing(old["key"]), await callers.bearing(new["key"])
    assert [(await c.get("/v1/products")).status_code for c in (first, second)] == [200, 200]

    response = await caller.delete(f"/v1/api-keys/{old['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert error(await first.get("/v1/products")) == (401, "INVALID_TOKEN")
    assert (await second.get("/v1/products")).status_code == 200


async def test_a_revoked_key_is_dead_on_every_node(
    caller: httpx.AsyncClient, callers: Callers, second_node: Callers
) -> None:
    """A node that did not revoke it refuses it at the same moment."""
    made = await create(caller)
    elsewhere = await second_node.bearing(made["key"])
    assert (await elsewhere.get("/v1/products")).status_code == 200

    await caller.delete(f"/v1/api-keys/{made['id']}")

    assert error(await elsewhere.get("/v1/products")) == (401, "INVALID_TOKEN")


async def test_a_key_is_revoked_once(caller: httpx.AsyncClient) -> None:
    """Of ten concurrent requests one succeeds; the others get 404, as for an unknown key."""
    made = await create(caller)

    responses = await asyncio.gather(*(caller.delete(f"/v1/api-keys/{made['id']}") for _ in range(10)))

    assert sorted(response.status_code for response in responses) == [204] + [404] * 9
    assert error(await caller.delete("/v1/api-keys/key_unknown")) == (404, "RESOURCE_NOT_FOUND")


async def test_another_organisation_sees_nothing(
    caller: httpx.AsyncClient, callers: Callers, stores: Stores, clock: Clock
) -> None:
    """404, not 403, and the key stays valid."""
    made = await create(caller)
    stranger = await callers.of(await make_organisation(stores, clock))

    assert error(await stranger.delete(f"/v1/api-keys/{made['id']}")) == (404, "RESOURCE_NOT_FOUND")
    assert (await stranger.get("/v1/api-keys")).json()["meta"]["total"] == 1
    assert (await (await callers.bearing(made["key"])).get("/v1/products")).status_code == 200


async def test_admin_is_required(callers: Callers, organisation: Organisation) -> None:
    """A credential without `admin` cannot create one, neither with more scopes than its own nor with fewer."""
    writer = await callers.of(organisation, "users:read", "users:write")

    responses = [await writer.post("/v1/api-keys", json={"name": "x", "scopes": [s]}) for s in ("admin", "users:read")]

    assert [error(response) for response in responses] == [(403, "INSUFFICIENT_SCOPE")] * 2
    assert error(await writer.get("/v1/api-keys")) == (403, "INSUFFICIENT_SCOPE")


def test_no_key_exceeds_its_creator() -> None:
    """Whatever scope the operation may require one day: a new credential never exceeds its creator's scopes."""
    reader = Principal("api_key", "key_1", "org_1", "usr_1", None, frozenset({"users:read", "products:read"}), "free")

    assert grantable(reader, ["users:read", "products:read"]) == ["products:read", "users:read"]
    for scope in ("users:write", "admin"):
        with pytest.raises(InsufficientScope, match=scope):
            grantable(reader, ["users:read", scope])


async def test_the_owner_is_the_callers(
    http: httpx.AsyncClient, callers: Callers, stores: Stores, organisation: Organisation, admin_client: Client
) -> None:
    """A key created with an application's token belongs to the application's owner."""
    form = {"grant_type": "client_credentials", "scope": "admin"}
    token = (await http.post("/oauth/token", data=form, auth=admin_client.basic)).json()["access_token"]

    made = await create(await callers.bearing(token))

    assert await rows(stores, "select owner_id from api_keys where id = %s", made["id"]) == [
        {"owner_id": organisation.owner_id}
    ]


async def test_a_replay_shows_the_same_key(caller: httpx.AsyncClient) -> None:
    """If the answer was lost, the same Idempotency-Key returns the key that was created."""
    headers = {"Idempotency-Key": "0d7b6a1c-lost"}
    first = await caller.post("/v1/api-keys", json=NIGHTLY, headers=headers)

    again = await caller.post("/v1/api-keys", json=NIGHTLY, headers=headers)

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await caller.get("/v1/api-keys")).json()["meta"]["total"] == 2
