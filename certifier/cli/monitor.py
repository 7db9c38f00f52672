"""``certifier log monitor``: follow a service's log, knowing only its address, and keep every byte that it showed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from certifier.certificate.code import display_code
from certifier.cli.mirror import Growth, Read, Watch, copy_certificate
from certifier.cli.options import TRUST
from certifier.cli.output import console, moving, plain, show_error
from certifier.cli.verify import load_trust
from certifier.client import Client, Patience
from certifier.errors import CertifierError, UnreachableError
from certifier.log.entry import parse_entry
from certifier.log.lines import to_base64
from certifier.log.note import ED25519, VerifierKey, parse_checkpoint, parse_note, parse_verifier_key
from certifier.log.tiles import TilePath
from certifier.storage.log_folder import CERTIFICATES, LogFolder

SHORT = 24  # symbols of a key's name

VKEY = click.option(
    "--vkey",
    "vkeys",
    multiple=True,
    metavar="TEXT|FILE",
    help="The log's key to trust; with several, the oldest first.",
)
ONCE = Patience(attempts=1)  # a monitor looks again by itself


@click.command()
@click.argument("url")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the log is kept; else a folder of its own for each host, below ~/.local/state.",
)
@VKEY
@TRUST
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout for each entry, and one at the end.")
@click.option(
    "--every", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Look again until stopped."
)
@click.option(
    "--certificates", is_flag=True, help="Also keep the public files of every certificate, for a restore with --mirror."
)
@click.option("--quiet", is_flag=True, help="Say nothing as long as the log is as it must be.")
def monitor(
    url: str,
    state: Path | None,
    vkeys: tuple[str, ...],
    trust: Path | None,
    as_json: bool,
    every: float | None,
    certificates: bool,
    quiet: bool,
) -> None:
    """Follow the log of the service at URL: tell what is new, and refuse whatever contradicts what was seen before.

    The log is kept byte for byte; `certifier restore --mirror DIR` reads the folder of --state. Without a trusted key the
    log's own word is taken once, at the first look.
    Exit codes: 0 the log goes on as it must, 3 it does not, 5 network.
    """
    client = Client(url, patience=ONCE)
    watch = Watch(client, state or _default_state(url), trusted_log_keys(vkeys, trust), _warn, _progress)
    while True:
        seen = set[Path]()
        try:
            for growth in watch.look():
                seen.add(growth.folder)
                if not quiet:
                    _show(growth, as_json=as_json)
            for folder in sorted(seen) if certificates else ():
                _keep_certificates(client, folder)
        except UnreachableError as error:
            if every is None:
                raise
            show_error(error)  # what is away now may be back at the next look; a log that misbehaves ends this
        if every is None:
            return
        time.sleep(every)


def _keep_certificates(client: Client, folder: Path) -> None:
    """The public files of everything that a kept log says was issued; what was not there at an earlier look is asked again."""
    log, missing = LogFolder(folder), 0
    note = log.checkpoint()
    for raw in log.load_entries(parse_checkpoint(parse_note(note).text).size) if note else ():
        with suppress(CertifierError):
            entry = parse_entry(raw)
            if entry["type"] == "issue":
                missing += not copy_certificate(client, entry["code"], folder / CERTIFICATES)
    if missing:
        _warn(f"The files of {missing} certificates could not be had; the next look asks for them again.")


def trusted_log_keys(vkeys: Sequence[str], trust: Path | None) -> list[VerifierKey] | None:
    """The log keys that this person trusts, the oldest first; None when no key was named or pinned at all."""
    if vkeys:
        return [_parse_vkey(text) for text in vkeys]
    trusted = load_trust(trust)
    return None if trusted is None else list(trusted.logs)


def _parse_vkey(text: str) -> VerifierKey:
    try:
        file = Path(text)
        key = parse_verifier_key((file.read_text("utf-8") if file.is_file() else text).strip())
    except (OSError, UnicodeDecodeError, CertifierError) as error:
        raise click.BadParameter(f"{text[:80]!r} is no verifier key: {error}", param_hint="--vkey") from error
    if key.type != ED25519:
        raise click.BadParameter(f"{key.name} is the key of a witness, not of a log.", param_hint="--vkey")
    return key


def _default_state(url: str) -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    address = urlsplit(url)
    host = address.netloc.rpartition("@")[2].replace(os.sep, "-").lstrip(".")
    if not host:
        raise click.BadParameter(f"{url[:80]!r} names no host.", param_hint="URL")
    return state / "certifier" / "monitor" / host


def _warn(text: str) -> None:
    console(stderr=True, always=True).print(f"[bold yellow]warning[/]  {plain(text)}")


@contextmanager
def _progress(read: Read, files: int) -> Iterator[Read]:
    """A bar on stderr while files are read, where somebody sits before it."""
    with moving() as bar:
        task = bar.add_task("reading the log", total=files)

        def counted(tile: TilePath) -> bytes:
            content = read(tile)
            bar.advance(task)
            return content

        yield counted


def _show(growth: Growth, *, as_json: bool) -> None:
    """Each new entry in one line, then where the log stands."""
    say = _say_json if as_json else _say_plain
    say(growth)


def _say_plain(growth: Growth) -> None:
    checkpoint = growth.checkpoint
    if growth.follows:
        click.echo(f"{', '.join(growth.follows)} is closed for ever; {checkpoint.origin} goes on from here")
    for index, raw in growth.numbered():
        click.echo(f"{index:>8}  {entry_line(raw)}")
    closed = ", closed" if growth.is_closed else ""
    click.echo(
        f"{checkpoint.origin} at size {checkpoint.size}, {len(growth.entries)} new, root {to_base64(checkpoint.root)}{closed}"
    )


def _say_json(growth: Growth) -> None:
    checkpoint = growth.checkpoint
    for index, raw in growth.numbered():
        _line({"log": checkpoint.origin, "index": index, **_entry_object(raw)})
    _line(
        {
            "log": checkpoint.origin,
            "size": checkpoint.size,
            "new": len(growth.entries),
            "root": to_base64(checkpoint.root),
            "closed": growth.is_closed,
            "follows": list(growth.follows),
            "folder": str(growth.folder),
        }
    )


def _line(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def _entry_object(raw: bytes) -> dict[str, Any]:
    try:
        return {"entry": parse_entry(raw)}
    except CertifierError:
        return {"entry": None, "raw": to_base64(raw)}


def entry_line(raw: bytes) -> str:
    """One entry for people: when, what, which certificate, and why or under which standard and key."""
    try:
        entry = parse_entry(raw)
    except CertifierError as error:
        shown = raw[:120].decode("utf-8", "replace")
        text = "".join(char if char.isprintable() else "�" for char in shown)
        return f"{'':<20}  {'unknown':<16}  {len(raw)} bytes that this version does not know ({error.found}): {text}"
    code = display_code(entry["code"]) if "code" in entry else ""
    replaced = f"replaced by {display_code(entry['replaced_by'])}" if "replaced_by" in entry else None
    about = (entry.get("reason"), replaced, entry.get("standard"), _short(entry.get("kid")), _fate_of_key(entry))
    return f"{entry['at']}  {entry['type']:<16}  {code:<12}  {', '.join(filter(None, about))}".rstrip()


def _fate_of_key(entry: dict[str, Any]) -> str | None:
    """What an entry about a key or the register means for whoever verifies."""
    match entry["type"]:
        case "approve":
            return f"{entry['kind']} {entry['id']}"
        case "key-add":
            return f"a new key: {entry['key']}"
        case "key-retire":
            return "signs nothing new"
        case "key-compromise" if "last_good_index" in entry:
            where = f" of {entry['last_good_log']}" if "last_good_log" in entry else ""
            return f"STOLEN: good up to index {entry['last_good_index']}{where}"
        case "key-compromise":
            return "STOLEN: nothing under it is good"
    return None


def _short(kid: str | None) -> str | None:
    """A key's name without the party that has it, and not longer than a line can bear."""
    if kid is None:
        return None
    name = kid.rpartition("#")[2]
    return name if len(name) <= SHORT else f"{name[:SHORT]}…"
