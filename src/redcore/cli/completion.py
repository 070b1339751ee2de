"""`redcore completion SHELL`: what makes a shell complete commands, options, values, and ids of the platform."""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from redcore.cli.app import COMPLETE_VARIABLE, CONTEXT, root

SHELLS = ("bash", "zsh", "fish", "powershell")
POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName redcore -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:%(complete_var)s = "powershell_complete"
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_CWORD = $wordToComplete
    redcore | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        if (-not $help) { $help = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, "ParameterValue", $help)
    }
    Remove-Item "Env:%(complete_var)s", "Env:COMP_WORDS", "Env:COMP_CWORD"
}
"""


@add_completion_class
class PowerShellComplete(ShellComplete):
    """Completion for PowerShell, which click does not bring."""

    name = "powershell"
    source_template = POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one that is being typed."""
        words = split_arg_string(os.environ.get("COMP_WORDS", ""))[1:]
        incomplete = os.environ.get("COMP_CWORD", "")
        if incomplete and words and words[-1] == incomplete:
            words.pop()
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return one line of the answer."""
        return f"{item.value}\t{item.help or item.value}"


@click.command("completion", context_settings=CONTEXT)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
    bash        eval "$(redcore completion bash)", in ~/.bashrc
    zsh         eval "$(redcore completion zsh)", in ~/.zshrc
    fish        redcore completion fish > ~/.config/fish/completions/redcore.fish
    PowerShell  redcore completion powershell | Out-String | Invoke-Expression, in $PROFILE
    """  # noqa: D301 (click's mark for lines that stay as they are)
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 (one of click's own, or ours)
    options: dict[str, Any] = {}
    click.echo(found(root, options, "redcore", COMPLETE_VARIABLE).source())
