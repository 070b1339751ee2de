"""`--help`: examples that work as they are, and the words that people know from other command lines."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click
import pytest
from tests.cli.conftest import Run

from redcore.cli.__main__ import main
from redcore.cli.app import EXTRA, GROUPS, HAND_MADE, root
from redcore.cli.state import State


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the words of every command below one."""
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=words[-1] if words else "redcore")
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*words, name))
    elif words != ("server",):  # whose help is that of `redcore-server`
        yield words


def help_of(words: tuple[str, ...]) -> str:
    """Return the help text of a command, before it is wrapped."""
    command: click.Command | None = root
    for word in words:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command, info_name="redcore"), word)
    assert command is not None
    return command.help or ""


def examples(words: tuple[str, ...]) -> list[str]:
    """Return the lines below `Examples:`."""
    _, _, lines = help_of(words).partition("Examples:\n")
    return [line.strip() for line in lines.splitlines() if line.strip()]


ALL = list(commands(root))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_paragraphs_are_not_indented(words: tuple[str, ...]) -> None:
    """Python 3.11 and 3.12 leave the indentation of the source in docstrings."""
    text, _, _ = cleandoc(help_of(words)).partition("\b\n")  # as click shows it

    assert [line for line in text.splitlines() if line.startswith(" ")] == []


def parsed(words: list[str]) -> None:
    """Parse a command line without running it."""
    command: click.Command = root
    context = click.Context(root, obj=State())
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
    command.make_context(context.info_name, words, parent=context.parent)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_an_example_that_can_be_copied(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its own words are in it, and each of its options and values is accepted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDCORE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "site.zip").touch()
    (tmp_path / "_build" / "html").mkdir(parents=True)
    lines = [line for line in examples(words) if "redcore" in line]

    assert lines
    if words == ("completion",):  # lines of the configuration of shells
        return
    assert any(f"redcore {' '.join(words)}" in line for line in lines)
    for line in lines:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"format": "csv"}')))
        for piece in line.replace("$(", "| ").replace(")", " |").split("|"):
            if piece.strip().startswith("redcore "):
                parsed(shlex.split(piece.split(" < ")[0].split(" > ")[0])[1:])


def test_the_root_lists_every_group(run_cli: Run) -> None:
    """With the options that every command takes."""
    shown = run_cli("--help").out

    assert all(f"  {name} " in shown for name in [*HAND_MADE, *GROUPS])
    assert "--profile NAME" in shown


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["help"], "redcore [OPTIONS]"),
        (["help", "users"], "redcore users [OPTIONS]"),
        (["help", "users", "list"], "redcore users list [OPTIONS]"),
        (["users", "help"], "redcore users [OPTIONS]"),
        (["users", "help", "list"], "redcore users list [OPTIONS]"),
    ],
)
def test_help_is_a_word_too(run_cli: Run, words: list[str], usage: str) -> None:
    """As in gh, stripe and aws."""
    outcome = run_cli(*words)

    assert (outcome.code, outcome.out.startswith(f"Usage: {usage}")) == (0, True)


def test_options_of_every_command_may_stand_before_it(run_cli: Run) -> None:
    """As in `aws --profile staging s3 ls`."""
    shown = run_cli("--profile", "staging", "config", "list", "--jq", ".[0].from").out
    run_cli("--profile", "staging", "config", "set", "output", "jsonl")

    assert shown
    assert run_cli("--profile", "staging", "config", "get", "output").out == "jsonl\n"
    assert run_cli("config", "get", "output").out == "table\n"


def test_handwritten_commands_are_listed_in_their_group(run_cli: Run) -> None:
    """Beside those of the spec."""
    for group, extra in EXTRA.items():
        shown = run_cli(group, "--help").out
        assert all(f"  {name} " in shown for name in extra)


def test_the_server_is_started_by_its_own_command(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`redcore server` passes all further arguments on, also `--help`."""
    given: list[list[str]] = []
    monkeypatch.setattr(sys, "argv", ["redcore", "server", "up", "--help"])
    monkeypatch.setattr("redcore_server.__main__.main", lambda: given.append(sys.argv))

    assert run_cli("server", "up", "--help").code == 0
    assert given == [["redcore-server", "up", "--help"]]


def test_a_missing_extra_is_named_with_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command exists in any installation; its dependencies do not."""
    monkeypatch.setattr(sys, "argv", ["redcore", "me", "get"])
    monkeypatch.setattr("redcore.cli.__main__.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as leaving:
        main()

    assert leaving.value.code == 2
    assert "pip install 'redcore-sdk[cli]'" in capsys.readouterr().err
