"""A whole session, from login to logout, as a person types it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import Run
from tests.cli.test_auth import approve
from tests.contract.people import Visitor, new_person

from redcore import Client
from redcore.testing import Lab, ReferenceServer


def test_login_create_list_import_watch_export_publish_logout(
    run_cli: Run,
    redcore_server: ReferenceServer,
    redcore_lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Every step ends with code 0, and no token is ever printed."""
    said: list[str] = []

    def step(*words: str, stdin: str = "") -> str:
        outcome = run_cli(*words, stdin=stdin)
        assert outcome.code == 0, (words, outcome.err)
        said.append(outcome.out + outcome.err)
        return outcome.out

    with Client(**redcore_server.api_key) as admin, httpx.Client(trust_env=False) as http:
        uris = ["http://127.0.0.1/callback"]
        application = admin.applications.create(name="CLI", type="public", scopes=["admin"], redirect_uris=uris)
        visitor = Visitor(redcore_server.origin, http)
        person = new_person(redcore_server, visitor)
        monkeypatch.setattr(
            "redcore.cli.login_ways.announce", lambda _, device: approve(visitor, person, device.user_code)
        )
        step("auth", "login", "--device", "--client-id", application.id, "--base-url", redcore_server.base_url)
    step("users", "create", "--email", "ada@example.com", "--name", "Ada")
    assert "ada@example.com" in step("users", "list", "--limit", "5")
    rows = "sku,name,price,stock\nA,Engine,1,1\n"
    run = step("products", "import", "-", "--no-wait", "--json", "id", stdin=rows)
    step("runs", "watch", run.split('"')[3])
    step("products", "export", "--to", str(tmp_path / "catalog.csv"))
    assert "Engine" in (tmp_path / "catalog.csv").read_text()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<h1>Hello</h1>")
    step("docs", "publish", str(tmp_path / "site"))
    token = run_cli("auth", "token").out.strip()
    step("auth", "logout")

    assert run_cli("users", "list").code == 4
    assert token
    assert token not in "".join(said)
