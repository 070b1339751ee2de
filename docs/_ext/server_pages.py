"""Renders what the reference server's own code says: its settings as a table, the help of its commands."""

from __future__ import annotations

import re
from typing import Any

import attrs
from click.testing import CliRunner
from docutils import nodes
from markup import table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from redcore_server.process.command import cli
from redcore_server.settings import PREFIX, Settings

ATTRIBUTE = re.compile(r"^ +(\w+): (.+)$", re.MULTILINE)


class ServerSettings(SphinxDirective):
    """`server-settings`: variable, default, meaning."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        meanings = dict(ATTRIBUTE.findall((Settings.__doc__ or "").partition("Attributes:")[2]))
        rows = ((f"`{PREFIX}{f.name.upper()}`", default(f), meanings[f.name]) for f in attrs.fields(Settings))
        return [table(("Variable", "Default", "Meaning"), rows)]


def default(field: attrs.Attribute[Any]) -> str:
    """The default as an operator would write it."""
    match field.default:
        case None:
            return "none"
        case bool(value):
            return f"`{str(value).lower()}`"
        case str(value) | int(value):
            return f"`{value}`"
        case _:  # the only one that is computed
            return "the user's data folder"


class ServerHelp(SphinxDirective):
    """`server-help COMMAND`: what `redcore-server COMMAND --help` prints."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The help as a block."""
        words = [self.arguments[0], "--help"]
        text = CliRunner().invoke(cli, words, prog_name="redcore-server", terminal_width=88).output
        return [nodes.literal_block(text, text, language="none")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("server-settings", ServerSettings)
    app.add_directive("server-help", ServerHelp)
    return {"parallel_read_safe": True}
