"""What can be seen without a network: versions, settings, credentials, the keyring."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import click

from redcore import __version__
from redcore.cli.config import unknown
from redcore.cli.doctor.finding import Finding
from redcore.cli.profiles import SETTINGS, folder
from redcore.cli.state import URLS, NotLoggedInError, State
from redcore.cli.vault import choose
from redcore.exceptions import RedcoreError
from redcore.tokens import TokenSet

TRANSPORTS = ("httptools", "httpcore", "httpx", "aiohttp")


def local_checks(state: State) -> Iterator[Finding]:
    """Yield what is found on this machine."""
    yield versions()
    yield settings(state)
    yield address(state)
    yield credentials(state)
    yield keyring(state)


def versions() -> Finding:
    """Report the versions of everything that a call goes through."""
    found = [f"redcore {__version__}", f"Python {platform.python_version()}", platform.system()]
    for name in TRANSPORTS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return Finding("versions", "ok", ", ".join(found))


def settings(state: State) -> Finding:
    """Report each setting that is not a default, and where it came from; look for misspelt variables."""
    try:
        facts = [f"profile {state.profile}"]
        for name in SETTINGS:
            value, origin = state.setting(name)
            if value is not None and origin != "default":
                facts.append(f"{name}={value} ({origin})")
    except click.ClickException as problem:
        return Finding("settings", "failure", problem.message, "Mend the file, or delete it and log in again.")
    if unread := state.profiles.unknown(state.profile):
        return Finding("settings", "warning", ", ".join(facts), f"{state.profiles.path}: {unknown(unread[0])}.")
    strange = sorted(name for name in os.environ if name.startswith("REDCORE_") and not known(name))
    if strange:
        return Finding(
            "settings", "warning", ", ".join(facts), f"No setting has the name {strange[0]}: is it misspelt?"
        )
    return Finding("settings", "ok", ", ".join(facts))


def known(variable: str) -> bool:
    """Whether a variable is one that the SDK, its command line or the reference server reads."""
    others = {"REDCORE_API_KEY", "REDCORE_CLIENT_SECRET", "REDCORE_PROFILE", "REDCORE_CONFIG_DIR"}
    return variable in {*SETTINGS.values(), *others} or variable.startswith(("REDCORE_SERVER_", "REDCORE_TEST_"))


def address(state: State) -> Finding:
    """Look at the address of the API."""
    url, origin = state.base_url
    detail = f"{url} ({origin})"
    parts = urlsplit(url or "")
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return Finding("address", "failure", detail, "It must be a URL such as https://api.blueround.com/v1.")
    if not parts.path.rstrip("/").endswith("/v1"):
        return Finding("address", "failure", detail, f"It must end in /v1: {(url or '').rstrip('/')}/v1")
    return Finding("address", "ok", detail)


def credentials(state: State) -> Finding:
    """Look at the credentials: whether there are any, and whether they are for this platform."""
    try:
        kept, where = kept_secret(state)
    except NotLoggedInError as problem:
        return Finding("credentials", "failure", problem.message, "Run `redcore auth login`, or set REDCORE_API_KEY.")
    except RedcoreError as problem:
        return Finding("credentials", "failure", problem.message, "Log in again: redcore auth login")
    if kept.startswith("rk_live_") and state.base_url.value == URLS["staging"]:
        return Finding("credentials", "failure", f"a production key ({where}) on staging", "Use a key of staging.")
    if kept.startswith("rk_test_") and state.base_url.value == URLS["production"]:
        return Finding("credentials", "warning", f"a test key ({where}) on production", "It works on test data only.")
    return Finding("credentials", "ok", where)


def kept_secret(state: State) -> tuple[str, str]:
    """Return the secret and where it comes from."""
    if state.credential_origin is not None:
        return os.environ.get("REDCORE_API_KEY", ""), state.credential_origin
    vault = state.vault()
    kept: TokenSet | None = None if vault is None else vault.read()
    if vault is None or kept is None:
        raise NotLoggedInError(f"none (profile {state.profile})")
    return kept.access_token, vault.place


def keyring(state: State) -> Finding:
    """See that the keyring gives back what it is given."""
    try:
        vault, reason = choose(folder(), "redcore-doctor", state.keyring)
    except (RedcoreError, click.ClickException) as problem:
        return Finding("keyring", "failure", problem.message, "Logins cannot be kept; set REDCORE_API_KEY.")
    if reason is None:
        return Finding("keyring", "ok", "gives back what it is given")
    if state.profiles.settings(state.profile).get("storage") == "keyring":
        return Finding("keyring", "failure", reason, "Unlock the keyring: the login of this profile is in it.")
    return Finding("keyring", "warning", reason, f"Logins are kept in {vault.place}, readable by you alone.")
