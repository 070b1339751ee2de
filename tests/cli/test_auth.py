"""Logging in and out, profiles, and where secrets are stored."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked
from tests.cli.conftest import Run
from tests.contract.people import Visitor, new_person

from redcore import Client, ConfigurationError, TokenCacheError
from redcore.cli.credential import moment, note
from redcore.cli.keyring_calls import BoundedKeyring
from redcore.cli.profiles import Profiles, folder
from redcore.cli.terminal import Terminal
from redcore.testing import Lab, ReferenceServer
from redcore.tokens import KeyringCache, TokenSet


@pytest.fixture
def address(redcore_server: ReferenceServer, redcore_lab: Lab) -> str:
    """The API's address; the environment holds no credentials."""
    return redcore_server.base_url


def test_an_api_key_from_stdin_is_kept_and_used(
    run_cli: Run, redcore_server: ReferenceServer, address: str, config_dir: Path
) -> None:
    """Later commands need no address and no key; only the owner can read the file; logout removes the key."""
    key = redcore_server.api_key["api_key"]
    login = run_cli("auth", "login", "--api-key", "--base-url", address, stdin=f"{key}\n")
    assert (login.code, login.out) == (0, "")
    assert key not in login.err

    status = run_cli("auth", "status", "--output", "json").json
    assert (status["user"], status["kind"], status["base_url"]) == ("admin@example.com", "API key", address)
    assert stat.S_IMODE((config_dir / "credentials.json").stat().st_mode) == 0o600
    assert run_cli("auth", "token").out.strip() == key
    assert run_cli("auth", "logout").code == 0
    assert run_cli("auth", "status").code == 4


@pytest.mark.parametrize(
    "words", [("auth", "login", "--api-key"), ("api-keys", "revoke"), ("users", "get"), ("auth", "switch"), ("me",)]
)
def test_a_key_in_the_wrong_place_is_not_printed(run_cli: Run, words: tuple[str, ...]) -> None:
    """Such as an argument, as with stripe; the error says how to pass a key."""
    key = "rk_test_" + "k3" * 20
    outcome = run_cli(*words, key)

    assert (outcome.code, key in outcome.err) == (2, False)
    assert ("--api-key < FILE" in outcome.err) is (words[-1] == "--api-key")


def test_a_wrong_key_is_refused_and_not_stored(run_cli: Run, address: str) -> None:
    """Exit code 4, and no login is stored."""
    assert run_cli("auth", "login", "--api-key", "--base-url", address, stdin="rk_test_" + "k3" * 20).code == 4
    assert run_cli("auth", "status").code == 4


def test_a_login_is_never_sent_to_another_address(run_cli: Run, redcore_server: ReferenceServer, address: str) -> None:
    """A profile's secret is only sent to the origin that issued it."""
    run_cli("auth", "login", "--api-key", "--base-url", address, stdin=redcore_server.api_key["api_key"])
    outcome = run_cli("me", "get", "--base-url", "http://127.0.0.1:9/v1")

    assert outcome.code == 4
    assert "is logged in at" in outcome.err


def test_profiles_keep_logins_apart(run_cli: Run, redcore_server: ReferenceServer, address: str) -> None:
    """`--profile` names one, `auth switch` changes the default."""
    for name in ("one", "two"):
        key = redcore_server.api_key["api_key"]
        run_cli("auth", "login", "--api-key", "--profile", name, "--base-url", address, stdin=key)
    run_cli("auth", "logout", "--profile", "two")
    run_cli("auth", "switch", "one")

    assert run_cli("auth", "status", "--jq", ".profile").out == "one\n"
    assert run_cli("auth", "status", "--profile", "two").code == 4
    assert "run `redcore auth login --profile two`" in run_cli("me", "get", "--profile", "two").err
    assert run_cli("auth", "switch", "three").code == 2


def test_a_person_logs_in_by_device_and_out_again(
    run_cli: Run, redcore_server: ReferenceServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is shown and entered in a browser; the session is refreshed and revoked."""
    with Client(**redcore_server.api_key) as admin, httpx.Client(trust_env=False) as http:
        application = admin.applications.create(
            name="CLI", type="public", scopes=["profile:read"], redirect_uris=["http://127.0.0.1/callback"]
        )
        visitor = Visitor(redcore_server.origin, http)
        person = new_person(redcore_server, visitor)
        monkeypatch.setattr(
            "redcore.cli.login_ways.announce", lambda _, device: approve(visitor, person, device.user_code)
        )
        login = run_cli("auth", "login", "--device", "--client-id", application.id, "--base-url", address)
    assert login.code == 0, login.err

    status = run_cli("auth", "status", "--output", "json").json
    assert (status["kind"], status["scopes"], status["user"]) == ("session", "profile:read", person.email)
    token = run_cli("auth", "token").out.strip()
    assert run_cli("auth", "logout").code == 0
    answer = httpx.get(f"{address}/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_status_asks_the_platform_about_a_key_from_the_environment(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scopes and its expiry, also where it may not read its owner."""
    ends = "2030-01-31T12:00:00Z"
    create = ("api-keys", "create", "--name", "reader", "--scopes", "users:read", "--scopes", "files:read")
    monkeypatch.setenv("REDCORE_API_KEY", cli(*create, "--expires-at", ends, "--json", "key").json["key"])
    status = cli("auth", "status", "--output", "json").json

    assert (status["source"], status["kind"]) == ("REDCORE_API_KEY", "API key")
    assert (status["scopes"], status["token_expires_at"], status["user"]) == ("files:read users:read", ends, None)
    assert "without the scope profile:read" in status["note"]


def test_status_shows_the_scopes_of_client_credentials(
    cli: Run, redcore_server: ReferenceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their token expires, and is refreshed."""
    monkeypatch.delenv("REDCORE_API_KEY")
    for name in ("REDCORE_CLIENT_ID", "REDCORE_CLIENT_SECRET"):
        monkeypatch.setenv(name, redcore_server.environment[name])
    status = cli("auth", "status", "--output", "json").json

    assert (status["kind"], status["user"]) == ("client credentials", "admin@example.com")
    assert "admin" in status["scopes"]
    assert status["token_expires_at"].endswith("Z")
    assert "renewed automatically" in status["note"]


def test_a_platform_that_does_not_describe_credentials_is_named() -> None:
    """An older one sends no such headers; nothing is guessed."""
    assert "does not say" in note("API key", {}, has_owner=True)
    assert moment("soon") is None


def test_a_dry_logout_keeps_the_login(run_cli: Run, redcore_server: ReferenceServer, address: str) -> None:
    """It says what it would do."""
    run_cli("auth", "login", "--api-key", "--base-url", address, stdin=redcore_server.api_key["api_key"])
    outcome = run_cli("auth", "logout", "--dry-run")

    assert "Would delete the login of profile default" in outcome.out
    assert run_cli("auth", "status").code == 0


class LockedKeyring(KeyringBackend):
    """A keyring whose owner has not unlocked it."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002 (its base class's)
        raise KeyringLocked("the collection is locked")

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002 (its base class's)
        raise KeyringLocked("the collection is locked")

    def delete_password(self, service: str, username: str) -> None:  # noqa: ARG002 (its base class's)
        raise KeyringLocked("the collection is locked")


class WriteProtectedKeyring(LockedKeyring):
    """A keyring that answers, and stores nothing."""

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002 (its base class's)
        return None


@pytest.fixture(params=[LockedKeyring, WriteProtectedKeyring])
def unusable_keyring(request: pytest.FixtureRequest, config_dir: Path) -> Iterator[None]:
    """Replaces the system's keyring in this process."""
    before = keyring.get_keyring()
    keyring.set_keyring(request.param())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("unusable_keyring")
def test_a_login_goes_to_a_file_while_the_keyring_is_locked(
    run_cli: Run, redcore_server: ReferenceServer, address: str, config_dir: Path
) -> None:
    """A warning says why; the doctor finds it."""
    login = run_cli("auth", "login", "--api-key", "--base-url", address, stdin=redcore_server.api_key["api_key"])
    found = {finding["check"]: finding for finding in run_cli("doctor", "--json").json}

    assert (login.code, "the keyring cannot be used" in login.err) == (0, True)
    assert run_cli("auth", "status", "--jq", ".source").out.strip() == str(config_dir / "credentials.json")
    assert (found["keyring"]["level"], found["credentials"]["level"]) == ("warning", "ok")


@pytest.mark.usefixtures("unusable_keyring")
def test_a_login_in_a_locked_keyring_is_a_failure_with_two_ways_on(run_cli: Run, address: str) -> None:
    """Unlock it, or log in again; the doctor says the same."""
    Profiles(folder()).change("default", {"storage": "keyring", "base_url": address})
    outcome = run_cli("me", "get")
    found = {finding["check"]: finding for finding in run_cli("doctor", "--json").json}

    assert (outcome.code == 0, "redcore auth login" in outcome.err) == (False, True)
    assert (found["keyring"]["level"], "Unlock" in found["keyring"]["advice"]) == ("failure", True)


class HangingKeyring(LockedKeyring):
    """A keyring that shows a prompt and waits, or whose D-Bus does not answer."""

    answered: threading.Event

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002 (its base class's)
        self.answered.wait(timeout=60)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002 (its base class's)
        self.answered.wait(timeout=60)


@pytest.fixture
def hanging_keyring(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingKeyring]:
    """Replaces the keyring of this process; its calls have a short time-out."""
    monkeypatch.setattr("redcore.cli.state.KEYRING_LIMIT_S", 0.02)
    monkeypatch.setattr("redcore.cli.doctor.KEYRING_LIMIT_S", 0.02)
    before, hanging = keyring.get_keyring(), HangingKeyring()  # type: ignore[no-untyped-call]  # its base class has no types
    hanging.answered = threading.Event()
    keyring.set_keyring(hanging)
    yield hanging
    hanging.answered.set()
    keyring.set_keyring(before)


@pytest.mark.usefixtures("hanging_keyring")
def test_a_login_goes_to_a_file_when_the_keyring_hangs(
    run_cli: Run, redcore_server: ReferenceServer, address: str, config_dir: Path
) -> None:
    """Without a terminal its prompt cannot be answered."""
    login = run_cli("auth", "login", "--api-key", "--base-url", address, stdin=redcore_server.api_key["api_key"])

    assert (login.code, "the keyring does not answer" in login.err) == (0, True)
    assert run_cli("auth", "status", "--jq", ".source").out.strip() == str(config_dir / "credentials.json")


@pytest.mark.usefixtures("hanging_keyring")
@pytest.mark.parametrize("words", [("me", "get"), ("auth", "status"), ("auth", "token"), ("auth", "logout")])
def test_a_login_in_a_keyring_that_hangs_is_a_failure(run_cli: Run, address: str, words: tuple[str, ...]) -> None:
    """Every command that needs the login ends in time, and says what to do."""
    Profiles(folder()).change("default", {"storage": "keyring", "base_url": address})
    outcome = run_cli(*words)

    assert (outcome.code, outcome.out) == (1, "")
    assert "the keyring does not answer: unlock it" in outcome.err
    assert "set REDCORE_API_KEY" in outcome.err


@pytest.mark.usefixtures("hanging_keyring")
def test_the_doctor_finds_a_keyring_that_hangs(run_cli: Run, address: str) -> None:
    """It waits once, however often it uses the keyring."""
    Profiles(folder()).change("default", {"storage": "keyring", "base_url": address})
    found = {finding["check"]: finding for finding in run_cli("doctor", "--json").json}

    assert (found["keyring"]["level"], found["keyring"]["found"]) == ("failure", "the keyring does not answer")


def test_a_slow_keyring_is_explained_and_can_be_interrupted(
    run_cli: Run, address: str, hanging_keyring: HangingKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three seconds, here at once; Ctrl-C says what was not done."""
    said: list[str] = []

    def note(_: Terminal, message: str) -> None:
        said.append(message)
        if "keyring" in message:
            raise KeyboardInterrupt

    monkeypatch.setattr("redcore.cli.keyring_calls.NOTICE_S", 0.0)
    monkeypatch.setattr(Terminal, "interactive", True)
    monkeypatch.setattr(Terminal, "note", note)
    outcome = run_cli("auth", "login", "--api-key", "--base-url", address)

    assert outcome.code == 130
    assert said == [
        "Waiting for the keyring: unlock it if it asks you to, or press Ctrl-C.",
        "Interrupted. You are not logged in; run the command again.",
    ]


def test_a_login_waits_until_the_keyring_is_unlocked(
    hanging_keyring: HangingKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late answer of the keyring is used."""
    monkeypatch.setattr("redcore.cli.keyring_calls.NOTICE_S", 0.0)
    cache = KeyringCache("redcore-test", strict=True)
    waiting = BoundedKeyring(cache, limit_s=60, on_slow=hanging_keyring.answered.set)

    with pytest.raises(TokenCacheError, match="does not keep what it is given"):
        waiting.get("default")


def approve(visitor: Visitor, person: object, code: str) -> None:
    """Enter the code as a person."""
    page = visitor.sign_in(f"/oauth/device?user_code={code}", person)  # type: ignore[arg-type]  # a Person
    visitor.fill(page, "device-consent", decision="allow")


@pytest.mark.parametrize(("at_terminal", "code"), [(True, 0), (False, 1)])
def test_without_a_browser_a_person_gets_a_code_and_a_script_an_error(
    run_cli: Run, address: str, monkeypatch: pytest.MonkeyPatch, *, at_terminal: bool, code: int
) -> None:
    """A script cannot enter a code: the error names the option for people."""

    def no_browser(**_: object) -> TokenSet:
        raise ConfigurationError("no browser could be opened")

    monkeypatch.setattr("redcore.cli.login_ways.in_browser", no_browser)
    monkeypatch.setattr("redcore.cli.login_ways.on_device", lambda **_: TokenSet(access_token="at_1"))
    monkeypatch.setattr(Terminal, "interactive", at_terminal)
    outcome = run_cli("auth", "login", "--client-id", "app_1", "--base-url", address)

    assert outcome.code == code
    assert ("--device" in outcome.err) is True
