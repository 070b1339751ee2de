"""What people type who come from gh, stripe, aws, az or gcloud, and what it is called here."""

from __future__ import annotations

from collections.abc import Collection

import click

AT_THE_ROOT = {
    "login": "auth login",
    "logout": "auth logout",
    "whoami": "auth status",
    "status": "auth status",
    "sts": "auth status",
    "account": "auth status",
    "switch": "auth switch",
    "configure": "config",
    "s3": "files upload` or `redcore files download",
    "upload": "files upload",
    "download": "files download",
    "publish": "docs publish",
    "get": "api GET PATH",
    "post": "api POST PATH",
    "patch": "api PATCH PATH",
    "delete": "api DELETE PATH",
}
"""Commands of others, and the counterpart."""
IN_A_GROUP = {
    "ls": "list",
    "show": "get",
    "view": "get",
    "describe": "get",
    "rm": "delete",
    "remove": "delete",
    "edit": "update",
    "modify": "update",
    "add": "create",
    "new": "create",
    "invite": "create",
    "tail": "watch",
    "wait": "watch",
    "whoami": "status",
    "refresh": "login",
    "rotate": "rotate-secret",
}
"""Verbs of others; each counts where the group has the counterpart."""
IN_ONE_GROUP = {
    ("auth", "list"): "auth switch",
    ("config", "unset"): "config set NAME --unset",
    ("config", "show"): "config list",
    ("api-keys", "delete"): "api-keys revoke",
    ("api-keys", "rm"): "api-keys revoke",
}
"""Verbs of others whose counterpart has another form in this group."""
OPTIONS = {
    "-L": "--limit",
    "--max-items": "--limit",
    "-o": "--output, or --to for a file",
    "--format": "--output",
    "--query": "--jq",
    "-q": "--jq",
    "--with-token": "--api-key",
    "-d": "-f",
    "--data": "-f",
    "--region": "--environment or --base-url",
    "--endpoint-url": "--base-url",
    "--no-prompt": "--yes",
}
"""Options of others, and the counterpart."""
NEEDS_FIELDS = "--json takes the names of fields, as in --json id,name; for all fields: --output json"


def counterpart(group: str, word: str, known: Collection[str]) -> str | None:
    """Return what a command of others is called here; None if it is not known.

    Args:
        group: The group it was typed in, such as `users`; `redcore` for the root.
        word: What was typed.
        known: The commands that the group has.
    """
    if group == "redcore":
        return AT_THE_ROOT.get(word)
    verb = IN_A_GROUP.get(word)
    return IN_ONE_GROUP.get((group, word)) or (f"{group} {verb}" if verb in known else None)


def advice(error: click.UsageError) -> str:
    """Return what to use in place of an option of others; empty for none."""
    if isinstance(error, click.NoSuchOption) and error.option_name in OPTIONS:
        return f" Use {OPTIONS[error.option_name]}."
    if isinstance(error, click.BadOptionUsage) and error.option_name == "--json":
        return f" {NEEDS_FIELDS}"
    return ""
