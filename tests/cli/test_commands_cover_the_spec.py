"""Every operation of the spec has a command, and every command says what it does."""

from __future__ import annotations

import click
import pytest

from redcore._spec import operations
from redcore.cli.app import ALIASES, GROUPS, root
from redcore.cli.generated import COMMANDS

BY_HAND = {
    "auth_token": ["auth", "login"],
    "auth_revoke": ["auth", "logout"],
    "auth_device_authorization": ["auth", "login"],
    "auth_introspect": ["auth", "introspect"],
    "auth_metadata": ["auth", "metadata"],
    "auth_jwks": ["auth", "jwks"],
}
"""Operations of the OAuth service: the commands people use for them."""


def found(words: list[str]) -> click.Command:
    """Find a command by its words."""
    context = click.Context(root)
    command: click.Command | None = root
    for word in words:
        assert isinstance(command, click.Group), words
        command = command.get_command(context, word)
        assert command is not None, words
    assert command is not None
    return command


OPERATIONS = sorted(
    name
    for name in vars(operations)
    if name.startswith(
        tuple(f"{tag}_" for tag in ("users", "products", "workflows", "files", "api_keys", "applications", "auth"))
    )
)
WORDS = BY_HAND | {c.operation_id: [c.group, c.name] for c in COMMANDS if c.resource != "auth"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_command_with_help(operation: str) -> None:
    """An operation without a command is named here."""
    assert operation in WORDS
    assert found(WORDS[operation]).help


def test_every_group_has_its_singular_as_an_alias() -> None:
    """`redcore user list` works for people who are used to gh."""
    assert set(ALIASES.values()) | {"me"} == set(GROUPS)


@pytest.mark.parametrize("described", COMMANDS, ids=lambda c: c.operation_id)
def test_the_options_of_a_command_are_those_of_the_spec(described: object) -> None:
    """Each field and filter is an option, with the values that the spec knows."""
    if described.resource == "auth" or described.name in {"upload", "download"}:  # type: ignore[attr-defined]
        return
    command = found([described.group, described.name])  # type: ignore[attr-defined]
    names = {parameter.name for parameter in command.params}

    assert {parameter.name for parameter in described.options} <= names  # type: ignore[attr-defined]
