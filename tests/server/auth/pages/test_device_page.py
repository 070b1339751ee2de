"""The device page: the code, signing in, the decision; codes cannot be guessed and decisions cannot be forged."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import httpx
import pytest
from tests.server.support.authorizing import register, signed_in
from tests.server.support.browsing import Browser, forms_of, text_of
from tests.server.support.client_addresses import new_address
from tests.server.support.devices import Login, start
from tests.server.support.tenants import ISSUER, Client, Organisation, make_organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.people.passwords import Passwords
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

PASSWORD = "a horse that counts to nine"


@pytest.fixture
async def http(auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client with an address of its own: wrong codes are counted per address."""
    transport = httpx.ASGITransport(auth.app, client=(new_address(), 1))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


@pytest.fixture
async def browser(http: httpx.AsyncClient, stores: Stores, clock: Clock, organisation: Organisation) -> Browser:
    return await signed_in(http, stores, clock, organisation.owner_id)


@pytest.fixture
async def login(http: httpx.AsyncClient, cli: Client) -> Login:
    return await start(http, cli)


async def guess(browser: Browser, code: str = "BBBB-BBBB") -> int:
    return (await browser.get("/oauth/device", user_code=code)).status_code


async def test_a_person_connects_a_device(
    http: httpx.AsyncClient, login: Login, stores: Stores, organisation: Organisation
) -> None:
    """Type the code, sign in, see application, scopes and code, allow: the device has its tokens."""
    hashed = await Passwords().hash(PASSWORD)
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set password_hash = %s where id = %s", (hashed, organisation.owner_id))
    browser = Browser(http)

    entry = await browser.get("/oauth/device")
    sign_in = await browser.follow(await browser.fill(entry, "device", user_code=login.user_code.lower()))
    consent = await browser.follow(await browser.fill(sign_in, "password", email="ada@example.com", password=PASSWORD))
    done = await browser.fill(consent, "device-consent", decision="allow")

    assert "Connect a device" in text_of(entry)
    assert "to continue to Storefront <3" in text_of(sign_in)
    assert login.user_code in text_of(consent)
    assert "Read the users of the organisation Create, change and delete users" in text_of(consent)
    assert "Your device is connected" in text_of(done)
    assert await login.outcome() == "tokens"


async def test_the_complete_address_fills_the_code_in_but_decides_nothing(login: Login, browser: Browser) -> None:
    """The person still sees code and application and must agree (RFC 8628 section 5.4)."""
    page = await browser.get(login.codes["verification_uri_complete"].removeprefix(ISSUER))

    assert login.user_code in text_of(page)
    assert await login.outcome() == "authorization_pending"


async def test_denying_ends_the_login(login: Login, browser: Browser) -> None:
    """The page shows the end, and the device learns of it."""
    done = await login.decide(browser, "deny")

    assert "You have refused the device" in text_of(done)
    assert await login.outcome() == "access_denied"


@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_a_decision_is_final(login: Login, browser: Browser, decision: str) -> None:
    """Sending the form again, or the other one, changes nothing."""
    page = await browser.get("/oauth/device", user_code=login.user_code)
    await browser.fill(page, "device-consent", decision=decision)

    for other in ("allow", "deny"):
        again = await browser.fill(page, "device-consent", decision=other)
        assert (again.status_code, "That code is not right" in text_of(again)) == (400, True)

    assert await login.outcome() == ("tokens" if decision == "allow" else "access_denied")


async def test_concurrent_decisions_are_taken_once(login: Login, browser: Browser) -> None:
    """Of twenty concurrent forms one is accepted; for the others the code is gone, and soon they are over the limit."""
    page = await browser.get("/oauth/device", user_code=login.user_code)
    form = {**forms_of(page)["device-consent"], "decision": "allow"}
    answers: list[int] = []

    async def decide() -> None:
        answers.append((await browser.post(str(page.url), form)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(decide)

    assert sorted(answers)[:2] == [200, 400]
    assert set(answers) == {200, 400, 429}


@pytest.mark.parametrize(
    ("role", "meanings"),
    [
        ("admin", "Read the users of the organisation Create, change and delete users"),
        ("viewer", "Read the users of the organisation"),
    ],
)
async def test_no_device_gets_more_than_the_persons_role(
    login: Login, browser: Browser, stores: Stores, organisation: Organisation, *, role: str, meanings: str
) -> None:
    """The device gets the scope that the page shows."""
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set role = %s where id = %s", (role, organisation.owner_id))

    page = await browser.get("/oauth/device", user_code=login.user_code)
    await browser.fill(page, "device-consent", decision="allow")

    assert f"able to: {meanings}" in text_of(page)
    assert (await login.poll()).json()["scope"] == forms_of(page)["device-consent"]["scope"]


@pytest.mark.parametrize(("scopes", "role"), [(("users:write",), "viewer"), (("admin",), "editor")])
async def test_a_role_that_may_grant_nothing_of_it_can_only_deny(
    http: httpx.AsyncClient,
    stores: Stores,
    clock: Clock,
    organisation: Organisation,
    *,
    scopes: tuple[str, ...],
    role: str,
) -> None:
    """Not even a forged form gets tokens."""
    greedy = await start(http, await register(stores, clock, organisation, scopes=scopes, is_public=True))
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set role = %s where id = %s", (role, organisation.owner_id))
    browser = await signed_in(http, stores, clock, organisation.owner_id)

    page = await greedy.decide(browser, "allow", scope=scopes[0])

    assert "asks for more than your role" in text_of(page)
    assert await greedy.outcome() == "authorization_pending"


async def test_people_of_another_organisation_must_sign_in_to_this_one(
    http: httpx.AsyncClient, login: Login, stores: Stores, clock: Clock
) -> None:
    """A session of another organisation decides nothing here."""
    stranger = await signed_in(http, stores, clock, (await make_organisation(stores, clock)).owner_id)

    page = await stranger.get("/oauth/device", user_code=login.user_code)

    assert list(forms_of(page)) == ["password"]


async def test_csrf_forms_from_other_sites_are_refused(login: Login, browser: Browser) -> None:
    """Without the session's token, or from another site, nothing is decided."""
    page = await browser.get("/oauth/device", user_code=login.user_code)
    form = {**forms_of(page)["device-consent"], "decision": "allow"}

    forged = [
        await browser.post(str(page.url), {**form, "csrf": "0" * 64}),
        await browser.post(str(page.url), form, origin="https://evil.example"),
    ]

    assert [answer.status_code for answer in forged] == [302, 400]
    assert "device-consent" in forms_of(await browser.follow(forged[0]))
    assert await login.outcome() == "authorization_pending"


async def test_wrong_codes_of_one_browser_are_limited(login: Login, browser: Browser, clock: Clock) -> None:
    """Ten in a quarter of an hour; then even the right one is refused, with the time to wait."""
    statuses = [await guess(browser) for _ in range(11)]
    refused = await browser.get("/oauth/device", user_code=login.user_code)

    assert statuses == [400] * 10 + [429]
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert "Too many wrong codes" in text_of(refused)


async def test_wrong_codes_of_one_address_are_limited(http: httpx.AsyncClient, login: Login) -> None:
    """A hundred, whatever the number of browsers; concurrent guesses are not checked beyond the limit."""
    statuses: list[int] = []

    async def try_one() -> None:
        statuses.append(await guess(Browser(http)))

    for _ in range(6):
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(try_one)

    assert (statuses.count(400), statuses.count(429)) == (100, 20)
    assert await guess(Browser(http), login.user_code) == 429


async def test_right_codes_cost_nothing(login: Login, browser: Browser) -> None:
    """A person may reload the page any number of times."""
    assert {await guess(browser, login.user_code) for _ in range(15)} == {200}


async def test_a_page_takes_few_parameters(browser: Browser) -> None:
    """Each costs time, and 60 kB hold thousands."""
    few = await browser.get("/oauth/device?" + "&a=b" * 40)
    many = await browser.get("/oauth/device?" + "&a=b" * 15_000)

    assert (few.status_code, many.status_code) == (200, 400)
    assert "Something is wrong with this request" in many.text


async def test_the_page_cannot_be_framed(browser: Browser) -> None:
    """No script may run in it either."""
    headers = (await browser.get("/oauth/device")).headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
