"""``certifier webhooks``: where events are sent, what came of it, and sending one again. Secrets are never shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from certifier.cli.options import HOME, JSON, settings_of
from certifier.cli.output import console, plain, show_json
from certifier.service.home import open_certifier
from certifier.service.webhooks import Webhooks, delivery_document, endpoint_document
from certifier.storage.rows import DeliveryRow, EndpointRow


@contextmanager
def _opened(home: Path) -> Iterator[Webhooks]:
    certifier = open_certifier(settings_of(home))
    try:
        yield certifier.webhooks
    finally:
        certifier.close()


@click.command("list")
@HOME
@JSON
def list_(home: Path, as_json: bool) -> None:
    """List all endpoints: whose they are, where they lead, whether they fail."""
    with _opened(home) as found:
        rows = found.all_of()
    if as_json:
        show_json({"endpoints": [endpoint_document(row) for row in rows]})
        return
    for row in rows:
        console().print(f"{row.id}  {_state(row):<22}  {plain(row.holder)}  {plain(row.url)}")
    if not rows:
        console(stderr=True).print("There are none.")


@click.command()
@click.argument("endpoint")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many at most.")
@HOME
@JSON
def deliveries(endpoint: str, limit: int, home: Path, as_json: bool) -> None:
    """List what was sent to ENDPOINT and what waits, the newest first."""
    with _opened(home) as found:
        rows = found.deliveries(found.one(endpoint), limit)
    if as_json:
        show_json({"deliveries": [delivery_document(row) for row in rows]})
        return
    for row in rows:
        console().print(_line(row))
    if not rows:
        console(stderr=True).print("There are none.")


@click.command()
@click.argument("delivery")
@HOME
@JSON
def replay(delivery: str, home: Path, as_json: bool) -> None:
    """Send the event of DELIVERY again, under its own id; a running service does it within a second or two."""
    with _opened(home) as found:
        row = found.replay(found.delivery(delivery), datetime.now(UTC))
    if as_json:
        show_json(delivery_document(row))
    else:
        console().print(_line(row))


def _state(row: EndpointRow) -> str:
    if row.status != "active":
        return f"disabled: {row.disabled_because}"
    return f"failing since {row.failing_since[:10]}" if row.failing_since else "active"


def _line(row: DeliveryRow) -> str:
    told = f"  {plain(row.told)}" if row.told else ""
    return f"{row.id}  {row.created_at}  {row.type:<22}  {row.state:<9}  {row.attempts} sent{told}"
