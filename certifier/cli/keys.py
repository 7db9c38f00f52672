"""``certifier keys``: a key of one's own. It is the account: nothing else to register, nothing to leak."""

from __future__ import annotations

from pathlib import Path

import click

from certifier.cli.output import console
from certifier.crypto.signing import SigningKey
from certifier.storage.files import load_signing_key, save_signing_key


@click.group()
def keys() -> None:
    """Make and show signing keys."""


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> None:
    """Make an Ed25519 key and write its private half to FILE (readable by you alone)."""
    key = SigningKey.generate()
    save_signing_key(file, key)
    click.echo(key.public.did_key)
    console(stderr=True).print(f"Wrote the private key to {file}. Keep a copy in a safe place: it is your account.")


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Print the public name (did:key) of the key in FILE."""
    click.echo(load_signing_key(file).public.did_key)
