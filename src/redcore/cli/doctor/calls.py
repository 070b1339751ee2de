"""A call as the SDK makes it: who the credentials are, how long they last, what the rate limit leaves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from redcore import Client
from redcore.cli.auth import session
from redcore.cli.doctor.finding import Finding
from redcore.cli.failures import hint, sentence
from redcore.cli.state import State
from redcore.exceptions import AuthenticationError, NotFoundError, PermissionError, RedcoreError  # noqa: A004 (the contract's name)


def call_checks(state: State) -> Iterator[Finding]:
    """Yield what a call shows."""
    try:
        client = state.client()
    except (RedcoreError, click.ClickException) as problem:
        yield Finding("login", "failure", problem.message, "Run `redcore auth login`, or set REDCORE_API_KEY.")
        return
    yield who(state, client)
    yield scopes(state)
    if (limit := client.rate_limit) is not None:
        told = f"{limit.remaining} of {limit.limit} calls left in this window"
        yield Finding("rate limit", "ok" if limit.remaining else "warning", told)


def who(state: State, client: Client) -> Finding:
    """Ask who is calling."""
    try:
        me = client.users.get_me()
    except PermissionError:
        return Finding("login", "ok", "valid, without the scope profile:read")
    except AuthenticationError as error:
        return Finding("login", "failure", sentence(error).replace("\n ", ";"), hint(error, state) or "")
    except NotFoundError as error:
        advice = "The address does not lead to the API: it must end in /v1."
        return Finding("login", "failure", sentence(error).replace("\n ", ";"), advice)
    except RedcoreError as error:
        return Finding("login", "failure", sentence(error).replace("\n ", ";"), hint(error, state) or "")
    return Finding("login", "ok", f"{me.email}, {me.role}")


def scopes(state: State) -> Finding:
    """Say what the login may do, and until when, as far as it is known here."""
    told = session(state)
    ends = told["token_expires_at"]
    life = f", renewed before {ends}" if ends else ""
    return Finding("scopes", "ok", f"{told['kind']}: {told['scopes'] or 'those of its owner or key'}{life}")
