"""A call as the SDK makes it: who the credentials are, how long they last, what the rate limit leaves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from redcore.cli.credential import ask
from redcore.cli.doctor.finding import Finding
from redcore.cli.failures import hint, sentence
from redcore.cli.state import State
from redcore.exceptions import NotFoundError, RedcoreError


def call_checks(state: State) -> Iterator[Finding]:
    """Yield what a call shows."""
    try:
        client = state.client()
    except (RedcoreError, click.ClickException) as problem:
        yield Finding("login", "failure", problem.message, "Run `redcore auth login`, or set REDCORE_API_KEY.")
        return
    yield from who(state)
    if (limit := client.rate_limit) is not None:
        detail = f"{limit.remaining} of {limit.limit} calls left in this window"
        yield Finding("rate limit", "ok" if limit.remaining else "warning", detail)


def who(state: State) -> Iterator[Finding]:
    """Ask whose the credential is, what it may do, and when it ends."""
    try:
        found = ask(state)
    except NotFoundError as error:
        yield Finding(
            "login", "failure", in_one_line(error), "The address does not lead to the API: it must end in /v1."
        )
    except RedcoreError as error:
        yield Finding("login", "failure", in_one_line(error), hint(error, state) or "")
    else:
        owner = (
            "valid, without the scope profile:read"
            if found.owner is None
            else f"{found.owner.email}, {found.owner.role}"
        )
        yield Finding("login", "ok", owner)
        ends = f", until {found.expires_at}" if found.expires_at else ""
        noted = f" ({found.note})" if found.note else ""
        yield Finding("scopes", "ok", f"{found.kind}: {found.scopes or 'unknown'}{ends}{noted}")


def in_one_line(error: RedcoreError) -> str:
    """Return what went wrong, without line ends."""
    return sentence(error).replace("\n ", ";")
