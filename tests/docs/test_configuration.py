"""The table of settings matches the code: arguments, variables, settings of profiles, options, defaults."""

from __future__ import annotations

import re
from inspect import signature

import click
import pytest
from tests.docs.markdown_blocks import REPOSITORY

from redcore import AsyncClient, Client
from redcore._call.addresses import ENVIRONMENTS
from redcore._call.arguments import ClientArguments
from redcore._call.config import configure
from redcore.cli.app import root
from redcore.cli.profiles import FOLDER_VARIABLE, PROFILE_VARIABLE, SETTINGS

PAGE = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and line.count("|") == 7
][2:]
ARGUMENT, VARIABLE, SETTING, OPTION, DEFAULT, _UNIT = range(6)


def column(place: int) -> list[str]:
    """Return what a column has in backticks as the only thing or the first, row by row."""
    return [found[1] for row in ROWS if (found := re.match(r"`([^`]+)`", row[place]))]


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_every_argument_of_a_client_is_a_row(client: type) -> None:
    """In any order, and nothing else."""
    assert sorted(column(ARGUMENT)) == sorted(signature(client).parameters)


def test_every_variable_of_client_and_command_line_is_a_row() -> None:
    """Those in docstrings of the client, those of profiles, and the three of the command line itself."""
    documented = set(re.findall(r"REDCORE_[A-Z_]+", Client.__doc__ or ""))
    expected = documented | set(SETTINGS.values()) | {FOLDER_VARIABLE, PROFILE_VARIABLE, "NO_COLOR"}
    assert set(column(VARIABLE)) == expected


def test_every_setting_of_a_profile_stands_beside_its_variable() -> None:
    """As `redcore config` knows them."""
    beside = {row[SETTING].strip("`"): row[VARIABLE].strip("`") for row in ROWS if row[SETTING].startswith("`")}
    assert beside == SETTINGS


def options_of(*words: str) -> set[str]:
    """Return the options of a command of `redcore`."""
    command: click.Command = root
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return {option for parameter in command.params for option in parameter.opts}


def test_every_option_exists() -> None:
    """On every command, or on the one that the row names."""
    each, login = options_of("users", "list"), options_of("auth", "login")
    for row in ROWS:
        if found := re.match(r"`(--[\w-]+)`", row[OPTION]):
            assert found[1] in (login if "auth login" in row[OPTION] else each)


def test_defaults_are_those_of_the_code() -> None:
    """Of every setting that has a default."""
    shown = {row[ARGUMENT].strip("`"): row[DEFAULT].strip("`") for row in ROWS}
    config = configure(ClientArguments(api_key="rk_test_1"), {})
    assert shown["timeout"] == f"{config.options.timeout_s:g}"
    assert shown["max_retries"] == str(config.options.retry.max_retries)
    assert shown["deadline"] == str(config.options.deadline_s).lower()
    assert shown["pacing"] == str(signature(Client).parameters["pacing"].default)
    assert config.base_url == ENVIRONMENTS[shown["environment"]]


def test_environments_have_their_addresses() -> None:
    """The table below has the address of each."""
    assert [f"| `{name}` | `{url}` |" for name, url in ENVIRONMENTS.items()] == re.findall(
        r"^\| `\w+` \| `https://\S+` \|$", PAGE, re.MULTILINE
    )
