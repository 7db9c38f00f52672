"""``certifier init``: the home of a service, or the keys that a person trusts from now on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from certifier.certificate.trust import parse_trust
from certifier.cli.options import HOME, JSON_RESULT, PASSPHRASE_FILE, passphrase_of, service_at, settings_of
from certifier.cli.output import console, show_result
from certifier.client.trust import pinned_trust_file
from certifier.storage.files import save_bytes


@click.command()
@HOME
@click.option("--pin", "server", metavar="URL", help="Instead: trust the keys of the service at URL from now on.")
@click.option("--yes", is_flag=True, help="Pin without asking.")
@PASSPHRASE_FILE
@JSON_RESULT
def init(home: Path, server: str | None, yes: bool, passphrase_file: Path | None) -> None:
    """Make a service's home: keys, register, database. Or, with --pin, trust a service's keys for verification."""
    if server:
        _pin(server, yes=yes)
        return
    from certifier.service.home import check_new_home, make_home  # noqa: PLC0415 - the service, which a light one lacks

    settings = settings_of(home)
    check_new_home(settings)
    make_home(settings, datetime.now(UTC), passphrase_of(passphrase_file, settings.private_dir))
    out = console(stderr=True)
    out.print(f"Made {home}: private keys in {settings.private_dir}, the public register in {settings.register_dir}.")
    if passphrase_file:
        out.print(f"The private keys are encrypted: run every command with LCAL_KEY_PASSPHRASE_FILE={passphrase_file}")
    out.print(f"Issuer {settings.did}. Next: certifier serve --home {home}")
    show_result({"home": str(home), "issuer": settings.did, "encrypted": passphrase_file is not None})


def _pin(server: str, *, yes: bool) -> None:
    raw = service_at(server).get("/trust.json")
    trust = parse_trust(raw)
    out = console(stderr=True, always=True)  # who is asked to trust keys has to see them
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
    keys = [{"role": key.role, "id": key.id, "fingerprint": key.key.fingerprint} for key in trust.keys]
    logs = [{"role": "log", "id": log.name, "fingerprint": log.key.fingerprint} for log in trust.logs]
    show_result({"pinned": str(pinned_trust_file()), "keys": keys + logs})
