"""Commands that people know from gh, stripe, aws, az or gcloud lead to their counterparts."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Run

from redcore.cli import habits


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("login", "redcore auth login"),
        ("whoami", "redcore auth status"),
        ("sts get-caller-identity", "redcore auth status"),
        ("configure list", "redcore config"),
        ("s3 cp a b", "redcore files upload"),
        ("post /users -d a=b", "redcore api POST PATH"),
        ("auth list", "redcore auth switch"),
        ("config unset output", "redcore config set NAME --unset"),
        ("users ls", "redcore users list"),
        ("user view usr_1", "redcore users get"),
        ("runs wait wfr_1", "redcore runs watch"),
        ("keys rm key_1", "redcore api-keys revoke"),
        ("users list -L 3", "--limit"),
        ("users list --query [].id", "--jq"),
        ("users list --format json", "--output"),
        ("auth login --with-token", "--api-key"),
        ("users list --json", "--output json"),
        ("users lst", "Did you mean list?"),
    ],
)
def test_a_habit_leads_to_its_counterpart(run_cli: Run, typed: str, leads_to: str) -> None:
    """A usage error names the command here."""
    outcome = run_cli(*typed.split())

    assert (outcome.code, leads_to in " ".join(outcome.err.split())) == (2, True), outcome.err


def test_a_counterpart_is_named_where_the_group_has_it() -> None:
    """Runs cannot be deleted."""
    assert habits.counterpart("runs", "rm", ["list", "get", "cancel", "watch"]) is None


def test_a_group_alone_shows_its_help_once(run_cli: Run) -> None:
    """It is not the text of an error."""
    outcome = run_cli("users")

    assert (outcome.err.count("Usage:"), "Error" in outcome.err) == (1, False)


def test_a_suggestion_is_a_command_of_the_group(run_cli: Run) -> None:
    """Aliases of groups are not suggested as commands of other groups."""
    assert "Did you mean set?" in run_cli("config", "sett").err


def test_the_method_of_a_call_can_be_an_option(cli: Run) -> None:
    """As in gh and curl."""
    assert cli("api", "-X", "GET", "/me", "--jq", ".email").out == "admin@example.com\n"
    assert cli("api", "-X", "GET", "POST", "/me").code == 2
