"""`medpocket completion`: the shell's completion script."""

import click

from medpocket.cli import output


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash   medpocket completion bash >> ~/.bashrc
    zsh    medpocket completion zsh >> ~/.zshrc
    fish   medpocket completion fish > ~/.config/fish/completions/medpocket.fish
    """
    from click.shell_completion import get_completion_class

    from medpocket.cli.app import medpocket

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    output.write_line(kind(medpocket, {}, "medpocket", "_MEDPOCKET_COMPLETE").source())
