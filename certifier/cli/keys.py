"""``certifier keys``: a key of one's own, which is the account; those of an installation are in ``installation_keys``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from certifier.cli.lazy import Later, LazyGroup
from certifier.cli.options import HOME, JSON, JSON_RESULT, PASSPHRASE_FILE, passphrase_of, settings_of
from certifier.cli.output import console, show_json, show_result
from certifier.crypto.keyring import OWN_ROLES, Role
from certifier.crypto.signing import SigningKey
from certifier.storage.files import load_signing_key, save_signing_key

SIGNER = click.option(
    "--signer", "uri", metavar="URI", help="Take up a key that exists: file:PATH, env:NAME or pkcs11:… (docs/keys.md)."
)


class Moment(click.ParamType[datetime]):
    """A day or a time of RFC 3339; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time; write it as 2026-11-22T20:00:00Z", param, ctx)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


BEGINS = click.option("--from", "begins", type=Moment(), help="When it begins to sign; now, when not said.")


def now() -> datetime:
    """The clock's time; a caller from within Python may bring a clock of its own as the context's object."""
    clock = click.get_current_context().find_root().obj
    return clock() if clock else datetime.now(UTC)


_INSTALLATION = {
    "rotate": "Make the next key of a role; the one before stays in force beside it until it is retired.",
    "list": "Show every registered key: role, state, days, whether its private half is here, certificates in force under it.",
    "retire": "Close the key ID for signing, now and for ever; what it signed stays good, and can be verified as before.",
    "compromise": (
        "Say that the key ID was stolen: it signs nothing ever again, "
        "and what it signed after a place in the log is not good."
    ),
}


@click.group(
    cls=LazyGroup,
    later={
        name: Later(f"certifier.cli.installation_keys:{name}_command", words) for name, words in _INSTALLATION.items()
    },
)
def keys() -> None:
    """Make and show signing keys; rotate, retire and report those of an installation."""


@keys.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--role", type=click.Choice(OWN_ROLES), help="Instead: a key of the installation in --home.")
@HOME
@BEGINS
@SIGNER
@PASSPHRASE_FILE
@JSON
def new(
    file: Path | None,
    role: Role | None,
    home: Path,
    begins: datetime | None,
    uri: str | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make an Ed25519 key: of your own, in FILE, readable by you alone; or, with --role, one that an installation signs with.

    A key of a role is registered and written into the public log. The newest one in force signs; older ones stay in force
    until they are retired. With --passphrase-file the private half is encrypted with the passphrase in that file, which is
    made where there is none.
    """
    if role is None:
        if file is None or begins or uri:
            raise click.UsageError("Name the FILE of a key of your own; or a --role, for a key of an installation.")
        _new_own(file, passphrase_file, as_json=as_json)
    elif file is not None:
        raise click.UsageError("A key of a role lies in its home, or is taken up with --signer; leave FILE out.")
    else:
        from certifier.cli.installation_keys import add  # noqa: PLC0415 - the service, which a light installation lacks

        add(settings_of(home, passphrase_file), role, begins, uri, passphrase_file, as_json=as_json)


def _new_own(file: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    key = SigningKey.generate()
    save_signing_key(file, key, passphrase_of(passphrase_file, file.parent))
    if as_json:
        show_json({"key": key.public.did_key, "file": str(file), "encrypted": passphrase_file is not None})
    else:
        click.echo(key.public.did_key)
    console(stderr=True).print(f"Wrote the private key to {file}. Keep a copy in a safe place: it is your account.")


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
@JSON_RESULT
def show(file: Path) -> None:
    """Print the public name (did:key) of the key in FILE."""
    key = load_signing_key(file).public.did_key
    show_result({"key": key}, key)
