"""``certifier init``, ``serve`` and the acts of an operator."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from certifier.certificate.code import display_code, parse_code
from certifier.certificate.trust import parse_trust
from certifier.cli.output import console, plain
from certifier.cli.verify import pinned_trust_file
from certifier.client import Client
from certifier.service.certifier import REASONS, ChangeType
from certifier.service.home import check_new_home, make_home, open_certifier
from certifier.settings import Settings, load_settings
from certifier.storage.files import PASSPHRASE, make_passphrase, save_bytes

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


@click.command()
@HOME
@click.option("--pin", "server", metavar="URL", help="Instead: trust the keys of the service at URL from now on.")
@click.option("--yes", is_flag=True, help="Pin without asking.")
@PASSPHRASE_FILE
def init(home: Path, server: str | None, yes: bool, passphrase_file: Path | None) -> None:
    """Make a service's home: keys, register, database. Or, with --pin, trust a service's keys for verification."""
    if server:
        _pin(server, yes=yes)
        return
    settings = settings_of(home)
    check_new_home(settings)
    make_home(settings, datetime.now(UTC), passphrase_of(passphrase_file, settings.private_dir))
    out = console(stderr=True)
    out.print(f"Made {home}: private keys in {settings.private_dir}, the public register in {settings.register_dir}.")
    if passphrase_file:
        out.print(f"The private keys are encrypted: run every command with LCAL_KEY_PASSPHRASE_FILE={passphrase_file}")
    out.print(f"Issuer {settings.did}. Next: certifier serve --home {home}")


def _pin(server: str, *, yes: bool) -> None:
    raw = Client(server).get("/trust.json")
    trust = parse_trust(raw)
    out = console(stderr=True)
    for key in trust.keys:
        out.print(f"  {key.role:<8}{key.id}  fingerprint {key.key.fingerprint}")
    for log in trust.logs:
        out.print(f"  {'log':<8}{log.name}  fingerprint {log.key.fingerprint}")
    if not yes:
        click.confirm(
            "Compare the fingerprints with those that the issuer publishes elsewhere. Trust these keys?",
            abort=True,
            err=True,
        )
    save_bytes(pinned_trust_file(), raw)
    out.print(f"Pinned in {pinned_trust_file()}. From now on: certifier verify FILE")


@click.command()
@HOME
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, envvar="PORT", help="The port.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; more than one on PostgreSQL.",
)
def serve(home: Path, host: str, port: int, workers: int) -> None:
    """Run the service until it is stopped.

    A database in LCAL_DATABASE_URL (postgresql://…) may be shared by several replicas, each with the same keys in its home.
    What forbids to write (see /readyz) does not keep it from serving; then it ends with exit code 1.
    """
    from certifier.web.server import serve as run  # noqa: PLC0415 - the server is heavy and only this command needs it

    loaded = load_settings(home)
    for warning in loaded.warnings():
        click.echo(f"warning  {warning}", err=True)
    run(loaded.settings, host, port, workers)


def _act(kind: ChangeType, done: str) -> click.Command:
    @click.command(name=kind, help=f"{kind.capitalize()} the certificate with CODE, through the public log.")
    @click.argument("code")
    @HOME
    @click.option("--reason", type=click.Choice(REASONS), required=True, help="The public reason class.")
    def command(code: str, home: Path, reason: str) -> None:
        now = datetime.now(UTC)
        certifier = open_certifier(settings_of(home), now)
        try:
            row = certifier.change_status(parse_code(code), kind, reason, now)
            console().print(f"{display_code(row.code)} is {done} since log size {certifier.logbook.head.size}")
        finally:
            certifier.close()

    return command


revoke = _act("revoke", "revoked")
suspend = _act("suspend", "suspended")
reinstate = _act("reinstate", "active again")


@click.command()
@click.argument("code")
@HOME
def contact(code: str, home: Path) -> None:
    """Show how to reach the holder of the certificate with CODE, where that was said. It is private: pass it to nobody."""
    certifier = open_certifier(settings_of(home))
    try:
        found = certifier.store.contact(certifier.certificate(parse_code(code)).submission_id)
    finally:
        certifier.close()
    console().print(plain(found) if found else "no contact was given")
