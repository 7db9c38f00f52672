"""``certifier webhooks listen``: the events of a service, and a receiver on this machine tried with them."""

from __future__ import annotations

import json
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any

import click

from certifier.cli.options import service_at
from certifier.cli.output import EXIT_REFUSED, console, plain
from certifier.client import Change, Client
from certifier.client.changes import forward
from certifier.crypto.webhook_signature import SECRET_BYTES, parse_secret, secret_text
from certifier.errors import MalformedKey

POLL_S = 2.0
_EVENT = re.compile(r"evt_[0-9a-f]{32}", re.ASCII)


@click.command()
@click.option("--server", envvar="LCAL_SERVER", required=True, help="The service whose events are wanted.")
@click.option(
    "--forward-to", "receiver", metavar="URL", help="A receiver on this machine, e.g. http://127.0.0.1:9000/label."
)
@click.option(
    "--secret", envvar="WEBHOOK_SECRET", help="Sign with this, or with WEBHOOK_SECRET; else one is made and shown."
)
@click.option("--from-start", is_flag=True, help="Begin with the earliest event that is kept, not with the next one.")
@click.option("--after", metavar="EVENT", help="Begin behind the event of this id.")
@click.option("--count", type=click.IntRange(1), help="End after so many events.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout for each event.")
@click.pass_context
def listen(
    ctx: click.Context,
    server: str,
    receiver: str | None,
    secret: str | None,
    from_start: bool,
    after: str | None,
    count: int | None,
    as_json: bool,
) -> None:
    """Follow what happens at a service, and pass each event on to a receiver that you write.

    A webhook reaches public https addresses alone. While you develop, this reads the public feed instead and sends each event to
    your machine, with the headers and a signature as a webhook has them. It needs no API key.
    Exit codes: 0 so many events were there, and taken; 3 the receiver refused one; 5 network.
    """
    if from_start and after:
        raise click.UsageError("Begin at one place: give --from-start or --after.")
    if after and not _EVENT.fullmatch(after):
        raise click.BadParameter(
            "this is no event; its id begins with evt_, as the feed has it", param_hint="'--after'"
        )
    if secret is not None:
        _check_secret(secret)
    client = service_at(server)
    after = after if from_start or after else _newest(client)
    told = console(stderr=True)
    if receiver and secret is None:
        secret = secret_text(secrets.token_bytes(SECRET_BYTES))
        told.print(f"WEBHOOK_SECRET={plain(secret)}")
    told.print(f"Listening to {plain(server)} (stop with Ctrl-C)")
    is_taken, seen = True, 0
    while count is None or seen < count:
        changes = client.changes(after)
        for change in changes.items[: None if count is None else count - seen]:
            status = forward(change, receiver, secret or "", datetime.now(UTC)) if receiver else None
            is_taken = is_taken and (status is None or 200 <= status < 300)
            if as_json:
                click.echo(json.dumps(_document(change, status), ensure_ascii=False))
            else:
                console().print(_line(change, status))
            after, seen = change.id, seen + 1
        if not (changes.has_more and changes.items) and (count is None or seen < count):
            time.sleep(POLL_S)
    ctx.exit(0 if is_taken else EXIT_REFUSED)


def _check_secret(secret: str) -> None:
    """Never quoted: it may be a good one with a letter too many."""
    try:
        parse_secret(secret)
    except MalformedKey as error:
        raise click.BadParameter(
            f"this is no secret of a webhook; expected {error.expected}", param_hint="'--secret'"
        ) from error


def _newest(client: Client) -> str | None:
    """The id of the newest event."""
    after, has_more = None, True
    while has_more:
        changes = client.changes(after)
        after = changes.items[-1].id if changes.items else after
        has_more = changes.has_more and bool(changes.items)
    return after


def _document(change: Change, status: int | None) -> dict[str, Any]:
    """The event as the feed has it, and what the receiver answered: its HTTP status, or None where none was asked."""
    event = {"id": change.id, "type": change.type, "timestamp": change.timestamp, "data": dict(change.data)}
    return event | {"status": status}


def _line(change: Change, status: int | None) -> str:
    about = change.code or change.data.get("standard") or ""
    return f"{plain(change.timestamp)}  {plain(change.type):<24}  {plain(str(about))}" + (
        f"  -> {status}" if status else ""
    )
