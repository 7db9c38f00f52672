"""The versions of the standard for readers: a page, the text, the tables, and every file by its digest.

A version is open to everybody as it judges: what stands here is made from the very files that decide.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from flask import Response, redirect
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from certifier.certificate.credential import standard_url
from certifier.certificate.model import OUTCOMES
from certifier.crypto.canonical import sha256_hex
from certifier.errors import CertifierError, NotFoundError
from certifier.footprint.factors import TABLES
from certifier.standard.diff import Change, Comparison, Movement, assessed_text, moved_text, shortened
from certifier.standard.model import Clause, Rule, Standard
from certifier.standard.vocabulary import FACTS, UNITS
from certifier.storage.archive import zip_of
from certifier.units import plain
from certifier.web.documents import Document
from certifier.web.language import N_
from certifier.web.problems import ParameterInvalid
from certifier.web.records import limits_of
from certifier.web.responses import JSON, TEXT, checked_query, json_reply, page, reply
from certifier.web.site import Site

TEXT_FILE = "README.md"
MEDIA_TYPES = {"json": JSON, "csv": "text/csv; charset=utf-8", "md": TEXT, "toml": TEXT, "zip": "application/zip"}
_LIMIT = re.compile(r"\blimit\.([a-z0-9_]+)")
_HEADING = re.compile(r"<h2>(\d+)\.")
_PARAGRAPH = re.compile(r"<p><strong>(\d+\.\d+)</strong>")
_SECTION = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Entry:
    """A version in the list of all; ``standard`` is None for one that applications are not made under any more."""

    id: str
    sha256: str
    state: str
    until: str | None
    standard: Standard | None


@dataclass(frozen=True)
class Bound:
    """A number that rules compare with, as the whole number that it is and in units of people, and which rules do."""

    name: str
    value: int
    told: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of data as text: its columns and rows, the same bytes as the file."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


# -- pages ----------------------------------------------------------------------------------------------------------


def index(site: Site) -> Response:
    """Every version that is here: open ones first, then those that were used before."""
    checked_query()
    return page("standards.html", "five minutes", entries=_entries(site))


def show(site: Site, name: str, version: str) -> Response:
    """A version on one page: outcomes, rules, numbers, tables, sources, files."""
    checked_query()
    found = standard_named(site, name, version)
    files = files_of(site, found)
    entry = next(entry for entry in _entries(site) if entry.sha256 == found.digest)
    return page(
        "standard.html",
        "five minutes",
        standard=found,
        entry=entry,
        path=standard_url("", found.id),
        limits=limits_of(found),
        bounds=bounds_of(found),
        facts=list(FACTS.values()),
        tables=[table_of(name, files) for name in TABLES if f"data/{name}.csv" in files],
        files={path: sha256_hex(raw) for path, raw in sorted(files.items())},
        section_of=section_of,
        families=FAMILIES,
        step_words=STEP_WORDS,
        comparison=_changes(site, found),
        shortened=shortened,
    )


# what rules begin with -> what they are about
FAMILIES = {
    "INT": N_("Integrity: the report is about this file, signed, timely"),
    "BND": N_("Boundary: everything that belongs to it is there"),
    "ALC": N_("Allocation: shares add up"),
    "LOC": N_("Location: where the electricity came from"),
    "MTH": N_("Method: who measured what"),
    "PLS": N_("Plausibility: the numbers can be true"),
    "REN": N_("Electricity claims"),
    "QLT": N_("Quality: defaults do not carry a class"),
    "ASR": N_("Assurance: who stands behind it"),
    "PRC": N_("Process: duties"),
    "THR": N_("Limits"),
}
# kind of a change (standard/diff.py) -> the part of the page in which it stands
PARTS = {
    "limit": N_("Limits"),
    "bound": N_("Limits"),
    "parameter": N_("Numbers of the calculation"),
    "rule added": N_("New and removed rules"),
    "rule removed": N_("New and removed rules"),
    "rule level": N_("Changed rules"),
    "rule gates": N_("Changed rules"),
    "rule expression": N_("Changed rules"),
    "rule order": N_("Changed rules"),
    "wording": N_("Rules in other words, same meaning"),
    "factor": N_("Factors and tables"),
    "row added": N_("Factors and tables"),
    "row removed": N_("Factors and tables"),
    "row found by": N_("Factors and tables"),
    "source": N_("Factors and tables"),
    "row text": N_("Factors and tables"),
}
OTHERS = N_("Text, cases and other files")
STEP_WORDS = {
    "none": N_("no new version"),
    "patch": N_("a patch"),
    "minor": N_("a minor version"),
    "major": N_("a major version"),
}


def differences(site: Site) -> Response:
    """What is otherwise in one version than in another; first the choice of the two."""
    asked = checked_query(**{"from": None, "to": None})
    choices = _choices(site)
    response: dict[str, Any] = {"choices": choices, "asked": asked, "comparison": None, "missing": "", "parts": {}}
    if asked["from"] or asked["to"]:
        old, new = (_digest_of(choices, side, asked[side]) for side in ("from", "to"))
        comparison = _compared(site, old, new)
        parts = parts_of(comparison) if comparison else {}
        response |= {"comparison": comparison, "missing": "" if comparison else N_("files are missing"), "parts": parts}
    elif len(choices) > 1:  # the newest against the one before it is what most want to know
        asked |= dict(zip(("from", "to"), list(choices)[-2:], strict=True))
    return page(
        "standard_diff.html",
        "five minutes",
        **response,
        step_words=STEP_WORDS,
        shortened=shortened,
        assessed=assessed_text,
        moved=moved_text,
        outcomes=_outcomes_of,
    )


def _choices(site: Site) -> dict[str, str]:
    """The digest of each version that is here by its id, the newest last; one of several with the same id by its digest."""
    shelf = site.certifier.shelf
    configured = [version.standard.digest for version in shelf.versions]
    known = shelf.ids()
    digests = [digest for digest in sorted(known, key=known.__getitem__) if digest not in configured] + configured
    choices: dict[str, str] = {}
    for digest in reversed(digests):
        choices.setdefault(known[digest] if known[digest] not in choices else digest, digest)
    return dict(reversed(choices.items()))


def _digest_of(choices: Mapping[str, str], side: str, text: str) -> str:
    found = choices.get(text) or next((digest for digest in choices.values() if digest == text), None)
    if found is None:
        raise ParameterInvalid(
            N_("There is no such version of the standard here."),
            found=text[:80] or "nothing",
            expected=", ".join(choices),
            pointer=side,
        )
    return found


def _compared(site: Site, old: str, new: str) -> Comparison | None:
    """None where the files of one cannot be had, or cannot be read by this release."""
    try:
        return site.comparison_of(old, new)
    except CertifierError:
        return None


def parts_of(comparison: Comparison) -> dict[str, list[Change]]:
    """The changes by what they are about, in the order that matters to who is judged."""
    parts: dict[str, list[Change]] = {name: [] for name in (*dict.fromkeys(PARTS.values()), OTHERS)}
    for change in comparison.changes:
        if change.kind != "head":
            parts[PARTS.get(change.kind, OTHERS)].append(change)
    return {name: changes for name, changes in parts.items() if changes}


def _outcomes_of(movement: Movement) -> tuple[str, str]:
    before, after = (verdict.outcome if verdict else "none" for verdict in (movement.old, movement.new))
    return before, after


def _changes(site: Site, standard: Standard) -> Comparison | None:
    """What is otherwise than in the version before; None for the first one here."""
    digests = [version.standard.digest for version in site.certifier.shelf.versions]
    place = digests.index(standard.digest) if standard.digest in digests else 0
    return site.comparison_of(digests[place - 1], standard.digest) if place else None


def text(site: Site, name: str, version: str) -> Response:
    """The text for people, with an anchor at each section."""
    checked_query()
    found = standard_named(site, name, version)
    raw = files_of(site, found).get(TEXT_FILE)
    if raw is None:
        raise NotFoundError("This version has no text.", found=found.id)
    return page(
        "standard_text.html",
        "five minutes",
        standard=found,
        path=standard_url("", found.id),
        text=Markup(html_of(raw.decode("utf-8"))),  # noqa: S704 - made from our own file, in which HTML is escaped
    )


def table(site: Site, name: str, version: str, table: str) -> Response:
    """One table of data, row by row with its sources."""
    checked_query()
    found = standard_named(site, name, version)
    files = files_of(site, found)
    if f"data/{table}.csv" not in files:
        known = ", ".join(name for name in TABLES if f"data/{name}.csv" in files)
        raise NotFoundError("The standard has no such table.", found=table[:60], expected=known)
    return page(
        "standard_table.html",
        "five minutes",
        standard=found,
        path=standard_url("", found.id),
        table=table_of(table, files),
    )


def outcome(site: Site, name: str, version: str, outcome: str) -> AnyResponse:
    """Where the identifier of an outcome in a certificate leads."""
    standard_named(site, name, version)
    if outcome not in OUTCOMES:
        raise NotFoundError("The standard has no such outcome.", found=outcome[:40], expected=", ".join(OUTCOMES))
    return redirect(f"/standards/{name}/{version}#{outcome}")


# -- data -----------------------------------------------------------------------------------------------------------


class StandardEntry(Document):
    """A version of the standard. What is null cannot be had here any more; ``document`` are its numbers and rules as data."""

    id: str
    state: str
    open_until: str | None
    sha256: str
    tables_sha256: str | None
    status: str | None
    url: str | None
    document: str | None
    files: str


class StandardList(Document):
    """Every version of the standard that was ever used here. There is one page."""

    items: list[StandardEntry]
    next: str | None = None


def index_json(site: Site) -> Response:
    checked_query()
    versions = [version.model_dump(exclude={"document"}) for version in _versions(site)]
    return json_reply({"standards": versions}, "five minutes")


def listed(site: Site) -> Response:
    """The same as a list of the API."""
    checked_query()
    return json_reply(StandardList(items=_versions(site)), "five minutes")


def _versions(site: Site) -> list[StandardEntry]:
    return [
        StandardEntry(
            id=entry.id,
            state=entry.state,
            open_until=entry.until,
            sha256=entry.sha256,
            tables_sha256=entry.standard.tables_digest if entry.standard else None,
            status=entry.standard.status if entry.standard else None,
            url=standard_url("", entry.id) if entry.standard else None,
            document=standard_url("/api/v1", entry.id) if entry.standard else None,
            files=f"/standards/by-digest/{entry.sha256}",
        )
        for entry in _entries(site)
    ]


def document(site: Site, name: str, version: str) -> Response:
    """The standard's numbers and rules as data; its folder stays the authority, bound by the digest."""
    checked_query()
    return json_reply(standard_document(standard_named(site, name, version)), "five minutes")


def digest_index(site: Site, sha256: str) -> Response:
    """The files of a version by path, each with its SHA-256; the version's own digest is over exactly this list."""
    checked_query()
    files = _files_by_digest(site, sha256)
    listed = {path: sha256_hex(raw) for path, raw in sorted(files.items())}
    found = {"id": site.certifier.shelf.ids()[sha256], "sha256": sha256, "files": listed}
    return json_reply(found, "for ever")


def bundle(site: Site, sha256: str) -> Response:
    """All files of a version in one archive."""
    checked_query()
    return reply(zip_of(_files_by_digest(site, sha256)), MEDIA_TYPES["zip"], "for ever")


def file(site: Site, sha256: str, path: str) -> Response:
    """One file of a version, byte for byte."""
    checked_query()
    raw = _files_by_digest(site, sha256).get(path)
    if raw is None:
        raise NotFoundError(
            "The version has no such file.", found=path[:120], hint=f"See /standards/by-digest/{sha256}"
        )
    return reply(raw, MEDIA_TYPES.get(path.rpartition(".")[2], TEXT), "for ever")


def _files_by_digest(site: Site, sha256: str) -> Mapping[str, bytes]:
    known = site.certifier.shelf.ids()
    files = site.certifier.shelf.files(sha256) if sha256 in known else None
    if files is None:
        raise NotFoundError(
            "No version of the standard has this digest here.", found=sha256[:80], hint="See /standards.json"
        )
    return files


def standard_named(site: Site, name: str, version: str) -> Standard:
    """The standard of a path such as ``lcal/1.0.0``. Raises NotFoundError."""
    standard = site.certifier.shelf.named(f"{name.upper()}-{version}")
    if standard is None:
        known = ", ".join(sorted(set(site.certifier.shelf.ids().values())))
        raise NotFoundError("There is no such standard here.", found=f"{name}/{version}"[:60], expected=known)
    return standard


def files_of(site: Site, standard: Standard) -> Mapping[str, bytes]:
    return site.certifier.shelf.files(standard.digest) or {}


def standard_document(standard: Standard) -> dict[str, object]:
    return {
        "id": standard.id,
        "title": standard.title,
        "version": standard.version,
        "status": standard.status,
        "published_on": standard.published_on,
        "sha256": standard.digest,
        "tables_sha256": standard.tables_digest,
        "parameters": standard.parameters.model_dump(mode="json"),
        "bounds": {bound.name: bound.value for bound in bounds_of(standard)},
        "rules": [_rule_document(rule) for rule in standard.rules],
    }


def _rule_document(rule: Rule) -> dict[str, object]:
    plain = ("id", "title", "level", "gates", "stage", "source", "reason", "advice")
    return {name: getattr(rule, name) for name in plain} | {"clauses": [_clause(clause) for clause in rule.clauses]}


def _clause(clause: Clause) -> dict[str, str | None]:
    return {
        "for_each": clause.for_each,
        "when": clause.when.text if clause.when else None,
        "require": clause.require.text,
        "gates": clause.gates,
    }


# -- what the pages are made of -------------------------------------------------------------------------------------


def _entries(site: Site) -> list[Entry]:
    shelf = site.certifier.shelf
    configured = {version.standard.digest: version for version in shelf.versions}
    entries = []
    for known in shelf.states(site.minute()):
        version = configured.get(known.sha256)
        last = version.until - timedelta(days=1) if version and version.until else None
        until = last.strftime("%Y-%m-%d") if last else None
        entries.append(Entry(known.id, known.sha256, known.state, until, version.standard if version else None))
    return entries


def families_of(rules: Iterable[Rule]) -> list[tuple[str, list[Rule]]]:
    """The rules by the letters that their ids begin with, in the order in which they stand."""
    families: dict[str, list[Rule]] = {}
    for rule in rules:
        families.setdefault(rule.id.partition("-")[0], []).append(rule)
    return list(families.items())


def bounds_of(standard: Standard) -> list[Bound]:
    """Every number that rules compare with, in the order of its name, with the rules that use it."""
    used: dict[str, list[str]] = {}
    for rule in standard.rules:
        texts = [
            expression.text for clause in rule.clauses for expression in (clause.when, clause.require) if expression
        ]
        for name in dict.fromkeys(_LIMIT.findall(" ".join(texts))):
            used.setdefault(name, []).append(rule.id)
    names = {name.removeprefix("limit."): value for name, value in standard.limits.items()}
    return [Bound(name, value, _told(name, value), tuple(used.get(name, ()))) for name, value in sorted(names.items())]


def _told(name: str, value: int) -> str:
    parts, unit = UNITS.get(name.rpartition("_")[2], (1, ""))
    return f"{plain(Decimal(value) / parts)} {unit}".rstrip()


def table_of(name: str, files: Mapping[str, bytes]) -> Table:
    rows = list(csv.reader(io.StringIO(files[f"data/{name}.csv"].decode("utf-8"))))
    return Table(name, tuple(rows[0]), tuple(map(tuple, rows[1:])))


def section_of(source: str) -> str | None:
    """The anchor in the text of the section that a rule names, such as 4.5; None where it names none."""
    found = _SECTION.match(source)
    return f"s-{found.group()}" if found else None


@lru_cache(8)
def html_of(markdown: str) -> str:
    """The text as HTML; markup inside it is escaped. Sections get anchors: s-4, s-4.5."""
    html = str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
    html = _HEADING.sub(r'<h2 id="s-\1">\1.', html)
    html = _PARAGRAPH.sub(r'<p id="s-\1"><strong>\1</strong>', html)
    # A wide table and a long line scroll by themselves, so that the page never does.
    html = html.replace("<pre>", '<pre class="scroll shell" tabindex="0">')
    return html.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")
