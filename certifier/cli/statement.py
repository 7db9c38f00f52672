"""``certifier statement``: what a model or a service costs per minute, signed, verified and registered (LCAL 6.3, 17.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from certifier.certificate.times import time_text
from certifier.cli.options import FILE, HOME, JSON_RESULT, settings_of
from certifier.cli.output import EXIT_REFUSED, console, plain, show_json, show_result
from certifier.cli.report import OUT, STANDARD
from certifier.crypto.canonical import to_json_text
from certifier.crypto.keyring import Keyring
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedReport
from certifier.report.envelope import add_signature, sign_report
from certifier.report.exports import is_export, sign_export
from certifier.report.statements import (
    FORM,
    Check,
    OpenedStatement,
    check_statement,
    is_registered,
    open_statement,
    parse_statement,
    rules_met,
    unsigned_statement,
)
from certifier.service.statements import (
    StatementView,
    bounds_of,
    register_statement,
    statements_in,
    withdraw_statement,
)
from certifier.storage.files import load_keyring, load_signing_key, load_standard, save_bytes

REGISTER = click.option(
    "--register", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The folder of the register."
)
RULES = {
    "ALC-03": "training by statement is allowed",
    "BND-07": "training is known, which class 1 asks for",
    "MTH-03": "no default for the service, which class 2 asks for",
    "MTH-04": "the service's figures count",
    "BND-05": "the service's places are known, which class 2 asks for",
}
TAKEN_UP = "A running service takes it up by itself."


@click.group()
def statement() -> None:
    """Make, sign, check and register the statement of a model or a service."""


def _weighted(text: str, what: str) -> tuple[str, str]:
    name, found, number = text.rpartition("=")
    if not found or not name:
        raise click.UsageError(f"{what} is written NAME=NUMBER, not {text!r}.")
    return name, number


@statement.command()
@click.option("--id", "statement_id", help="Its id, used once: small letters, digits, hyphens.")
@click.option("--model", help="The model's name, as reports will write it.")
@click.option("--version", "model_version", help="The model's version, as reports will write it.")
@click.option("--maker", help="The maker's or operator's name in the register.")
@click.option("--maker-key", help="Its did:key (certifier keys show FILE).")
@click.option("--verifier", help="The verifier's name in the register.")
@click.option("--verifier-key", help="Its did:key.")
@click.option("--no-conflict", is_flag=True, help="The verifier declares that it has no conflict.")
@click.option("--issued-on", help="The day of issue; it counts for 365 days. Today if not given.")
@click.option("--training-g-per-minute", help="g CO2e of training per generated minute.")
@click.option("--includes-data/--without-data", default=None, help="Whether the training figure holds the data stage.")
@click.option("--location-based", is_flag=True, help="All grams rest on the grid of the place.")
@click.option("--wh-per-minute", help="Wh of the whole service per generated minute.")
@click.option("--pue", help="Its production-weighted PUE.")
@click.option("--place", "places", multiple=True, metavar="KEY=WEIGHT", help="A place and its share; repeat.")
@click.option("--hardware", multiple=True, metavar="NAME=SECONDS", help="Seconds of one device per minute; repeat.")
@click.option("--evidence", help="A link to the verified calculation.")
@click.option("-o", "--out", type=OUT, default=Path("statement.json"), show_default=True)
@JSON_RESULT
def new(
    statement_id: str | None,
    model: str | None,
    model_version: str | None,
    maker: str | None,
    maker_key: str | None,
    verifier: str | None,
    verifier_key: str | None,
    no_conflict: bool,
    issued_on: str | None,
    training_g_per_minute: str | None,
    includes_data: bool | None,
    location_based: bool,
    wh_per_minute: str | None,
    pue: str | None,
    places: tuple[str, ...],
    hardware: tuple[str, ...],
    evidence: str | None,
    out: Path,
) -> None:
    """Write an unsigned statement from the options. What is not given stays null, to be filled in by hand."""
    document: dict[str, Any] = {
        "form": FORM,
        "id": statement_id,
        "model": model,
        "version": model_version,
        "maker": {"id": maker, "key": maker_key},
        "verifier": {"id": verifier, "key": verifier_key, "conflict": False if no_conflict else None},
        "issued_on": issued_on or f"{datetime.now(UTC):%Y-%m-%d}",
        "training_g_per_minute": training_g_per_minute,
        "includes_data": includes_data,
        "location_based": location_based or None,
        "evidence": evidence,
    }
    if wh_per_minute or pue or places or hardware:
        document["service"] = {
            "wh_per_minute": wh_per_minute,
            "pue": pue,
            "places": [{"key": key, "weight": weight} for key, weight in (_weighted(p, "--place") for p in places)],
            "hardware": [
                {"name": name, "seconds_per_minute": seconds}
                for name, seconds in (_weighted(line, "--hardware") for line in hardware)
            ],
        }
    save_bytes(out, to_json_text(document).encode())
    notes = console(stderr=True)
    try:
        parse_statement(document)
    except MalformedReport as error:
        notes.print(f"Wrote {out}. To fill in or to mend:")
        for finding in error.findings:
            notes.print(f"  {plain(finding.pointer)}: {plain(finding.problem)}")
        missing = [finding.pointer for finding in error.findings]
    else:
        notes.print(f"Wrote {out}, unsigned. Next, maker and verifier: certifier statement sign {out} --key FILE")
        missing = []
    show_result({"file": str(out), "to_mend": missing})


@statement.command()
@click.argument("file", type=FILE)
@click.option("--key", "keys", type=FILE, required=True, multiple=True, help="A signing key; repeat for more signers.")
@click.option("-o", "--out", type=OUT, help="Where to write it; FILE with .dsse.json if not given.")
@JSON_RESULT
def sign(file: Path, keys: tuple[Path, ...], out: Path | None) -> None:
    """Sign the statement in FILE, or add a signature to one that another signed already.

    A service signs its account exports with the same command.
    """
    raw = file.read_bytes()
    signers = [load_signing_key(key) for key in keys]
    document = parse_object(raw)
    if "payload" in document:
        open_statement(raw)  # nobody adds a name below a broken signature
        for signer in signers:
            document = add_signature(document, signer)
    elif is_export(raw):
        if len(signers) != 1:
            raise click.UsageError("An account export is signed by one key, the service's.")
        document = sign_export(document, signers[0])
    else:
        document = sign_report(unsigned_statement(document), signers)
    target = out or (file if "payload" in parse_object(raw) else file.with_suffix(".dsse.json"))
    save_bytes(target, to_json_text(document).encode())
    names = [signer.public.did_key for signer in signers]
    console(stderr=True).print(f"Wrote {target}, signed by {', '.join(names)}")
    show_result({"file": str(target), "signed_by": names})


@statement.command()
@click.argument("file", type=FILE)
@REGISTER
@STANDARD
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def check(ctx: click.Context, file: Path, register: Path | None, folder: Path, as_json: bool) -> None:
    """Check a signed statement in FILE: what registration asks, which rules it meets, until when it counts.

    Nothing is registered. Exit code 0: it may be registered, or is; 3: it would be refused.
    """
    opened, bounds = open_statement(file.read_bytes()), bounds_of(load_standard(folder))
    checks = check_statement(opened, load_keyring(register) if register else Keyring(), bounds, datetime.now(UTC))
    rules = rules_met(opened, checks)
    until = time_text(opened.statement.valid_until(bounds.valid_days))
    if as_json:
        show_json(_check_document(opened, checks, rules, until))
    else:
        _show_checks(opened, checks, rules, until)
        if register is None:
            console(stderr=True).print("Without --register nobody is known: give the folder of registered keys.")
    ctx.exit(0 if is_registered(checks) or all(found.met for found in checks) else EXIT_REFUSED)


def _check_document(
    opened: OpenedStatement, checks: Sequence[Check], rules: Mapping[str, bool], until: str
) -> dict[str, Any]:
    return {
        "id": opened.statement.id,
        "model": opened.statement.model,
        "version": opened.statement.version,
        "sha256": opened.digest,
        "accepted": all(found.met for found in checks),
        "registered": is_registered(checks),
        "valid_until": until,
        "rules": dict(rules),
        "checks": [
            {"name": found.name, "met": found.met, "found": found.found, "advice": None if found.met else found.advice}
            for found in checks
        ],
    }


def _show_checks(opened: OpenedStatement, checks: Sequence[Check], rules: Mapping[str, bool], until: str) -> None:
    out, named = console(), opened.statement
    head = "[bold red]would be refused[/]"
    if all(found.met for found in checks):
        head = "[bold green]may be registered[/]"
    elif is_registered(checks):
        head = "[bold green]is registered[/]"
    out.print(f"{head}  {plain(named.id)}: {plain(named.model)} {plain(named.version)}, counts until {until}")
    for found in checks:
        mark = "[green]yes[/]" if found.met else "[red]no [/]"
        out.print(f"  {mark}  {plain(found.name)}: {plain(found.found)}")
        if not found.met and found.advice:
            out.print(f"       to do  {plain(found.advice)}")
    out.print("What it opens for a report that names it")
    for rule, words in RULES.items():
        out.print(f"  {'[green]yes[/]' if rules[rule] else '[red]no [/]'}  {rule}  {words}")


@statement.command()
@click.argument("file", type=FILE)
@HOME
@JSON_RESULT
def register(file: Path, home: Path) -> None:
    """Put a signed statement into the register of the installation. Exit code 3: refused, with the reason."""
    settings = settings_of(home)
    standard = load_standard(settings.newest_standard)
    bounds = bounds_of(standard)
    opened = register_statement(settings.register_dir, file.read_bytes(), bounds, datetime.now(UTC))
    named = opened.statement
    until = time_text(named.valid_until(bounds.valid_days))
    show_result(
        {"id": named.id, "model": named.model, "version": named.version, "counts_until": until},
        f"registered  {plain(named.id)}: {plain(named.model)} {plain(named.version)}, counts until {until}",
    )
    console(stderr=True).print(TAKEN_UP)


@statement.command()
@click.argument("statement_id", metavar="ID")
@HOME
@click.option("--reason", required=True, help="Why, in one public line.")
@JSON_RESULT
def withdraw(statement_id: str, home: Path, reason: str) -> None:
    """Withdraw a registered statement: it stays listed, and counts no more from now on."""
    entry = withdraw_statement(settings_of(home).register_dir, statement_id, reason, datetime.now(UTC))
    since = time_text(entry.withdrawn_at or entry.registered_at)
    show_result({"id": entry.id, "withdrawn_at": since}, f"withdrawn  {entry.id} since {since}")
    console(stderr=True).print(f"{TAKEN_UP} Certificates that rest on it stay; revoke those that need it.")


@statement.command("list")
@HOME
@REGISTER
@STANDARD
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def list_(home: Path, register: Path | None, folder: Path, as_json: bool) -> None:
    """List the registered statements: model, until when they count, whether they hold service figures, how they stand."""
    keyring = load_keyring(register or settings_of(home).register_dir)
    views = statements_in(keyring, load_standard(folder), datetime.now(UTC))
    if as_json:
        show_json({"statements": [_view_document(view) for view in views]})
        return
    if not views:
        console(stderr=True).print("No statement is registered.")
    rows = [("ID", "MODEL", "VERSION", "COUNTS UNTIL", "SERVICE", "STATE"), *map(_row_of, views)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows if views else ():
        console().print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row_of(view: StatementView) -> tuple[str, ...]:
    words = "yes" if view.has_service_figures else "no"
    state: str = view.state
    if view.entry.withdrawn_at and view.state == "withdrawn":
        state = f"withdrawn {view.entry.withdrawn_at:%Y-%m-%d}: {view.entry.reason}"
    cells = (view.entry.id, view.statement.model, view.statement.version, f"{view.valid_until:%Y-%m-%d}", words, state)
    return tuple(plain(cell) for cell in cells)


def _view_document(view: StatementView) -> dict[str, Any]:
    service = view.statement.service
    withdrawn = view.entry.withdrawn_at
    return {
        "id": view.entry.id,
        "model": view.statement.model,
        "version": view.statement.version,
        "maker": view.statement.maker.id,
        "verifier": view.statement.verifier.id,
        "issued_on": view.statement.issued_on,
        "registered_at": time_text(view.entry.registered_at),
        "valid_until": time_text(view.valid_until),
        "state": view.state,
        "withdrawn_at": time_text(withdrawn) if withdrawn else None,
        "reason": view.entry.reason or None,
        "training_g_per_minute": _text(view.statement.training_g_per_minute),
        "wh_per_minute": _text(service.wh_per_minute) if service else None,
        "evidence": view.statement.evidence,
    }


def _text(number: Decimal) -> str:
    return format(number, "f")
