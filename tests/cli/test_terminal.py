"""Output at a terminal: tables, colours, a pager, progress bars."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from tests.cli.conftest import Outcome, Run

from redcore.cli.output import Output
from redcore.cli.progress import lines
from redcore.cli.terminal import Terminal
from redcore.testing import Fault, Lab


@pytest.fixture
def shown(cli: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run command lines at a terminal of 100 columns and 24 lines."""

    def run_shown(*arguments: str) -> Outcome:
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True)
        return cli(*arguments)

    for name, value in {"COLUMNS": "100", "LINES": "24", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return run_shown


def test_a_listing_is_a_table(shown: Run) -> None:
    """With the names of the columns above it, as many as fit into the terminal; the id stays whole."""
    heading, *_, row = [line for line in shown("users", "list").out.splitlines() if line.strip()]

    assert click.unstyle(heading).split() == ["id", "email", "name", "role", "status"]
    assert row.split()[:2] == [shown("me", "get", "--jq", ".id").out.strip(), "admin@example.com"]


def test_a_narrow_terminal_has_fewer_columns(shown: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are in the output for programs."""
    monkeypatch.setenv("COLUMNS", "50")
    heading = next(line for line in shown("users", "list").out.splitlines() if line.strip())

    assert click.unstyle(heading).split() == ["id", "email"]


def test_the_fields_of_a_table_can_be_chosen(shown: Run) -> None:
    """In their order."""
    outcome = shown("users", "list", "--output", "table", "--json", "role,email")

    assert click.unstyle(outcome.out).split()[:2] == ["role", "email"]


def test_an_empty_listing_says_so(shown: Run) -> None:
    """A heading without rows would look like a mistake."""
    outcome = shown("users", "list", "--q", "nobody")

    assert (outcome.out, outcome.err) == ("", "Nothing found.\n")


def test_a_listing_longer_than_the_terminal_goes_through_a_pager(shown: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, with the heading once."""
    paged: list[str] = []
    monkeypatch.setattr("click.echo_via_pager", lambda text, **_: paged.append(text))
    monkeypatch.setenv("LINES", "4")
    for name in ("ada", "alan", "grace"):
        shown("users", "create", "--email", f"{name}@example.com", "--name", name)

    outcome = shown("users", "list")

    assert outcome.out == ""
    assert [text.count("@example.com") for text in paged] == [4]
    assert paged[0].count("email") == 1


def test_an_object_has_a_line_for_each_field(shown: Run) -> None:
    """Its names in bold."""
    first, second, *_ = shown("me", "get").out.splitlines()

    assert [click.unstyle(line).split()[0] for line in (first, second)] == ["id:", "email:"]
    assert first != click.unstyle(first)


@pytest.mark.parametrize("how", ["--no-color", "NO_COLOR"])
@pytest.mark.parametrize("words", [["me", "get"], ["users", "list"], ["doctor"]])
def test_colours_can_be_left_out(shown: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], how: str) -> None:
    """By the option or the variable (https://no-color.org)."""
    with_colours = shown(*words)
    if how == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")

    outcome = shown(*words, *([how] if how == "--no-color" else []))

    assert "\x1b[" in with_colours.out
    assert "\x1b[" not in outcome.out + outcome.err


def test_json_is_indented(shown: Run) -> None:
    """A pipe has it in one line."""
    assert shown("me", "get", "--json", "role").out == '{\n  "role": "admin"\n}\n'


def test_a_filtered_text_cannot_move_the_cursor(shown: Run) -> None:
    """In a pipe it stays as it is."""
    assert shown("me", "get", "--jq", r'"\u001b[2J"').out == "\N{REPLACEMENT CHARACTER}[2J\n"


def test_a_secret_in_a_terminal_is_warned_of(shown: Run) -> None:
    """It stays in the terminal's history."""
    assert "this is a secret" in shown("auth", "token").err


def test_a_transfer_has_a_bar(shown: Run, tmp_path: Path) -> None:
    """It is on stderr, and disappears at the end."""
    (tmp_path / "big.bin").write_bytes(bytes(2**20))
    uploaded = shown("files", "upload", str(tmp_path / "big.bin"), "--json", "id")
    downloaded = shown("files", "download", uploaded.json[0]["id"], "--to", str(tmp_path / "back.bin"))

    assert "\x1b[" in uploaded.err
    assert "\x1b[" in downloaded.err
    assert downloaded.out == f"{tmp_path / 'back.bin'}\n"


def test_quiet_says_nothing(shown: Run, tmp_path: Path) -> None:
    """Neither a bar nor a note."""
    (tmp_path / "p.csv").write_text("sku,name,price\nA,Engine,1\n")
    outcome = shown("products", "import", str(tmp_path / "p.csv"), "--quiet", "--json", "status")

    assert (outcome.json, outcome.err) == ({"status": "succeeded"}, "")


def test_without_a_terminal_progress_is_a_line_every_five_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """A percentage if the total is known, otherwise a number."""
    now = iter([0.0, 1.0, 5.0, 5.0, 9.9, 10.0, 10.0])
    update = lines(Terminal(), "big.bin", lambda: next(now))

    for done, total in ((10, 100), (50, 100), (70, 100), (80, None)):
        update(done, total)

    assert capsys.readouterr().err == "big.bin: 50%\nbig.bin: 80\n"


def test_values_are_printed_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """True and false as in JSON, a list of texts with blanks between them, null as nothing."""
    row = {"active": True, "scopes": ["users:read", "files:read"], "expires_at": None, "input": {"n": 1}}
    Output("csv", fields=(), jq="", in_colour=False).one(row, tuple(row))

    assert capsys.readouterr().out == ('active,scopes,expires_at,input\ntrue,users:read files:read,,"{""n"": 1}"\n')


def test_a_failing_jq_expression_is_an_error(cli: Run) -> None:
    """Such as a field of a text."""
    outcome = cli("me", "get", "--jq", ".email.nothing")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("redcore: --jq: ")


def test_a_machine_without_jq_has_an_alternative(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it."""
    monkeypatch.setitem(sys.modules, "jq", None)
    outcome = cli("me", "get", "--jq", ".email")

    assert (outcome.code, "--json FIELDS" in outcome.err) == (2, True)


def test_an_unknown_output_is_named_with_its_origin(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable may have set it long ago."""
    monkeypatch.setenv("REDCORE_OUTPUT", "xml")
    outcome = cli("me", "get")

    assert (outcome.code, "REDCORE_OUTPUT has 'xml'" in outcome.err) == (2, True)


def test_a_failed_call_can_be_retried_with_the_same_key(
    cli: Run, redcore_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the Idempotency-Key, so that a retry creates nothing twice."""
    monkeypatch.setenv("REDCORE_MAX_RETRIES", "0")
    redcore_lab.inject("POST", "/v1/users", [Fault(status=503, retry_after=700)])
    outcome = cli("users", "create", "--email", "ada@example.com", "--name", "Ada", "--idempotency-key", "k-7")

    assert (outcome.code, "--idempotency-key k-7" in outcome.err) == (5, True)
