"""The programs of examples/ that log a person in, who fills in the forms of the server's pages as a browser would."""

from __future__ import annotations

import runpy
import webbrowser
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.contract.people import Person, Visitor, new_application
from tests.docs.example_programs import EXAMPLES, load

from redcore import Scope
from redcore.login import DeviceAuthorization
from redcore.testing import FakeTime, ReferenceServer
from redcore_server.process.seed_credentials import read_credentials


@pytest.fixture
def visitor(redcore_server: ReferenceServer) -> Iterator[Visitor]:
    """The browser."""
    with httpx.Client(trust_env=False) as http:
        yield Visitor(redcore_server.origin, http)


@pytest.fixture
def administrator(redcore_server: ReferenceServer) -> Person:
    """The first administrator, whose password the server wrote into its data folder."""
    credentials = read_credentials(redcore_server.data)
    assert credentials is not None
    assert credentials.admin_email is not None
    assert credentials.admin_password is not None
    return Person("usr_1", credentials.admin_email, credentials.admin_password)


def test_login_in_browser_prints_the_person(
    reader: Path,
    visitor: Visitor,
    administrator: Person,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The program waits on loopback for the browser, which the person uses meanwhile."""
    with ThreadPoolExecutor(1) as meanwhile:

        def sign_in(url: str) -> bool:
            meanwhile.submit(lambda: visitor.http.get(visitor.decide(url, administrator)))
            return True

        monkeypatch.setattr(webbrowser, "open", sign_in)
        runpy.run_path(str(EXAMPLES / "login_in_browser.py"), run_name="__main__")
    assert "Admin" in capsys.readouterr().out


@pytest.mark.usefixtures("reader")
def test_login_on_device_prints_the_person(
    visitor: Visitor,
    administrator: Person,
    redcore_server: ReferenceServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The program shows address and code, and polls until the person has decided elsewhere."""
    example = load("login_on_device")
    show = example.prompt

    def show_and_enter(device: DeviceAuthorization) -> None:
        show(device)
        visitor.decide_device(device, administrator)

    monkeypatch.setattr(example, "prompt", show_and_enter)
    with FakeTime(on_sleep=redcore_server.lab.advance_clock):
        example.main()
    shown, name = capsys.readouterr().out.splitlines()
    assert shown.startswith(f"Open {redcore_server.origin}/")
    assert "Admin" in name


def test_mobile_login_survives_the_end_of_the_app(
    reader: Path,
    visitor: Visitor,
    administrator: Person,
    redcore_server: ReferenceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The app is a public client; another process of it handles the link, and a third makes calls for the person."""
    callback = "https://app.example.com/back"
    application = new_application(redcore_server, redirect_uri=callback, scopes=[Scope.PROFILE_READ], is_public=True)
    monkeypatch.setenv("REDCORE_CLIENT_ID", application.id)
    monkeypatch.delenv("REDCORE_CLIENT_SECRET")
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    example = load("mobile_login")

    example.Session(reader).begin()
    link = visitor.decide(opened[0], administrator)
    example.Session(reader).finish(link)
    with example.Session(reader).client() as client:
        assert client.users.get_me().email == administrator.email
    assert not (reader / "login.json").exists()
