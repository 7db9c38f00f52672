"""``certifier report`` and ``certifier submit``: from a measured session to a signed report, checked before it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from certifier.audio.analyse import analyse_audio
from certifier.certificate.code import parse_code
from certifier.certificate.model import OUTCOMES
from certifier.certificate.times import time_text
from certifier.cli.duties import duties, process_of
from certifier.cli.lazy import Later, LazyGroup
from certifier.cli.options import FILE, JSON_RESULT, service_at
from certifier.cli.output import EXIT_REFUSED, console, counted, plain, show_json, show_result
from certifier.crypto.canonical import sha256_hex, to_json_text
from certifier.crypto.keyring import Keyring
from certifier.crypto.strict_json import parse_object
from certifier.measure.session_file import report_of
from certifier.report.envelope import LIMITS, add_signature, open_report, sign_report, statement_for
from certifier.report.model import parse_report
from certifier.service.examine import Upload, examine, gather_evidence
from certifier.service.ledger import EmptyLedger
from certifier.shipped import shipped
from certifier.standard.evaluate import Finding, Verdict, decide
from certifier.standard.levers import Lever, Levers, levers_document, levers_of
from certifier.storage.files import load_keyring, load_signing_key, load_standard, save_bytes

OUT = click.Path(dir_okay=False, path_type=Path)
DEFAULT_STANDARD = shipped("standards") / "lcal" / "1.0.0"
STANDARD = click.option(
    "--standard",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_STANDARD,
    help="The standard's folder; LCAL 1.0.0 if not given.",
)


@click.group(
    cls=LazyGroup,
    later={
        "service": Later(
            "certifier.cli.service_report:service_report",
            "Build an unsigned report for music made with a closed service, from its account export.",
        )
    },
)
def report() -> None:
    """Make, sign and check an emission report."""


@report.command()
@click.argument("session", type=FILE)
@click.option("--audio", type=FILE, required=True, help="The finished master.")
@click.option("--key", type=FILE, required=True, help="The key that will sign: it names the applicant.")
@click.option("--log", "logs", type=FILE, multiple=True, help="A raw log to deposit; repeat for more.")
@click.option("--title", help="The track's title, if the session does not say it.")
@click.option("--artist", help="The artist, if the session does not say it.")
@click.option(
    "--renewal-of", metavar="CODE", help="The certificate of this file, issued to this key, that the report renews."
)
@duties
@click.option("-o", "--out", type=OUT, default=Path("report.json"), show_default=True)
@JSON_RESULT
def new(
    session: Path,
    audio: Path,
    key: Path,
    logs: tuple[Path, ...],
    title: str | None,
    artist: str | None,
    renewal_of: str | None,
    out: Path,
    **said: str | tuple[str, ...] | None,
) -> None:
    """Build an unsigned report from a measured SESSION file and the master.

    The duties that are given here come beside those that the session names, and before them.
    """
    facts = analyse_audio(str(audio))
    applicant = load_signing_key(key).public
    measured = parse_object(session.read_bytes(), LIMITS)
    if isinstance(measured.get("process"), dict):
        measured["process"] |= process_of(said)
    document = report_of(
        measured,
        report_id=f"rep_{secrets.token_hex(8)}",
        applicant=applicant.did_key,
        issued_at=time_text(datetime.now(UTC)),
        audio_sha256=facts.sha256,
        duration_s=facts.duration_s,
        raw_logs=[sha256_hex(log.read_bytes()) for log in logs],
        words={name: value for name, value in (("title", title), ("artist", artist)) if value},
    )
    if renewal_of:
        document["renewal_of"] = parse_code(renewal_of)
    parse_report(document)
    save_bytes(out, to_json_text(document).encode())
    console(stderr=True).print(f"Wrote {out}, unsigned. Next: certifier report sign {out} --audio {audio} --key {key}")
    show_result({"file": str(out), "report_id": document["report_id"], "signed": False})


@report.command()
@click.argument("report_file", metavar="REPORT", type=FILE)
@click.option("--key", "keys", type=FILE, required=True, multiple=True, help="A signing key; repeat for more signers.")
@click.option("--audio", type=FILE, help="The master, for its name and essence digest (first signature only).")
@click.option("-o", "--out", type=OUT, help="Where to write it; REPORT with .dsse.json if not given.")
@JSON_RESULT
def sign(report_file: Path, keys: tuple[Path, ...], audio: Path | None, out: Path | None) -> None:
    """Sign REPORT, or add a signature to an envelope that others signed already."""
    document = unsigned = parse_object(report_file.read_bytes(), LIMITS)
    signers = [load_signing_key(key) for key in keys]
    if "payload" in document:
        for signer in signers:
            document = add_signature(document, signer)
    else:
        if audio is None:
            raise click.UsageError("The first signature binds the report to its file: give --audio.")
        parse_report(document)
        facts = analyse_audio(str(audio))
        statement = statement_for(document, file_name=audio.name, essence_sha256=facts.essence_sha256)
        document = sign_report(statement, signers)
    target = out or (report_file if "payload" in unsigned else report_file.with_suffix(".dsse.json"))
    save_bytes(target, to_json_text(document).encode())
    names = [signer.public.did_key for signer in signers]
    console(stderr=True).print(f"Wrote {target}, signed by {', '.join(names)}")
    show_result({"file": str(target), "signed_by": names})


@report.command()
@click.argument("report_file", metavar="REPORT", type=FILE)
@click.option("--audio", type=FILE, required=True, help="The master that the report names.")
@click.option("--log", "logs", type=FILE, multiple=True, help="A raw log that will be deposited; repeat for more.")
@STANDARD
@click.option(
    "--register",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of registered keys and tools.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def check(
    ctx: click.Context,
    report_file: Path,
    audio: Path,
    logs: tuple[Path, ...],
    folder: Path,
    register: Path | None,
    as_json: bool,
) -> None:
    """Judge a signed REPORT with the same rules as the service. Nothing is sent. Exit code 3: it would be refused."""
    standard = load_standard(folder)
    keyring = load_keyring(register) if register else Keyring()
    examined = examine(Upload(report_file.read_bytes(), audio, {log.name: log.read_bytes() for log in logs}))
    evidence = gather_evidence(examined, keyring, EmptyLedger(), datetime.now(UTC))
    verdict = decide(standard, examined.opened.report, evidence)
    levers = levers_of(standard, examined.opened.report, evidence, verdict)
    if as_json:
        show_json({**verdict_document(verdict), "levers": levers_document(levers)})
    else:
        show_verdict(verdict)
        show_levers(levers, verdict)
        notes = console(stderr=True)
        if register is None:
            notes.print("Without --register no measuring party, tool, service or statement is known here.")
        notes.print("Nothing was sent.")
    ctx.exit(0 if verdict.passed else EXIT_REFUSED)


@click.command()
@click.argument("report_file", metavar="REPORT", type=FILE)
@click.option("--audio", type=FILE, required=True, help="The master that the report names.")
@click.option("--log", "logs", type=FILE, multiple=True, help="A raw log to deposit; repeat for more.")
@click.option("--server", envvar="LCAL_SERVER", required=True, help="The service, e.g. http://127.0.0.1:8000.")
@click.option("--contact", help="How the operator reaches you, such as a mail address. It is never made public.")
@click.option("--json", "as_json", is_flag=True, help="The service's answer as JSON on stdout.")
@click.pass_context
def submit(
    ctx: click.Context,
    report_file: Path,
    audio: Path,
    logs: tuple[Path, ...],
    server: str,
    contact: str | None,
    as_json: bool,
) -> None:
    """Send a signed REPORT with its master and raw logs to a service. Exit code 3: refused."""
    out = console()
    _require_named_logs(report_file, logs)
    if not as_json:
        deposits = counted(len(logs), "raw log")
        console(stderr=True).print(f"sending {audio.stat().st_size / 1e6:.1f} MB of audio, a report and {deposits} …")
    client = service_at(server)
    submission = client.submit(report_file, audio, logs, contact=contact)
    if submission.state == "accepted":
        console(stderr=True).print("accepted and on record; waiting for the certificate …")
        submission = client.wait(submission)
    answer = dict(submission.document)
    if as_json:
        show_json(answer)
    else:
        outcome = str(answer["outcome"])
        told = (HEADLINES.get(outcome, outcome), str(answer.get("code") or ""))
        out.print(f"[bold]{plain(str(answer['state']))}[/]  {plain('  '.join(filter(None, told)))}")
        if answer.get("certificate_state") not in (None, "active"):
            out.print(f"  [bold red]the certificate of this report is {plain(str(answer['certificate_state']))}[/]")
        for finding in answer["findings"]:
            if finding["outcome"] == "fail" and finding["gates"] == "all":
                out.print(f"  not met  {plain(finding['rule'])}  {plain(finding['title'])}")
                out.print(f"           found    {plain(finding['found'])}")
                out.print(f"           to do    {plain(finding['advice'])}")
        out.print(f"  decision  {server.rstrip('/')}/submissions/{plain(str(answer['id']))}")
        if answer.get("certificate_state") == "active":
            out.print(f"  to show   {server.rstrip('/')}/v/{plain(str(answer['code'])).replace('-', '')}/kit")
    ctx.exit(EXIT_REFUSED if answer["state"] == "refused" else 0)


def _require_named_logs(report_file: Path, logs: tuple[Path, ...]) -> None:
    """A named log that stays at home would make the report self-declared, and a report earns one certificate only."""
    named = set(open_report(report_file.read_bytes()).report.raw_log_sha256)
    missing = named - {sha256_hex(log.read_bytes()) for log in logs}
    if missing:
        raise click.UsageError(f"The report names {len(missing)} raw log(s) that were not given: add --log FILE.")


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON: outcome, figures, and each rule that was not simply passed."""
    footprint = verdict.footprint
    return {
        "outcome": verdict.outcome,
        "evidence_level": verdict.evidence_level,
        "assessed_g_per_min": str(footprint.assessed) if footprint else None,
        "central_g_per_min": str(footprint.central) if footprint else None,
        "failed_must": [finding.rule for finding in verdict.failed_must],
        "warnings": [finding.rule for finding in verdict.warnings],
        "findings": [
            {
                "rule": finding.rule,
                "title": finding.title,
                "level": finding.level,
                "gates": finding.gates,
                "outcome": finding.outcome,
                "found": finding.found,
                "advice": finding.advice,
            }
            for finding in verdict.findings
        ],
    }


HEADLINES = {"none": "No certificate", **OUTCOMES, "disclosed": "Self-declared measurement, not a label"}


def show_verdict(verdict: Verdict) -> None:
    """The outcome first; then what stands in its way, what a better one needs, and the rest."""
    out = console()
    out.print(f"[bold]{verdict.outcome}[/]  {HEADLINES[verdict.outcome]}; evidence level {verdict.evidence_level}")
    if verdict.footprint:
        footprint = verdict.footprint
        out.print(
            f"  at most {footprint.assessed} g CO2e per minute of finished music (best estimate {footprint.central})"
        )
    blocking = [finding for finding in verdict.failed_must if finding.gates == "all"]
    better = [finding for finding in verdict.failed_must if finding.gates != "all"]
    _show_findings("Why there is no certificate", blocking)
    _show_findings("What a better outcome needs", better)
    _show_findings("Warnings", verdict.warnings)
    if not (blocking or better or verdict.warnings):
        out.print("  every rule is met")


def _show_findings(heading: str, findings: Sequence[Finding]) -> None:
    if not findings:
        return
    out = console()
    out.print(f"\n[bold]{heading}[/]")
    for finding in findings:
        closes = f"  [dim]closes {finding.gates} and above[/]" if finding.gates not in (None, "all") else ""
        out.print(f"  {finding.rule}  {plain(finding.title)}{closes}")
        out.print(f"          found    {plain(finding.found)}")
        out.print(f"          to do    {plain(finding.advice)}")


NEXT = {"disclosed": "a statement", "measured": "measured", "class-2": "class 2", "class-1": "class 1"}
SHOWN_HELPS = 3


def show_levers(levers: Levers, verdict: Verdict) -> None:
    """What would reach the next outcome, one change at a time, each decided again; then several together."""
    out = console()
    if levers.next is None:
        out.print(f"\n{levers.note}")
        return
    goal = NEXT[levers.next]
    titles = {finding.rule: finding.title for finding in verdict.findings}
    out.print(f"\n[bold]What would reach {goal}[/]")
    telling = [lever for lever in levers.levers if lever.closes]
    others = [lever for lever in levers.levers if not lever.closes]
    for lever in telling + others[:SHOWN_HELPS]:
        out.print(f"  {plain(lever.sentence)}")
        least = f", down to {lever.lowest} if taken further" if lever.lowest < lever.assessed else ""
        out.print(f"          at most {lever.assessed} (best estimate {lever.central}){least}")
        out.print(f"          [dim]{plain(_ends(lever, goal, titles))}[/]")
    if others[SHOWN_HELPS:]:
        out.print(f"  {len(others[SHOWN_HELPS:])} more of smaller effect: see --json")
    if levers.path:
        out.print(
            f"  [bold]Together these reach {goal}[/]: at most {levers.path.assessed} (best estimate {levers.path.central})"
        )
        for number, sentence in enumerate(levers.path.steps, 1):
            out.print(f"    {number}. {plain(sentence)}")
    if levers.note:
        out.print(f"  {plain(levers.note)}")


def _ends(lever: Lever, goal: str, titles: Mapping[str, str]) -> str:
    if lever.reaches:
        return f"reaches {goal}"
    if not lever.closes:
        return f"does not reach {goal} by itself"
    return f"meets {_titles(lever.closes, titles)}; still open: {_titles(lever.leaves, titles)}"


def _titles(rules: Sequence[str], titles: Mapping[str, str]) -> str:
    return ", ".join(f"{titles[rule_id]} ({rule_id})" for rule_id in rules)
