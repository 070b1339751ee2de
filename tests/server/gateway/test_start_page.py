"""The page at `/` of a server on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.support.browsing import text_of
from tests.server.support.callers import callers_of, whole_app

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


async def test_a_local_server_shows_its_addresses(stores: Stores, auth: Auth, clock: Clock, tmp_path: Path) -> None:
    """Address, the place of the credentials, outbox, health, documentation and version."""
    settings = Settings(data=tmp_path)
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=settings)
    async with callers_of(app, stores, clock) as callers:
        anonymous = await callers.bearing(None)
        page, wrong = await anonymous.get("/"), await anonymous.post("/")

    assert (page.status_code, wrong.status_code) == (200, 405)
    assert settings.base_url in text_of(page)
    assert str(settings.credentials) in text_of(page)
    for link in ("/outbox", "/healthz", "/readyz?stores", "https://docs.blueround.com/"):
        assert f'href="{link}"' in page.text


async def test_a_public_server_has_no_start_page(stores: Stores, auth: Auth, clock: Clock, tmp_path: Path) -> None:
    """Its file paths are not for visitors."""
    settings = Settings(data=tmp_path, public_url="https://api.example.com")
    app = whole_app(stores=stores, auth=auth, clock=clock, settings=settings)
    async with callers_of(app, stores, clock) as callers:
        assert (await (await callers.bearing(None)).get("/")).status_code == 404
