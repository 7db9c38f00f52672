"""``certifier config``: the settings that hold here, where each comes from, and the table of all of them."""

from __future__ import annotations

from pathlib import Path

import click

from certifier.cli.options import HOME
from certifier.cli.output import console, plain, show_json
from certifier.settings import ELSEWHERE, Loaded, Setting, load_settings, settings_table, to_text

HIDDEN = "(hidden)"


@click.group()
def config() -> None:
    """What the settings are, and what they may be."""


@config.command()
@HOME
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(home: Path, as_json: bool) -> None:
    """Show the value of every setting and where it comes from. Secrets are hidden."""
    loaded = load_settings(home)
    if as_json:
        rows = {row.name: {"value": shown(row, loaded), "origin": loaded.origins[row.name]} for row in settings_table()}
        show_json({"settings": rows, "unknown": loaded.unknown})
        return
    out = console()
    for row in settings_table():
        out.print(f"{row.name:<20}  {plain(shown(row, loaded))}  [dim]{plain(loaded.origins[row.name])}[/]")
    for warning in loaded.warnings():
        console(stderr=True).print(f"warning  {plain(warning)}")


@config.command()
def table() -> None:
    """Print the table of all settings as Markdown, as docs/operate.md has it."""
    click.echo(settings_as_markdown(), nl=False)


def shown(row: Setting, loaded: Loaded) -> str:
    """A value as people may see it."""
    text = to_text(getattr(loaded.settings, row.name))
    return HIDDEN if row.told.secret and text else text


def settings_as_markdown() -> str:
    """The table that the documentation holds: one row for each setting, then the variables that others read."""
    named = [
        ("—" if row.name == "home" else f"`{row.name}`", row.variable, row.default_in_words(), row.told)
        for row in settings_table()
    ]
    named += [("—", name, told.default, told) for name, told in ELSEWHERE.items()]
    rows = [f"| {name} | `{variable}` | {default} | {told.in_words()} |" for name, variable, default, told in named]
    return "\n".join(["| in the file | variable | default | meaning |", "|---|---|---|---|", *rows]) + "\n"
