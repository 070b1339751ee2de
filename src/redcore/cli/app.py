"""The root of the command tree, and the one place where errors become words and exit codes.

Groups are loaded when they are asked for: `redcore users --help` imports nothing of the SDK.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

import click

from redcore.cli import exit_codes
from redcore.cli.generated import COMMANDS
from redcore.cli.state import State
from redcore.cli.streams import discard_stdout
from redcore.cli.terminal import harmless

HAND_MADE = {
    "api": ("redcore.cli.api", "Call the API directly, also what this version does not know yet."),
    "auth": ("redcore.cli.auth", "Log in and out; show who is logged in."),
    "completion": ("redcore.cli.completion", "Print the completion script of a shell."),
    "config": ("redcore.cli.config", "Show and change the settings of a profile."),
    "docs": ("redcore.cli.docs", "Publish documentation."),
    "doctor": ("redcore.cli.doctor", "Find out why calls fail: settings, network, login, platform."),
    "mcp": ("redcore.cli.mcp", "Serve the operations as tools for assistants, over stdio."),
    "server": ("redcore.cli.server", "Run the reference server; passes on to `redcore-server`."),
}
"""Commands that are written by hand: where they are, and what `--help` says of them."""
GROUPS = {
    "users": "People of the organisation.",
    "products": "The catalog.",
    "workflows": "Kinds of work that can be run.",
    "runs": "Runs of workflows.",
    "files": "Files: upload, list, download.",
    "api-keys": "Long-lived credentials for scripts and services.",
    "applications": "OAuth 2.0 clients.",
    "me": "The user who is calling.",
}
ALIASES = {
    "user": "users",
    "product": "products",
    "workflow": "workflows",
    "run": "runs",
    "file": "files",
    "api-key": "api-keys",
    "key": "api-keys",
    "keys": "api-keys",
    "application": "applications",
    "app": "applications",
    "apps": "applications",
}
"""Other names of groups, for the fingers of people who come from gh."""


WIDEST, NARROW, NARROWEST = 78, 60, 20
"""Characters in a line of help: as click has it; where two columns do not fit; less than which is of no use."""
BELOW = 4
"""Width of a first column that is narrower than any option: the text goes below."""
KEY = re.compile(r"(rk_(?:live|test)_)[\w-]+")
"""An API key (contract section 6)."""
LEADING = "redcore.cli.leading"
"""Whether options stand before the first command."""


class Formatter(click.HelpFormatter):
    """Help that fits narrow terminals: there the text of an option goes below it, not beside it."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms and what they mean; see `click.HelpFormatter`."""
        super().write_dl(rows, col_max if self.width >= NARROW else BELOW, col_spacing)


class Context(click.Context):
    """The context of every command."""

    formatter_class: type[click.HelpFormatter] = Formatter


class Suggesting(click.Group):
    """A group that names the nearest command when it does not know one."""

    context_class: type[click.Context] = Context

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is a usage error with the nearest names."""
        name = args[0]
        if name == "help" and self.get_command(ctx, name) is None:  # as gh, stripe and aws have it
            if not args[1:]:
                click.echo(ctx.get_help())
                ctx.exit()
            return self.resolve_command(ctx, [*args[1:], "--help"])
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            ctx.fail(f"There is no command {name!r}.{self.nearest(ctx, name)}")
        found_name, found, rest = super().resolve_command(ctx, args)
        if found is not None:
            found.context_class = Context
        return found_name, found, rest

    def names(self, ctx: click.Context) -> list[str]:
        """Return all names that commands have here."""
        return self.list_commands(ctx)

    def nearest(self, ctx: click.Context, word: str) -> str:
        """Say what may be meant by an unknown command; empty if nothing is near."""
        import difflib  # noqa: PLC0415 (after a mistake only)

        from redcore.cli.habits import counterpart  # noqa: PLC0415 (as above)

        if found := counterpart((ctx.parent and self.name) or "redcore", word, self.list_commands(ctx)):
            return f" Use `redcore {found}`."
        near = difflib.get_close_matches(word, self.names(ctx), n=3)
        return f" Did you mean {' or '.join(near)}?" if near else ""


class Root(Suggesting):
    """All groups, each imported when it is needed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the first command, as in `redcore --profile staging users list`."""
        ctx.meta[LEADING] = bool(args) and args[0].startswith("-")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; one whose reader has had enough, as `head` has, is done. Click would exit with 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(exit_codes.DONE)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options; those of every command only where one is given, as they are not needed otherwise."""
        if not ctx.meta.get(LEADING):
            return super().get_params(ctx)
        from redcore.cli.options import common  # noqa: PLC0415 (not needed by `redcore users --help`)

        return [*common(), *super().get_params(ctx)]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names that `--help` lists."""
        return sorted([*HAND_MADE, *GROUPS])

    def names(self, ctx: click.Context) -> list[str]:
        """Return the names that `--help` lists, and their aliases."""
        return [*self.list_commands(ctx), *ALIASES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Load one group; None if there is none of that name."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name in HAND_MADE:
            module, _ = HAND_MADE[name]
            found: click.Command = import_module(module).command
            return found
        return group(name) if name in GROUPS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        summaries = {name: text for name, (_, text) in HAND_MADE.items()} | GROUPS
        with formatter.section("Commands"):
            formatter.write_dl([(name, summaries[name]) for name in self.list_commands(ctx)])


class SpecGroup(Suggesting):
    """The commands of one group: those of the spec, and those written by hand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names in the order of the spec, those written by hand last."""
        return list(
            dict.fromkeys([*(c.name for c in COMMANDS if c.group == self.name), *EXTRA.get(self.name or "", {})])
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Make one command; None if there is none of that name."""
        extra = EXTRA.get(self.name or "", {})
        if cmd_name in extra:
            module, attribute, _ = extra[cmd_name]
            found: click.Command = getattr(import_module(module), attribute)
            return found
        from redcore.cli.operations import command_of  # noqa: PLC0415 (click's types, not needed for other groups)

        return next((command_of(c) for c in COMMANDS if (c.group, c.name) == (self.name, cmd_name)), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without making any."""
        summaries = {c.name: c.help for c in COMMANDS if c.group == self.name}
        summaries |= {name: text for name, (_, _, text) in EXTRA.get(self.name or "", {}).items()}
        with formatter.section("Commands"):
            formatter.write_dl([(name, summaries[name]) for name in self.list_commands(ctx)])


EXTRA: dict[str, dict[str, tuple[str, str, str]]] = {
    "files": {
        "upload": ("redcore.cli.files", "upload", "Upload files, folders, stdin"),
        "download": ("redcore.cli.files", "download", "Download files, with resume"),
    },
    "products": {
        "import": ("redcore.cli.jobs", "import_", "Import a CSV or JSON lines file"),
        "export": ("redcore.cli.jobs", "export", "Export the catalog to a file"),
    },
    "users": {"import": ("redcore.cli.jobs", "import_", "Invite the people of a CSV or JSON lines file")},
    "runs": {"watch": ("redcore.cli.jobs", "watch", "Watch a run until it has ended")},
}
"""Commands written by hand within the spec's groups: group, name, module, attribute, and what `--help` lists."""


def group(name: str) -> click.Group:
    """Make one of the spec's groups."""
    return SpecGroup(name, help=GROUPS[name], context_settings=CONTEXT)


COMPLETE_VARIABLE = "_REDCORE_COMPLETE"
"""What a shell sets when it asks for completions."""
CONTEXT = {"help_option_names": ["-h", "--help"]}


@click.group(cls=Root, context_settings=CONTEXT)
@click.version_option(package_name="redcore-sdk", prog_name="redcore", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Work with the BlueRound platform from the command line.

    Log in with `redcore auth login`, or set REDCORE_API_KEY. `redcore doctor` finds out why something fails.
    """
    ctx.ensure_object(State)


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Args:
        arguments: What follows `redcore`.

    Returns:
        The exit code: 0 done, 1 refused or failed, 2 usage, 3 not found, 4 not authenticated or not allowed, 5 try
        again later, 130 interrupted.
    """
    state = State()
    if COMPLETE_VARIABLE in os.environ:
        import_module("redcore.cli.completion")  # which knows one shell more than click
    try:
        left = root.main(
            list(arguments),
            prog_name="redcore",
            standalone_mode=False,
            complete_var=COMPLETE_VARIABLE,
            obj=state,
            terminal_width=max(min(shutil.get_terminal_size().columns - 2, WIDEST), NARROWEST),
        )
        sys.stdout.flush()  # or a full disk is noticed when it is too late for words
    except (click.Abort, KeyboardInterrupt):
        state.terminal.note(f"Interrupted. {state.terminal.advice}".rstrip())
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        return exit_codes.DONE  # what reads stdout has had enough, as `head` has
    except Exception as error:  # noqa: BLE001 (errors of other kinds are raised again)
        return failed(error, state)
    finally:
        state.close()
        flush()
    return left if isinstance(left, int) else exit_codes.DONE  # the code of a command that left by `Exit`


def flush() -> None:
    """Empty the buffer of stdout, or give up what is in it."""
    try:
        sys.stdout.flush()
    except OSError:
        discard_stdout()


def failed(error: Exception, state: State) -> int:
    """Print what went wrong, and return the exit code; what is a defect is raised again."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()  # the help of a group
    elif isinstance(error, click.UsageError):
        from redcore.cli.habits import advice  # noqa: PLC0415 (after a mistake only)

        words = KEY.sub(r"\1…", harmless(error.format_message()))  # a key in the wrong place stays a secret
        click.UsageError(words + advice(error), error.ctx).show()
    elif isinstance(error, click.ClickException):
        state.terminal.error(error.format_message())
    else:
        from redcore.cli.failures import explain  # noqa: PLC0415 (needs the SDK)

        return explain(error, state)
    return error.exit_code
