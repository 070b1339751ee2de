"""Chromium of the system, an inspector, a shop that people come from, and people. Run by `nox -s browser`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.browser.inspection import DESK, Inspector
from tests.browser.shop import Shop
from tests.contract.people import Application, Person, Visitor, new_application, new_person

from redcore import Scope
from redcore.testing import Lab, ReferenceServer

CHROMIUM = Path("/usr/bin/chromium")
TIMEOUT_MS = 60_000  # other tests keep the processors busy meanwhile


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: run `apt-get install chromium`")
    with sync_playwright() as playwright:
        expect.set_options(timeout=TIMEOUT_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=TIMEOUT_MS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a new browser."""
    with chromium.new_context(viewport=DESK) as context:
        context.set_default_timeout(TIMEOUT_MS)
        yield context.new_page()


@pytest.fixture(scope="session")
def inspector() -> Inspector:
    packages, screenshots = os.environ.get("REDCORE_TEST_NPM"), os.environ.get("REDCORE_TEST_SCREENSHOTS")
    assert packages, "REDCORE_TEST_NPM must name the folder of the npm packages: run `nox -s browser`"
    assert screenshots, "REDCORE_TEST_SCREENSHOTS must name a folder: run `nox -s browser`"
    axe = Path(packages) / "node_modules" / "axe-core" / "axe.min.js"
    return Inspector(axe.read_text("utf-8"), Path(screenshots))


@pytest.fixture
def visitor(redcore_server: ReferenceServer, redcore_lab: Lab) -> Iterator[Visitor]:
    """A second browser, for preparations."""
    with httpx.Client(trust_env=False) as http:
        yield Visitor(redcore_server.origin, http)


@pytest.fixture
def person(redcore_server: ReferenceServer, visitor: Visitor) -> Person:
    """An administrator who has accepted the invitation."""
    return new_person(redcore_server, visitor)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture
def application(redcore_server: ReferenceServer, redcore_lab: Lab, shop: Shop) -> Application:
    """The shop, as the server knows it."""
    scopes = (Scope.USERS_READ, Scope.USERS_WRITE, Scope.PRODUCTS_READ)
    return new_application(redcore_server, redirect_uri=shop.callback, scopes=scopes, is_public=True)


@pytest.fixture
def login(redcore_server: ReferenceServer, application: Application) -> str:
    """The URL to which the shop sends people."""
    request = {
        "response_type": "code",
        "client_id": application.id,
        "redirect_uri": application.redirect_uri,
        "state": "the shop's",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    return f"{redcore_server.origin}/oauth/authorize?{urlencode(request)}"


@pytest.fixture
def sign_in(login: str) -> Callable[..., None]:
    """Open the shop's login, and send e-mail address and password."""

    def sign_in(page: Page, person: Person, *, password: str | None = None, scope: str = "") -> None:
        page.goto(f"{login}&{urlencode({'scope': scope})}" if scope else login)
        page.get_by_label("E-mail address").fill(person.email)
        page.get_by_label("Password").fill(password or person.password)
        page.get_by_role("button", name="Sign in").click()

    return sign_in
