"""What a command is described by. Named tuples: they cost a start of `redcore` next to nothing."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["text", "integer", "number", "boolean", "choice", "list", "object", "file", "timestamp", "secret"]


class Parameter(NamedTuple):
    """One argument or option of a command."""

    name: str
    """As the spec has it."""
    kind: Kind
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()
    """The values that the spec knows; of each item, for a list."""
    prefix: str = ""
    """What ids of its kind begin with, such as `usr_`."""

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return "--" + self.name.replace("_", "-")


class Command(NamedTuple):
    """One command, which makes one operation's calls."""

    group: str
    name: str
    resource: str
    """The attribute of the client, such as `users`."""
    operation: str
    """The method of that resource, such as `resend_invitation`."""
    method: str
    path: str
    help: str
    description: str
    scope: str
    """The scope that it needs; empty for none."""
    arguments: tuple[Parameter, ...] = ()
    options: tuple[Parameter, ...] = ()
    columns: tuple[str, ...] = ()
    """The fields of what it gives, in the order of the spec."""
    keyed: bool = False
    """Whether it takes an `Idempotency-Key`."""
    paged: bool = False
    destructive: bool = False
    """Whether what it does cannot be undone, so that it asks first."""
    examples: tuple[str, ...] = ()
    """Lines that can be copied to a shell."""

    @property
    def operation_id(self) -> str:
        """The spec's `operationId`."""
        return f"{self.resource}_{self.operation}"
