"""The four ways to log in: browser, code on another device, API key, SAML assertion. Each gives tokens to keep."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import click

from redcore import Client
from redcore.cli.state import State
from redcore.cli.vault import API_KEY
from redcore.exceptions import ConfigurationError, PermissionError  # noqa: A004 (the contract's name)
from redcore.login import DeviceAuthorization, in_browser, on_device
from redcore.tokens import TokenSet

REGISTER = (
    "an application is needed to log in to: give --client-id or set REDCORE_CLIENT_ID. An administrator registers one "
    "with `redcore applications create --type public --name 'redcore CLI' --redirect-uris http://127.0.0.1/callback`; "
    "or log in with an API key: redcore auth login --api-key"
)

NOT_LOGGED_IN = "You are not logged in; run the command again."


def options(state: State) -> dict[str, Any]:
    """Return the application and the addresses.

    Raises:
        click.UsageError: there is no application.
    """
    client_id = state.setting("client_id").value
    if client_id is None:
        raise click.UsageError(REGISTER)
    return {"client_id": client_id, **state.addresses()}


def by_browser(state: State, scope: str | None) -> TokenSet:
    """Open a browser on this machine, and wait until the person has logged in."""
    application = options(state)
    state.terminal.note("Opening a browser; log in there. `redcore auth login --device` needs none on this machine.")
    try:
        with quiet_stdout(), state.terminal.if_interrupted(NOT_LOGGED_IN):
            return in_browser(scope=scope, **application)
    except ConfigurationError as error:
        if "browser" not in error.message:
            raise
        if state.terminal.interactive:
            state.terminal.note("No browser could be opened on this machine; use one anywhere.")
            return by_device(state, scope)
        raise click.ClickException(
            "no browser could be opened on this machine: run `redcore auth login --device`"
        ) from None


@contextlib.contextmanager
def quiet_stdout() -> Generator[None]:
    """Keep what a browser prints away from stdout, which is for programs."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def by_device(state: State, scope: str | None) -> TokenSet:
    """Show a code, and wait until the person has entered it in a browser anywhere (RFC 8628)."""
    with state.terminal.if_interrupted(NOT_LOGGED_IN):
        return on_device(prompt=lambda device: announce(state, device), scope=scope, **options(state))


def announce(state: State, device: DeviceAuthorization) -> None:
    """Say where to enter which code."""
    code = click.style(device.user_code, bold=True)
    click.echo(f"Open {device.verification_uri} and enter the code {code}", err=True)
    if device.verification_uri_complete:
        state.terminal.note(f"or open {device.verification_uri_complete}")
    state.terminal.note("Waiting …")


def by_api_key(state: State) -> TokenSet:
    """Read a key from stdin, and see that the platform takes it.

    Raises:
        AuthenticationError: it does not.
    """
    at_terminal = sys.stdin.isatty()
    with state.terminal.if_interrupted(NOT_LOGGED_IN):
        key = click.prompt("API key", hide_input=True, err=True) if at_terminal else sys.stdin.readline()
    key = key.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}").strip()  # Windows programs begin a file with it
    if not key:
        raise click.UsageError("There is no API key on stdin: redcore auth login --api-key < FILE")
    with Client(api_key=key, **state.addresses()) as client:
        try:
            me = client.users.get_me()
        except PermissionError:
            state.terminal.note("The key is valid; it may not read the profile of its owner.")
        else:
            state.terminal.note(f"The key acts for {me.email}.")
    return TokenSet(access_token=key, token_type=API_KEY)


def by_saml(state: State, file: Path, scope: str | None) -> TokenSet:
    """Exchange an identity provider's assertion for tokens (RFC 7522)."""
    try:
        assertion = file.read_bytes()
    except OSError as problem:
        raise click.UsageError(f"{file} cannot be read: {problem.strerror}.") from None
    made: list[TokenSet] = []
    client = Client.from_saml_assertion(
        assertion=assertion,
        scope=scope,
        on_token_refreshed=lambda pair: made.append(TokenSet(**pair)),
        **options(state),
    )
    client.close()
    return made[-1]
