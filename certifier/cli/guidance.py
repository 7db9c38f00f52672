"""``certifier help`` and ``certifier completion``: what a person at a terminal asks first."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from certifier.cli.options import JSON
from certifier.cli.output import EXIT_CODES, show_json

PROGRAM = "certifier"
VARIABLE = "_CERTIFIER_COMPLETE"  # by it the script tells the program what is wished (click)
PLACES = {
    "bash": 'add to ~/.bashrc:  eval "$(certifier completion bash)"',
    "zsh": 'add to ~/.zshrc:  eval "$(certifier completion zsh)"',
    "fish": "certifier completion fish > ~/.config/fish/completions/certifier.fish",
}


@click.command("help")
@click.argument("topic", nargs=-1)
@JSON
@click.pass_context
def help_(ctx: click.Context, topic: tuple[str, ...], as_json: bool) -> None:
    """Explain a TOPIC, such as exit-codes, or a command.

    The topics are: exit-codes.
    """
    if topic == ("exit-codes",):
        _show_exit_codes(as_json=as_json)
        return
    if as_json:
        raise click.UsageError("Only a topic has a form for machines: certifier help exit-codes --json")
    here = ctx.find_root()
    for word in topic:
        group = here.command
        found = group.get_command(here, word) if isinstance(group, click.Group) else None
        if found is None:
            raise click.UsageError(f"There is no topic and no command {' '.join(topic)!r}. See: certifier --help")
        here = click.Context(found, here, word)
    click.echo(here.get_help())


def _show_exit_codes(*, as_json: bool) -> None:
    if as_json:
        show_json({"exit_codes": {str(code): words for code, words in EXIT_CODES.items()}})
        return
    for code, words in EXIT_CODES.items():
        click.echo(f"{code}  {words}")


@click.command(
    help="Print the script that lets a shell complete commands and options.\n\n\b\n"
    + "\n".join(f"{shell:<5} {place}" for shell, place in PLACES.items())
)
@click.argument("shell", type=click.Choice(tuple(PLACES)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
