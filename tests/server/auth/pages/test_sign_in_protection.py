"""How the sign-in page is protected: cookies, headers, session fixation, CSRF and what it reveals."""

from __future__ import annotations

import attrs
import httpx
import pytest
from tests.server.support.browsing import Browser, forms_of, text_of
from tests.server.support.door import EMAIL, PASSWORD, Door, sign_in
from tests.server.support.tenants import Organisation

from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.person import find_person
from redcore_server.auth.people.sessions import Sessions
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


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


async def test_a_browser_without_cookies_gets_an_explanation(browser: Browser) -> None:
    """The cookie was not kept: the form cannot work, however often it is loaded again."""
    form = forms_of(await browser.get("/door"))["password"]

    answer = await Browser(browser.http).post("/door", {**form, "email": EMAIL, "password": PASSWORD})

    assert (answer.status_code, "did not keep our cookie" in text_of(answer)) == (400, True)
