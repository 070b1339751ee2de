"""`redcore completion SHELL`: what makes a shell complete commands, options and values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from redcore.cli.app import CONTEXT, root

SHELLS = ("bash", "zsh", "fish", "powershell")
HOW = {
    "bash": 'eval "$(redcore completion bash)"  # in ~/.bashrc',
    "zsh": 'eval "$(redcore completion zsh)"  # in ~/.zshrc',
    "fish": "redcore completion fish > ~/.config/fish/completions/redcore.fish",
    "powershell": "redcore completion powershell | Out-String | Invoke-Expression  # in $PROFILE",
}
POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName redcore -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:_REDCORE_COMPLETE = "powershell_complete"
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_CWORD = $wordToComplete
    redcore | ForEach-Object {
        $kind, $value, $help = $_ -split "`t", 3
        if (-not $help) { $help = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, "ParameterValue", $help)
    }
    Remove-Item Env:_REDCORE_COMPLETE, Env:COMP_WORDS, Env:COMP_CWORD
}
"""


@click.command("completion", context_settings=CONTEXT)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell."""
    if shell == "powershell":
        click.echo(POWERSHELL)
        return
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 (one of click's own)
    click.echo(found(root, {}, "redcore", "_REDCORE_COMPLETE").source())
