"""``certifier standard``: what editors and auditors do with a standard's folder, from a new draft to a published version."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from certifier.cli.lazy import Later, LazyGroup
from certifier.cli.options import FILE, FOLDER, JSON, settings_of
from certifier.cli.output import EXIT_REFUSED, console, plain, show_json
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, ConflictError, NotFoundError, StandardError
from certifier.standard.cases import Case, CaseResult, import_cases_in, parse_case_files, parse_cases, run_cases
from certifier.standard.diff import (
    Comparison,
    assessed_text,
    compare,
    moved_text,
    outcome_text,
    render_markdown,
    shortened,
)
from certifier.standard.folder import Folder
from certifier.standard.index import Entry, Index, changed_files, check_unchanged, entry_for, parse_index, sign_index
from certifier.standard.lint import Finding, lint
from certifier.standard.model import Standard
from certifier.standard.text import render_facts_table, render_rules_table
from certifier.standard.version import drafted, parse_version
from certifier.storage.files import (
    index_beside,
    load_bytes,
    load_signing_key,
    load_standard_files,
    load_standard_folder,
    save_durably,
    save_standard_files,
)


@click.group(
    cls=LazyGroup,
    later={
        "simulate": Later(
            "certifier.cli.simulate:simulate",
            "Try the standard in the folder NEW on every stored report, and show whose outcome would change and why.",
        )
    },
)
def standard() -> None:
    """Test, check, compare, draft and publish a standard's folder."""


# --- test ---


@standard.command()
@click.argument("folder", type=FOLDER)
@click.option("--cases", "case_files", type=FILE, multiple=True, help="Other cases than the folder's own; repeatable.")
@JSON
@click.pass_context
def test(ctx: click.Context, folder: Path, case_files: tuple[Path, ...], as_json: bool) -> None:
    """Run the worked cases of the standard in FOLDER. Exit code 0 only if every case comes out as written.

    Without --cases, all files in FOLDER/cases are run. Cases given with --cases may be like cases of the folder.
    """
    loaded = load_standard_folder(folder)
    groups, imports = _case_groups(loaded, case_files)
    results = {name: run_cases(loaded.standard, cases) for name, cases in groups.items()}
    everything = [result for group in results.values() for result in group]
    if as_json:
        show_json(_test_document(loaded.standard, results, imports))
    else:
        _show_results(loaded.standard.id, results, imports)
    ctx.exit(EXIT_REFUSED if not everything or not all(result.passed for result in everything) else 0)


def _case_groups(loaded: Folder, paths: tuple[Path, ...]) -> tuple[dict[str, tuple[Case, ...]], dict[str, int]]:
    """The cases to run by the name of their file, and how many cases for importers each file holds."""
    own = {path: raw for path, raw in loaded.files.items() if path.startswith("cases/") and path.endswith(".json")}
    if not paths:
        return parse_case_files(own), {path: import_cases_in(raw) for path, raw in own.items()}
    raws = {str(path): path.read_bytes() for path in paths}
    groups = {name: parse_cases(raw, {**own, **raws}) for name, raw in raws.items()}
    return groups, {name: import_cases_in(raw) for name, raw in raws.items()}


def _test_document(
    tested: Standard, results: dict[str, list[CaseResult]], imports: dict[str, int]
) -> dict[str, object]:
    everything = [result for group in results.values() for result in group]
    return {
        "standard": tested.id,
        "sha256": tested.digest,
        "cases": len(everything),
        "failed": sum(not result.passed for result in everything),
        "import_cases_not_run": sum(imports.values()),
        "files": [
            {
                "file": name,
                "cases": len(group),
                "failed": sum(not result.passed for result in group),
                "import_cases_not_run": imports[name],
            }
            for name, group in results.items()
        ],
        "results": [_result_document(name, result) for name, group in results.items() for result in group],
    }


def _result_document(file: str, result: CaseResult) -> dict[str, object]:
    return {
        "id": result.case.id,
        "file": file,
        "title": result.case.title,
        "passed": result.passed,
        "differences": list(result.differences),
        "misses": [asdict(miss) for miss in result.misses],
        "not_compared": list(result.not_compared),
    }


def _show_results(standard_id: str, results: dict[str, list[CaseResult]], imports: dict[str, int]) -> None:
    out = console()
    for group in results.values():
        for result in group:
            if not result.passed:
                out.print(f"[bold red]fail[/]  {plain(result.case.id)}  {plain(result.case.title)}")
            for miss in result.misses:
                if miss.member:
                    out.print(f"      {plain(miss.member)}")
                    out.print(f"        found     {plain(miss.found)}")
                    out.print(f"        expected  {plain(miss.expected)}")
                else:
                    out.print(f"      {plain(miss.found)}")
            for expectation in result.not_compared:
                out.print(f"[yellow]note[/]  {plain(result.case.id)}  not compared: {plain(expectation)}")
    for name, group in results.items():
        passed = sum(result.passed for result in group)
        rest = f"; {imports[name]} cases for importers were not run" if imports[name] else ""
        out.print(f"      {plain(name)}  {passed} of {len(group)}{rest}")
    everything = [result for group in results.values() for result in group]
    passed = sum(result.passed for result in everything)
    colour = "green" if passed == len(everything) else "red"
    out.print(f"[bold {colour}]{passed} of {len(everything)} cases[/] of {standard_id} come out as written")


# --- rules ---


@standard.command()
@click.argument("folder", type=FOLDER)
def rules(folder: Path) -> None:
    """Print the table of rules of the standard in FOLDER, as its README.md has to hold it."""
    click.echo(render_rules_table(load_standard_folder(folder).standard), nl=False)


@standard.command()
@click.argument("folder", type=FOLDER)
def facts(folder: Path) -> None:
    """Print what the rules of the standard in FOLDER may ask: every fact and bound with its type, unit and meaning."""
    click.echo(render_facts_table(load_standard_folder(folder).standard), nl=False)


# --- lint ---


@standard.command(name="lint")
@click.argument("folder", type=FOLDER)
@click.option("--against", "older", type=FOLDER, multiple=True, help="An older version whose ids stay; repeatable.")
@JSON
@click.pass_context
def lint_command(ctx: click.Context, folder: Path, older: tuple[Path, ...], as_json: bool) -> None:
    """Look for what is wrong in the standard in FOLDER, from numbers out of order to words it may not say.

    Exit code 0: no error, perhaps warnings; 3: errors, which forbid to publish; 1: the folder does not load.
    """
    loaded = load_standard_folder(folder)
    findings = lint(loaded, [load_standard_folder(path) for path in older])
    if as_json:
        show_json({"standard": loaded.standard.id, **_counts(findings), "findings": list(map(asdict, findings))})
    else:
        _show_findings(loaded.standard.id, findings)
    ctx.exit(EXIT_REFUSED if _errors(findings) else 0)


def _errors(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _counts(findings: list[Finding]) -> dict[str, int]:
    errors = len(_errors(findings))
    return {"errors": errors, "warnings": len(findings) - errors}


def _show_findings(standard_id: str, findings: list[Finding]) -> None:
    out = console()
    for finding in findings:
        colour = "bold red" if finding.severity == "error" else "yellow"
        place = finding.file + (f":{finding.line}" if finding.line else "")
        out.print(f"[{colour}]{finding.severity:<7}[/]  {plain(place)}  {plain(finding.problem)}")
        for label, text in (("found", finding.found), ("expected", finding.expected), ("try", finding.advice)):
            if text:
                out.print(f"         {label:<10}{plain(text)}")
    counts = _counts(findings)
    colour = "red" if counts["errors"] else "green"
    errors, warnings = _told(counts["errors"], "error"), _told(counts["warnings"], "warning")
    out.print(f"[bold {colour}]{errors}[/], {warnings} in {standard_id}")


def _told(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


# --- diff ---


@standard.command()
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option("--markdown", is_flag=True, help="As Markdown, for release notes.")
@JSON
@click.pass_context
def diff(ctx: click.Context, old: Path, new: Path, markdown: bool, as_json: bool) -> None:
    """Say what changed from the standard in OLD to that in NEW, and whether that is a patch, a minor or a major version.

    Exit code 3: the version number in NEW promises less than what changed.
    """
    comparison = compare(load_standard_folder(old), load_standard_folder(new))
    if as_json:
        show_json(_diff_document(comparison))
    elif markdown:
        click.echo(render_markdown(comparison), nl=False)
    else:
        _show_diff(comparison)
    ctx.exit(0 if comparison.keeps_its_promise else EXIT_REFUSED)


def _diff_document(comparison: Comparison) -> dict[str, object]:
    return {
        "old": comparison.old.id,
        "new": comparison.new.id,
        "step": comparison.step,
        "promised": comparison.promised,
        "keeps_its_promise": comparison.keeps_its_promise,
        "changes": [asdict(change) for change in comparison.changes],
        "reference_set": [
            {
                "case": movement.case,
                "title": movement.title,
                "assessed_old": assessed_text(movement.old),
                "assessed_new": assessed_text(movement.new),
                "moved_percent": None if movement.percent is None else f"{movement.percent:.4f}",
                "outcome": outcome_text(movement),
            }
            for movement in comparison.movements
        ],
    }


_STEP_COLOURS = {"major": "bold red", "minor": "yellow", "patch": "green", "none": "dim"}


def _show_diff(comparison: Comparison) -> None:
    out = console()
    for change in comparison.changes:
        colour = _STEP_COLOURS[change.step]
        out.print(f"[{colour}]{change.step:<5}[/]  {plain(change.kind)}  {plain(change.subject)}")
        out.print(f"         {plain(shortened(change.old))} → {plain(shortened(change.new))}")
        out.print(f"         [dim]{plain(change.reason)}[/]")
    if comparison.movements:
        out.print("The reference set, assessed g CO2e per minute:")
    for movement in comparison.movements:
        figures = f"{assessed_text(movement.old):>8} → {assessed_text(movement.new):>8}"
        out.print(f"  {movement.case:<5}{figures}  {moved_text(movement):>8}  {outcome_text(movement)}")
    out.print(f"By section 13 this is [{_STEP_COLOURS[comparison.step]}]{_STEP_WORDS[comparison.step]}[/].")
    for change in comparison.deciding[:3]:
        out.print(f"  {plain(change.subject)}: {plain(change.reason)}")
    if not comparison.keeps_its_promise:
        out.print(f"[bold red]{plain(comparison.new.version)} promises less:[/] {_STEP_WORDS[comparison.promised]}.")


_STEP_WORDS = {
    "none": "no new version",
    "patch": "a patch",
    "minor": "a minor version",
    "major": "a major version",
}


# --- new ---


@standard.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--from", "source", type=FOLDER, required=True, help="The version to begin with.")
@click.option("--version", required=True, help="The number of the new version, e.g. 1.1.0-draft.")
@JSON
def new(target: Path, source: Path, version: str, as_json: bool) -> None:
    """Begin a new version of a standard in TARGET, as a draft that is so far like the old one."""
    try:
        parse_version(version)
    except StandardError as error:
        raise click.BadParameter(
            f"{version!r} is no version", param_hint="--version: write 1.2.0 or 1.2.0-draft"
        ) from error
    loaded = load_standard_folder(source)
    files = drafted(loaded, version)
    save_standard_files(target, files)
    made = load_standard_folder(target).standard
    if as_json:
        show_json({"standard": made.id, "based_on": loaded.standard.id, "folder": str(target), "files": len(files)})
        return
    out = console()
    out.print(f"[bold]{made.id}[/] is a draft in {plain(str(target))}, made from {loaded.standard.id}.")
    for line in (
        "standard.toml   numbers; tables_version if a table changes; retired_rules if a rule goes",
        "rules/*.toml    rules; a new meaning gets a new id",
        "data/*.csv      rows; then bytes and hash in data/datapackage.json",
        "cases/*.json    a case for each thing that changes",
        "README.md       the text, with the table that certifier standard rules prints",
    ):
        out.print(f"  {line}")
    out.print(f"Then: certifier standard lint {plain(str(target))} --against {plain(str(source))}")
    out.print(f"      certifier standard diff {plain(str(source))} {plain(str(target))}")


# --- publish ---


@standard.command()
@click.argument("folder", type=FOLDER)
@click.option("--key", "key_file", type=FILE, required=True, help="The editors' signing key.")
@click.option(
    "--index",
    "index_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The index of published standards.  [default: index.json two levels above FOLDER]",
)
@click.option("--previous-key", metavar="DID", help="The key that signed the index so far, when a new one takes over.")
@click.option(
    "--mends-fault",
    is_flag=True,
    help="A patch that mends a fault: figures were more than 10 % too low (section 13).",
)
@click.option("--home", type=FOLDER, help="Also write it into the public log of the installation in this folder.")
@JSON
@click.pass_context
def publish(
    ctx: click.Context,
    folder: Path,
    key_file: Path,
    index_file: Path | None,
    previous_key: str | None,
    mends_fault: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Freeze the standard in FOLDER: list the SHA-256 of each of its files in a signed index.

    Refused unless lint finds no error, status is "published" and the number promises what changed. Exit code 3: refused.
    """
    key, now = load_signing_key(key_file), datetime.now(UTC)
    loaded = load_standard_folder(folder, frozen=False)
    path = index_file or index_beside(folder)
    index = _index_so_far(path, key, previous_key)
    entry = index.entry(loaded.standard.id) if index else None
    fresh = entry is None
    if entry is None:
        place = _place(folder, path)
        _check_publishable(loaded, index, path.parent, now, mends_fault=mends_fault)
        entry = entry_for(loaded, place)
    else:
        check_unchanged(entry, loaded.files)
    logged = _logged(home, entry, now) if home else None
    if fresh:
        save_durably(path, sign_index([*(index.entries if index else ()), entry], key))
    if as_json:
        show_json(
            {"standard": entry.id, "sha256": entry.sha256, "index": str(path), "published": fresh, "logged": logged}
        )
        ctx.exit(0)
    out = console()
    out.print(
        f"[bold green]{entry.id} is published[/] in {plain(_near(path))}"
        if fresh
        else f"{entry.id} is already published"
    )
    out.print(f"  sha256  {entry.sha256}")
    if logged is not None:
        out.print("  the public log says so" + ("" if logged else " already"))


def _logged(home: Path, entry: Entry, now: datetime) -> bool:
    """Whether the public log of an installation says so from now on; False where it did before."""
    from certifier.service.home import log_standard  # noqa: PLC0415 - the service, which a light installation lacks

    return log_standard(settings_of(home), entry.id, entry.sha256, now)


def _near(path: Path) -> str:
    """A path as people type it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _index_so_far(path: Path, key: SigningKey, previous: str | None) -> Index | None:
    raw = load_bytes(path)
    if raw is None:
        return None
    try:
        return parse_index(raw, PublicKey.from_did_key(previous) if previous else key.public)
    except BadSignature as error:
        raise BadSignature(
            error.message,
            found=error.found,
            expected=error.expected,
            hint="Sign with the key of the index, or name that key with --previous-key when yours takes over.",
        ) from error


def _place(folder: Path, index: Path) -> str:
    try:
        return folder.resolve().relative_to(index.resolve().parent).as_posix()
    except ValueError as error:
        raise click.UsageError(f"{folder} does not lie below {index.parent}, where the index is.") from error


def _check_publishable(loaded: Folder, index: Index | None, root: Path, now: datetime, *, mends_fault: bool) -> None:
    """Raises ConflictError: not marked as published, before its day, lint errors, a number that promises too little."""
    standard = loaded.standard
    if standard.status != "published":
        raise ConflictError(
            f"{standard.id} is not ready to be published.",
            found=f'status = "{standard.status}"',
            expected='status = "published" in standard.toml, with published_on',
            hint="Drafts stay open to comment for 30 days (section 13).",
        )
    if standard.published_on > now.date().isoformat():
        raise ConflictError(
            f"The day of {standard.id} has not come.", found=standard.published_on, expected=f"at most {now.date()}"
        )
    older = {entry.id: _published_folder(entry, root) for entry in (index.entries if index else ())}
    forerunner = index.forerunner(standard.version) if index else None
    if forerunner is not None:
        _check_number(compare(older[forerunner.id], loaded), mends_fault=mends_fault)
    if errors := _errors(lint(loaded, list(older.values()))):
        first = errors[0]
        raise ConflictError(
            f"lint finds {_told(len(errors), 'error')} in {standard.id}. The first: {first.problem}",
            found=f"{first.file}{f':{first.line}' if first.line else ''}  {first.found}".strip(),
            expected=first.expected or None,
            hint="See them all with: certifier standard lint",
        )


def _check_number(comparison: Comparison, *, mends_fault: bool) -> None:
    if mends_fault and not comparison.mends_low_figures:
        raise ConflictError(
            f"{comparison.new.id} mends no fault that section 13 knows.",
            found=", ".join(moved_text(movement) for movement in comparison.movements) or "no reference set",
            expected="a case of the reference set more than 10 % up, and none down",
            hint="See the movements with: certifier standard diff",
        )
    if not mends_fault and not comparison.keeps_its_promise:
        change = comparison.deciding[0]
        raise ConflictError(
            f"{comparison.new.version} promises less than what changed since {comparison.old.id}.",
            found=f"{_STEP_WORDS[comparison.step]}: {change.subject} {change.old} → {change.new} ({change.reason})",
            expected=f"at most {_STEP_WORDS[comparison.promised]}",
            hint="Take a greater number, or take the change out: certifier standard diff",
        )


def _published_folder(entry: Entry, root: Path) -> Folder:
    """A published version as it lies below the index. Raises ConflictError if it is not as published."""
    folder = load_standard_folder(root / entry.folder, frozen=False)
    check_unchanged(entry, folder.files)
    return folder


# --- verify-index ---


@standard.command(name="verify-index")
@click.argument("index_file", metavar="INDEX", type=FILE)
@click.option("--key", "did", metavar="DID", required=True, help="The editors' key, did:key:z6Mk…")
@JSON
@click.pass_context
def verify_index(ctx: click.Context, index_file: Path, did: str, as_json: bool) -> None:
    """Check the signature of INDEX, and that every folder beside it is as it was published. Exit code 3: it is not."""
    index = parse_index(index_file.read_bytes(), PublicKey.from_did_key(did))
    changed = {entry.id: _changed_since(entry, index_file.parent) for entry in index.entries}
    if as_json:
        entries = [
            {"id": entry.id, "sha256": entry.sha256, "published_on": entry.published_on, "changed": changed[entry.id]}
            for entry in index.entries
        ]
        show_json({"signed_by": index.key.did_key, "unchanged": not any(changed.values()), "entries": entries})
    else:
        out = console()
        for entry in index.entries:
            state = "[bold red]CHANGED[/]" if changed[entry.id] else "[green]as published[/]"
            out.print(f"{state}  {entry.id}  {entry.published_on}  sha256 {entry.sha256}")
            for path in changed[entry.id]:
                out.print(f"      {plain(path)}")
        out.print(f"signed by {index.key.did_key}")
    ctx.exit(EXIT_REFUSED if any(changed.values()) else 0)


def _changed_since(entry: Entry, root: Path) -> list[str]:
    try:
        return changed_files(entry, load_standard_files(root / entry.folder))
    except NotFoundError:
        return [f"{entry.folder} (gone)"]
