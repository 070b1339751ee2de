"""Signing in at a page: password, second factor, and the session that begins."""

from __future__ import annotations

import argon2
import attrs
import httpx
import pyotp
import pytest
from redis.exceptions import RedisError
from tests.server.support.browsing import Browser, forms_of, text_of
from tests.server.support.door import EMAIL, PASSWORD, QUICK, SECRET, Door, give_password, sign_in
from tests.server.support.tenants import ISSUER, Organisation, make_organisation

from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.revocation import Revocation
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


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


async def test_a_sign_in_in_a_second_tab_is_enough(browser: Browser) -> None:
    """After signing in in one tab, the form of the other one leads to its own page."""
    old = await browser.get("/door")
    assert (await sign_in(browser)).status_code == 302

    answer = await browser.follow(await browser.fill(old, "password", email=EMAIL, password=PASSWORD))

    assert (answer.status_code, "password" in forms_of(answer)) == (200, False)


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
