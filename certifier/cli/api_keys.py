"""``certifier api-keys``: who may ask what takes a key. A key is shown once; the installation keeps its digest alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from certifier.certificate.times import time_text
from certifier.cli.options import HOME, JSON, settings_of
from certifier.cli.output import console, plain, show_json
from certifier.errors import ForeignInputError
from certifier.service.api_keys import SCOPES, key_document, open_api_keys
from certifier.storage.rows import ApiKeyRow


class _End(click.ParamType[datetime]):
    """A day (its end), a time of RFC 3339, or a number of days from now, as 90d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        text = str(value)
        try:
            if re.fullmatch(r"[1-9][0-9]{0,3}d", text, re.ASCII):
                return datetime.now(UTC) + timedelta(days=int(text[:-1]))
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            moment = moment + timedelta(days=1) if len(text) == len("2027-11-22") else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time; write it as 2027-11-22, 2027-11-22T20:00:00Z or 90d", param, ctx)
        if moment <= datetime.now(UTC):
            raise ForeignInputError(
                "This end of a key is in the past.", found=text, expected="a day or time to come, e.g. 90d"
            )
        return moment


@click.group("api-keys")
def api_keys() -> None:
    """API keys of platforms and operators: make, list, revoke."""


@api_keys.command()
@click.argument("holder")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(list(SCOPES)),
    help="What it is for; repeat it.",
)
@click.option("--expires", type=_End(), help="Its end: a day, a time, or a number of days, as 90d. Without one: never.")
@click.option(
    "--network", "networks", multiple=True, metavar="NET", help="Good from there alone: 192.0.2.0/24; repeat."
)
@HOME
@JSON
def new(
    holder: str,
    scopes: tuple[str, ...],
    expires: datetime | None,
    networks: tuple[str, ...],
    home: Path,
    as_json: bool,
) -> None:
    """Make a key for HOLDER, a plain name; all keys of one holder stand for the same one. The key is shown this once.

    A running service knows it at once.
    """
    with open_api_keys(settings_of(home)) as keys:
        made = keys.make(holder, scopes, datetime.now(UTC), expires=expires, networks=networks)
    if as_json:
        show_json({"key": made.text} | key_document(made.row))
        return
    click.echo(made.text)
    out = console(stderr=True)
    out.print(f"The key {made.row.id} of {plain(holder)}: {_about(made.row)}.")
    out.print("It is shown this once. Pass it on by a way that nobody else reads, never by mail in clear.")


@api_keys.command("list")
@click.option("--holder", help="Only the keys of this holder.")
@HOME
@JSON
def list_(holder: str | None, home: Path, as_json: bool) -> None:
    """List the keys, the oldest first: holder, scopes, days, when last used. Their secrets nobody can tell."""
    now = time_text(datetime.now(UTC))
    with open_api_keys(settings_of(home)) as keys:
        rows = keys.listed(holder)
    if as_json:
        show_json({"api_keys": [key_document(row) for row in rows]})
        return
    cells = [("id", "holder", "state", "last used", "for")]
    cells += [(row.id, row.holder, _state(row, now), (row.last_used_at or "never")[:13], _about(row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells if rows else ():
        console().print(plain("  ".join(f"{it:<{width}}" for it, width in zip(line, widths, strict=True)).rstrip()))
    if not rows:
        console(stderr=True).print("There are none.")


@api_keys.command()
@click.argument("key_id", metavar="ID")
@HOME
@JSON
def revoke(key_id: str, home: Path, as_json: bool) -> None:
    """End the key ID, at once and on every replica. A key that was revoked before stays so."""
    with open_api_keys(settings_of(home)) as keys:
        row = keys.revoke(key_id, datetime.now(UTC))
    if as_json:
        show_json(key_document(row))
    else:
        console().print(f"{row.id} of {plain(row.holder)} is revoked since {row.revoked_at}")


def _state(row: ApiKeyRow, now: str) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "in force"


def _about(row: ApiKeyRow) -> str:
    until = f", until {row.expires_at}" if row.expires_at else ""
    return f"{', '.join(row.scopes.split())}{until}{f', from {row.networks}' if row.networks else ''}"
