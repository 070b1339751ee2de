"""Makes the commands of the spec's operations: options from its parameters, the call, the result."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import click

from redcore.cli.description import Command, Parameter
from redcore.cli.options import Id, JsonInput, Secret, chosen_output, common, output_options, shown_examples
from redcore.cli.output import limited
from redcore.cli.state import State

DEFAULT_LIMIT = 20  # a screen; the platform's own default (contract section 3)
PAGE = 100
"""Items a page of a walk: the most that the platform gives (contract section 3)."""


def command_of(described: Command) -> click.Command:
    """Make the command of one operation."""
    return click.Command(
        described.name,
        params=[*arguments(described), *options(described), *output_options(), *common()],
        callback=partial(call, described),
        help=help_of(described),
        short_help=described.help,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def help_of(described: Command) -> str:
    """Return what `--help` says."""
    scope = f"\n\nNeeds the scope {described.scope}." if described.scope else ""
    return f"{described.help}.\n\n{described.description}{scope}".replace("`", "") + shown_examples(described.examples)


def arguments(described: Command) -> Iterator[click.Parameter]:
    """Make the arguments: the parameters of the path."""
    for parameter in described.arguments:
        kind = parameter.name.removesuffix("_id").replace("_", " ")
        yield click.Argument([parameter.name], type=Id(parameter.prefix, kind), metavar=parameter.name.upper())


def options(described: Command) -> Iterator[click.Parameter]:
    """Make the options: the fields of the body, the filters, and what walking, repeating and deleting need."""
    has_body = described.method in {"POST", "PATCH", "PUT"} and described.options
    takes_object = any(parameter.kind == "object" for parameter in described.options)
    for parameter in described.options:
        yield option(parameter)
    if has_body and not takes_object:
        yield click.Option(["--input", "body"], type=JsonInput(), help="JSON file with the fields; - for stdin.")
    if described.paged:
        yield click.Option(["--limit"], type=Count(1), help=f"Items to print at most; {DEFAULT_LIMIT} if left out.")
        yield click.Option(["--all"], is_flag=True, help="Print all items.")
        yield click.Option(["--concurrency"], type=Count(1, 16), default=1, help="Pages to fetch at once, with --all.")
    if described.keyed:
        yield click.Option(["--idempotency-key"], metavar="KEY", help="Makes a repetition safe: same key, same result.")
    if described.destructive:
        yield click.Option(["--yes", "-y"], is_flag=True, help="Do not ask for confirmation.")
    if described.method != "GET":
        yield click.Option(["--dry-run"], is_flag=True, help="Print the request; send nothing.")


def option(parameter: Parameter) -> click.Option:
    """Make the option of one field or filter; what is required is checked later, as `--input` may hold it."""
    text = parameter.help + (" Required." if parameter.required else "")
    declared = [parameter.flag, parameter.name]
    if parameter.kind == "boolean":
        return click.Option([f"{parameter.flag}/--no-{parameter.flag[2:]}", parameter.name], default=None, help=text)
    if parameter.kind == "object":
        text = f"{text} A JSON file; - for stdin."
    if parameter.kind == "secret":
        text = f"{text} - reads it from stdin."
    if parameter.kind == "list":
        text = f"{text} Repeat it for several."
    return click.Option(declared, type=type_of(parameter), multiple=parameter.kind == "list", help=text)


def type_of(parameter: Parameter) -> click.ParamType[Any] | None:
    """Return what reads the values of an option; None for text."""
    if parameter.choices:
        return click.Choice(parameter.choices)
    types: dict[str, click.ParamType[Any]] = {
        "integer": click.INT,
        "number": click.FLOAT,
        "timestamp": Moment(),
        "object": JsonInput(),
        "secret": Secret(),
    }
    return types.get(parameter.kind)


class Count(click.IntRange):
    """A whole number in a range."""

    name = "whole number"


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601, with its zone; a day alone is its beginning in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2027-01-31T12:00:00Z.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.pass_obj
def call(state: State, described: Command, /, **given: Any) -> None:
    """Run the command."""
    state.scope_needed = described.scope
    output = chosen_output(state, given.pop("fields"), given.pop("jq"))
    positional = [given.pop(parameter.name) for parameter in described.arguments]
    values = fields(described, given)
    if given.get("dry_run"):
        output.one({"method": described.method, "path": path_of(described, positional), "body": values}, ())
        return
    if described.destructive:
        state.terminal.confirm(f"{described.help}: {' '.join(positional)}?", yes=given["yes"])
    resource = getattr(state.client(), described.resource)
    if described.paged:
        output.many(walk(described, resource, values, given), described.columns)
        return
    extra = {"idempotency_key": key} if (key := given.get("idempotency_key")) is not None else {}
    result = getattr(resource, described.operation)(*positional, **values, **extra)
    if result is None:
        state.terminal.note(f"Done: {described.help.lower()} {' '.join(positional)}".rstrip())
        return
    output.one(result, described.columns)
    if "key" in described.columns or "client_secret" in described.columns:
        state.terminal.note("The secret is shown this once: keep it now.")


def fields(described: Command, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the call: the options, and the fields of `--input`.

    Raises:
        click.UsageError: a required field is missing, or the input has fields that the operation does not know.
    """
    read: Any = given.pop("body", None) or {}
    known = {parameter.name for parameter in described.options}
    body = cast("dict[str, Any]", read)
    if not isinstance(read, dict):
        raise click.UsageError(f"--input must hold a JSON object with some of {', '.join(sorted(known))}.")
    if unknown := sorted(body.keys() - known):
        raise click.UsageError(f"--input has an unknown field, {unknown[0]!r}; known: {', '.join(sorted(known))}.")
    options = {name: given[name] for name in known if given.get(name) not in (None, ())}
    values = {**body, **options}
    if missing := [p.flag for p in described.options if p.required and p.name not in values]:
        raise click.UsageError(f"Missing {' and '.join(missing)}.")
    return values


def walk(described: Command, resource: Any, filters: dict[str, Any], given: dict[str, Any]) -> Iterator[Any]:
    """Return the items of a listing, as many as are asked for."""
    if given["all"] and given["limit"]:
        raise click.UsageError("Give either --limit or --all.")
    limit = given["limit"] or (None if given["all"] else DEFAULT_LIMIT)
    walker = getattr(resource, described.operation.replace("list", "list_all", 1))
    size = PAGE if limit is None else min(PAGE, limit)
    pages = walker(page_size=size, concurrency=given["concurrency"], **filters)
    return limited((item for page in pages for item in page), limit)


def path_of(described: Command, positional: list[str]) -> str:
    """Return the path of the request."""
    names = [parameter.name for parameter in described.arguments]
    return described.path.format(**dict(zip(names, positional, strict=True)))
