"""Signing in at an identity provider of another site, in a real browser, and returning."""

from __future__ import annotations

import base64
import html
import subprocess
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from lxml import etree
from playwright.sync_api import Page, expect
from tests.browser.inspection import Inspector, expect_heading
from tests.contract.people import Person
from tests.server.support.identity_provider import IdentityProvider, Statement, identity_provider, serialized

from redcore.testing import ReferenceServer


class Site:
    """The identity provider's site: it knows one person, and sends the browser back with a form."""

    def __init__(self, origin: str, email: str) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(site.form(self.path).encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Not 127.0.0.1, the address of the server: another name makes it another site.
        address = f"http://localhost:{self.server.server_port}/sso"
        self.provider: IdentityProvider = attrs.evolve(identity_provider("https://idp.example.com"), sso_url=address)
        self._origin = origin
        self._email = email

    def form(self, path: str) -> str:
        """The page that answers a request to sign in."""
        requests = parse_qs(urlsplit(path).query).get("SAMLRequest")
        if not requests:
            return "<!doctype html><title>Nothing here</title>"
        request = etree.fromstring(zlib.decompress(base64.b64decode(requests[0]), -15))
        statement = Statement(
            name_id=self._email,
            audience=f"{self._origin}/saml/metadata.xml",
            recipient=f"{self._origin}/saml/acs",
            now=datetime.now(UTC),
            issuer=self.provider.entity_id,
            in_response_to=request.get("ID"),
        )
        response = serialized(self.provider.response(self.provider.assertion(statement), statement))
        address = html.escape(request.get("AssertionConsumerServiceURL", ""))
        return f"""<!doctype html><title>Identity provider</title><form method="post" action="{address}">
            <input type="hidden" name="SAMLResponse" value="{base64.b64encode(response).decode()}">
            <button>Continue</button></form>"""


@pytest.fixture
def site(redcore_server: ReferenceServer, person: Person, tmp_path: Path) -> Iterator[Site]:
    """A site that the organisation trusts during the test."""
    site = Site(redcore_server.origin, person.email)
    metadata = tmp_path / "metadata.xml"
    metadata.write_text(site.provider.metadata(), encoding="utf-8")
    command = [sys.executable, "-m", "redcore_server", "identity-provider", "--data", str(redcore_server.data)]
    subprocess.run([*command, str(metadata)], check=True, capture_output=True)  # noqa: S603
    thread = Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()
    subprocess.run([*command, "--remove"], check=True, capture_output=True)  # noqa: S603


def test_there_and_back(page: Page, site: Site, login: str, person: Person, inspector: Inspector) -> None:
    """From the application's request through the other site to consent, without a password here."""
    page.goto(login)
    inspector.look(page, "sign-in-with-organisation")
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.wait_for_url(f"{site.provider.sso_url}*")
    page.get_by_role("button", name="Continue").click()
    expect_heading(page, "Allow Storefront?")
    expect(page.locator("main")).to_contain_text(person.email)


def test_without_an_application(page: Page, site: Site, redcore_server: ReferenceServer, inspector: Inspector) -> None:
    """The page reports success; the same answer once more is refused, and the page says what to do."""
    page.goto(f"{redcore_server.origin}/saml/login")
    page.get_by_role("button", name="Continue").click()
    expect_heading(page, "You are signed in")
    inspector.look(page, "signed-in")
    page.go_back()
    page.get_by_role("button", name="Continue").click()
    expect_heading(page, "You could not be signed in")
    inspector.look(page, "not-signed-in")
