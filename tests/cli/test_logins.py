"""Logins that need no server: by an assertion, stored in a working keyring, revoked at the platform first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from tests.cli.conftest import Run
from tests.core.keyrings import Remembering, Truncating

from redcore.cli.doctor.local import keyring as keyring_check
from redcore.cli.login_ways import announce
from redcore.cli.state import State
from redcore.cli.terminal import Terminal
from redcore.login import DeviceAuthorization
from redcore.testing import FakeBlueRound

Backend = TypeVar("Backend", bound=KeyringBackend)
KEY = "rk_test_of_the_fake_with_all_scopes"


@contextmanager
def in_use(backend: Backend) -> Iterator[Backend]:
    """Use a keyring in place of the system's."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield backend
    finally:
        keyring.set_keyring(before)


@pytest.fixture
def opened(config_dir: Path) -> Iterator[Remembering]:
    """The keyring of this process, which is unlocked."""
    with in_use(Remembering()) as backend:
        yield backend


@pytest.fixture
def fake() -> Iterator[FakeBlueRound]:
    with FakeBlueRound() as fake:
        yield fake


@pytest.fixture
def by_assertion(fake: FakeBlueRound, run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log the administrator in, by an assertion."""
    monkeypatch.setenv("REDCORE_CLIENT_ID", fake.client_id)
    fake.platform.state.secrets[fake.client_id] = None  # as of a public application
    (tmp_path / "assertion.xml").write_bytes(fake.saml_assertion())
    outcome = run_cli("auth", "login", "--saml", str(tmp_path / "assertion.xml"), "--scope", "profile:read")
    assert outcome.code == 0, outcome.err


@pytest.mark.usefixtures("opened", "by_assertion")
def test_a_session_is_stored_in_the_keyring_and_refreshed(fake: FakeBlueRound, run_cli: Run, config_dir: Path) -> None:
    """The next command has the new pair; no file holds a secret."""
    before = run_cli("auth", "token").out
    fake.sleep(3700)
    after = run_cli("auth", "token").out

    status = run_cli("auth", "status", "--output", "json").json
    assert (status["source"], status["kind"], status["user"]) == ("keyring", "session", "admin@example.com")
    assert before != after
    assert run_cli("auth", "token").out == after
    assert after.strip() not in (config_dir / "config.toml").read_text()
    assert not (config_dir / "credentials.json").exists()


def test_a_logout_empties_the_keyring(
    fake: FakeBlueRound, run_cli: Run, opened: Remembering, by_assertion: None
) -> None:
    """The session is revoked; a second logout has nothing to do."""
    token = run_cli("auth", "token").out.strip()
    outcome = run_cli("auth", "logout")

    assert (outcome.code, opened.kept) == (0, {})
    assert token not in fake.platform.state.tokens
    assert run_cli("auth", "logout").code == 4


@pytest.mark.usefixtures("opened", "by_assertion")
def test_a_session_that_the_platform_has_ended_can_be_logged_out(fake: FakeBlueRound, run_cli: Run) -> None:
    """The stored login is useless, and is deleted."""
    fake.platform.state.tokens.clear()
    outcome = run_cli("auth", "logout", "--verbose")

    assert (outcome.code, "Logged out" in outcome.err) == (0, True)
    assert run_cli("auth", "status").code == 4


@pytest.mark.usefixtures("opened")
def test_the_doctor_finds_a_working_keyring(config_dir: Path) -> None:
    """By writing an entry, reading it and deleting it."""
    found = keyring_check(State())

    assert (found.level, found.found) == ("ok", "gives back what it is given")


def test_a_keyring_that_truncates_stores_no_login(fake: FakeBlueRound, run_cli: Run, config_dir: Path) -> None:
    """The login goes to a file, and a warning says why."""
    with in_use(Truncating()):
        outcome = run_cli("auth", "login", "--api-key", stdin=KEY)

    assert (outcome.code, "does not keep what it is given" in outcome.err) == (0, True)
    assert (config_dir / "credentials.json").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--api-key", "--device"], "Give one of --device, --api-key and --saml"),
        (["--saml", "/nowhere", "--client-id", "app_1"], "/nowhere cannot be read: No such file or directory"),
        ([], "an application is needed to log in to"),
        (["--api-key"], "There is no API key on stdin"),
    ],
)
def test_an_incomplete_login_is_a_usage_error(run_cli: Run, words: list[str], expected: str) -> None:
    """Nothing is sent, and nothing is stored."""
    outcome = run_cli("auth", "login", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert expected in " ".join(outcome.err.split())
    assert run_cli("auth", "status").code == 4


def test_a_key_that_may_not_read_its_owner_is_valid(fake: FakeBlueRound, run_cli: Run) -> None:
    """A script's key often has no other scope than it needs."""
    key = fake.client().api_keys.create(name="nightly", scopes=["users:read"]).key
    outcome = run_cli("auth", "login", "--api-key", stdin=key)

    assert (outcome.code, "it may not read the profile of its owner" in outcome.err) == (0, True)
    assert run_cli("users", "list", "--json", "email").json == [{"email": "admin@example.com"}]


def test_the_token_of_the_environment_is_printed_unchanged(
    fake: FakeBlueRound, run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request is made."""
    monkeypatch.setenv("REDCORE_API_KEY", KEY)

    assert run_cli("auth", "token").out == f"{KEY}\n"
    assert fake.requests == []


def test_profiles_are_listed_with_the_active_one_marked(fake: FakeBlueRound, run_cli: Run) -> None:
    """`auth switch` without a name changes nothing."""
    for name in ("one", "two"):
        run_cli("auth", "login", "--api-key", "--profile", name, stdin=KEY)
    run_cli("auth", "switch", "two")

    assert run_cli("auth", "switch").out == "  one\n* two\n"


@pytest.mark.parametrize("complete", ["https://api.example.com/oauth/device?user_code=BCDF-GHJK", None])
def test_a_device_shows_where_to_enter_its_code(capsys: pytest.CaptureFixture[str], complete: str | None) -> None:
    """On stderr, as stdout is for programs; the address includes the code only if the platform sends one with it."""
    device = DeviceAuthorization(
        device_code="secret-code",
        user_code="BCDF-GHJK",
        verification_uri="https://api.example.com/oauth/device",
        verification_uri_complete=complete,
        expires_in=900,
        interval=5,
    )
    state = State()
    state.terminal = Terminal()
    announce(state, device)

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Open https://api.example.com/oauth/device and enter the code BCDF-GHJK" in printed.err
    assert ("or open" in printed.err) is (complete is not None)
    assert "secret-code" not in printed.err
