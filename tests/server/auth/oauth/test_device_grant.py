"""The device grant over the wire: codes, polling, and that a code gives tokens once and only to its own client."""

from __future__ import annotations

import re
import time

import anyio
import httpx
import pytest
from tests.server.support.authorizing import signed_in
from tests.server.support.browsing import Browser
from tests.server.support.devices import GRANT, Login, send, start
from tests.server.support.still_clock import StillClock
from tests.server.support.tenants import ISSUER, Client, Organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.oauth.device_store import Device, DeviceCodes, shown
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    """Stands still, so that the last second of a code is met however long the steps before it take."""
    return StillClock(time.time())


@pytest.fixture
async def browser(http: httpx.AsyncClient, stores: Stores, clock: Clock, organisation: Organisation) -> Browser:
    return await signed_in(http, stores, clock, organisation.owner_id)


@pytest.fixture
async def login(http: httpx.AsyncClient, cli: Client) -> Login:
    return await start(http, cli, scope="users:read")


async def test_a_device_gets_its_codes(http: httpx.AsyncClient, cli: Client) -> None:
    """RFC 8628 section 3.2, not to be cached; the user code is short and has no vowels."""
    answer = await send(http, cli, "/oauth/device_authorization", {})

    codes = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert len(codes["device_code"]) == 43
    assert codes == {
        "device_code": codes["device_code"],
        "user_code": codes["user_code"],
        "verification_uri": f"{ISSUER}/oauth/device",
        "verification_uri_complete": f"{ISSUER}/oauth/device?user_code={codes['user_code']}",
        "expires_in": 900,
        "interval": 5,
    }


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "app_unknown"}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "users:fly"}, "invalid_scope"),
    ],
)
async def test_bad_requests_get_no_codes(
    http: httpx.AsyncClient, cli: Client, form: dict[str, str], error: str
) -> None:
    """An unknown client, or a scope that the application may not request."""
    known = {"client_id": cli.id} if "scope" in form else {}

    answer = await http.post("/oauth/device_authorization", data={**known, **form})

    assert answer.json()["error"] == error


async def test_confidential_clients_need_their_secret(http: httpx.AsyncClient, client: Client) -> None:
    """With it they get codes, without it they get nothing."""
    nameless = await http.post("/oauth/device_authorization", data={"client_id": client.id})

    assert nameless.json()["error"] == "invalid_client"
    assert (await start(http, client)).user_code


async def test_a_client_that_sends_no_parameter_sends_no_body(http: httpx.AsyncClient, client: Client) -> None:
    """Without a scope, its secret in the header is all; an empty form needs no content type."""
    response = await http.post("/oauth/device_authorization", auth=client.basic)

    assert response.status_code == 200


async def test_polling_waits_for_the_person(login: Login, clock: Clock) -> None:
    """`authorization_pending` as long as the person has not decided and the device keeps its interval."""
    outcomes = []
    for _ in range(3):
        outcomes.append(await login.outcome())
        clock.advance(5)

    assert outcomes == ["authorization_pending"] * 3


async def test_polling_too_fast_slows_down(login: Login, clock: Clock) -> None:
    """`slow_down`, and the interval is five seconds longer from then on."""
    outcomes = []
    for seconds in (1, 5, 10, 9, 15):
        outcomes.append(await login.outcome())
        clock.advance(seconds)
    outcomes.append(await login.outcome())

    assert outcomes == [
        "authorization_pending",
        "slow_down",  # 1 s after the first: 10 s from here on
        "slow_down",  # 5 s: 15 s from here on
        "slow_down",  # 10 s: 20 s from here on
        "slow_down",  # 9 s: 25 s from here on
        "slow_down",  # 15 s
    ]
    clock.advance(30)
    assert await login.outcome() == "authorization_pending"


async def test_approval_gives_the_persons_tokens(
    login: Login, browser: Browser, auth: Auth, organisation: Organisation, cli: Client
) -> None:
    """The device polls once more and acts for the person who approved, with the approved scope; then it refreshes."""
    await login.outcome()
    done = await login.decide(browser, "allow")
    answer = await login.poll()

    tokens = answer.json()
    assert (done.status_code, answer.status_code, answer.headers["Cache-Control"]) == (200, 200, "no-store")
    assert tokens["scope"] == "users:read"
    principal = await auth.verifier.verify(tokens["access_token"])
    assert (principal.owner_id, principal.client_id) == (organisation.owner_id, cli.id)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await send(login.http, cli, "/oauth/token", form)).status_code == 200


async def test_a_used_device_code_is_dead(login: Login, browser: Browser) -> None:
    """It gives tokens once."""
    await login.decide(browser, "allow")

    assert [await login.outcome() for _ in range(3)] == ["tokens", "invalid_grant", "invalid_grant"]


async def test_twenty_polls_at_once_get_one_pair(login: Login, browser: Browser, auth: Auth) -> None:
    """Exactly one succeeds, and its tokens are valid."""
    await login.decide(browser, "allow")
    answers: list[httpx.Response] = []

    async def poll() -> None:
        answers.append(await login.poll())

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(poll)

    pairs = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(pairs) == 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    assert (await auth.verifier.verify(pairs[0]["access_token"])).kind == "token"


async def test_denial_is_reported(login: Login, browser: Browser) -> None:
    """`access_denied`, however often it polls."""
    await login.decide(browser, "deny")

    assert [await login.outcome() for _ in range(2)] == ["access_denied"] * 2


async def test_codes_expire(login: Login, browser: Browser, clock: Clock) -> None:
    """After a quarter of an hour by the server's clock: `expired_token`, and the page no longer knows the code."""
    clock.advance(899)
    assert await login.outcome() == "authorization_pending"

    clock.advance(2)

    assert await login.outcome() == "expired_token"
    assert (await browser.get("/oauth/device", user_code=login.user_code)).status_code == 400


async def test_an_approval_that_is_not_fetched_expires(login: Login, browser: Browser, clock: Clock) -> None:
    """Approved tokens must be fetched in time, too."""
    await login.decide(browser, "allow")
    clock.advance(901)

    assert await login.outcome() == "expired_token"


async def test_another_client_gets_nothing(login: Login, browser: Browser, client: Client) -> None:
    """A stolen device code is useless to another application, and stays valid for its own."""
    await login.decide(browser, "allow")

    assert (await login.poll(client)).json()["error"] == "invalid_grant"
    assert await login.outcome() == "tokens"


@pytest.mark.parametrize("device_code", ["", "unknown", "\0", "ü" * 100])
async def test_odd_device_codes_are_refused(http: httpx.AsyncClient, cli: Client, device_code: str) -> None:
    """Whatever they contain."""
    answer = await send(http, cli, "/oauth/token", {"grant_type": GRANT, "device_code": device_code})

    assert answer.json()["error"] == ("invalid_grant" if device_code else "invalid_request")


async def test_a_person_locked_out_meanwhile_gets_no_tokens(
    login: Login, browser: Browser, stores: Stores, organisation: Organisation
) -> None:
    """Approved, then made inactive: the poll is refused, and nothing lives."""
    await login.decide(browser, "allow")
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set status = 'inactive' where id = %s", (organisation.owner_id,))

    assert await login.outcome() in {"invalid_client", "invalid_grant"}


async def test_an_approval_does_not_outlive_a_lock_out(
    login: Login, browser: Browser, auth: Auth, organisation: Organisation
) -> None:
    """An approval from before the lock-out gives nothing after the person is active again."""
    await login.decide(browser, "allow")
    await auth.revocation.revoke_user(organisation.owner_id)

    assert await login.outcome() == "invalid_grant"
    await auth.revocation.revoke_user(organisation.owner_id)


async def test_an_approval_overtaken_by_a_lock_out_is_void(
    login: Login, browser: Browser, auth: Auth, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval that is written after the lock-out ends with it, also if the person is active again by then."""
    approve = DeviceCodes.approve

    async def approve_late(self: DeviceCodes, device: Device, user_id: str, scope: str, now: float) -> bool:
        await auth.revocation.revoke_user(organisation.owner_id)
        return await approve(self, device, user_id, scope, now)

    monkeypatch.setattr(DeviceCodes, "approve", approve_late)

    answer = await login.decide(browser, "allow")

    assert answer.status_code == 400
    assert await login.outcome() == "invalid_grant"


async def test_neither_code_is_readable_in_redis(login: Login, stores: Stores) -> None:
    """The device code is stored as its digest; only the user code, which is useless alone, names a key."""
    keys = [key async for key in stores.redis.scan_iter(match="device:*", count=1000)]
    records = [await stores.redis.hgetall(key) for key in keys]

    assert login.codes["device_code"] not in repr((keys, records))


async def test_user_codes_do_not_collide(monkeypatch: pytest.MonkeyPatch, stores: Stores) -> None:
    """A code in use is not issued again."""
    made = iter(["ZZZZ-BBBB", "ZZZZ-BBBB", "ZZZZ-CCCC"])
    monkeypatch.setattr("redcore_server.auth.oauth.device_store._new_user_code", lambda: next(made))

    codes = DeviceCodes(stores)
    assert [(await codes.add("app_1", "users:read", 0))[1] for _ in range(2)] == ["ZZZZ-BBBB", "ZZZZ-CCCC"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("WDJB-MJHT", "WDJB-MJHT"),
        ("wdjbmjht", "WDJB-MJHT"),
        (" wdjb mjht ", "WDJB-MJHT"),
        ("W-D-J-B-M-J-H-T", "WDJB-MJHT"),
        ("wdjb\N{EN DASH}mjht", "WDJB-MJHT"),
        ("", "-"),
        ("WDJBMJHTX", "WDJB-MJHTX"),
    ],
)
def test_user_codes_are_parsed_as_people_type_them(typed: str, expected: str) -> None:
    """Case, dashes and spaces do not matter; an extra letter does."""
    assert shown(typed) == expected
