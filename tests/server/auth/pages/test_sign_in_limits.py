"""How often one may guess at the sign-in page: at an account, from an address, from everywhere."""

from __future__ import annotations

import threading

import anyio
import anyio.to_thread
import argon2
import attrs
import httpx
import pytest
from tests.server.support.browsing import Browser, forms_of
from tests.server.support.client_addresses import new_address
from tests.server.support.door import EMAIL, PASSWORD, SECRET, Door, give_password, sign_in
from tests.server.support.tenants import ISSUER, Organisation

from redcore_server.auth.people.login_throttle import (
    EVERYWHERE,
    PER_ACCOUNT,
    PER_ADDRESS,
    WINDOW_S,
    Attempts,
    TooManyAttempts,
)
from redcore_server.auth.people.passwords import Passwords
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


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


@pytest.mark.usefixtures("browser")  # which has a password
async def test_strangers_keep_no_one_waiting_at_a_known_address(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords from addresses where an account never signed in are checked one after another, apart from others."""
    home, guess, verify = new_address(), "wrong horse battery", argon2.PasswordHasher.verify
    assert await status_from(door, home) == 302
    is_checking, may_end = threading.Event(), threading.Event()

    def slow(hasher: argon2.PasswordHasher, stored: str, password: str) -> bool:
        if password == guess:
            is_checking.set()
            may_end.wait()
        return verify(hasher, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", slow)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(status_from, door, new_address(), guess)
        await anyio.to_thread.run_sync(is_checking.wait)
        try:
            with anyio.fail_after(30):
                assert await status_from(door, home) == 302
        finally:
            may_end.set()


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
