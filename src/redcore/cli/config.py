"""`redcore config`: the settings of a profile, each with where its value comes from."""

from __future__ import annotations

import click

from redcore.cli.app import CONTEXT, Suggesting
from redcore.cli.options import chosen_output, dry_run, output_options, with_common
from redcore.cli.output import FORMATS
from redcore.cli.profiles import SETTINGS
from redcore.cli.state import URLS, State

NAME = click.Choice(sorted(SETTINGS))
CHOICES: dict[str, tuple[str, ...]] = {"environment": tuple(URLS), "output": FORMATS}
NUMBERS: dict[str, tuple[type[float | int], str]] = {
    "timeout": (float, "a number of seconds above 0"),
    "max_retries": (int, "a whole number, 0 or more"),
}


@click.group("config", cls=Suggesting, context_settings=CONTEXT)
def command() -> None:
    """Show and change the settings of a profile."""


@with_common(output_options(), examples=["redcore config list", "redcore config list --profile staging --output json"])
@command.command("list")
@click.pass_obj
def list_(state: State, *, fields: str | None, jq: str) -> None:
    """List all settings: name, value, where it comes from."""
    output = chosen_output(state, fields, jq)
    for name in state.profiles.unknown(state.profile):
        state.terminal.warn(f"{state.profiles.path}: {unknown(name)}")
    rows = [{"setting": name, "value": (found := state.setting(name)).value, "from": found.origin} for name in SETTINGS]
    output.many(
        [*rows, {"setting": "file", "value": str(state.profiles.path), "from": "default"}], ("setting", "value", "from")
    )


@with_common(examples=["redcore config get base_url"])
@command.command()
@click.argument("name", type=NAME)
@click.pass_obj
def get(state: State, name: str) -> None:
    """Print the value of one setting."""
    found = state.setting(name)
    if found.value is not None:
        click.echo(found.value)
    state.terminal.detail(f"from {found.origin}")


@with_common(
    [dry_run()], examples=["redcore config set output jsonl", "redcore config set timeout --unset --profile staging"]
)
@command.command("set")
@click.argument("name", type=NAME)
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Remove the setting from the profile.")
@click.pass_obj
def set_(state: State, name: str, value: str | None, *, unset: bool, dry_run: bool) -> None:
    """Set one setting of the profile."""
    if unset == (value is not None):
        raise click.UsageError("Give either a VALUE or --unset.")
    if value is not None:
        check(name, value)
    if dry_run:
        becomes = f"set {name} to {value}" if value is not None else f"remove {name}"
        click.echo(f"Would {becomes} in profile {state.profile} ({state.profiles.path}).")
        return
    state.profiles.change(state.profile, {name: value})
    state.terminal.note(f"{name} of profile {state.profile} is {value if value is not None else 'unset'} now.")


def unknown(name: str) -> str:
    """Say that no setting has this name, and which one may be meant."""
    import difflib  # noqa: PLC0415 (after a mistake only)

    near = difflib.get_close_matches(name, SETTINGS, n=1)
    return f"there is no setting {name!r}" + (f"; did you mean {near[0]}?" if near else "")


def check(name: str, value: str) -> None:
    """See that a value is one that later commands can use.

    Raises:
        click.UsageError: it is not.
        ConfigurationError: it is an address that the SDK refuses.
    """
    if name in CHOICES and value not in CHOICES[name]:
        raise click.UsageError(f"{name} must be one of {', '.join(CHOICES[name])}; got {value!r}.")
    if name in NUMBERS:
        kind, words = NUMBERS[name]
        try:
            is_right = 0 <= kind(value) < float("inf") and (kind is int or kind(value) > 0)
        except ValueError:
            is_right = False
        if not is_right:
            raise click.UsageError(f"{name} must be {words}; got {value!r}.")
    if name in {"base_url", "auth_url"}:
        from redcore._call.addresses import checked_origin, checked_url  # noqa: PLC0415 (imports the SDK)

        (checked_url if name == "base_url" else checked_origin)(name, value)
