"""``certifier mine``: everything that was submitted with a key, shown to whoever has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from certifier.cli.options import service_at
from certifier.cli.output import console, counted, plain, show_json
from certifier.storage.files import load_signing_key


@click.command()
@click.option(
    "--key", "key_file", type=click.Path(path_type=Path), required=True, help="The key that signed the reports."
)
@click.option("--server", required=True, help="The service, such as https://label.example.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def mine(key_file: Path, server: str, as_json: bool) -> None:
    """List what was submitted with a key: decisions, codes, states, ends and renewals.

    The key signs one text of the service, made this minute, and stays here.
    """
    answer = service_at(server).my_tracks(load_signing_key(key_file))
    if as_json:
        show_json(answer)
        return
    out, items = console(), answer["items"]
    out.print(f"{counted(len(items), 'submission')} with the key {plain(answer['key'])}")
    for item in items:
        out.print(f"  {plain(_line(item))}")
    if answer["more"]:
        out.print("  Only the newest are listed.")


def _line(item: dict[str, Any]) -> str:
    state = item["certificate_state"] or item["state"]
    parts = [
        item["code"] or "-" * 12,
        f"{state:<12}",
        f"{item['outcome']:<10}",
        (item["expires_at"] or "")[:10].ljust(10),
    ]
    renew = f"  renew from {item['renewal_window']['start'][:10]}" if item["renewal_window"] else ""
    return f"{'  '.join(parts)}  {item['title']}, {item['artist']}{renew}"
