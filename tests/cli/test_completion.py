"""Completion: the scripts of all shells, and the answers to them."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Run

from redcore.testing import ReferenceServer


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_has_a_script(run_cli: Run, shell: str) -> None:
    """It sets the variable that this program reads."""
    outcome = run_cli("completion", shell)

    assert (outcome.code, "_REDCORE_COMPLETE" in outcome.out) == (0, True)


def completed(run_cli: Run, monkeypatch: pytest.MonkeyPatch, line: str, *, program: str = "bash") -> list[str]:
    """Return what a shell is offered for the last word of a line."""
    words = line.split(" ")
    monkeypatch.setenv("_REDCORE_COMPLETE", f"{program}_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", words[-1] if program == "powershell" else str(len(words) - 1))
    return [line for line in run_cli().out.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("redcore us", "plain,users"),
        ("redcore users cr", "plain,create"),
        ("redcore users list --ro", "plain,--role"),
        ("redcore users list --role vi", "plain,viewer"),
    ],
)
def test_commands_options_and_values_are_completed(
    run_cli: Run, monkeypatch: pytest.MonkeyPatch, line: str, offered: str
) -> None:
    """Without a login and without a call."""
    assert completed(run_cli, monkeypatch, line) == [offered]


def test_powershell_is_answered_too(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each value, with its help."""
    assert [line.split("\t")[0] for line in completed(run_cli, monkeypatch, "redcore us", program="powershell")] == [
        "users"
    ]


def test_ids_come_from_the_platform(cli: Run, monkeypatch: pytest.MonkeyPatch, redcore_server: ReferenceServer) -> None:
    """The newest of the kind that the command takes."""
    product = cli("products", "create", "--name", "E", "--sku", "E", "--price", "1", "--json", "id").json["id"]

    assert completed(cli, monkeypatch, "redcore products get ") == [f"plain,{product}"]


def test_names_are_escaped_for_the_terminal(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that turn the direction of writing are replaced, as in tables."""
    cli("products", "create", "--name", "a\N{RIGHT-TO-LEFT OVERRIDE}b", "--sku", "E", "--price", "1")
    monkeypatch.setenv("_REDCORE_COMPLETE", "fish_complete")
    monkeypatch.setenv("COMP_WORDS", "redcore products get ")
    monkeypatch.setenv("COMP_CWORD", "")

    assert "a\N{REPLACEMENT CHARACTER}b" in cli().out


def test_without_a_login_no_id_is_offered(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No error disturbs the line that is being typed."""
    assert completed(run_cli, monkeypatch, "redcore products get ") == []
