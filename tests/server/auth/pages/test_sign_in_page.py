"""Signing in at a page: password, second factor, limits, and the protection of the form."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import argon2
import attrs
import httpx
import pyotp
import pytest
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from tests.server.support.browsing import Browser, forms_of, text_of
from tests.server.support.client_addresses import new_address
from tests.server.support.tenants import ISSUER, Organisation, make_organisation

from redcore_server.auth.pages.browser_request import BrowserRequest, Browsers
from redcore_server.auth.pages.sign_in import Purpose, SignInPages
from redcore_server.auth.people.login_throttle import (
    EVERYWHERE,
    PER_ACCOUNT,
    PER_ADDRESS,
    WINDOW_S,
    Attempts,
    TooManyAttempts,
)
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.person import find_person
from redcore_server.auth.people.sessions import Sessions
from redcore_server.auth.people.sign_in import SignIn
from redcore_server.auth.revocation import Revocation
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
EMAIL = "ada@example.com"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
QUICK = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def give_password(stores: Stores, organisation: Organisation, *, totp: str | None = None) -> None:
    values = {"id": organisation.owner_id, "hash": await QUICK.hash(PASSWORD), "totp": totp}
    async with stores.postgres.connection() as connection:
        await connection.execute(
            "update users set password_hash = %(hash)s, totp_secret = %(totp)s where id = %(id)s", values
        )


@attrs.frozen
class Door:
    """A page that requires a session in one organisation, as other modules build theirs."""

    stores: Stores
    clock: Clock
    organisation: Organisation
    origin: str = ISSUER
    address: str = "192.0.2.1"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        attempts = Attempts(self.stores.redis, self.clock)
        sign_in = SignIn(postgres=self.stores.postgres, clock=self.clock, passwords=QUICK, attempts=attempts)
        pages = SignInPages(sign_in)
        purpose = Purpose(organisation_id=self.organisation.id, application="Storefront <3")

        async def answer(browser: BrowserRequest) -> Response:
            who = await pages.require(browser, purpose)
            return who if isinstance(who, Response) else PlainTextResponse(f"hello {who.name}")

        browsers = Browsers(origin=self.origin, sessions=Sessions(self.stores, self.clock))
        scope["client"] = (self.address, 1)
        response = await browsers.handler(answer)(Request(scope, receive))
        await response(scope, receive, send)


@pytest.fixture
def door(stores: Stores, clock: Clock, organisation: Organisation) -> Door:
    clock.advance(-clock.time() % WINDOW_S)  # no window ends in the middle of a test
    return Door(stores, clock, organisation, address=new_address())


@pytest.fixture
async def browser(door: Door, stores: Stores, organisation: Organisation) -> AsyncIterator[Browser]:
    await give_password(stores, organisation)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url=ISSUER) as http:
        yield Browser(http)


async def sign_in(browser: Browser, password: str = PASSWORD, email: str = EMAIL) -> httpx.Response:
    """Open the page and send a password."""
    return await browser.fill(await browser.get("/door?x=1"), "password", email=email, password=password)


async def test_password_signs_in(browser: Browser) -> None:
    """The right password leads back to the same address, with a session."""
    answer = await sign_in(browser)

    assert answer.headers["Location"] == "/door?x=1"
    assert (await browser.follow(answer)).text == "hello Ada"


async def test_email_is_compared_as_everywhere(browser: Browser) -> None:
    """Case and blanks around an address do not matter."""
    answer = await sign_in(browser, email=" ADA@Example.com ")

    assert answer.status_code == 302


async def test_browsers_accept_any_address(browser: Browser) -> None:
    """A field of the type `email` accepts ASCII only."""
    page = (await browser.get("/door")).text

    assert 'id="email" name="email" type="text" inputmode="email"' in page


async def test_session_cookie_is_kept_from_scripts_and_other_sites(browser: Browser) -> None:
    """`HttpOnly; SameSite=Lax`, host-only; without `Secure` over plain HTTP, where not all browsers keep it."""
    answer = await browser.get("/door")

    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    assert name == "redcore_session"
    assert sorted(attributes.split("; ")[1:]) == ["HttpOnly", "Path=/", "SameSite=lax"]


async def test_cookie_has_the_host_prefix_under_https(door: Door) -> None:
    """No other host of the domain can set a cookie of that name."""
    transport = httpx.ASGITransport(attrs.evolve(door, origin="https://api.example.com"))
    async with httpx.AsyncClient(transport=transport, base_url="https://api.example.com") as http:
        answer = await http.get("/door")

    assert answer.headers["Set-Cookie"].startswith("__Host-redcore_session=")
    assert "; Secure" in answer.headers["Set-Cookie"]


async def test_page_has_strict_headers(browser: Browser) -> None:
    """Nothing is loaded or run, framed or cached, and values are escaped."""
    answer = await browser.get("/door")

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Storefront &lt;3" in answer.text
    assert "<script" not in answer.text


async def test_unknown_wrong_and_inactive_look_alike(
    browser: Browser, stores: Stores, organisation: Organisation
) -> None:
    """The answer does not reveal whether an account exists."""
    wrong = await sign_in(browser, "wrong horse battery")
    unknown = await sign_in(browser, email="eve@example.com")
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set status = 'inactive' where id = %s", (organisation.owner_id,))
    inactive = await sign_in(browser)

    texts = [answer.text.replace("eve@", "ada@") for answer in (wrong, unknown, inactive)]
    assert [answer.status_code for answer in (wrong, unknown, inactive)] == [200] * 3
    assert "do not belong together" in texts[0]
    assert texts[0] == texts[1] == texts[2]


async def test_unknown_user_costs_a_hash(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known or not, one password is checked with the same parameters, so the time is the same."""
    checked: list[str] = []
    true = Passwords._matches

    def matches(self: Passwords, stored: str, password: str) -> bool:
        checked.append(stored.rpartition("p=")[0])
        return true(self, stored, password)

    monkeypatch.setattr(Passwords, "_matches", matches)
    await sign_in(browser, "wrong horse battery")
    await sign_in(browser, email="eve@example.com")

    assert checked == ["$argon2id$v=19$m=8,t=1,"] * 2


async def test_an_outdated_hash_is_renewed(browser: Browser, stores: Stores, organisation: Organisation) -> None:
    """A password with a hash of older, weaker parameters is hashed again when it signs in."""
    weaker = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16))
    values = (await weaker.hash(PASSWORD), organisation.owner_id)
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set password_hash = %s where id = %s", values)
        await sign_in(browser)
        cursor = await connection.execute("select password_hash from users where id = %s", (organisation.owner_id,))
        row = await cursor.fetchone()

    assert row is not None
    assert row["password_hash"] != values[0]
    assert not QUICK.hasher.check_needs_rehash(row["password_hash"])
    assert await QUICK.verify(row["password_hash"], PASSWORD)


async def test_text_cannot_hold_nul(browser: Browser) -> None:
    """A value that PostgreSQL cannot store is an unknown address."""
    answer = await sign_in(browser, email="ada\0@example.com")

    assert (answer.status_code, "do not belong together" in answer.text) == (200, True)


async def test_session_fixation_signing_in_makes_a_new_id(browser: Browser) -> None:
    """Session fixation: an id planted before is useless afterwards."""
    planted = "a" * 43
    browser.cookies["redcore_session"] = planted
    await sign_in(browser)
    thief = Browser(browser.http, {"redcore_session": planted})

    assert browser.cookies["redcore_session"] != planted
    assert (await browser.get("/door")).text == "hello Ada"
    assert "password" in forms_of(await thief.get("/door"))


async def test_second_sign_in_ends_the_first_session(stores: Stores, clock: Clock, organisation: Organisation) -> None:
    """The old session id of a browser is dead once it has a new one, or has signed out."""
    sessions = Sessions(stores, clock)
    ada = await find_person(stores.postgres, organisation.owner_id)
    assert ada is not None

    first = await sessions.start(await sessions.load(None), ada)
    second = await sessions.start(first, ada)
    living = (await sessions.load(second.id)).person
    after = await sessions.end(second)

    assert living == ada
    assert after.id != second.id
    assert [(await sessions.load(session.id)).person for session in (first, second, after)] == [None] * 3


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ü"])
async def test_csrf_login_form_without_its_token_is_refused(browser: Browser, csrf: str) -> None:
    """Login CSRF: no other site can sign a browser in with a form of its own."""
    await browser.get("/door")

    form = {"step": "password", "email": EMAIL, "password": PASSWORD, "csrf": csrf}
    answer = await browser.post("/door", form)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/door")
    assert "password" in forms_of(await browser.get("/door"))


async def test_csrf_token_of_another_browser_is_refused(browser: Browser) -> None:
    """A token is valid in the session it was made for."""
    other = Browser(browser.http)
    form = forms_of(await other.get("/door"))["password"]
    await browser.get("/door")

    answer = await browser.post("/door", {**form, "email": EMAIL, "password": PASSWORD})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/door")
    assert "password" in forms_of(await browser.get("/door"))


async def test_a_browser_without_cookies_gets_an_explanation(browser: Browser) -> None:
    """The cookie was not kept: the form cannot work, however often it is loaded again."""
    form = forms_of(await browser.get("/door"))["password"]

    answer = await Browser(browser.http).post("/door", {**form, "email": EMAIL, "password": PASSWORD})

    assert (answer.status_code, "did not keep our cookie" in text_of(answer)) == (400, True)


async def test_a_sign_in_in_a_second_tab_is_enough(browser: Browser) -> None:
    """After signing in in one tab, the form of the other one leads to its own page."""
    old = await browser.get("/door")
    assert (await sign_in(browser)).status_code == 302

    answer = await browser.follow(await browser.fill(old, "password", email=EMAIL, password=PASSWORD))

    assert (answer.status_code, "password" in forms_of(answer)) == (200, False)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:4011"])
async def test_csrf_form_from_another_origin_is_refused(browser: Browser, origin: str) -> None:
    """The `Origin` of a form must be ours."""
    form = forms_of(await browser.get("/door"))["password"]

    answer = await browser.post("/door", {**form, "email": EMAIL, "password": PASSWORD}, origin=origin)

    assert answer.status_code == 400


async def test_csrf_form_without_origin_needs_its_token(browser: Browser) -> None:
    """Old browsers do not send `Origin`."""
    form = forms_of(await browser.get("/door"))["password"]

    answer = await browser.post("/door", {**form, "email": EMAIL, "password": PASSWORD}, origin=None)

    assert answer.status_code == 302


@pytest.mark.parametrize("body", ["x" * 70_000, "csrf=1&csrf=2", "csrf=%ff"])
async def test_unreadable_form_is_a_page(browser: Browser, body: str) -> None:
    """Too large, ambiguous or undecodable: the page says why."""
    request = browser.http.build_request(
        "POST", "/door", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    answer = await browser.http.send(request)

    assert answer.status_code in {400, 413}
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_a_long_address_is_not_repeated(browser: Browser) -> None:
    """Escaped, it would be five times as long as what was sent."""
    answer = await sign_in(browser, email='"' * 20_000)

    assert answer.status_code == 200
    assert len(answer.content) < 16 * 1024


async def status_from(door: Door, address: str, password: str = PASSWORD) -> int:
    """Return the answer to a new browser at an address."""
    elsewhere = attrs.evolve(door, address=address)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(elsewhere), base_url=ISSUER) as http:
        return (await sign_in(Browser(http), password)).status_code


@pytest.mark.usefixtures("browser")  # which has a password
async def test_guesses_from_many_addresses_lock_out_new_addresses_only(door: Door, clock: Clock) -> None:
    """However many take part: an address with an earlier sign-in is let in, others wait for the next window."""
    home, attempts = new_address(), Attempts(door.stores.redis, clock)
    assert await status_from(door, home) == 302
    account = f"{door.organisation.id} {EMAIL}"
    for _ in range(EVERYWHERE["password"] - 1):
        await attempts.spend(account=account, address=new_address())

    with pytest.raises(TooManyAttempts):
        await attempts.spend(account=account, address=new_address())
    assert await status_from(door, new_address()) == 429
    assert await status_from(door, home) == 302


@pytest.mark.usefixtures("browser")  # which has a password
async def test_a_known_address_has_as_few_guesses_as_others(door: Door) -> None:
    """Attempts from elsewhere do not count for it, but it has its own limit."""
    home = new_address()
    assert await status_from(door, home) == 302

    statuses = [await status_from(door, home, "wrong horse battery") for _ in range(PER_ACCOUNT + 1)]

    assert statuses == [200] * PER_ACCOUNT + [429]


async def test_totp_codes_are_limited_everywhere(stores: Stores, clock: Clock, organisation: Organisation) -> None:
    """Ten guesses at six digits, from ten addresses as from one; the password's count is another."""
    attempts, account = Attempts(stores.redis, clock), f"{organisation.id} {EMAIL}"
    for _ in range(EVERYWHERE["code"]):
        await attempts.spend(account=account, address=new_address(), step="code")

    with pytest.raises(TooManyAttempts):
        await attempts.spend(account=account, address=new_address(), step="code")
    await attempts.spend(account=account, address=new_address())


async def test_account_is_limited(browser: Browser, clock: Clock, stores: Stores, door: Door) -> None:
    """After so many attempts even the right password is refused there until the window ends, but not elsewhere."""
    for _ in range(PER_ACCOUNT):
        await sign_in(browser, "wrong horse battery")
    answer = await sign_in(browser)
    assert await status_from(door, new_address()) == 302

    assert (answer.status_code, "Too many attempts" in answer.text) == (429, True)
    assert 'aria-invalid="true"' not in answer.text
    assert 0 < int(answer.headers["Retry-After"]) <= WINDOW_S
    clock.advance(int(answer.headers["Retry-After"]) + 1)
    assert (await sign_in(browser)).status_code == 302


async def test_concurrent_guesses_are_counted_before_they_are_checked(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of thirty concurrent guesses no more are checked than of thirty in a row."""
    judged: list[str] = []

    def matches(_: Passwords, stored: str, password: str) -> bool:
        judged.append(f"{stored} {password}")
        return False

    monkeypatch.setattr(Passwords, "_matches", matches)
    page = await browser.get("/door")
    statuses: list[int] = []

    async def guess(number: int) -> None:
        answer = await browser.fill(page, "password", email=EMAIL, password=f"guess number {number}")
        statuses.append(answer.status_code)

    async with anyio.create_task_group() as group:
        for number in range(30):
            group.start_soon(guess, number)

    assert len(judged) == PER_ACCOUNT
    assert sorted(statuses) == [200] * PER_ACCOUNT + [429] * (30 - PER_ACCOUNT)


async def test_signing_in_resets_the_limit_of_the_account(browser: Browser) -> None:
    """A person who mistypes now and then is never locked out."""
    for _ in range(2):
        for _ in range(PER_ACCOUNT - 1):
            await sign_in(browser, "wrong horse battery")
        assert (await sign_in(browser)).status_code == 302
        await Browser(browser.http).get("/door")
        browser.cookies.clear()


async def test_address_is_limited(stores: Stores, clock: Clock, organisation: Organisation) -> None:
    """One address cannot try one password on all accounts, not even with an account of its own to sign in to."""
    door = Door(stores, clock, organisation, address=new_address())
    attempts = Attempts(stores.redis, clock)
    for number in range(PER_ADDRESS):
        await attempts.spend(account=f"{organisation.id} {number}", address=door.address)
    await attempts.succeed(account=f"{organisation.id} 0", address=door.address)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url=ISSUER) as http:
        assert (await sign_in(Browser(http), email="new@example.com")).status_code == 429


async def test_person_of_another_organisation_signs_in_again(
    browser: Browser, door: Door, stores: Stores, clock: Clock
) -> None:
    """A session is valid for the person's own organisation only."""
    await sign_in(browser)
    other = attrs.evolve(door, organisation=await make_organisation(stores, clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url=ISSUER) as http:
        answer = await Browser(http, browser.cookies).get("/door")

    assert "password" in forms_of(answer)


async def test_session_ends_after_half_a_day(browser: Browser, clock: Clock) -> None:
    """Twelve hours after signing in the password is asked again."""
    await sign_in(browser)
    clock.advance(12 * 3600 - 1)
    before = await browser.get("/door")
    clock.advance(1)

    assert before.text == "hello Ada"
    assert "password" in forms_of(await browser.get("/door"))


async def test_locked_out_person_is_signed_out(browser: Browser, stores: Stores, organisation: Organisation) -> None:
    """Inactive takes effect at once, and for good: after reactivation the old session is still dead."""
    await sign_in(browser)
    set_status = "update users set status = %s where id = %s"
    async with stores.postgres.connection() as connection:
        await connection.execute(set_status, ("inactive", organisation.owner_id))
        before_revocation = await browser.get("/door")
        await Revocation(stores).revoke_user(organisation.owner_id)
        await connection.execute(set_status, ("active", organisation.owner_id))

    assert "password" in forms_of(before_revocation)
    assert "password" in forms_of(await browser.get("/door"))


async def test_totp_is_asked_and_used_up(
    browser: Browser, stores: Stores, organisation: Organisation, clock: Clock
) -> None:
    """The password alone is not a session; a code signs in once."""
    await give_password(stores, organisation, totp=SECRET)
    code = pyotp.TOTP(SECRET).at(int(clock.time()))
    page = await browser.follow(await sign_in(browser))
    assert "Enter your code" in text_of(page)
    wrong = await browser.fill(page, "code", code="000000" if code != "000000" else "000001")
    answer = await browser.fill(wrong, "code", code=f"{code[:3]} {code[3:]}")
    other = Browser(browser.http)
    again = await other.fill(await other.follow(await sign_in(other)), "code", code=code)

    assert "was used before" in wrong.text
    assert (await browser.follow(answer)).text == "hello Ada"
    assert "was used before" in again.text
    assert "code" in forms_of(await other.get("/door"))


async def test_totp_codes_are_limited_with_the_password(
    browser: Browser, stores: Stores, organisation: Organisation, clock: Clock
) -> None:
    """Knowing the password does not give more guesses at the code."""
    await give_password(stores, organisation, totp=SECRET)
    statuses = []
    for _ in range(PER_ACCOUNT):
        page = await browser.get("/door")
        if "password" in forms_of(page):
            page = await browser.follow(await browser.fill(page, "password", email=EMAIL, password=PASSWORD))
        statuses.append((await browser.fill(page, "code", code="abcdef")).status_code)

    assert statuses == [200] * (PER_ACCOUNT - 1) + [429]


async def test_person_can_leave_between_password_and_totp(
    browser: Browser, stores: Stores, organisation: Organisation, clock: Clock
) -> None:
    """Signing out before the code leads back to the password; so does waiting too long."""
    await give_password(stores, organisation, totp=SECRET)
    page = await browser.follow(await sign_in(browser))
    left = await browser.follow(await browser.fill(page, "sign-out"))
    late = await browser.follow(await browser.fill(left, "password", email=EMAIL, password=PASSWORD))
    clock.advance(601)
    too_late = await browser.follow(await browser.fill(late, "code", code="123456"))

    assert "password" in forms_of(left)
    assert "password" in forms_of(too_late)


async def test_without_redis_the_page_is_a_503(door: Door, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sessions no one is signed in, and the page says that the fault is the server's."""

    async def refuse(*_: object) -> None:
        raise RedisError("Connection refused")

    await sign_in(browser)
    monkeypatch.setattr(door.stores.redis, "hgetall", refuse)
    answer = await browser.get("/door")

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "temporarily unavailable" in answer.text
