"""The keys of an installation at the command line: from the first day to theft (``certifier keys rotate, list, …``)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from certifier.certificate.code import display_code
from certifier.certificate.times import time_text
from certifier.cli.keys import BEGINS, SIGNER, Moment, now
from certifier.cli.options import HOME, JSON, PASSPHRASE_FILE, passphrase_of, settings_of
from certifier.cli.output import console, counted, plain, show_json
from certifier.crypto.keyring import RegisteredKey, Role
from certifier.service.key_changes import (
    Added,
    KeysView,
    KeyView,
    Theft,
    add_key,
    compromise_key,
    keys_view,
    retire_key,
)
from certifier.settings import Settings

MOST_SHOWN = 50
STATES = {
    "in_force": "in force",
    "retired": "retired",
    "compromised": "compromised",
    "not_yet": "not yet",
    "ended": "ended",
}


@click.command("rotate")
@click.option("--role", type=click.Choice(("issuer", "status")), required=True, help="Whose key.")
@HOME
@BEGINS
@SIGNER
@PASSPHRASE_FILE
@JSON
def rotate_command(
    role: Role, home: Path, begins: datetime | None, uri: str | None, passphrase_file: Path | None, as_json: bool
) -> None:
    """Make the next key of a role; the one before stays in force beside it until it is retired.

    Announce it a week ahead with --from: verifiers then know it before its first certificate. A running service takes it up
    by itself.
    """
    settings = settings_of(home, passphrase_file)
    if not any(view.entry.role == role for view in keys_view(settings, now()).keys):
        raise click.UsageError(
            f"There is no {role} key to follow; make the first with: certifier keys new --role {role}"
        )
    add(settings, role, begins, uri, passphrase_file, as_json=as_json)


def add(
    settings: Settings,
    role: Role,
    begins: datetime | None,
    uri: str | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    if (
        uri
        and passphrase_file
        and click.get_current_context().get_parameter_source("passphrase_file") != _FROM_VARIABLE
    ):
        raise click.UsageError("A signer's URI names its own passphrase; leave --passphrase-file out.")
    passphrase = None if uri else passphrase_of(passphrase_file, settings.private_dir)
    added = add_key(settings, role, now(), begins=begins, passphrase=passphrase, uri=uri)
    if as_json:
        show_json(_added_object(added))
        return
    entry, out = added.entry, console()
    out.print(
        f"{entry.id} ({entry.role}) is registered, from {time_text(entry.valid_from)}; log index {added.log_index}"
    )
    out.print(f"  {entry.key}, fingerprint {entry.public.fingerprint}; private half: {plain(added.private)}")
    if entry.role == "log":
        out.print("  It signs the next log, which begins with: certifier log turn")
    for forerunner in added.forerunners if entry.role != "log" else ():
        out.print(f"  {forerunner} stays in force until: certifier keys retire {forerunner} --home {settings.home}")
    console(stderr=True).print(
        "Publish the fingerprint. Back up now, with the keys: an older backup does not know this one."
    )


_FROM_VARIABLE = click.core.ParameterSource.ENVIRONMENT


def _added_object(added: Added) -> dict[str, Any]:
    return {
        **_entry_object(added.entry),
        "private": added.private,
        "log_index": added.log_index,
        "forerunners": list(added.forerunners),
    }


@click.command("list")
@HOME
@JSON
def list_command(home: Path, as_json: bool) -> None:
    """Show every registered key: role, state, days, whether its private half is here, certificates in force under it."""
    view = keys_view(settings_of(home), now())
    if as_json:
        show_json(
            {
                "keys": [_view_object(key) for key in view.keys],
                "unlisted": [{"private": place, "key": key.did_key} for place, key in view.strangers],
                "faults": list(view.faults),
                "unfinished_change": view.unfinished,
            }
        )
        return
    rows: list[tuple[str, ...]] = [
        ("id", "role", "state", "from", "until", "fingerprint", "private half", "certificates")
    ]
    for key in view.keys:
        entry = key.entry
        days = tuple(f"{moment:%Y-%m-%d}" for moment in (entry.valid_from, entry.valid_until))
        count = "" if key.certificates is None else str(key.certificates)
        rows.append(
            (entry.id, entry.role, STATES[key.state], *days, entry.public.fingerprint, key.private or "-", count)
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        console().print(plain(line))
    _show_oddities(view)


def _show_oddities(view: KeysView) -> None:
    out = console(stderr=True)
    for place, key in view.strangers:
        out.print(
            f"[bold yellow]note[/]  {plain(place)} holds a key that the register does not list: {key.fingerprint}"
        )
    for fault in view.faults:
        out.print(f"[bold red]WRONG[/]  {plain(fault)}")
    if view.unfinished:
        out.print(
            "[bold yellow]note[/]  a change of the keys was begun and is finished at the next start of the service"
        )


def _view_object(view: KeyView) -> dict[str, Any]:
    return {
        **_entry_object(view.entry),
        "state": view.state,
        "private": view.private,
        "certificates_in_force": view.certificates,
    }


def _entry_object(entry: RegisteredKey) -> dict[str, Any]:
    stolen = entry.compromise
    return {
        "id": entry.id,
        "role": entry.role,
        "owner": entry.owner,
        "key": entry.key,
        "fingerprint": entry.public.fingerprint,
        "from": time_text(entry.valid_from),
        "until": time_text(entry.valid_until),
        **({"last_good": {"origin": stolen.log, "index": stolen.last_good_index}} if stolen else {}),
    }


@click.command("retire")
@click.argument("key_id", metavar="ID")
@HOME
@JSON
def retire_command(key_id: str, home: Path, as_json: bool) -> None:
    """Close the key ID for signing, now and for ever; what it signed stays good, and can be verified as before."""
    entry = retire_key(settings_of(home), key_id, now())
    if as_json:
        show_json(_entry_object(entry))
        return
    out = console()
    out.print(f"{entry.id} is retired: it signs no new certificate. Its last moment is {time_text(entry.valid_until)}.")
    out.print("  It stays in the register for ever, and in the DID document as long as its certificates may last.")
    out.print("  Leave its private half where it is until all renditions are made; then it may be taken away.")


@click.command()
@click.argument("key_id", metavar="ID")
@HOME
@click.option(
    "--last-good", type=click.IntRange(min=-1), metavar="INDEX", help="The last log index that is good; -1 for none."
)
@click.option("--log", "origin", metavar="ORIGIN", help="The log of --last-good; the current one, when not said.")
@click.option("--since", type=Moment(), help="Instead: whatever the log took in at this time or later is bad.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def compromise_command(
    key_id: str,
    home: Path,
    last_good: int | None,
    origin: str | None,
    since: datetime | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Say that the key ID was stolen: it signs nothing ever again, and what it signed after a place in the log is not good."""
    if (last_good is None) == (since is None) or (origin and since):
        raise click.UsageError("Say either --last-good INDEX (of a --log ORIGIN) or --since TIME.")
    if not yes:
        click.confirm(f"{key_id} will never sign again, and the log cannot forget it. Go on?", abort=True, err=True)
    settings = settings_of(home)
    theft = compromise_key(settings, key_id, now(), last_good=last_good, origin=origin, since=since)
    if as_json:
        show_json(_theft_object(theft))
    else:
        _show_theft(settings, theft)


def _theft_object(theft: Theft) -> dict[str, Any]:
    return {
        **_entry_object(theft.entry),
        "private": theft.private,
        "good": theft.good,
        "not_good": [
            {"code": bad.code, "log": bad.log, "log_index": bad.log_index, "revoked": bad.revoked} for bad in theft.bad
        ],
        "can_issue": theft.can_issue,
    }


def _show_theft(settings: Settings, theft: Theft) -> None:
    entry, fact, out = theft.entry, theft.compromise, console()
    place = f"after index {fact.last_good_index} of {fact.log}" if fact.last_good_index >= 0 else f"in {fact.log}"
    out.print(f"{entry.id} is known as stolen. It signs nothing again; what stands {place} is not good.")
    if entry.role == "issuer":
        out.print(f"  {counted(theft.good, 'certificate')} under it stay good, {len(theft.bad)} are not good any more.")
    for bad in theft.bad[:MOST_SHOWN]:
        where = f"index {bad.log_index} of {bad.log}" if bad.log_index is not None else "not in the log yet"
        out.print(f"    {display_code(bad.code)}  {where}{'  (revoked)' if bad.revoked else ''}")
    if len(theft.bad) > MOST_SHOWN:
        out.print(f"    … and {len(theft.bad) - MOST_SHOWN} more; --json lists all")
    out.print("Next:")
    for number, step in enumerate(_next_steps(settings, theft), start=1):
        out.print(f"  {number}. {plain(step)}")


def _next_steps(settings: Settings, theft: Theft) -> Iterator[str]:
    home = f"--home {settings.home}"
    if not theft.can_issue:
        rotate_line = f"certifier keys rotate --role issuer {home}"
        yield f"Make a new key, else nothing is issued and no status is told: {rotate_line}"
    if theft.private:
        yield f"Take the private half away ({theft.private}); nothing here uses it again."
    if any(not bad.revoked for bad in theft.bad):
        yield f"Revoke each certificate above: certifier revoke CODE --reason misuse {home}"
        yield (
            f"Where the certificate was yours, ask its holder (certifier contact CODE {home}) to send the report again, as "
            "a renewal of CODE; the new key signs it."
        )
    yield "Tell everybody who pins keys to fetch the trust file again: certifier init --pin URL"
