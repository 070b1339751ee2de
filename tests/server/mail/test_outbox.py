"""The page of the outbox: its content, and who may see it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp
from tests.server.support.callers import whole_app
from tests.server.support.tenants import ISSUER

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.mail.mailer import Mail, Outbox
from redcore_server.settings import Settings, from_environment
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

LINK = "http://127.0.0.1:4010/oauth/invitations/inv_1.1.x"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Write a mail to a person whose name is markup."""
    text = f"Hello <b>Ann</b>,\n\n{LINK}\n"
    mail = Mail(
        id="inv_1", sender="us@example.com", to="ann@example.com", subject="Your invitation", text=text, html="<p>"
    )
    await Outbox(tmp_path / "outbox").send(mail)
    return tmp_path


def app_with(settings: Settings, *, stores: Stores, auth: Auth, clock: Clock) -> ASGIApp:
    return whole_app(stores=stores, auth=auth, clock=clock, settings=settings)


async def page(app: ASGIApp, host: str = "127.0.0.1:4010", method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as browser:
        return await browser.request(method, "/outbox", headers={"Host": host})


@pytest.mark.parametrize("host", ["127.0.0.1:4010", "localhost", "[::1]:4010"])
async def test_mails_are_shown_with_their_links(
    *, folder: Path, stores: Stores, auth: Auth, clock: Clock, host: str
) -> None:
    """Escaped, not cached by the browser, and no script runs in it."""
    answer = await page(app_with(Settings(data=folder), stores=stores, auth=auth, clock=clock), host)

    assert answer.status_code == 200
    assert "ann@example.com: Your invitation" in answer.text
    assert f'<a href="{LINK}">' in answer.text
    assert "Hello &lt;b&gt;Ann&lt;/b&gt;," in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_an_empty_outbox_is_a_page(*, tmp_path: Path, stores: Stores, auth: Auth, clock: Clock) -> None:
    """Before the first mail there is not even a folder."""
    answer = await page(app_with(Settings(data=tmp_path), stores=stores, auth=auth, clock=clock))

    assert (answer.status_code, "No mail yet" in answer.text) == (200, True)


@pytest.mark.parametrize(
    "settings",
    [
        {"REDCORE_SERVER_HOST": "192.0.2.1"},
        {"REDCORE_SERVER_HOST": "0.0.0.0"},  # noqa: S104 - not opened
        {"REDCORE_SERVER_PUBLIC_URL": "https://api.example.com"},
        {"REDCORE_SERVER_SMTP_URL": "smtp://mail.example.com"},
    ],
    ids=lambda settings: str(next(iter(settings.items()))),
)
async def test_others_see_no_outbox(
    *, folder: Path, stores: Stores, auth: Auth, clock: Clock, settings: dict[str, str]
) -> None:
    """If the server can be reached from other machines, or sends real mail, there is no such page."""
    read = from_environment({"REDCORE_SERVER_DATA": str(folder), **settings})

    app = app_with(read, stores=stores, auth=auth, clock=clock)
    answer = await page(app)

    assert (answer.status_code, LINK in answer.text) == (404, False)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", ""])
async def test_csrf_dns_rebinding_sees_no_outbox(
    *, folder: Path, stores: Stores, auth: Auth, clock: Clock, host: str
) -> None:
    """A page of another site cannot read it by DNS rebinding."""
    answer = await page(app_with(Settings(data=folder), stores=stores, auth=auth, clock=clock), host)

    assert (answer.status_code, LINK in answer.text) == (404, False)


async def test_the_outbox_is_only_read(*, folder: Path, stores: Stores, auth: Auth, clock: Clock) -> None:
    """405 for anything but GET."""
    answer = await page(app_with(Settings(data=folder), stores=stores, auth=auth, clock=clock), method="POST")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
