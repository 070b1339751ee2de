"""The page of examples/ that logs in by itself: JavaScript, PKCE, no server of its own, on another origin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.contract.people import Visitor, new_application, new_person

from redcore import Scope
from redcore.testing import ReferenceServer

EXAMPLES = Path(__file__).parents[2] / "examples"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """Serve the examples unchanged."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(EXAMPLES))) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()


def test_page_without_a_server_logs_a_person_in_by_pkce(page: Page, origin: str) -> None:
    """It greets the person by name, the code is removed from the address bar, and a second answer is refused."""
    address = f"{origin}/browser_pkce.html"
    with (
        ReferenceServer(settings={"REDCORE_SERVER_CORS_ORIGINS": origin}) as server,
        httpx.Client(trust_env=False) as http,
    ):
        person = new_person(server, Visitor(server.origin, http))
        application = new_application(server, redirect_uri=address, scopes=(Scope.PROFILE_READ,), is_public=True)
        page.goto(f"{address}?{urlencode({'platform': server.origin, 'client_id': application.id})}")
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("E-mail address").fill(person.email)
        page.get_by_label("Password").fill(person.password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("status")).to_have_text("Hello Mara")
        expect(page).to_have_url(address)

        page.goto(f"{address}?state=forged&code=stolen&iss={server.origin}")
        expect(page.get_by_role("status")).to_have_text("This answer belongs to no login of this page.")
