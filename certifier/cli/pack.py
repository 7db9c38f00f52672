"""``certifier pack``: fetch, make and look at packs, the signed files for verification without a network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from certifier.catalogue.online import lines_after
from certifier.catalogue.shelf import open_shelf, save_lines
from certifier.certificate.age import KNOWN_FOR, age_text
from certifier.certificate.pack import FORM, Pack, open_pack
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust, trust_document
from certifier.cli.options import JSON, TRUST, service_at, settings_of
from certifier.cli.output import console, counted, plain, show_json
from certifier.cli.progress import counting
from certifier.cli.verify import load_trust
from certifier.client import Client
from certifier.client.trust import pinned_trust_file
from certifier.crypto.canonical import sha256_hex, to_json_text
from certifier.errors import ForeignInputError, MalformedJson, MalformedPack, OperatorError, StolenPackKey
from certifier.storage.files import load_bytes, save_bytes


@click.group(invoke_without_command=True)
@click.option("--server", metavar="URL", help="Fetch the newest pack of the service at URL.")
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Or make one, as the operator of this home."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option(
    "--certificates",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --server: also keep every certificate in this file, to look up ISRCs, codes and digests without a network.",
)
@click.option("--pin", is_flag=True, help="Pin the newer keys that a pack brings which a pinned key signed.")
@TRUST
@JSON
@click.pass_context
def pack(
    ctx: click.Context,
    server: str | None,
    home: Path | None,
    output: Path | None,
    certificates: Path | None,
    pin: bool,
    trust: Path | None,
    as_json: bool,
) -> None:
    """Write one signed file with all that verification without a network needs: keys, status lists, standards, log.

    The pack has to be signed by a key of --trust, or by a pinned one. Without either, the first pack is trusted because you
    name it, and the next one has to be signed by a key of the pack that it replaces; an older pack replaces none.
    Then: certifier verify FILE --pack PACK
    """
    if ctx.invoked_subcommand:
        if server or home or output or certificates or pin or trust or as_json:
            raise click.UsageError(f"Put the options behind the command: certifier pack {ctx.invoked_subcommand} …")
        return
    if (server is None) == (home is None) or output is None:
        raise click.UsageError("Give -o FILE, and one of --server URL (to fetch a pack) and --home HOME (to make one).")
    if certificates and not server:
        raise click.UsageError("Certificates are fetched from a service: give --server URL.")
    now = datetime.now(UTC)
    pinned = load_trust(trust)
    if pin and (trust or pinned is None):
        raise click.UsageError("--pin adds to the keys that are pinned. Begin with: certifier init --pin URL")
    before = _opened_before(output, pinned, now)
    raw = service_at(server).pack_bytes() if server else _made(home or Path(), now)
    opened = _opened_after(raw, before, pinned, now)
    _save(output, raw)
    console(stderr=True).print(
        f"Wrote {plain(str(output))}: {opened.size_bytes} bytes, made {age_text(opened.made_at, now)} ago."
    )
    _print_summary(
        opened, now, by="a key of the pack before" if pinned is None else "a key that you trust", stderr=True
    )
    if pin and pinned and opened.trust != pinned:
        save_bytes(pinned_trust_file(), to_json_text(trust_document(opened.trust)).encode())
        fresh = ", ".join(key.id for key in opened.trust.keys if pinned.key_for(key.id) is None)
        console(stderr=True).print(f"  {'pinned':<13}{plain(fresh) or 'what it says of keys and logs'}")
    document = pack_document(opened, raw, now)
    if certificates and server:
        document["certificates"] = fetch_certificates(certificates, service_at(server), opened.issuer, now)
    if as_json:
        show_json(document)


def _made(home: Path, now: datetime) -> bytes:
    from certifier.service.home import open_certifier  # noqa: PLC0415 - the service, which a light installation lacks

    certifier = open_certifier(settings_of(home), now)
    try:
        return certifier.published.pack(now)
    finally:
        certifier.close()


def fetch_certificates(file: Path, client: Client, issuer: str, now: datetime) -> dict[str, Any]:
    """Bring a shelf of certificates up to date; what it holds now. Nothing is verified here: whoever takes one does."""
    after = ""
    if file.exists():
        with open_shelf(file) as shelf:
            after = shelf.cursor
    with counting("certificates fetched") as done:
        new = save_lines(file, lines_after(client, after), issuer, time_text(now), done)
    with open_shelf(file) as shelf:
        held = len(shelf)
    console(stderr=True).print(f"Wrote {plain(str(file))}: {counted(held, 'certificate')}, {new} of them new.")
    return {"file": str(file), "held": held, "new": new}


def _opened_before(output: Path, pinned: Trust | None, now: datetime) -> Pack | None:
    """The pack that is to be replaced; None also for one that rests on a key which the pinned ones know as stolen.

    Raises MalformedPack when something else would be replaced.
    """
    raw = load_bytes(output)
    if raw is None:
        return None
    try:
        return open_pack(raw, pinned, now)
    except ForeignInputError as error:
        if pinned and isinstance(error, StolenPackKey):
            return None  # its date may be the thief's; the new one has to be signed by a pinned key all the same
        raise MalformedPack(
            f"What lies at {output} is no pack that can be used, and is left as it is: {error.message}",
            found=error.found,
            expected=error.expected,
            hint="Choose another name for -o, or move that file away.",
        ) from error


def _opened_after(raw: bytes, before: Pack | None, pinned: Trust | None, now: datetime) -> Pack:
    opened = open_pack(raw, before.trust if before else pinned, now)
    if before and opened.made_at < before.made_at:
        raise MalformedPack(
            "This pack is older than the one that is here already, which is left as it is.",
            found=time_text(opened.made_at),
            expected=f"{time_text(before.made_at)} or later",
            hint="Is there a cache in between? Try again later.",
        )
    return opened


def _save(output: Path, raw: bytes) -> None:
    try:
        save_bytes(output, raw)
    except OSError as error:
        raise OperatorError(f"The pack {output} cannot be written.", found=str(error)) from error


@pack.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@TRUST
@JSON
def show(file: Path, trust: Path | None, as_json: bool) -> None:
    """Show what a pack holds, how old it is, and which key signed it."""
    now = datetime.now(UTC)
    raw = file.read_bytes()
    try:
        opened = open_pack(raw, load_trust(trust), now)
    except MalformedJson as error:  # whose own hint is how to save JSON
        raise MalformedPack(
            "This is no pack.",
            found=f"{file.name}: {error.message}",
            expected="what a service hands out for verifying without a network: keys, logs and status lists, as signed JSON",
            hint="Fetch one with: certifier pack --server URL -o FILE",
        ) from error
    if as_json:
        show_json(pack_document(opened, raw, now))
        return
    out = console()
    out.print(
        f"[bold]{FORM}[/] of {plain(opened.issuer)}, {opened.size_bytes} bytes, {plain(opened.trust.environment)}"
    )
    _print_summary(opened, now, by="a key that you trust")
    for key in opened.trust.keys:
        stolen = ", stolen" if key.last_good else ""
        days = f"{key.valid_from:%Y-%m-%d} to {key.valid_until:%Y-%m-%d}{stolen}"
        out.print(f"  {'key':<13}{plain(key.id)}, {plain(key.role)}, {days}, fingerprint {key.key.fingerprint}")
    for checkpoint in opened.checkpoints:
        out.print(f"  {'log':<13}{plain(checkpoint.origin)} at size {checkpoint.size}")
    for standard in opened.trust.standards:
        out.print(f"  {'standard':<13}{plain(standard.id)}, {standard.state}, sha256:{plain(standard.sha256)}")
    for listed in opened.lists:
        out.print(f"  {'status list':<13}{plain(listed.url)}, {len(listed.positions)} set")
    for url, body in opened.contexts.items():
        out.print(f"  {'context':<13}{plain(url)}, sha256:{sha256_hex(body)}")


def _print_summary(opened: Pack, now: datetime, *, by: str, stderr: bool = False) -> None:
    out = console(stderr=stderr)
    out.print(f"  {'status':<13}{status_text(opened, now)}")
    trust, lists = opened.trust, opened.lists
    held = (
        counted(len(trust.keys), "key"),
        counted(len(trust.logs), "log"),
        counted(len(trust.standards), "version") + " of the standard",
        counted(len(lists), "status list"),
        counted(len(opened.contexts), "context"),
    )
    out.print(f"  {'holds':<13}{', '.join(held)}")
    if not opened.is_vouched_for:
        out.print(
            f"  {'signed by':<13}{plain(opened.issuer_key.id)}; nobody vouches for it, you trust it by naming this pack"
        )
        out.print(
            f"  {'fingerprint':<13}{opened.fingerprint}: compare it with the one that the issuer publishes elsewhere"
        )
        return
    out.print(f"  {'signed by':<13}{plain(opened.issuer_key.id)}, {by}")
    for key in opened.new_keys:
        out.print(f"  {'new key':<13}{plain(key.id)}, {plain(key.role)}, fingerprint {key.key.fingerprint}")


def status_text(opened: Pack, now: datetime) -> str:
    """What the pack's age is worth, in words."""
    in_force_until = min((listed.valid_until for listed in opened.lists), default=opened.made_at)
    if not opened.lists:
        return "it holds no status list, so no certificate can be told to be in force"
    if now <= in_force_until:
        return f"in force until {time_text(in_force_until)}"
    known_until = opened.status_as_of + KNOWN_FOR
    age = age_text(opened.status_as_of, now)
    if now <= known_until:
        return f"{age} old: certificates are valid with a warning, until {time_text(known_until)}"
    return f"{age} old: too old to tell whether a certificate is in force; fetch a newer pack"


def pack_document(opened: Pack, raw: bytes, now: datetime) -> dict[str, Any]:
    """What a pack holds, as JSON."""
    trust = trust_document(opened.trust)
    return {
        "form": FORM,
        "issuer": opened.issuer,
        "environment": opened.trust.environment,
        "made_at": time_text(opened.made_at),
        "valid_until": time_text(opened.valid_until),
        "age_seconds": max(0, int((now - opened.made_at).total_seconds())),
        "status_as_of": time_text(opened.status_as_of),
        "status": status_text(opened, now),
        "size_bytes": opened.size_bytes,
        "sha256": sha256_hex(raw),
        "issuer_key": opened.issuer_key.id,
        "fingerprint": opened.fingerprint,
        "vouched_for": opened.is_vouched_for,
        "new_keys": [key.id for key in opened.new_keys] if opened.is_vouched_for else [],
        "keys": trust["keys"],
        "logs": [{"origin": checkpoint.origin, "size": checkpoint.size} for checkpoint in opened.checkpoints],
        "standards": trust["standards"],
        "status_lists": [
            {
                "url": listed.url,
                "purpose": listed.purpose,
                "set": len(listed.positions),
                "valid_until": time_text(listed.valid_until),
            }
            for listed in opened.lists
        ],
        "contexts": [{"url": url, "sha256": sha256_hex(body)} for url, body in opened.contexts.items()],
    }
