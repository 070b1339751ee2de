"""The `redcore` command of a person who logs in with a real browser: every step is a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs
import pytest
from playwright.sync_api import Page
from tests.browser.inspection import expect_heading
from tests.contract.people import Application, Person, new_application

from redcore import Scope
from redcore.testing import Lab, ReferenceServer

LIMIT_S = 60
"""Time-out of a command on a busy machine."""


@attrs.define
class Shell:
    """Runs commands in a separate configuration, and keeps their output."""

    environment: dict[str, str]
    printed: str = ""

    def __call__(self, *words: str, stdin: str = "") -> str:
        """Return the output of a command for programs; it must succeed."""
        ended = self.ended(*words, stdin=stdin)
        assert ended.returncode == 0, (words, ended.stderr)
        self.printed += ended.stdout + ended.stderr
        return ended.stdout

    def ended(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Return a command that has ended, in whatever way."""
        return subprocess.run(  # noqa: S603 (our own command line)
            command(*words),
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    @contextmanager
    def running(self, *words: str) -> Iterator[IO[str]]:
        """Yield the messages on stderr of a command that waits for the person; it must succeed in the end."""
        with subprocess.Popen(  # noqa: S603 (as above)
            command(*words),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            try:
                yield process.stderr
                out, err = process.communicate(timeout=LIMIT_S)
            finally:
                process.kill()
        assert process.returncode == 0, (words, err)
        self.printed += out + err


def command(*words: str) -> list[str]:
    """A command line."""
    return [sys.executable, "-m", "redcore.cli", *words]


@pytest.fixture
def shell(redcore_server: ReferenceServer, redcore_lab: Lab, tmp_path: Path) -> Shell:
    """A shell without a login and without a keyring."""
    return Shell(
        {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "REDCORE_CONFIG_DIR": str(tmp_path / "config"),
            "REDCORE_BASE_URL": redcore_server.base_url,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
    )


@pytest.fixture
def command_line(redcore_server: ReferenceServer, redcore_lab: Lab) -> Application:
    """The command line, as the server knows it."""
    return new_application(
        redcore_server,
        name="redcore CLI",
        redirect_uri="http://127.0.0.1/callback",
        scopes=[Scope.ADMIN],
        is_public=True,
    )


def sign_in(page: Page, person: Person) -> None:
    """Sign in."""
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()


def test_a_session_from_the_device_login_to_the_logout(
    page: Page, shell: Shell, command_line: Application, person: Person, tmp_path: Path
) -> None:
    """Log in, create, list, import, watch, export, publish, log out: each ends with 0, and no token is printed."""
    with shell.running("auth", "login", "--device", "--client-id", command_line.id) as said:
        asked = re.search(r"Open (\S+) and enter the code (\S+)", said.readline())
        assert asked is not None
        page.goto(asked[1])
        page.get_by_label("Code").fill(asked[2])
        page.keyboard.press("Enter")
        sign_in(page, person)
        expect_heading(page, "Connect redcore CLI?")
        page.get_by_role("button", name="Allow").click()
        expect_heading(page, "Your device is connected")

    assert person.email in shell("auth", "status")
    shell("users", "create", "--email", "ada@example.com", "--name", "Ada")
    assert "ada@example.com" in shell("users", "list", "--limit", "5")
    rows = "sku,name,price,stock\nA,Engine,1,1\n"
    run = shell("products", "import", "-", "--no-wait", "--jq", ".id", stdin=rows).strip()
    assert "succeeded" in shell("runs", "watch", run)
    shell("products", "export", "--to", str(tmp_path / "catalog.csv"))
    assert "Engine" in (tmp_path / "catalog.csv").read_text()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<h1>Hello</h1>")
    shell("docs", "publish", str(tmp_path / "site"))
    printed = shell.printed
    token = shell("auth", "token").strip()
    shell("auth", "logout")

    assert shell.ended("users", "list").returncode == 4
    assert token.startswith("eyJ")
    assert token not in printed


def test_a_login_in_a_browser_of_this_machine(
    page: Page, shell: Shell, command_line: Application, person: Person, tmp_path: Path
) -> None:
    """The browser named by the system is opened, and returns to the command (RFC 8252)."""
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o700)
    shell.environment["BROWSER"] = str(browser)
    with shell.running("auth", "login", "--client-id", command_line.id):
        while not opened.exists():
            page.wait_for_timeout(50)
        page.goto(opened.read_text().strip())
        sign_in(page, person)
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url("http://127.0.0.1:*/callback*")

    assert person.email in shell("auth", "status")
