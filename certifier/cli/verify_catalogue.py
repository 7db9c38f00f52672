"""``certifier verify CATALOGUE``: every row of a file, with all cores, and a summary (docs/catalogues.md)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from certifier.catalogue import ENCODINGS
from certifier.catalogue.questions import Column, column_for
from certifier.catalogue.shelf import open_shelf
from certifier.certificate.age import age_text
from certifier.certificate.pack import Pack, open_pack
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust, trust_document
from certifier.cli.options import FILE
from certifier.cli.output import EXIT_CANNOT_TELL, EXIT_REFUSED, console, counted, plain, show_json
from certifier.cli.progress import counting
from certifier.client import Client
from certifier.crypto.canonical import to_json_text
from certifier.errors import CertifierError, OperatorError

if TYPE_CHECKING:
    from certifier.catalogue.checker import CheckerPlan
    from certifier.catalogue.pieces import Catalogue

# result -> (how it reads in the summary, {} being row or rows; its colour), as the summary lists them
RESULTS = {
    "valid": ("valid", "green"),
    "valid_with_warnings": ("valid, with a warning", "yellow"),
    "not_valid": ("not valid", "red"),
    "cannot_tell": ("cannot tell", "yellow"),
    "no_certificate": ("no certificate", ""),
    "problem": ("{} that cannot be read", "yellow"),
}


@dataclass(frozen=True)
class CatalogueOptions:
    """What is said of a catalogue and of its results."""

    columns: tuple[str, ...]
    out: Path | None
    certificates: Path | None
    key: str | None
    processes: int | None
    encoding: str
    delimiter: str | None
    restart: bool

    @property
    def are_given(self) -> bool:
        """Whether anything was said that is for catalogues alone; a key may come from the environment."""
        return bool(self.columns or self.out or self.certificates or self.processes or self.delimiter or self.restart)


_OPTIONS = (
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="[KIND=]NAME",
        help="Of a catalogue: the column that finds certificates, by code, isrc, sha256, essence_sha256 or credential. "
        "Several: the first that is not empty in a row; a digest in a later one has to fit.",
    ),
    click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Where the answers go: .parquet, .csv or .ndjson. A run that was stopped goes on there.",
    ),
    click.option(
        "--certificates",
        type=FILE,
        help="The certificates that `certifier pack --certificates` keeps: look up here, not at --server.",
    ),
    click.option(
        "--key",
        envvar="LCAL_KEY",
        help="An API key with verify:bulk, to look up a catalogue at --server. Better in the environment as LCAL_KEY.",
    ),
    click.option("--processes", type=click.IntRange(1, 1024), help="How many work at once; else one for each core."),
    click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", help="Of a CSV.", show_default=True),
    click.option("--delimiter", metavar="CHARACTER", help="Of a CSV; else the first line tells."),
    click.option("--restart", is_flag=True, help="Begin anew where an earlier run left answers."),
)


def catalogue_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with what CatalogueOptions needs."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Trusted:
    """By whom certificates are judged: pinned keys, a pack that was named (with its bytes), a service to ask."""

    pinned: Trust | None
    pack: Pack | None
    pack_bytes: bytes | None
    server: str | None


def verify_catalogue(file: Path, asked: CatalogueOptions, trusted: Trusted, *, as_json: bool) -> int:
    """Verify every row, write the answers, show a summary; the exit code.

    Raises what is wrong with the file, the pack, the service or the place for the answers.
    """
    try:
        from certifier.catalogue import batch, pieces, reading, results, run  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise OperatorError(
            "What reads catalogues is not installed.",
            found=f"no module {error.name}",
            hint="Install it with: pip install 'certifier[catalogue]'",
        ) from error
    if asked.out and asked.out.suffix.lower() not in results.FORMS:
        raise click.BadParameter(
            f"{asked.out.name[:80]!r} does not tell the form of the answers; a name ends in {', '.join(results.FORMS)}.",
            param_hint="'--out'",
        )
    began, now = time.monotonic(), datetime.now(UTC)
    columns = [_column(text) for text in asked.columns] or None
    delimiter = _delimiter(asked.delimiter)
    plan, pack = _plan(asked, trusted, now)
    catalogue = reading.open_catalogue(file, columns, encoding=asked.encoding, delimiter=delimiter)
    _check_source(catalogue, plan)
    tally = Tally()
    with ExitStack() as stack:
        start, written = pieces.START, None
        if asked.out:
            schema = batch.result_schema(catalogue.schema)
            job = _job(file, catalogue, asked)
            written = stack.enter_context(results.Results(asked.out, schema, job, restart=asked.restart))
            start = written.place
            tally = Tally.from_document(written.told)
            if written.goes_on:
                _note(f"going on behind row {start.rows:,} of an earlier run")
        stack.enter_context(_kept(asked.out))  # around the counter: what it says comes below, not beside it
        done = stack.enter_context(counting("rows", catalogue.rows))
        done(start.rows)
        for verified in run.verified_pieces(catalogue.pieces(start), catalogue.columns, plan, asked.processes):
            tally.add(verified.results, verified.first_problem, verified.after.rows - verified.batch.num_rows)
            if written:
                written.add(verified.batch, verified.after, tally.to_document())
            done(verified.batch.num_rows)
        if written:
            written.finish()
    seconds = time.monotonic() - began
    exit_code = tally.exit_code
    document = {
        "catalogue": str(file),
        "out": str(asked.out) if asked.out else None,
        "rows": tally.rows,
        "results": {result: tally.results[result] for result in RESULTS},
        "first_problem": tally.first_problem,
        "went_on_behind_row": start.rows,
        "pack": _pack_document(pack, now),
        "certificates": _shelf_document(asked.certificates),
        "server": plan.server,
        "seconds": round(seconds, 1),
        "rows_per_second": round((tally.rows - start.rows) / seconds) if seconds else None,
        "exit_code": exit_code,
    }
    if as_json:
        show_json(document)
    else:
        _show(document, asked.out)
    return exit_code


@contextmanager
def _kept(out: Path | None) -> Iterator[None]:
    """Says of a run that was interrupted how to go on with it."""
    try:
        yield
    except KeyboardInterrupt:
        if out:
            _note("stopped; the same command goes on from here")
        raise


class Tally:
    """How many rows there are of each result, and the first that could not be read."""

    def __init__(self, results: Mapping[str, int] | None = None, first_problem: dict[str, Any] | None = None) -> None:
        self.results = Counter(results or {})
        self.first_problem = first_problem

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Tally:
        results, first = document.get("results"), document.get("first_problem")
        counts = results.items() if isinstance(results, dict) else ()
        return cls(
            {name: number for name, number in counts if name in RESULTS and isinstance(number, int)},
            first if isinstance(first, dict) and {"row", "problem"} <= first.keys() else None,
        )

    def to_document(self) -> dict[str, Any]:
        return {"results": dict(self.results), "first_problem": self.first_problem}

    def add(self, results: Mapping[str, int], problem: tuple[int, str] | None, before: int) -> None:
        """More rows; ``problem`` is the first among them by its number from 0, and ``before`` how many came earlier."""
        self.results.update(results)
        if problem and self.first_problem is None:
            self.first_problem = {"row": before + problem[0] + 1, "problem": problem[1]}

    @property
    def rows(self) -> int:
        return self.results.total()

    @property
    def exit_code(self) -> int:
        """3 for a row that is not valid, else 6 for one that cannot be told or read, else 0."""
        if self.results["not_valid"]:
            return EXIT_REFUSED
        return EXIT_CANNOT_TELL if self.results["cannot_tell"] or self.results["problem"] else 0


def _column(text: str) -> Column:
    try:
        return column_for(text)
    except CertifierError as error:
        raise click.UsageError(f"--column {text[:80]}: {error.message} Expected: {error.expected}.") from error


def _delimiter(text: str | None) -> str | None:
    named = {"tab": "\t", "\\t": "\t"}
    sign = named.get(text, text) if text else None
    if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
        raise click.UsageError("--delimiter is one character, or the word tab.")
    return sign


def _plan(asked: CatalogueOptions, trusted: Trusted, now: datetime) -> tuple[CheckerPlan, Pack]:
    """What the rows are verified with, and the pack in it. Raises UsageError where trust is missing."""
    from certifier.catalogue.checker import CheckerPlan  # noqa: PLC0415 - brings the verification with it

    pinned, pack, raw = trusted.pinned, trusted.pack, trusted.pack_bytes
    # A pack and a file of certificates need nobody: then no service is asked, though the environment names one.
    server = None if pack and asked.certificates else trusted.server
    if server and (pinned or pack):
        pinned = pack.trust if pack else pinned  # a pack that was named says whom to trust; its lists may be old
        raw = Client(server).pack_bytes()
        pack = open_pack(raw, pinned, now)
    if pack is None or raw is None:
        missing = "Nothing says whose certificates count."
        how = "Give --pack PACK, or pin the keys of a service once: certifier init --pin URL"
        raise click.UsageError(f"{missing} {how}, then --server URL.")
    trust = to_json_text(trust_document(pinned)).encode() if pinned else None
    return CheckerPlan(raw, trust, asked.certificates, server, asked.key), pack


def _check_source(catalogue: Catalogue, plan: CheckerPlan) -> None:
    kinds = {column.kind for column in catalogue.columns} - {"credential", "proof"}
    if kinds and not plan.certificates and not plan.server:
        raise click.UsageError(
            f"A column of {', '.join(sorted(kinds))} is looked up: give --certificates FILE (certifier pack --certificates"
            " keeps one), or --server URL."
        )


def _job(file: Path, catalogue: Catalogue, asked: CatalogueOptions) -> dict[str, Any]:
    """What another run has to be about, to go on with the answers of this one."""
    status = file.stat()
    return {
        "catalogue": [file.name, status.st_size, status.st_mtime_ns],
        "columns": [list(column) for column in catalogue.columns],
        "encoding": asked.encoding,
        "delimiter": asked.delimiter,
        "form": asked.out.suffix.lower() if asked.out else "",
    }


def _pack_document(pack: Pack, now: datetime) -> dict[str, Any]:
    return {
        "made_at": time_text(pack.made_at),
        "age": age_text(pack.made_at, now),
        "issuer": pack.issuer,
        "issuer_key": pack.issuer_key.id,
        "fingerprint": pack.fingerprint,
        "vouched_for": pack.is_vouched_for,
    }


def _shelf_document(file: Path | None) -> dict[str, Any] | None:
    if file is None:
        return None
    with open_shelf(file) as shelf:
        return {"file": str(file), "held": len(shelf), "fetched_at": shelf.fetched_at or None}


def _note(text: str) -> None:
    console(stderr=True).print(f"  note: {plain(text)}")


def _show(document: Mapping[str, Any], out_file: Path | None) -> None:
    out, pack, shelf = console(), document["pack"], document["certificates"]
    out.print(f"[bold]{counted(document['rows'], 'row')}[/] of {plain(document['catalogue'])}")
    for result, (words, colour) in RESULTS.items():
        number = document["results"][result]
        if number:
            text = f"{number:>12,}  {words.format('row' if number == 1 else 'rows')}"
            out.print(f"[{colour}]{text}[/]" if colour else text)
    first = document["first_problem"]
    if first:
        out.print(f"  the first that cannot be read is row {first['row']}: {plain(_problem_text(first['problem']))}")
    notes = console(stderr=True)
    if out_file:
        out.print(f"  answers in {plain(str(out_file))}")
    else:
        notes.print("  the answer for each row is not kept; to keep them: --out FILE")
    notes.print(f"  by a pack that is {pack['age']} old, of {plain(pack['issuer'])}")
    if not pack["vouched_for"]:
        notes.print(f"  trusted by your choice of this pack alone: fingerprint {pack['fingerprint']}")
    if shelf:
        when = f"fetched {shelf['fetched_at']}" if shelf["fetched_at"] else "not fetched to the end"
        notes.print(f"  among {counted(shelf['held'], 'certificate')}, {when}; what was issued later is not known here")
    notes.print(f"  {document['seconds']} s, {document['rows_per_second'] or 0:,} rows a second")


def _problem_text(problem: str) -> str:
    told = json.loads(problem)
    return f"{told['detail']} {'(found ' + told['found'] + ')' if 'found' in told else ''}".strip()
