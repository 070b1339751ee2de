"""Options that many commands share, and the types of their values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, cast

import click
from click.shell_completion import CompletionItem

from redcore.cli.output import FORMATS, Output
from redcore.cli.state import State


class Id(click.ParamType[str]):
    """The id of one kind of thing: an id of another kind is refused before anything is sent.

    Args:
        prefix: What ids of the kind begin with, such as `usr_`; empty for names.
        kind: What it is called, such as `user`.
    """

    name = "id"

    def __init__(self, prefix: str, kind: str) -> None:
        self.prefix = prefix
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the prefix."""
        text = str(value)
        if self.prefix and not text.startswith(self.prefix):
            found, underscore, _ = text.partition("_")
            other = f"; {found}_… is the id of something else" if underscore else ""
            self.fail(f"{text!r} is not the id of a {self.kind}, which begins with {self.prefix}{other}.", param, ctx)
        return text

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        param: click.Parameter,  # noqa: ARG002 (as above)
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return ids of the platform, with what they are; none where there is no login or no answer."""
        from redcore.cli.live_ids import live_ids  # noqa: PLC0415 (imports the SDK)

        found = live_ids(self.prefix, State())
        return [CompletionItem(id_, help=label) for id_, label in found if id_.startswith(incomplete)]


class Filled(click.ParamType[str]):
    """Text that is not empty: a script's unset variable must not mean the folder it runs in, or every scope."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is empty."""
        if not str(value).strip():
            self.fail(f"{value!r} is empty.", param, ctx)
        return str(value)


class JsonInput(click.ParamType[Any]):
    """JSON from a file, or from stdin for `-`."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read and decode it."""
        try:
            read = sys.stdin.buffer.read() if value == "-" else Path(value).read_bytes()
            text = read.decode("utf-8-sig")  # Windows programs begin a file with a byte order mark
        except OSError as problem:
            self.fail(f"{value} cannot be read: {problem.strerror}.", param, ctx)
        except UnicodeDecodeError:
            self.fail(f"{value} is not text in UTF-8.", param, ctx)
        try:
            return json.loads(text)
        except ValueError as problem:
            where = "stdin" if value == "-" else value
            self.fail(f"{where} is not JSON: {problem}.", param, ctx)


class Secret(click.ParamType[str]):
    """A secret: `-` reads it from stdin, which keeps it out of the list of processes and the shell's history."""

    name = "secret"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 (click's signature)
        """Read it."""
        return sys.stdin.readline().strip() if value == "-" else str(value)


def flag(name: str, help: str, apply: Callable[[State], None], *more: str, **given: Any) -> click.Option:  # noqa: A002
    """Make a flag that changes the state as soon as it is read."""

    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            apply(ctx.ensure_object(State))

    return click.Option([name, *more], is_flag=True, expose_value=False, callback=callback, help=help, **given)


def setting(name: str, help: str, **given: Any) -> click.Option:  # noqa: A002 (click's word)
    """Make an option that wins over a setting of the profile."""

    def callback(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.ensure_object(State).overrides[name] = value

    return click.Option([f"--{name.replace('_', '-')}"], expose_value=False, callback=callback, help=help, **given)


def _profile(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    if not value.strip():  # as of a variable that is not set: never another profile in its place
        raise click.UsageError("--profile needs the name of a profile.")
    ctx.ensure_object(State).profile_option = value


def _verbosity(level: int) -> Callable[[State], None]:
    def apply(state: State) -> None:
        state.terminal.verbosity = max(state.terminal.verbosity, level)

    return apply


def common() -> list[click.Parameter]:
    """Return the options of every command."""

    def silence(state: State) -> None:
        state.terminal.quiet = True

    def bleach(state: State) -> None:
        state.terminal.colour = False

    return [
        click.Option(
            ["--profile"],
            callback=_profile,
            expose_value=False,
            metavar="NAME",
            help="Profile to use (REDCORE_PROFILE).",
        ),
        setting("base_url", "Address of the API (REDCORE_BASE_URL).", metavar="URL"),
        setting(
            "environment",
            "Platform to talk to (REDCORE_ENVIRONMENT).",
            type=click.Choice(["production", "staging"]),
        ),
        setting("timeout", "Seconds that one attempt may take (REDCORE_TIMEOUT).", metavar="SECONDS"),
        flag("--quiet", "Print no messages but errors.", silence),
        flag("--verbose", "Print what is sent and waited for.", _verbosity(1)),
        flag("--debug", "Print every attempt.", _verbosity(2)),
        flag("--no-color", "Print no colours (NO_COLOR).", bleach),
    ]


def output_options() -> list[click.Parameter]:
    """Return the options of every command that gives data."""

    def make_safe(state: State) -> None:
        state.safe_for_spreadsheets = True

    return [
        setting("output", "Format of the result; a table if left out (REDCORE_OUTPUT).", type=click.Choice(FORMATS)),
        click.Option(["--json", "fields"], metavar="FIELDS", help="Print JSON with these fields, separated by commas."),
        click.Option(["--jq"], metavar="EXPRESSION", default="", help="Filter the JSON by an expression of jq."),
        flag("--safe-for-spreadsheets", "Keep cells of CSV from being read as formulas.", make_safe),
    ]


def dry_run() -> click.Option:
    """Return the option of commands that change something."""
    return click.Option(["--dry-run"], is_flag=True, help="Print what would be done; change nothing.")


def chosen_output(state: State, fields: str | None, jq: str) -> Output:
    """Return how the result is to be written: `--json` and `--jq` mean JSON, unless `--output` says otherwise."""
    setting = state.setting("output")
    if setting.value not in FORMATS:
        raise click.UsageError(f"output must be one of {', '.join(FORMATS)}; {setting.origin} has {setting.value!r}.")
    wanted = setting.value
    if (fields or jq) and "output" not in state.overrides:
        wanted = "json"
    if fields is not None and not fields.strip(" ,"):
        raise click.UsageError("--json takes the names of fields, separated by commas, as in: --json id,name")
    if state.safe_for_spreadsheets and (wanted != "csv" or jq):
        raise click.UsageError("--safe-for-spreadsheets is for --output csv, without --jq.")
    names = [name.strip() for name in (fields or "").split(",") if name.strip()]
    return Output(
        cast("Any", wanted), fields=names, jq=jq, in_colour=state.terminal.in_colour, safe=state.safe_for_spreadsheets
    )


def with_common(
    params: Sequence[click.Parameter] = (), *, examples: Sequence[str] = ()
) -> Callable[[click.Command], click.Command]:
    """Return a decorator that adds the options of every command, and others, to one; and examples to its help."""

    def add(command: click.Command) -> click.Command:
        command.params += [*params, *common()]
        command.help = f"{cleandoc(command.help or '')}{shown_examples(examples)}"
        return command

    return add


def shown_examples(lines: Sequence[str]) -> str:
    """Return the end of a help text: lines that can be copied, which click must leave as they are."""
    return "".join(["\n\n\b\nExamples:", *(f"\n  {line}" for line in lines)]) if lines else ""
