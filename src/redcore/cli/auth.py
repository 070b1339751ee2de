"""`redcore auth`: log in, show who is logged in, log out, hand the token to a script, change the profile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from redcore.cli.app import CONTEXT, Suggesting
from redcore.cli.generated import COMMANDS
from redcore.cli.operations import command_of
from redcore.cli.options import Filled, chosen_output, dry_run, output_options, setting, with_common
from redcore.cli.profiles import folder
from redcore.cli.state import NotLoggedInError, State, origin_of


@click.group("auth", cls=Suggesting, context_settings=CONTEXT)
def command() -> None:
    """Log in and out; show who is logged in."""


def of_the_spec() -> None:
    """Add the spec's own commands, which a token's owner and its receiver need."""
    for described in COMMANDS:
        if described.group == "auth" and described.name in {"introspect", "metadata", "jwks"}:
            command.add_command(command_of(described))


def login_options() -> list[click.Parameter]:
    """Return the options of a login, which name the application."""
    return [setting("client_id", "The OAuth application to log in to (REDCORE_CLIENT_ID).", metavar="ID")]


@with_common(
    login_options(),
    examples=[
        "redcore auth login",
        "redcore auth login --device --profile staging",
        "redcore auth login --api-key < key.txt",
    ],
)
@command.command()
@click.argument("words", nargs=-1, metavar="")
@click.option("--device", is_flag=True, help="Show a code to enter in a browser on any machine.")
@click.option("--api-key", is_flag=True, help="Read an API key from stdin.")
@click.option("--saml", type=click.Path(path_type=Path, dir_okay=False), help="Log in with a SAML assertion: its XML.")
@click.option(
    "--scope", "scopes", type=Filled(), multiple=True, metavar="SCOPE", help="A scope to ask for; all, if left out."
)
@click.pass_obj
def login(
    state: State, *, words: tuple[str, ...], device: bool, api_key: bool, saml: Path | None, scopes: tuple[str, ...]
) -> None:
    """Log in, and keep the login in this profile.

    Opens a browser, unless another way is asked for. The login is kept in the keyring of the operating system, or in a
    file that only you can read where there is no keyring.
    """
    if words:
        raise click.UsageError(
            "A key is read from stdin, as other users of the machine can see arguments: "
            "redcore auth login --api-key < FILE"
        )
    if sum([device, api_key, saml is not None]) > 1:
        raise click.UsageError("Give one of --device, --api-key and --saml.")
    from redcore.cli import login_ways  # noqa: PLC0415 (imports the SDK)
    from redcore.cli.vault import choose  # noqa: PLC0415 (as above)

    with state.terminal.if_interrupted(login_ways.NOT_LOGGED_IN):
        vault, reason = choose(folder(), state.profile, state.keyring)
    scope = " ".join(scopes) or None
    if api_key:
        tokens = login_ways.by_api_key(state)
    elif saml is not None:
        tokens = login_ways.by_saml(state, saml, scope)
    elif device:
        tokens = login_ways.by_device(state, scope)
    else:
        tokens = login_ways.by_browser(state, scope)
    vault.write(tokens)
    if reason is not None:
        state.terminal.warn(f"the login is kept in {vault.place}, readable by you alone: {reason}")
    address = state.base_url.value or ""
    changes: dict[str, str | None] = {"base_url": address, "origin": origin_of(address), "storage": vault.storage}
    changes["client_id"] = None if api_key else state.setting("client_id").value
    state.profiles.change(state.profile, changes)
    state.terminal.note(f"Logged in at {address} (profile {state.profile}, kept in {vault.place}).")


@with_common(output_options(), examples=["redcore auth status", "redcore auth status --jq .scopes"])
@command.command()
@click.pass_obj
def status(state: State, *, fields: str | None, jq: str) -> None:
    """Show who is logged in: where, as whom, with which scopes, until when, and what says so.

    The platform is asked each time, also about a key from the environment.
    """
    output = chosen_output(state, fields, jq)
    facts = {"profile": state.profile, "base_url": state.base_url.value, "source": source(state)}
    from redcore.cli.credential import ask  # noqa: PLC0415 (imports the SDK)

    found = ask(state)
    owner = found.owner
    facts |= {
        "kind": found.kind,
        "user": None if owner is None else owner.email,
        "name": None if owner is None else owner.name,
        "role": None if owner is None else str(owner.role),
        "scopes": found.scopes,
        "token_expires_at": found.expires_at,
        "note": found.note,
    }
    output.one(facts, ())


def source(state: State) -> str:
    """Return where the credentials come from.

    Raises:
        NotLoggedInError: there are none.
    """
    if state.credential_origin is not None:
        return state.credential_origin
    vault = state.vault()
    if vault is None or vault.read() is None:
        raise NotLoggedInError(f"not logged in (profile {state.profile}): run `redcore auth login`")
    return vault.place


@with_common([dry_run()], examples=["redcore auth logout", "redcore auth logout --profile staging --dry-run"])
@command.command()
@click.pass_obj
def logout(state: State, *, dry_run: bool) -> None:
    """Log out: end the session at the platform, and delete it here.

    An API key is deleted here only: others may use it.
    """
    from redcore.cli.vault import API_KEY  # noqa: PLC0415 (imports the SDK)
    from redcore.exceptions import AuthenticationError  # noqa: PLC0415 (as above)

    vault = state.vault()
    kept = vault.read() if vault is not None else None
    if vault is None or kept is None:
        raise NotLoggedInError(f"not logged in (profile {state.profile})")
    state.profile_option = state.profile  # what is logged out is the profile, whatever the environment holds
    if dry_run:
        ends = "" if kept.token_type == API_KEY else f"end the session at {state.base_url.value}, and "
        click.echo(f"Would {ends}delete the login of profile {state.profile} from {vault.place}.")
        return
    if kept.token_type != API_KEY:
        try:
            state.client().auth.log_out()
        except AuthenticationError as error:  # it has ended already
            state.terminal.detail(error.message)
    vault.forget()
    state.profiles.change(state.profile, {"storage": None, "origin": None})
    if kept.token_type == API_KEY:
        state.terminal.note("The API key is deleted here; `redcore api-keys revoke` ends it at the platform.")
    state.terminal.note(f"Logged out (profile {state.profile}).")


@with_common(examples=['curl -H "Authorization: Bearer $(redcore auth token)" https://api.blueround.com/v1/me'])
@command.command()
@click.pass_obj
def token(state: State) -> None:
    """Print a token that works now, for other programs."""
    if sys.stdout.isatty():
        state.terminal.warn("this is a secret: it stays in the terminal's history")
    if state.credential_origin == "REDCORE_API_KEY":
        click.echo(os.environ["REDCORE_API_KEY"])
        return
    click.echo(state.access_token())


@with_common(examples=["redcore auth switch", "redcore auth switch staging"])
@command.command()
@click.argument("name", required=False)
@click.pass_obj
def switch(state: State, name: str | None) -> None:
    """Choose the profile that counts when none is named; without NAME, list the profiles."""
    if name is None:
        for known in state.profiles.names:
            click.echo(f"{'*' if known == state.profile else ' '} {known}")
        return
    if name not in state.profiles.names:
        known = ", ".join(state.profiles.names) or "none yet"
        raise click.UsageError(
            f"There is no profile {name!r} ({known}); `redcore auth login --profile {name}` makes it."
        )
    state.profiles.switch(name)
    state.terminal.note(f"Profile {name} counts now.")


of_the_spec()
