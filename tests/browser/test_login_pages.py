"""Signing in and consenting, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect
from tests.browser.inspection import Inspector, expect_heading
from tests.browser.shop import TITLE, Shop
from tests.contract.people import Application, Person, Visitor, new_person

from redcore import UserRole
from redcore.testing import Lab, ReferenceServer

SignIn = Callable[..., None]
WINDOW_S = 900
"""The window of sign-in attempts, by the server's clock."""
_FOCUS = "() => getComputedStyle(document.activeElement).outlineStyle"


def test_sign_in_and_allow(page: Page, login: str, person: Person, shop: Shop, inspector: Inspector) -> None:
    """E-mail address, password, consent with its scopes, and back with a code."""
    page.goto(login)
    inspector.look(page, "sign-in")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    expect_heading(page, "Allow Storefront?")
    expect(page.get_by_role("listitem")).to_have_count(3)
    inspector.look(page, "consent")
    page.get_by_role("button", name="Allow").click()
    expect(page).to_have_title(TITLE)
    assert [redirect.keys() for redirect in shop.redirects] == [{"code", "state", "iss"}]


def test_deny(page: Page, sign_in: SignIn, person: Person, shop: Shop) -> None:
    """The person is sent back, and the application learns of the refusal."""
    sign_in(page, person)
    page.get_by_role("button", name="Deny").click()
    expect(page).to_have_title(TITLE)
    assert [redirect["error"] for redirect in shop.redirects] == ["access_denied"]


def test_wrong_password(page: Page, sign_in: SignIn, person: Person, inspector: Inspector) -> None:
    """The error is read out, the address is kept, and the person can try again."""
    sign_in(page, person, password="not the password")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("E-mail address")).to_have_value(person.email)
    expect(page.get_by_label("Password")).to_be_focused()
    inspector.look(page, "sign-in-wrong")
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    expect_heading(page, "Allow Storefront?")


def test_totp(
    page: Page, sign_in: SignIn, redcore_server: ReferenceServer, visitor: Visitor, inspector: Inspector
) -> None:
    """A person with a second factor is asked for it, and a wrong code is refused."""
    person = new_person(redcore_server, visitor, with_totp=True)
    sign_in(page, person)
    expect(page.get_by_label("Code")).to_be_focused()
    inspector.look(page, "code")
    page.get_by_label("Code").fill(person.code())  # which was used for the invitation
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("That code is not right, or was used before")
    inspector.look(page, "code-wrong")
    page.get_by_label("Code").fill(person.later_code())
    page.get_by_role("button", name="Continue").click()
    expect_heading(page, "Allow Storefront?")


def test_another_person(page: Page, sign_in: SignIn, person: Person) -> None:
    """With another person signed in, one can sign in as oneself."""
    sign_in(page, person)
    page.get_by_role("button", name="Not you?").click()
    expect_heading(page, "Sign in")


def test_keyboard_only(page: Page, login: str, person: Person, shop: Shop) -> None:
    """The whole flow without a mouse: the first field has the focus, and the focus can always be seen."""
    page.goto(login)
    expect(page.get_by_label("E-mail address")).to_be_focused()  # the browser's doing, soon after the page is loaded
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    page.keyboard.type(person.password)
    assert page.evaluate(_FOCUS) == "solid"
    page.keyboard.press("Enter")
    expect_heading(page, "Allow Storefront?")
    allow = page.get_by_role("button", name="Allow")
    for _ in range(10):
        page.keyboard.press("Tab")
        assert page.evaluate(_FOCUS) == "solid"
        if allow.evaluate("(button) => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_title(TITLE)
    assert "code" in shop.redirects[0]


def test_without_javascript(chromium: Browser, sign_in: SignIn, person: Person, shop: Shop) -> None:
    """No page needs a script."""
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, person)
        page.get_by_role("button", name="Allow").click()
        expect(page).to_have_title(TITLE)
    assert "code" in shop.redirects[0]


def test_the_session_stays_in_the_browser(page: Page, sign_in: SignIn, login: str, person: Person) -> None:
    """The cookie is hidden from scripts and other sites, and replaces a second sign-in.

    It is `Secure` where the origin is https, which this one is not.
    """
    sign_in(page, person)
    expect_heading(page, "Allow Storefront?")
    (cookie,) = page.context.cookies()
    assert (cookie.get("name"), cookie.get("httpOnly"), cookie.get("secure"), cookie.get("sameSite")) == (
        "redcore_session",
        True,
        False,
        "Lax",
    )
    assert cookie.get("expires") == -1
    page.goto(login)
    expect_heading(page, "Allow Storefront?")


def test_unusable_link(page: Page, login: str, application: Application, inspector: Inspector) -> None:
    """No person is redirected to an unknown application; the page says what to do."""
    page.goto(login.replace(application.id, "app_unknown"))
    expect_heading(page, "This sign-in link is not valid")
    inspector.look(page, "problem")


def test_nothing_may_frame_a_page(page: Page, login: str, shop: Shop) -> None:
    """Clickjacking: a page inside another site's frame stays empty."""
    page.goto(shop.callback)
    with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
        page.evaluate("(address) => { document.body.innerHTML = `<iframe src='${address}'></iframe>` }", login)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("button", name="Sign in")).to_have_count(0)


def test_too_many_attempts(page: Page, sign_in: SignIn, person: Person, redcore_lab: Lab, inspector: Inspector) -> None:
    """After too many attempts the page says how long to wait, even with the right password."""
    redcore_lab.advance_clock(WINDOW_S - time.time() % WINDOW_S)  # or a new window might begin meanwhile
    for _ in range(10):
        sign_in(page, person, password="not the password")
        expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    sign_in(page, person)
    expect(page.get_by_role("alert")).to_contain_text("Too many attempts. Try again in")
    inspector.look(page, "sign-in-wait")


def test_nothing_to_allow(
    page: Page, sign_in: SignIn, redcore_server: ReferenceServer, visitor: Visitor, inspector: Inspector
) -> None:
    """A person whose role has none of the requested scopes can only go back."""
    sign_in(page, new_person(redcore_server, visitor, role=UserRole.VIEWER), scope="users:write")
    expect(page.locator("main")).to_contain_text("asks for more than your role")
    expect(page.get_by_role("button", name="Allow")).to_have_count(0)
    inspector.look(page, "consent-nothing")
    page.get_by_role("button", name="Back to Storefront").click()
    expect(page).to_have_title(TITLE)
