"""`/v1/applications`: OAuth clients are registered, get new secrets with an overlap, and end with their tokens."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.api.applications import redirect_problem
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

STOREFRONT = {"name": "Storefront", "scopes": ["products:read"]}
OVERLAP_S = 24 * 3600


async def create(caller: httpx.AsyncClient, **fields: object) -> dict[str, Any]:
    response = await caller.post("/v1/applications", json={**STOREFRONT, **fields})
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


async def rotate(caller: httpx.AsyncClient, application: dict[str, Any]) -> str:
    response = await caller.post(f"/v1/applications/{application['id']}/secret")
    assert response.status_code == 200, response.text
    return str(response.json()["data"]["client_secret"])


async def token(caller: httpx.AsyncClient, client_id: str, secret: str) -> httpx.Response:
    # The callers' own bearer token is not client authentication.
    auth = httpx.BasicAuth(client_id, secret)
    return await caller.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=auth)


def error(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_a_new_application_gets_tokens_with_its_secret(caller: httpx.AsyncClient, callers: Callers) -> None:
    """201 with Location and the secret, which the list does not show."""
    response = await caller.post("/v1/applications", json=STOREFRONT)

    made = response.json()["data"]
    assert (response.status_code, response.headers["Location"]) == (201, f"/v1/applications/{made['id']}")
    assert made == {
        "id": made["id"],
        "name": "Storefront",
        "type": "confidential",
        "scopes": ["products:read"],
        "redirect_uris": [],
        "created_at": made["created_at"],
        "client_secret": made["client_secret"],
    }
    pair = (await token(caller, made["id"], made["client_secret"])).json()
    assert pair["scope"] == "products:read"
    assert (await (await callers.bearing(pair["access_token"])).get("/v1/products")).status_code == 200
    listed = (await caller.get("/v1/applications")).json()
    assert listed["data"] == [{name: value for name, value in made.items() if name != "client_secret"}]
    assert listed["meta"]["total"] == 1


async def test_a_public_application_has_no_secret(caller: httpx.AsyncClient) -> None:
    """It cannot keep one, so it cannot authenticate, rotate, or use client credentials."""
    made = await create(caller, type="public", redirect_uris=["http://127.0.0.1/callback"])

    assert (made["type"], made["client_secret"]) == ("public", None)
    assert (await token(caller, made["id"], "anything")).json()["error"] == "invalid_client"
    form = {"grant_type": "client_credentials", "client_id": made["id"]}
    response = await caller.post("/oauth/token", data=form)
    assert response.json()["error"] in {"invalid_client", "unauthorized_client"}
    assert error(await caller.post(f"/v1/applications/{made['id']}/secret")) == (422, "BUSINESS_RULE_VIOLATION")


async def test_two_secrets_are_valid_in_the_window_and_then_only_the_new_one(
    caller: httpx.AsyncClient, clock: Clock
) -> None:
    """The old secret works until the last moment before the window's end, by the server's clock."""
    made = await create(caller)
    old, new = made["client_secret"], await rotate(caller, made)

    statuses = []
    for seconds in (0, OVERLAP_S - 2, 3):
        clock.advance(seconds)
        statuses.append([(await token(caller, made["id"], secret)).status_code for secret in (old, new)])

    assert old != new
    assert statuses == [[200, 200], [200, 200], [401, 200]]


async def test_no_more_than_two_secrets_are_valid(caller: httpx.AsyncClient) -> None:
    """A second rotation in the window ends the first secret; issued tokens stay valid."""
    made = await create(caller)
    secrets = [made["client_secret"], await rotate(caller, made), await rotate(caller, made)]

    assert [(await token(caller, made["id"], secret)).status_code for secret in secrets] == [401, 200, 200]


async def test_a_token_outlives_the_rotation(caller: httpx.AsyncClient, callers: Callers) -> None:
    """A running service is not interrupted, and refreshes with the new secret."""
    made = await create(caller)
    pair = (await token(caller, made["id"], made["client_secret"])).json()

    new = await rotate(caller, made)

    bearer = await callers.bearing(pair["access_token"])
    assert (await bearer.get("/v1/products")).status_code == 200
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    refreshed = await caller.post("/oauth/token", data=form, auth=httpx.BasicAuth(made["id"], new))
    assert refreshed.status_code == 200


async def test_a_deleted_application_is_dead_with_its_tokens_on_every_node(
    caller: httpx.AsyncClient, callers: Callers, second_node: Callers
) -> None:
    """Access token, refresh token and secret are refused at the same moment, also by a node that did not delete it."""
    made = await create(caller)
    pair = (await token(caller, made["id"], made["client_secret"])).json()
    bearers = [await node.bearing(pair["access_token"]) for node in (callers, second_node)]
    assert [(await bearer.get("/v1/products")).status_code for bearer in bearers] == [200, 200]

    response = await caller.delete(f"/v1/applications/{made['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert [error(await bearer.get("/v1/products")) for bearer in bearers] == [(401, "INVALID_TOKEN")] * 2
    assert (await token(caller, made["id"], made["client_secret"])).json()["error"] == "invalid_client"
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    basic = httpx.BasicAuth(made["id"], made["client_secret"])
    refused = await (await second_node.bearing(None)).post("/oauth/token", data=form, auth=basic)
    assert refused.json()["error"] == "invalid_client"
    assert error(await caller.delete(f"/v1/applications/{made['id']}")) == (404, "RESOURCE_NOT_FOUND")


async def test_another_organisation_sees_nothing(
    caller: httpx.AsyncClient, callers: Callers, stores: Stores, clock: Clock
) -> None:
    """404, not 403, and the application and its secret stay valid."""
    made = await create(caller)
    stranger = await callers.of(await make_organisation(stores, clock))
    path = f"/v1/applications/{made['id']}"

    assert error(await stranger.delete(path)) == (404, "RESOURCE_NOT_FOUND")
    assert error(await stranger.post(f"{path}/secret")) == (404, "RESOURCE_NOT_FOUND")
    assert (await stranger.get("/v1/applications")).json()["meta"]["total"] == 0
    assert (await token(caller, made["id"], made["client_secret"])).status_code == 200


async def test_admin_is_required(callers: Callers, organisation: Organisation) -> None:
    """Any lesser credential can neither register nor list, rotate nor delete."""
    writer = await callers.of(organisation, "users:read", "users:write", "products:read")

    responses = [
        await writer.post("/v1/applications", json=STOREFRONT),
        await writer.get("/v1/applications"),
        await writer.post("/v1/applications/app_1/secret"),
        await writer.delete("/v1/applications/app_1"),
    ]

    assert [error(response) for response in responses] == [(403, "INSUFFICIENT_SCOPE")] * 4


async def test_bad_redirect_uris_are_all_named(caller: httpx.AsyncClient) -> None:
    """400 with the position of each; nothing is registered."""
    uris = ["https://shop.example.com/callback", "http://shop.example.com/", "https://shop.example.com/#x"]

    response = await caller.post("/v1/applications", json={**STOREFRONT, "redirect_uris": uris})

    assert error(response) == (400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in response.json()["error"]["details"]] == ["redirect_uris.1", "redirect_uris.2"]
    assert (await caller.get("/v1/applications")).json()["meta"]["total"] == 0


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://shop.example.com/callback?a=b", True),
        ("http://127.0.0.1/callback", True),
        ("http://[::1]:8400/callback", True),
        ("http://localhost:3000/", True),
        ("com.example.app:/callback", True),
        ("http://shop.example.com/", False),
        ("http://127.0.0.1.example.com/", False),
        ("http://127.0.0.1@example.com/", False),
        ("https://user@shop.example.com/", False),
        ("https://shop.example.com/#", False),
        ("https:/callback", False),
        ("https://shop.example.com:port/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_redirect_uris_must_be_safe(uri: str, *, expected: bool) -> None:
    """Only TLS, this machine, or a program's own scheme, where an answer cannot be read on the way."""
    assert (redirect_problem(uri) is None) == expected


async def test_replays_show_the_same_secret(caller: httpx.AsyncClient) -> None:
    """Creating and rotating with the same Idempotency-Key again returns the first answer and changes nothing."""
    headers = {"Idempotency-Key": "create-1"}
    first, again = [await caller.post("/v1/applications", json=STOREFRONT, headers=headers) for _ in range(2)]
    assert again.json() == first.json()

    headers = {"Idempotency-Key": "rotate-1"}
    path = f"{first.headers['Location']}/secret"
    first, again = [await caller.post(path, headers=headers) for _ in range(2)]

    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert (await caller.get("/v1/applications")).json()["meta"]["total"] == 1


async def test_applications_end_with_their_owner(
    caller: httpx.AsyncClient, callers: Callers, http: httpx.AsyncClient, stores: Stores
) -> None:
    """When the owner is deleted, tokens that the application holds for another person are dead, too."""
    owner = (await caller.post("/v1/users", json={"email": "grace@example.com", "name": "Grace"})).json()["data"]["id"]
    await rows(stores, "update users set status = 'active' where id = %s returning id", owner)
    made = await create(caller)
    pair = (await token(caller, made["id"], made["client_secret"])).json()  # its grant belongs to the first owner
    await rows(stores, "update applications set owner_id = %s where id = %s returning id", owner, made["id"])
    bearer = await callers.bearing(pair["access_token"])
    assert (await bearer.get("/v1/products")).status_code == 200

    await caller.delete(f"/v1/users/{owner}")

    assert error(await bearer.get("/v1/products")) == (401, "INVALID_TOKEN")
