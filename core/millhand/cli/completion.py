"""``millhand completion``: the script that makes a shell complete our words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from millhand.messages import tr

_SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command(
    help=tr(
        "Print the script that makes your shell complete words, options and files of millhand.\n"
        "\n"
        "\b\n"
        "bash:  millhand completion bash > ~/.local/share/bash-completion/completions/millhand\n"
        "zsh:   millhand completion zsh > ~/.zfunc/_millhand        (with ~/.zfunc in fpath)\n"
        "fish:  millhand completion fish > ~/.config/fish/completions/millhand.fish\n"
        "PowerShell:  millhand completion powershell >> $PROFILE\n"
        "\n"
        "Then open a new shell."
    )
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of ``shell``."""
    found = get_completion_class(shell)
    assert found is not None
    program = context.find_root().command
    click.echo(found(program, {}, "millhand", "_MILLHAND_COMPLETE").source())
