"""`redcore doctor`: finds out why calls fail, from the settings to the platform; each finding says what to do."""

from __future__ import annotations

from collections.abc import Iterator

import click

from redcore.cli import exit_codes
from redcore.cli.app import CONTEXT
from redcore.cli.doctor.calls import call_checks
from redcore.cli.doctor.finding import Finding, marked
from redcore.cli.doctor.local import local_checks
from redcore.cli.doctor.network import network_checks
from redcore.cli.options import with_common
from redcore.cli.output import Output
from redcore.cli.state import State

KEYRING_LIMIT_S = 3.0
"""The doctor asks whether the keyring answers, and waits for no person."""
COLUMNS = ("check", "level", "found", "advice")


@with_common(examples=["redcore doctor", "redcore doctor --json > report.json"])
@click.command("doctor", context_settings=CONTEXT)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_obj
def command(state: State, *, as_json: bool) -> None:
    """Find out why calls fail: settings, network, login, platform.

    Every line is ok, a warning or a failure, with what to do. Exits with 1 if anything fails. Sends the credentials
    only to the platform, and prints no secret.
    """
    state.keyring_limit_s = KEYRING_LIMIT_S
    found: list[Finding] = []
    for finding in examined(state):
        found.append(finding)
        if not as_json:
            click.echo(marked(finding, in_colour=state.terminal.in_colour))
    if as_json:
        output = Output("json", fields=(), jq="", in_colour=False)
        output.many((finding._asdict() for finding in found), COLUMNS)
    if any(finding.level == "failure" for finding in found):
        raise click.exceptions.Exit(exit_codes.FAILED)


def examined(state: State) -> Iterator[Finding]:
    """Yield the findings, from the machine outwards: what does not reach the platform is not asked further."""
    yield from local_checks(state)
    reached = True
    for finding in network_checks(state):
        yield finding
        reached = reached and finding.level != "failure"
    if reached:
        yield from call_checks(state)
