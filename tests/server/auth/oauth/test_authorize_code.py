"""The code at the token endpoint: valid once, for its own client, with its own verifier, for a minute."""

from __future__ import annotations

import time

import anyio
import attrs
import httpx
import pytest
from tests.server.support.authorizing import CALLBACK, VERIFIER, Flow, register, signed_in
from tests.server.support.browsing import forms_of
from tests.server.support.still_clock import StillClock
from tests.server.support.tenants import Client, Organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.oauth.code_store import Code, Codes
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    """Stands still, so that the last second of a code is met however long the steps before it take."""
    return StillClock(time.time())


async def test_tokens_are_the_persons(flow: Flow, auth: Auth, organisation: Organisation) -> None:
    """The subject is the person who signed in, and the API sees the owner, the application and the granted scope."""
    answer = await flow.redeem(await flow.code(scope="users:read"))

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert sorted(body) == ["access_token", "expires_in", "refresh_token", "scope", "token_type"]
    principal = await auth.verifier.verify(body["access_token"])
    assert principal.credential_id == principal.owner_id == organisation.owner_id
    assert principal.client_id == flow.client.id
    assert principal.scopes == frozenset({"users:read"})


async def test_tokens_refresh(flow: Flow) -> None:
    """The refresh token rotates as every other."""
    first = (await flow.redeem(await flow.code())).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    second = await flow.browser.http.post("/oauth/token", data=form, auth=flow.client.basic)

    assert second.status_code == 200
    assert not await flow.active(first["refresh_token"], flow.client)


async def test_fifty_uses_at_once_succeed_once(flow: Flow) -> None:
    """Exactly one gets tokens; as the others were a reuse, introspection reports the tokens as inactive."""
    code = await flow.code()
    answers: list[httpx.Response] = []

    async def use() -> None:
        answers.append(await flow.redeem(code))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(use)

    won = [answer.json() for answer in answers if answer.status_code == 200]
    lost = {(answer.status_code, answer.json()["error"]) for answer in answers if answer.status_code != 200}
    assert len(won) == 1
    assert lost == {(400, "invalid_grant")}
    assert not await flow.active(won[0]["access_token"], flow.client)
    assert not await flow.active(won[0]["refresh_token"], flow.client)


@pytest.mark.parametrize("changes", [{}, {"code_verifier": "w" * 43}, {"redirect_uri": "https://evil.example"}])
async def test_second_use_kills_the_tokens(flow: Flow, changes: dict[str, str]) -> None:
    """RFC 6749 section 4.1.2: the first use may have been the thief's."""
    code = await flow.code()
    body = (await flow.redeem(code)).json()
    before = await flow.active(body["access_token"], flow.client)

    again = await flow.redeem(code, **changes)

    assert before
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not await flow.active(body["access_token"], flow.client)
    assert not await flow.active(body["refresh_token"], flow.client)


async def test_concurrent_use_of_a_code_kills_the_tokens_too(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests may both have read an unused code; the step that marks it used detects the second one."""
    code = await flow.code()
    first = (await flow.redeem(code)).json()
    find = Codes.find

    async def unused(self: Codes, text: str) -> Code | None:
        found = await find(self, text)
        return found and attrs.evolve(found, grant_id="")

    monkeypatch.setattr(Codes, "find", unused)
    second = await flow.redeem(code)

    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    assert not await flow.active(first["access_token"], flow.client)


async def test_another_client_gets_nothing_and_spoils_nothing(flow: Flow, sibling: Client) -> None:
    """A code is bound to its client, used or not."""
    code = await flow.code()
    thief = Flow(flow.browser, sibling)

    stolen = await thief.redeem(code)
    mine = await flow.redeem(code)
    late = await thief.redeem(code)

    assert [answer.json().get("error") for answer in (stolen, mine, late)] == ["invalid_grant", None, "invalid_grant"]
    assert await flow.active(mine.json()["access_token"], flow.client)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": "ü" * 43}, "invalid_request"),
        ({"code_verifier": f"{VERIFIER}v"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"redirect_uri": f"{CALLBACK}?x"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": "ü\0"}, "invalid_grant"),
    ],
)
async def test_a_code_with_the_wrong_verifier_or_redirect_uri_is_refused(
    flow: Flow, changes: dict[str, str], error: str
) -> None:
    """No verifier, a wrong one, or another redirect URI than the code was sent to."""
    answer = await flow.redeem(await flow.code(), **changes)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_pkce_cannot_be_downgraded_later(flow: Flow) -> None:
    """The challenge is not accepted as a `plain` verifier, whatever method is named."""
    code = await flow.code()
    challenge = flow.request()["code_challenge"]

    answer = await flow.redeem(code, code_verifier=challenge, code_challenge_method="plain")

    assert answer.json()["error"] == "invalid_grant"


async def test_code_ends_after_a_minute(flow: Flow, clock: Clock) -> None:
    """The last second is good, the next is not."""
    early, late = await flow.code(), await flow.code()
    clock.advance(59)
    in_time = await flow.redeem(early)
    clock.advance(2)

    assert in_time.status_code == 200
    assert (await flow.redeem(late)).json()["error"] == "invalid_grant"


async def test_address_that_was_left_out_need_not_be_repeated(flow: Flow) -> None:
    """RFC 6749 section 4.1.3: it is required only if the first request had it."""
    answer = await flow.redeem(await flow.code(redirect_uri=""), redirect_uri="")

    assert answer.status_code == 200


async def test_loopback_code_is_bound_to_its_port(
    flow: Flow, stores: Stores, clock: Clock, organisation: Organisation
) -> None:
    """Any port may be requested, but the code is then bound to it."""
    app = await register(stores, clock, organisation, "http://127.0.0.1/cb", is_public=True)
    local = Flow(flow.browser, app)

    right = await local.redeem(
        await local.code(redirect_uri="http://127.0.0.1:5001/cb"), redirect_uri="http://127.0.0.1:5001/cb"
    )
    wrong = await local.redeem(
        await local.code(redirect_uri="http://127.0.0.1:5001/cb"), redirect_uri="http://127.0.0.1:5002/cb"
    )

    assert (right.status_code, wrong.json()["error"]) == (200, "invalid_grant")


async def test_public_client_relies_on_pkce_alone(
    flow: Flow, stores: Stores, clock: Clock, organisation: Organisation, client: Client
) -> None:
    """It gets tokens, refreshes and revokes with its client id, but has no credentials and cannot introspect."""
    app = await register(stores, clock, organisation, is_public=True)
    public, http = Flow(flow.browser, app), flow.browser.http
    name = {"client_id": app.id}
    first = (await public.redeem(await public.code())).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **name}
    second = (await http.post("/oauth/token", data=form)).json()
    own = await http.post("/oauth/token", data={"grant_type": "client_credentials", **name})
    asked = await http.post("/oauth/introspect", data={"token": second["access_token"], **name})
    forged = await http.post("/oauth/token", data={**form, "client_secret": "x"})
    living = await flow.active(second["access_token"], client)
    revoked = await http.post("/oauth/revoke", data={"token": second["refresh_token"], **name})

    assert living
    assert (own.status_code, own.json()["error"]) == (400, "unauthorized_client")
    assert (asked.status_code, asked.json()["error"]) == (401, "invalid_client")
    assert (forged.status_code, forged.json()["error"]) == (401, "invalid_client")
    assert revoked.status_code == 200
    assert not await flow.active(second["access_token"], client)


async def test_confidential_client_needs_its_secret(flow: Flow) -> None:
    """A code and a verifier do not replace the secret of a client that has one."""
    form = {
        "grant_type": "authorization_code",
        "client_id": flow.client.id,
        "code": await flow.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }

    answer = await flow.browser.http.post("/oauth/token", data=form)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_locked_out_person_gets_no_tokens(flow: Flow, stores: Stores, organisation: Organisation) -> None:
    """Between consent and the token request the person may have been made inactive."""
    member = "usr_" + organisation.id.removeprefix("org_")
    async with stores.postgres.connection() as connection:
        await connection.execute(
            """insert into users (id, organisation_id, email, email_key, name, role, status, accepted_at, created_at,
                                  updated_at)
               select %s, organisation_id, 'bo@example.com', 'bo@example.com', 'Bo', 'admin', 'active', accepted_at,
                      created_at, updated_at from users where id = %s""",
            (member, organisation.owner_id),
        )
        theirs = Flow(await signed_in(flow.browser.http, stores, Clock(), member), flow.client)
        first = (await theirs.redeem(await theirs.code())).json()
        code = await theirs.code()
        await connection.execute("update users set status = 'inactive' where id = %s", (member,))

    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    refreshed = await flow.browser.http.post("/oauth/token", data=form, auth=flow.client.basic)
    assert (await theirs.redeem(code)).json()["error"] == "invalid_grant"
    assert refreshed.json()["error"] == "invalid_grant"


async def test_demoted_person_keeps_less_at_the_next_refresh(
    flow: Flow, stores: Stores, organisation: Organisation
) -> None:
    """A refresh grants what the role still allows."""
    first = (await flow.redeem(await flow.code())).json()
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set role = 'viewer' where id = %s", (organisation.owner_id,))

    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await flow.browser.http.post("/oauth/token", data=form, auth=flow.client.basic)

    assert first["scope"] == "users:read users:write"
    assert second.json()["scope"] == "users:read"


async def test_a_code_does_not_outlive_a_lockout(flow: Flow, auth: Auth, organisation: Organisation) -> None:
    """The consent of a person who is made inactive and active again within the lifetime of the code is void."""
    before = await flow.code()

    await auth.revocation.revoke_user(organisation.owner_id)

    assert (await flow.redeem(before)).json()["error"] == "invalid_grant"


async def test_a_consent_overtaken_by_a_lockout_is_void(
    flow: Flow, auth: Auth, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code that is written after the lockout ends with it, also if the person is active again by then."""
    add, codes = Codes.add, list[str]()

    async def add_late(self: Codes, text: str, code: Code, now: int) -> None:
        await auth.revocation.revoke_user(organisation.owner_id)
        codes.append(text)
        await add(self, text, code, now)

    monkeypatch.setattr(Codes, "add", add_late)

    answer = await flow.allow()

    assert answer.headers["Location"].startswith("/oauth/authorize?")
    assert "password" in forms_of(await flow.browser.follow(answer))
    assert (await flow.redeem(*codes)).json()["error"] == "invalid_grant"
