"""``certifier complaints``: what people reported, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from certifier.certificate.code import display_code
from certifier.certificate.times import time_text
from certifier.cli.options import HOME, JSON, settings_of
from certifier.cli.output import console, plain, show_json
from certifier.service.certifier import Certifier
from certifier.service.complaints import OPEN, OUTCOMES, STATES, deadlines_of, display_receipt, is_late
from certifier.service.home import open_certifier
from certifier.storage.rows import ComplaintRow


@contextmanager
def _opened(home: Path) -> Iterator[tuple[Certifier, datetime]]:
    now = datetime.now(UTC)
    certifier = open_certifier(settings_of(home), now)
    try:
        yield certifier, now
    finally:
        certifier.close()


@click.group("complaints")
def complaints() -> None:
    """Complaints and reports of misuse: acknowledged in 5 days, a finding in 14."""


@complaints.command("list")
@HOME
@click.option(
    "--state",
    type=click.Choice([*STATES, "open", "all"]),
    default="open",
    show_default=True,
    help="Open: received or under review.",
)
@JSON
def list_(home: Path, state: str, as_json: bool) -> None:
    """List complaints, the oldest first, and which are late."""
    states = {"open": OPEN, "all": STATES}.get(state, (state,))
    with _opened(home) as (certifier, now):
        rows = certifier.complaints.listed(states)
    if as_json:
        show_json({"complaints": [_summary(row, now) for row in rows]})
        return
    for row in rows:
        console().print(_line(row, now))
    if not rows:
        console(stderr=True).print("There are none." if state == "all" else f"There are none that are {state}.")


@complaints.command()
@click.argument("receipt")
@HOME
@JSON
def show(receipt: str, home: Path, as_json: bool) -> None:
    """Show one complaint with what was written and how to reach the sender. That is private: pass it to nobody."""
    with _opened(home) as (certifier, now):
        row = certifier.complaints.one(receipt)
        is_known = row.code is not None and certifier.store.certificate(row.code) is not None
    if as_json:
        private = {"place": row.place, "text": row.text, "contact": row.contact, "is_issued_here": is_known}
        show_json(_summary(row, now) | private)
        return
    out = console()
    out.print(_line(row, now))
    if row.code:
        out.print(f"code      {display_code(row.code)}{'' if is_known else ' was never issued here'}")
    for label, text in (("seen at", row.place), ("contact", row.contact), ("told", row.reason)):
        out.print(f"{label:<10}{plain(text) or '-'}")
    for line in row.text.split("\n"):
        out.print(f"  {plain(line)}")


@complaints.command()
@click.argument("receipt")
@HOME
@click.option("--reason", default="", help="What the sender reads on the receipt's page.")
@JSON
def review(receipt: str, home: Path, reason: str, as_json: bool) -> None:
    """Acknowledge a complaint and go into it; from now on its certificate's page counts it."""
    with _opened(home) as (certifier, now):
        _told(certifier.complaints.review(receipt, reason, now), now, as_json=as_json)


@complaints.command()
@click.argument("receipt")
@HOME
@click.option("--outcome", type=click.Choice(OUTCOMES), required=True, help="What came out; counted in public.")
@click.option("--reason", required=True, help="What the sender reads on the receipt's page.")
@JSON
def close(receipt: str, home: Path, outcome: str, reason: str, as_json: bool) -> None:
    """Close a complaint with its outcome. A certificate's status is changed by itself: certifier suspend, revoke."""
    with _opened(home) as (certifier, now):
        _told(certifier.complaints.close(receipt, outcome, reason, now), now, as_json=as_json)


def _told(row: ComplaintRow, now: datetime, *, as_json: bool) -> None:
    if as_json:
        show_json(_summary(row, now))
    else:
        console().print(_line(row, now))


def _summary(row: ComplaintRow, now: datetime) -> dict[str, Any]:
    deadlines = deadlines_of(row)
    return {
        "receipt": display_receipt(row.receipt),
        "kind": row.kind,
        "code": row.code,
        "state": row.state,
        "received_at": row.received_at,
        "acknowledge_by": time_text(deadlines.acknowledge_by),
        "finding_by": time_text(deadlines.finding_by),
        "reviewed_at": row.reviewed_at,
        "closed_at": row.closed_at,
        "outcome": row.outcome,
        "reason": row.reason,
        "late": is_late(row, now),
    }


def _line(row: ComplaintRow, now: datetime) -> str:
    code = display_code(row.code) if row.code else "-"
    late = "  [bold red]late[/]" if is_late(row, now) else ""
    ended = f"  {row.outcome}" if row.outcome else ""
    return (
        f"{display_receipt(row.receipt)}  {row.received_at[:10]}  {row.kind:<7}  {code:<12}  {row.state}{ended}{late}"
    )
