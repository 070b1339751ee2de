"""Ids of the platform for completion: the newest of a kind. A shell waits for them, so they come soon or not at all."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from redcore.cli.generated import COMMANDS
from redcore.cli.state import State
from redcore.cli.terminal import harmless
from redcore.exceptions import RedcoreError

MOST = 50
"""More ids would not help a person who is typing."""
TIMEOUT_S = 2.0
"""Longer than that, a shell seems to hang."""
LABELS = ("email", "name", "sku", "workflow")
"""The fields that say what an id stands for, the best first."""


def live_ids(prefix: str, state: State) -> list[tuple[str, str]]:
    """Return the newest ids of a kind, each with what it stands for.

    Args:
        prefix: What they begin with; empty for the names of workflows.
        state: Whose login is used.

    Returns:
        None of them if there is no login, or no answer in time.
    """
    listing = next((c for c in COMMANDS if c.paged and listed_kind(c.resource, c.group) == prefix), None)
    if listing is None:
        return []
    state.keyring_limit_s = TIMEOUT_S
    state.overrides |= {"timeout": str(TIMEOUT_S), "max_retries": "0"}
    try:
        page = getattr(getattr(state.client(), listing.resource), listing.operation)(limit=MOST)
        return [(str(item.get("id", item.name)), label(item)) for item in islice(page, MOST)]
    except (RedcoreError, click.ClickException):
        return []
    finally:
        state.close()


def listed_kind(resource: str, group: str) -> str:
    """Return what the ids of a listing begin with."""
    kinds = {c.group: argument.prefix for c in COMMANDS for argument in c.arguments if c.resource == resource}
    return kinds.get(group, "")


def label(item: Any) -> str:
    """Return what an id stands for."""
    return harmless(next((str(item[name]) for name in LABELS if name in item), ""))
