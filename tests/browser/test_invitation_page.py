"""Accepting an invitation, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser.inspection import Inspector, expect_heading
from tests.contract.people import PASSWORD, Person, invitation_link, invite

from redcore import User
from redcore.testing import Lab, ReferenceServer


@pytest.fixture
def user(redcore_server: ReferenceServer, redcore_lab: Lab) -> User:
    return invite(redcore_server)


@pytest.fixture
def link(redcore_server: ReferenceServer, user: User) -> str:
    return invitation_link(redcore_server, user)


def test_accept(page: Page, link: str, user: User, sign_in: Callable[..., None], inspector: Inspector) -> None:
    """A password, typed twice, is enough; then it works, and the link no longer does."""
    page.goto(link)
    inspector.look(page, "invitation")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Accept invitation").click()
    expect_heading(page, "You are all set")
    inspector.look(page, "invitation-accepted")
    page.goto(link)
    expect_heading(page, "This invitation cannot be used")
    inspector.look(page, "invitation-used")
    sign_in(page, Person(user.id, user.email))
    expect_heading(page, "Allow Storefront?")


def test_passwords_that_do_not_match(page: Page, link: str, inspector: Inspector) -> None:
    """The error is shown above the form and at the field, and nothing is used up."""
    page.goto(link)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill("something else here")
    page.get_by_role("button", name="Accept invitation").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the same password.")
    expect(page.get_by_label("Password again")).to_have_attribute("aria-invalid", "true")
    inspector.look(page, "invitation-wrong")


def test_totp(
    page: Page,
    link: str,
    user: User,
    sign_in: Callable[..., None],
    inspector: Inspector,
) -> None:
    """Once the code is scanned, or the key typed, the factor is required."""
    page.goto(link)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_text("Protect it with a second step").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    inspector.look(page, "invitation-second-step")
    key = "".join(page.locator("code").inner_text().split())
    person = Person(user.id, user.email, totp_secret=key)
    page.get_by_label("Code from the app").fill(person.code())
    page.get_by_role("button", name="Accept invitation").click()
    expect(page.locator("main")).to_contain_text("protected by a second step")
    sign_in(page, person)
    page.get_by_label("Code").fill(person.later_code())
    page.get_by_role("button", name="Continue").click()
    expect_heading(page, "Allow Storefront?")
