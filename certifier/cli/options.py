"""Options that many commands share."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from certifier.cli.output import JSON_WISHED
from certifier.client import Client, Patience
from certifier.settings import Settings, load_settings
from certifier.storage.files import PASSPHRASE, make_passphrase

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
TRUST = click.option("--trust", type=FILE, help="Keys to trust; else the pinned ones.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


def _wish_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[JSON_WISHED] = True


JSON_RESULT = click.option(  # for a command that tells its result with output.show_result
    "--json", is_flag=True, expose_value=False, callback=_wish_json, help="One JSON object on stdout."
)
HOME = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="LCAL_HOME",
    default=Path("var/home"),
    show_default=True,
    help="The folder of the installation.",
)
PASSPHRASE_FILE = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="LCAL_KEY_PASSPHRASE_FILE",
    help="Encrypt private halves with the passphrase in this file; a random one is made where there is no file.",
)


def settings_of(home: Path, passphrase_file: Path | None = None) -> Settings:
    settings = load_settings(home).settings
    return replace(settings, key_passphrase_file=passphrase_file) if passphrase_file else settings


def passphrase_of(file: Path | None, keys: Path) -> bytes | None:
    """The passphrase for new private keys in the folder ``keys``; None where none is wished."""
    if file is None:
        return os.environ[PASSPHRASE].encode() if os.environ.get(PASSPHRASE) else None
    if file.resolve().is_relative_to(keys.resolve()):
        raise click.UsageError("A passphrase beside the key that it opens protects nothing; keep it in another folder.")
    return make_passphrase(file)


def service_at(url: str) -> Client:
    """The service at an address, for a person who waits: what fails is tried once more, and then told."""
    return Client(url, patience=Patience(attempts=2))
