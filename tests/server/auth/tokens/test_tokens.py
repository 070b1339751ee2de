"""Refresh tokens and grants on real stores: rotation, reuse, revocation, and who may do what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import AsyncMock

import anyio
import attrs
import httpx
import pytest
from tests.server.support.tenants import Client, Organisation, days

from redcore_server.auth.app import Auth
from redcore_server.auth.credentials.applications import Applications
from redcore_server.auth.credentials.principal import Principal
from redcore_server.auth.tokens.grant_store import GrantStore, new_refresh_token
from redcore_server.auth.tokens.redis_keys import grant as grant_key
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken, TokenExpired
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

Issue = Callable[[], Awaitable[dict[str, Any]]]


@pytest.fixture
def issue(http: httpx.AsyncClient, client: Client) -> Issue:
    async def issue() -> dict[str, Any]:
        response = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=client.basic)
        assert response.status_code == 200
        body: dict[str, Any] = response.json()
        return body

    return issue


async def refresh(http: httpx.AsyncClient, client: Client, token: str, **more: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, **more}
    return await http.post("/oauth/token", data=form, auth=client.basic)


async def revoke(http: httpx.AsyncClient, client: Client, token: str, **more: str) -> httpx.Response:
    return await http.post("/oauth/revoke", data={"token": token, **more}, auth=client.basic)


async def introspect(http: httpx.AsyncClient, client: Client, token: str) -> dict[str, Any]:
    response = await http.post("/oauth/introspect", data={"token": token}, auth=client.basic)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


async def test_access_token_names_its_principal(
    auth: Auth, issue: Issue, client: Client, organisation: Organisation, clock: Clock
) -> None:
    """A verified token gives the gateway caller, owner, scopes, plan and expiry."""
    token = await issue()

    principal = await auth.verifier.verify(token["access_token"])

    assert principal == Principal(
        kind="token",
        credential_id=client.id,
        organisation_id=organisation.id,
        owner_id=organisation.owner_id,
        client_id=client.id,
        scopes=frozenset({"users:read", "users:write"}),
        plan="free",
        expires_at=principal.expires_at,
    )
    assert principal.expires_at == pytest.approx(clock.time() + 3600, abs=10)


async def test_refresh_replaces_both_tokens(auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client) -> None:
    """A refresh returns a new pair; the older access token stays valid until its own expiry."""
    first = await issue()

    second = (await refresh(http, client, first["refresh_token"])).json()

    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    await auth.verifier.verify(second["access_token"])
    await auth.verifier.verify(first["access_token"])


async def test_concurrent_uses_of_one_refresh_token_succeed_once(
    http: httpx.AsyncClient, issue: Issue, client: Client
) -> None:
    """Of 50 concurrent uses exactly one gets tokens, and the reuse by the others revokes the family."""
    token = await issue()
    responses: list[httpx.Response] = []

    async def use() -> None:
        responses.append(await refresh(http, client, token["refresh_token"]))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(use)

    won = [response for response in responses if response.status_code == 200]
    lost = [response.json()["error"] for response in responses if response.status_code == 400]
    assert len(won) == 1
    assert lost == ["invalid_grant"] * 49
    assert await introspect(http, client, won[0].json()["access_token"]) == {"active": False}


async def test_refresh_token_reuse_revokes_the_family(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client
) -> None:
    """A used refresh token that is used again revokes the current one and every access token of the family."""
    first = await issue()
    second = (await refresh(http, client, first["refresh_token"])).json()

    reused = await refresh(http, client, first["refresh_token"])

    assert reused.status_code == 400
    assert reused.json()["error"] == "invalid_grant"
    assert (await refresh(http, client, second["refresh_token"])).status_code == 400
    for token in (first, second):
        with pytest.raises(InvalidToken):
            await auth.verifier.verify(token["access_token"])


async def test_forged_token_of_a_known_grant_revokes_nothing(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client
) -> None:
    """Knowing the grant's id, which every access token shows, is not enough to revoke the family."""
    token = await issue()
    grant_id = token["refresh_token"].partition(".")[0]

    assert (await refresh(http, client, f"{grant_id}.forged")).status_code == 400
    assert (await revoke(http, client, f"{grant_id}.forged")).status_code == 200

    await auth.verifier.verify(token["access_token"])


async def test_refresh_token_expiry_slides_by_thirty_days(
    http: httpx.AsyncClient, issue: Issue, client: Client, clock: Clock
) -> None:
    """Each rotation gives thirty days more; a token that was not used for thirty days is dead."""
    token = await issue()
    clock.advance(days(29))
    token = (await refresh(http, client, token["refresh_token"])).json()
    clock.advance(days(29))
    token = (await refresh(http, client, token["refresh_token"])).json()

    clock.advance(days(30))
    late = await refresh(http, client, token["refresh_token"])

    assert late.json()["error"] == "invalid_grant"
    assert await introspect(http, client, token["refresh_token"]) == {"active": False}


async def test_access_token_expires(auth: Auth, issue: Issue, clock: Clock) -> None:
    """An access token works for 3600 seconds and is then reported as expired, not invalid."""
    token = await issue()

    clock.advance(3598)
    await auth.verifier.verify(token["access_token"])
    clock.advance(3)

    with pytest.raises(TokenExpired):
        await auth.verifier.verify(token["access_token"])


async def test_revoking_a_refresh_token_kills_its_access_tokens(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client
) -> None:
    """RFC 7009: the grant ends with the refresh token; the answer has no body."""
    token = await issue()

    response = await revoke(http, client, token["refresh_token"], token_type_hint="refresh_token")

    assert (response.status_code, response.content) == (200, b"")
    with pytest.raises(InvalidToken):
        await auth.verifier.verify(token["access_token"])
    assert (await refresh(http, client, token["refresh_token"])).json()["error"] == "invalid_grant"


async def test_revoking_an_access_token_spares_the_refresh_token(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client
) -> None:
    """One access token is revoked alone; a wrong hint changes nothing."""
    token = await issue()

    response = await revoke(http, client, token["access_token"], token_type_hint="nonsense")

    assert (response.status_code, response.content) == (200, b"")
    with pytest.raises(InvalidToken):
        await auth.verifier.verify(token["access_token"])
    refreshed = (await refresh(http, client, token["refresh_token"])).json()
    await auth.verifier.verify(refreshed["access_token"])


@pytest.mark.parametrize("token", ["unknown", "a.b.c", "grt_1.x", "grt_{x}.y", "ü", "x" * 9000])
async def test_revoking_an_unknown_token_succeeds(http: httpx.AsyncClient, client: Client, token: str) -> None:
    """RFC 7009 section 2.2: an unknown token counts as revoked."""
    response = await revoke(http, client, token)

    assert (response.status_code, response.content) == (200, b"")


async def test_another_client_can_neither_refresh_nor_revoke(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, sibling: Client
) -> None:
    """A token belongs to its client, also within one organisation; an attempt to use it does it no harm."""
    token = await issue()

    refreshed = await refresh(http, sibling, token["refresh_token"])
    revoked = [await revoke(http, sibling, token[kind]) for kind in ("refresh_token", "access_token")]

    assert refreshed.json()["error"] == "invalid_grant"
    assert [response.json()["error"] for response in revoked] == ["invalid_grant", "invalid_grant"]
    await auth.verifier.verify(token["access_token"])


async def test_refresh_cannot_widen_the_scope(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client
) -> None:
    """Requesting more does not use the refresh token up; requesting less narrows only that answer."""
    token = await issue()

    wider = await refresh(http, client, token["refresh_token"], scope="users:read admin")
    narrower = (await refresh(http, client, token["refresh_token"], scope="users:read")).json()
    again = (await refresh(http, client, narrower["refresh_token"])).json()

    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    assert narrower["scope"] == "users:read"
    assert (await auth.verifier.verify(narrower["access_token"])).scopes == frozenset({"users:read"})
    assert again["scope"] == "users:read users:write"


async def test_introspection_describes_active_tokens(
    http: httpx.AsyncClient, issue: Issue, client: Client, clock: Clock
) -> None:
    """Both kinds of token are described to a client of the same organisation."""
    token = await issue()

    access = await introspect(http, client, token["access_token"])
    refresh_ = await introspect(http, client, token["refresh_token"])

    assert access.pop("jti")
    assert access["exp"] - access["iat"] == 3600
    assert refresh_["exp"] - refresh_["iat"] == days(30)
    assert abs(access["iat"] - clock.time()) < 10
    times = {"exp", "iat"}
    assert {name: value for name, value in access.items() if name not in times} == {
        "active": True,
        "token_type": "Bearer",
        "client_id": client.id,
        "sub": client.id,
        "scope": "users:read users:write",
        "iss": "http://127.0.0.1:4010",
        "aud": "http://127.0.0.1:4010/v1",
    }
    assert {name: value for name, value in refresh_.items() if name not in times} == {
        "active": True,
        "token_type": "refresh_token",
        "client_id": client.id,
        "sub": client.id,
        "scope": "users:read users:write",
        "iss": "http://127.0.0.1:4010",
    }


async def test_introspection_hides_other_organisations_and_dead_tokens(
    http: httpx.AsyncClient, clock: Clock, issue: Issue, client: Client, stranger: Client
) -> None:
    """Foreign, used, expired and malformed tokens look the same: not active."""
    token = await issue()
    used = token["refresh_token"]

    foreign = [await introspect(http, stranger, token[kind]) for kind in ("access_token", "refresh_token")]
    await refresh(http, client, used)
    clock.advance(3600)
    dead = [await introspect(http, client, text) for text in (used, token["access_token"], "nonsense")]

    assert foreign + dead == [{"active": False}] * 5


async def test_revoking_a_user_or_client_ends_all_their_grants(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client, organisation: Organisation
) -> None:
    """Deactivation or deletion by the API revokes every grant at once, also a refreshed one."""
    tokens = [await issue(), await issue()]
    tokens.append((await refresh(http, client, tokens[0]["refresh_token"])).json())

    assert await auth.revocation.revoke_user(organisation.owner_id) == 2
    for token in tokens:
        with pytest.raises(InvalidToken):
            await auth.verifier.verify(token["access_token"])

    token = await issue()
    assert await auth.revocation.revoke_client(client.id) == 3
    with pytest.raises(InvalidToken):
        await auth.verifier.verify(token["access_token"])
    assert await auth.revocation.revoke_client(client.id) == 0


async def test_a_grant_older_than_thirty_days_is_still_found(
    auth: Auth, http: httpx.AsyncClient, issue: Issue, client: Client, clock: Clock
) -> None:
    """Each refresh keeps the grant in the indexes by which it is revoked with its owner or client."""
    token = await issue()
    clock.advance(days(29))
    token = (await refresh(http, client, token["refresh_token"])).json()
    clock.advance(days(2))
    await issue()  # drops what has expired from the index
    token = (await refresh(http, client, token["refresh_token"])).json()

    assert await auth.revocation.revoke_client(client.id) == 2
    with pytest.raises(InvalidToken):
        await auth.verifier.verify(token["access_token"])


async def test_the_rotation_itself_checks_the_client(stores: Stores, issue: Issue) -> None:
    """The atomic step relies on no earlier check: for another client the grant does not exist."""
    token = (await issue())["refresh_token"]
    grants = GrantStore(stores)
    grant = await grants.of(token)
    assert grant is not None

    foreign = attrs.evolve(grant, client_id="app_other")
    outcomes = [
        await grants.rotate(presenter, token, new_refresh_token(grant.id), grant.created_at)
        for presenter in (foreign, grant)
    ]

    assert outcomes == ["unknown", "rotated"]


async def test_inactive_owner_gets_no_tokens(
    http: httpx.AsyncClient, stores: Stores, issue: Issue, client: Client, organisation: Organisation
) -> None:
    """An application is only valid while its owner is active: neither a new grant nor a refresh works."""
    token = await issue()
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set status = 'inactive' where id = %s", (organisation.owner_id,))

    fresh = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=client.basic)

    assert (fresh.status_code, fresh.json()["error"]) == (401, "invalid_client")
    assert (await refresh(http, client, token["refresh_token"])).json()["error"] == "invalid_client"


async def test_owner_deactivated_while_a_token_is_issued(
    http: httpx.AsyncClient, stores: Stores, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grant written after the revocation of its owner is removed before it is returned."""
    monkeypatch.setattr(Applications, "granted", AsyncMock(return_value=None))

    response = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=client.basic)

    assert response.json()["error"] == "invalid_client"
    grants = await stores.redis.zrange(f"auth:grants:client:{client.id}", 0, -1)
    assert [await stores.redis.exists(grant_key(str(grant_id))) for grant_id in grants] == [0]


async def test_redis_without_its_data_accepts_nothing(
    auth: Auth, http: httpx.AsyncClient, stores: Stores, issue: Issue, client: Client
) -> None:
    """The grants are an allow-list: after a loss of Redis' data every token is refused."""
    token = await issue()

    await stores.redis.flushdb()

    with pytest.raises(InvalidToken):
        await auth.verifier.verify(token["access_token"])
    assert (await refresh(http, client, token["refresh_token"])).json()["error"] == "invalid_grant"
    assert await introspect(http, client, token["access_token"]) == {"active": False}


async def test_refresh_tokens_are_stored_as_digests(stores: Stores, issue: Issue) -> None:
    """No value in Redis is a refresh token, or contains its secret."""
    token = await issue()
    grant_id, _, secret = token["refresh_token"].partition(".")

    record = await stores.redis.hgetall(grant_key(grant_id))

    assert len(record["refresh"]) == 64
    assert secret not in str(record)
