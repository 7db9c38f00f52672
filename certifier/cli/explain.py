"""``certifier explain``: where every gram of a figure comes from, from the report's numbers to the printed ones."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from certifier.cli.options import FILE
from certifier.cli.output import console, plain, show_json
from certifier.cli.report import HEADLINES, STANDARD
from certifier.crypto.keyring import Keyring
from certifier.decision import parse_decision
from certifier.errors import ForeignInputError
from certifier.footprint.explain import QUALITIES, UNIT
from certifier.report.envelope import OpenedReport, open_report
from certifier.service.examine import Upload, examine, gather_evidence
from certifier.service.ledger import EmptyLedger
from certifier.standard.evaluate import Verdict, decide
from certifier.standard.explanation import explanation_of
from certifier.standard.model import Standard
from certifier.storage.files import load_keyring, load_standard

WIDTH = 100


@click.command()
@click.argument("report_file", metavar="REPORT", type=FILE)
@click.option("--audio", type=FILE, help="The master that the report names; or give --decision.")
@click.option("--log", "logs", type=FILE, multiple=True, help="A raw log that is deposited; repeat for more.")
@click.option("--decision", "decision_file", type=FILE, help="A certificate's decision record, in place of the audio.")
@STANDARD
@click.option(
    "--register",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of registered keys and tools.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def explain(
    report_file: Path,
    audio: Path | None,
    logs: tuple[Path, ...],
    decision_file: Path | None,
    folder: Path,
    register: Path | None,
    as_json: bool,
) -> None:
    """Show where every gram of a signed REPORT's figure comes from.

    Give --audio and --log for a report of your own, or --decision for one that was certified: report and decision record
    are public beside each certificate. Nothing is sent.
    """
    if (audio is None) == (decision_file is None):
        raise click.UsageError("Give either --audio with its --log files, or --decision.")
    if decision_file is not None and (logs or register):
        raise click.UsageError("A decision record holds what --log and --register would say; leave them out.")
    standard, raw = load_standard(folder), report_file.read_bytes()
    if audio is not None:
        opened, verdict = _trial(standard, Upload(raw, audio, {log.name: log.read_bytes() for log in logs}), register)
    else:
        opened, verdict = _decided(standard, open_report(raw), (decision_file or report_file).read_bytes())
    document = _document(standard, opened, verdict)
    if as_json:
        show_json(document)
        return
    out = console()
    for line in _without_double_blanks(explanation_lines(document)):
        out.print(f"[bold]{plain(line)}[/]" if line and not line.startswith(" ") else plain(line))


def _trial(standard: Standard, upload: Upload, register: Path | None) -> tuple[OpenedReport, Verdict]:
    """The verdict of a trial run, as of now."""
    examined = examine(upload)
    keyring = load_keyring(register) if register else Keyring()
    evidence = gather_evidence(examined, keyring, EmptyLedger(), datetime.now(UTC))
    return examined.opened, decide(standard, examined.opened.report, evidence)


def _decided(standard: Standard, opened: OpenedReport, raw: bytes) -> tuple[OpenedReport, Verdict]:
    """The recorded verdict, reached again. Raises ForeignInputError if record, report and standard do not belong together."""
    record, evidence = parse_decision(raw)
    _check_same(record.get("report_sha256"), opened.digest, "The decision is about another report.", "sha256 ")
    rules = record.get("standard")
    _check_same(
        rules.get("sha256") if isinstance(rules, dict) else None,
        standard.digest,
        "The decision was made by other files of the standard.",
        "sha256 ",
        hint="Give the folder with the files of that day: --standard FOLDER.",
    )
    verdict = decide(standard, opened.report, evidence)
    footprint = verdict.footprint
    for name, value in (
        ("outcome", verdict.outcome),
        ("assessed_g_per_min", str(footprint.assessed) if footprint else None),
        ("central_g_per_min", str(footprint.central) if footprint else None),
    ):
        _check_same(record.get(name), value, "The decision record does not say what its own facts lead to.", f"{name} ")
    return opened, verdict


def _check_same(found: object, expected: object, message: str, label: str, hint: str | None = None) -> None:
    if found != expected:
        raise ForeignInputError(
            message, found=f"{label}{str(found)[:80]}", expected=f"{label}{expected}", hint=hint, pointer=None
        )


def _document(standard: Standard, opened: OpenedReport, verdict: Verdict) -> dict[str, Any]:
    document = explanation_of(standard, opened.report, verdict)
    if document is None:
        raise ForeignInputError(
            "This report has no figure that could be explained.",
            found=", ".join(finding.rule for finding in verdict.failed_must),
            hint="certifier report check says what to mend.",
        )
    return document


# --- the document as text ---


def _without_double_blanks(lines: Iterable[str]) -> Iterator[str]:
    before = ""
    for line in lines:
        if line or before:
            yield line
        before = line


def explanation_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The explanation for people, at most 100 columns wide where words allow; headings stand at the margin."""
    figure, track = document["figure"], document["track"]
    yield f"At most {figure['assessed_g_per_min']} {UNIT} (best estimate {figure['central_g_per_min']})"
    yield f"  {track['title']} – {track['artist']}"
    outcome, level = document["outcome"], document["evidence_level"]
    yield f"  {outcome}: {HEADLINES[outcome]}; evidence level {level}; {document['standard']['id']}"
    if document["failed_must"]:
        yield from _wrapped("rules not met: ", ", ".join(document["failed_must"]), indent=2)
        yield "  what they ask and what would help: certifier report check, or the decision's page"
    for stage in document["stages"]:
        yield from _section(stage["title"], stage["lines"])
    yield ""
    yield "From lines to figure"
    yield from _steps(document)
    yield ""
    yield "Beside the figure"
    yield from _beside(document)
    if document["post_production"]:
        yield from _section(document["post_production"]["title"], document["post_production"]["lines"])
    if document["market_based"] and document["market_based"]["lines"]:
        yield from _section("Electricity by the market, beside the figure", document["market_based"]["lines"])
    yield ""
    yield "Sources"
    for source in document["sources"]:
        about = f"{source['title']}. {source['publisher']}, {source['year']}; version {source['version']}"
        yield from _wrapped(f"[{source['source']}]  ", about, indent=2)


def _section(title: str, lines: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    yield title
    for line in lines:
        yield from _line(line)


def _line(line: Mapping[str, Any]) -> Iterator[str]:
    subject = line["subject"]
    about = "" if subject["kind"] == "track" else f" of {subject['kind']} {subject['id']}"
    grams = f"{_six(line['central_g'])} g, at most {_six(line['upper_g'])} g"
    head = f"  {line['title']}{about} ({QUALITIES[line['quality']]})"
    yield f"{head}{grams:>{max(WIDTH - len(head), len(grams) + 2)}}"
    yield from _wrapped("", f"{line['formula']['letters']}", indent=4)
    yield from _wrapped("= ", f"{line['formula']['numbers']} = {_six(line['central_g'])} g", indent=4)
    bounds = " × ".join(term["value"] for term in line["uncertainty"])
    yield from _wrapped("× ", f"{bounds} = {_six(line['upper_g'])} g at most", indent=4)
    told = set[str]()
    for term in (*line["terms"], *line["uncertainty"]):
        yield from _term(term, told, indent=6)
    yield ""


def _six(grams: str) -> str:
    """Six of nine decimals are enough to read; the JSON has them all."""
    return str(Decimal(grams).quantize(Decimal("0.000001")))


def _term(term: Mapping[str, Any], told: set[str], *, indent: int) -> Iterator[str]:
    """A term with its origin, then what it is made of. Conversions of units, and what was told before, go without saying."""
    parts = term.get("parts", ())
    if parts and term["symbol"] in told:
        return
    if parts and term["symbol"]:
        told.add(term["symbol"])
    if term["symbol"] and (parts or term["origin"]):
        value = f"{term['value']} {term['unit']}".rstrip()
        origin = f"= {term['formula']}" if parts else _origin(term["origin"])
        yield from _wrapped(f"{term['symbol']:<5}{value:<16} ", f"{term['what']}; {origin}", indent=indent)
    for part in parts:
        yield from _term(part, told, indent=indent + 2 if term["symbol"] else indent)


def _origin(origin: Mapping[str, str]) -> str:
    match origin["kind"]:
        case "table":
            return f"table {origin['table']}, row {origin['row']}, {origin['year']} [{origin['source']}]"
        case "standard":
            return f"the standard, {origin['section']}: {origin['name']}"
        case "statement":
            return f"model statement {origin['statement']}: {origin['field']}"
        case kind:
            return f"the {kind}: {origin['pointer']}"


def _steps(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {'':<20}{'best estimate':>18}{'at most':>18}"
    for step in document["reconciliation"]:
        yield f"  {step['step']:<20}{step['central']:>18}{step['upper']:>18} {step['unit']:<6} {step['how']}"
    yield from _term(document["counted_minutes"], set(), indent=2)


def _beside(document: Mapping[str, Any]) -> Iterator[str]:
    rating, sides, defaults = document["rating"], document["sides"], document["defaults"]
    yield from _wrapped(
        "rating           ",
        f"{rating['rating']}: {rating['primary_percent']} % of the upper bound rests on measurement, deposited footprints or"
        f" valid statements (A from {rating['a_from_percent']} %, B from {rating['b_from_percent']} %)",
        indent=2,
    )
    for name, title in (("consumer", "making the track"), ("provider", "making the models")):
        amount = sides[name]
        text = f"{amount['central_g_per_min']}, at most {amount['assessed_g_per_min']} g/min ({title})"
        yield from _wrapped(f"{name:<17}", text, indent=2)
    calculated = "; the figure is calculated with default values" if defaults["calculated"] else ""
    carried = f"{defaults['g_per_min']} g/min of the upper bound are default values{calculated}"
    yield from _wrapped("defaults         ", carried, indent=2)
    post, market = document["post_production"], document["market_based"]
    told = f"{post['central_g_per_min']}, at most {post['assessed_g_per_min']} g/min" if post else "not assessed"
    yield from _wrapped("post-production  ", told, indent=2)
    yield from _wrapped("market-based     ", market["words"] if market else "no electricity is claimed", indent=2)


def _wrapped(label: str, text: str, *, indent: int) -> Iterator[str]:
    """A label and words, broken at the width under the label's end."""
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent + label,
        subsequent_indent=" " * (indent + len(label)),
        break_long_words=False,
        break_on_hyphens=False,
    )
