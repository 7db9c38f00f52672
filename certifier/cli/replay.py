"""``certifier replay``: decide again from the public files, and see whether the certificate follows."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from certifier.audio.analyse import analyse_audio
from certifier.certificate.code import display_code, parse_code
from certifier.certificate.replay import MEMBERS, Case, Check, Fact, Found, Replay, open_case, parse_certificate
from certifier.certificate.replay import replay as replay_case
from certifier.certificate.verification import Material, Verification, verification_document
from certifier.certificate.verify import check_certificate
from certifier.cli.options import FILE, FOLDER, service_at
from certifier.cli.output import EXIT_CANNOT_TELL, EXIT_REFUSED, console, plain, show_error, show_json
from certifier.cli.verify import EXITS_OF_VERDICTS, WORDS, given_of_path, given_of_words, is_file, load_trust
from certifier.client import Client
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, ForeignInputError, MalformedCode, NotFoundError, StandardError
from certifier.report.envelope import open_report
from certifier.report.evidence import Audio, Deposit, RegisteredTool, assessor_of
from certifier.service.examine import deposits_of, registered_name, signatures_of
from certifier.shipped import shipped
from certifier.standard.model import Standard, folder_digest, parse_standard
from certifier.storage.files import load_keyring, load_standard

STANDARDS = shipped("standards") / "lcal"

EXITS = {"follows": 0, "does_not_follow": EXIT_REFUSED, "cannot_tell": EXIT_CANNOT_TELL}
HEADLINES = {
    "follows": ("green", "FOLLOWS", "From this report and this record, these rules give exactly this certificate."),
    "does_not_follow": ("red", "DOES NOT FOLLOW", "The certificate is not what these files and rules give:"),
    "cannot_tell": ("yellow", "CANNOT TELL", "From what is at hand it cannot be said:"),
}
VERIFY_NOTE = "whether the certificate is signed and in the log: certifier verify"
OF_RECORD = ("record: report", "record: audio", "record: standard", "signatures", "decision again")
REDERIVED = (*MEMBERS, "decision again", "document")
WIDTH = 100
_LONG = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b|(did:key:z6Mk\w{8})\w{30,}", re.ASCII)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Files:
    """The three public files, each with the name that an error calls it by."""

    certificate: tuple[str, bytes]
    report: tuple[str, bytes]
    decision: tuple[str, bytes]


@click.command()
@click.argument("target", metavar="CERTIFICATE|FOLDER|CODE")
@click.option(
    "--report", "report_file", type=FILE, help="The signed report; else CODE.report.json or report.dsse.json."
)
@click.option(
    "--decision", "decision_file", type=FILE, help="The decision record; else CODE.decision.json or decision.json."
)
@click.option(
    "--standard",
    "folder",
    type=FOLDER,
    help="The standard's folder; else the one whose digest fits, here or at --server.",
)
@click.option("--server", envvar="LCAL_SERVER", help="Where to fetch what is missing, e.g. http://127.0.0.1:8000.")
@click.option("--audio", type=FILE, help="The master: measure its length and silence here.")
@click.option("--log", "logs", type=FILE, multiple=True, help="A deposited file: read it here. Repeat for all of them.")
@click.option("--register", type=FOLDER, help="A register of keys and tools: look the signers up here.")
@click.option("--trust", type=FILE, help="Keys to trust: verify the certificate as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def replay(
    ctx: click.Context,
    target: str,
    report_file: Path | None,
    decision_file: Path | None,
    folder: Path | None,
    server: str | None,
    audio: Path | None,
    logs: tuple[Path, ...],
    register: Path | None,
    trust: Path | None,
    as_json: bool,
) -> None:
    """Decide again, offline, from a certificate's public files, and say whether the certificate follows.

    The files are the CERTIFICATE, its signed report and its decision record: in one FOLDER, or at a service by CODE.
    What only the issuer could know is listed as the issuer's word; --audio, --log and --register check some of it here.
    Exit codes: 0 it follows, 3 it does not, 6 cannot tell, 5 network. With --trust, 0 only if it is valid, too.
    """
    client = service_at(server) if server else None
    path = _certificate_file(target)
    files = _read_files(path, report_file, decision_file, client) if path else _fetch_files(target, client)
    case = _case_of(files)
    found = _found(case, audio, logs, register)
    standards, broken = ([_chosen_standard(folder)], []) if folder else _known_standards()
    if client and not folder:
        standards += _served_standard(client, case.claims.basis.standard_sha256, standards)
    replayed = replay_case(case, standards, found)
    verification = _verified(files, path, case.claims.code, client, trust) if trust else None
    if as_json:
        show_json(replay_document(replayed, verification))
    else:
        _show(replayed, verification)
    for problem in broken:
        console(stderr=True).print(f"not looked at: {plain(problem)}")
    ctx.exit(_exit_code(replayed, verification))


def _exit_code(replayed: Replay, verification: Verification | None) -> int:
    """The worse of the two answers: not true before not known, not known before true."""
    codes = {EXITS[replayed.answer], EXITS_OF_VERDICTS[verification.verdict] if verification else 0}
    return next(code for code in (EXIT_REFUSED, EXIT_CANNOT_TELL, 0) if code in codes)


# --- the files ---------------------------------------------------------------------------------------------------------


def _certificate_file(target: str) -> Path | None:
    """The certificate that a path leads to; None for a code."""
    path = Path(target)
    if is_file(path):
        return path
    try:
        if not path.is_dir():
            return None
    except OSError:  # too long for a file name
        return None
    named = path / "certificate.json"
    candidates = [named] if named.is_file() else sorted(path.glob("*.vc"))
    if len(candidates) != 1:
        found = ", ".join(candidate.name for candidate in candidates[:5]) or "none"
        raise click.UsageError(f"The folder {path} should hold certificate.json or one .vc file; found: {found}.")
    return candidates[0]


def _read_files(path: Path, report: Path | None, decision: Path | None, client: Client | None) -> Files:
    """The certificate and what was named, lies beside it, or can be fetched."""
    raw = path.read_bytes()
    _, claims = _read_as(str(path), parse_certificate, raw)
    stem = path.name.removesuffix(".json").removesuffix(".vc")

    def other(what: str, given: Path | None, kind: str, names: Iterable[str]) -> tuple[str, bytes]:
        beside = (path.with_name(name) for name in (f"{stem}.{kind}", f"{claims.code}.{kind}", *names))
        file = given or next((candidate for candidate in beside if candidate.is_file()), None)
        if file:
            return str(file), file.read_bytes()
        if client is None:
            option = kind.partition(".")[0]
            raise click.UsageError(f"There is no {what} beside {path}: give --{option} FILE, or --server URL.")
        return _fetched(client, f"/v/{claims.code}.{kind}")

    return Files(
        (str(path), raw),
        other("signed report", report, "report.json", ("report.dsse.json", "report.json")),
        other("decision record", decision, "decision.json", ("decision.json",)),
    )


def _fetch_files(target: str, client: Client | None) -> Files:
    try:
        code = parse_code(target)
    except MalformedCode as error:
        raise click.UsageError(
            f"There is no file or folder {target[:80]!r}, and it is not a certificate code such as GG8W-7E5J-TV."
        ) from error
    if client is None:
        raise click.UsageError("A code is looked up at a service: give --server URL (or set LCAL_SERVER).")
    files = Files(*(_fetched(client, f"/v/{code}.{kind}") for kind in ("vc", "report.json", "decision.json")))
    _, claims = _read_as(files.certificate[0], parse_certificate, files.certificate[1])
    if claims.code != code:
        raise ForeignInputError(
            "The service gave out another certificate.", found=display_code(claims.code), expected=display_code(code)
        )
    return files


def _fetched(client: Client, path: str) -> tuple[str, bytes]:
    return client.server + path, client.get(path)


def _case_of(files: Files) -> Case:
    certificate = _read_as(files.certificate[0], parse_certificate, files.certificate[1])
    opened = _read_as(files.report[0], open_report, files.report[1])
    return _read_as(files.decision[0], lambda raw: open_case(certificate, opened, raw), files.decision[1])


def _read_as(name: str, read: Callable[[bytes], _T], raw: bytes) -> _T:
    """What is read from these bytes; an error says which of the files it is about."""
    try:
        return read(raw)
    except CertifierError as error:
        error.message = f"{name}: {error.message}"
        raise


def _chosen_standard(folder: Path) -> Standard:
    try:
        return load_standard(folder)
    except NotFoundError as error:
        raise click.UsageError(f"{error.message} Expected {error.expected}.") from error


def _served_standard(client: Client, digest: str, known: Sequence[Standard]) -> list[Standard]:
    """The very files that the certificate names, as the service keeps them by their digest; none where it is here already.

    Nobody has to be believed for them: they have that digest, or they are not used.
    """
    if any(standard.digest == digest for standard in known):
        return []
    place = f"/standards/by-digest/{digest}"
    index = client.get_optional(place)
    if index is None:
        return []
    names = parse_object(index).get("files")
    files = {str(name): client.get(f"{place}/{name}") for name in names} if isinstance(names, dict) else {}
    if folder_digest(files) != digest:
        raise ForeignInputError(
            "The service gave out other files of the standard than the certificate names.",
            found=f"{client.server}{place}",
            expected=f"files of the digest {digest}",
        )
    return [parse_standard(files)]


def _known_standards() -> tuple[list[Standard], list[str]]:
    """Every version that lies here, and what is wrong with those that cannot be loaded."""
    standards, broken = [], []
    for file in sorted(STANDARDS.glob("*/standard.toml")):
        try:
            standards.append(load_standard(file.parent))
        except StandardError as error:
            broken.append(f"{file.parent}: {error.message}")
    return standards, broken


# --- what the reader finds out himself ---------------------------------------------------------------------------------


def _found(case: Case, audio: Path | None, logs: tuple[Path, ...], register: Path | None) -> Found:
    try:
        found = Found(
            audio=_audio_of(case, audio) if audio else None,
            deposits=_deposits_of(case, logs) if logs else None,
        )
    except CertifierError as error:  # a file of the reader's own says nothing of the certificate
        show_error(error)
        raise click.UsageError("A file that was given to compare with cannot be read.") from error
    return _with_register(found, case, logs, register) if register else found


def _audio_of(case: Case, audio: Path) -> Audio:
    facts, expected = analyse_audio(str(audio)), case.claims.subject.audio_sha256
    if facts.sha256 != expected:
        raise click.UsageError(f"{audio} is another file: sha256 {facts.sha256}; the certificate is for {expected}.")
    return Audio(
        sha256=facts.sha256,
        duration_s=facts.duration_s,
        silence_s=facts.silence_s,
        essence_sha256=facts.essence_sha256,
        format=facts.format,
    )


def _by_digest(logs: tuple[Path, ...]) -> dict[str, bytes]:
    return {sha256_hex(content): content for content in (log.read_bytes() for log in logs)}


def _deposits_of(case: Case, logs: tuple[Path, ...]) -> dict[str, Deposit]:
    """The files as the service reads them. A log is read together with the others, so all of them are needed."""
    contents = _by_digest(logs)
    stated = set(case.evidence.deposited_logs)
    if stated != set(contents):
        wanted, given = (
            ", ".join(digest[:16] for digest in sorted(digests)) or "none" for digests in (stated, contents)
        )
        raise click.UsageError(
            f"--log is needed for each deposited file and no other. Deposited: sha256 {wanted}; given: {given}."
        )
    return deposits_of(contents, case.opened.report)


def _with_register(found: Found, case: Case, logs: tuple[Path, ...], register: Path) -> Found:
    """What this register says of the signers and tools at the time of the decision."""
    keyring, report = load_keyring(register), case.opened.report
    named = {f"{activity.tool.name} {activity.tool.version}" for activity in report.activities if activity.tool}
    return replace(
        found,
        signatures=signatures_of(case.opened, keyring, _by_digest(logs), case.decided_at),
        tools={name: RegisteredTool(ok=tool.ok, pue=tool.pue) for name, tool in keyring.tools.items() if name in named},
        assessor_name=registered_name(assessor_of(report, case.evidence), keyring),
    )


def _verified(files: Files, path: Path | None, code: str, client: Client | None, trust: Path) -> Verification:
    """The verification of the very bytes that were replayed."""
    given = given_of_path(path, client) if path else given_of_words(code, client)
    material = Material(load_trust(trust), given.proof, given.lists)
    return check_certificate(files.certificate[1], material, datetime.now(UTC))


# --- what is shown -----------------------------------------------------------------------------------------------------


def replay_document(replayed: Replay, verification: Verification | None) -> dict[str, Any]:
    claims, verdict = replayed.claims, replayed.verdict
    return {
        "answer": replayed.answer,
        "code": display_code(claims.code),
        "standard": claims.basis.standard,
        "standard_sha256": claims.basis.standard_sha256,
        "outcome": claims.outcome,
        "assessed_g_per_min": claims.figures.assessed_g_per_min,
        "outcome_again": verdict.outcome if verdict else None,
        "differing": [check.name for check in replayed.differing],
        "checks": [vars(check) for check in replayed.checks],
        "facts": [vars(fact) for fact in replayed.facts],
        "verification": verification_document(verification) if verification else None,
    }


def _show(replayed: Replay, verification: Verification | None) -> None:
    out = console()
    colour, headline, because = HEADLINES[replayed.answer]
    claims = replayed.claims
    out.print(f"[bold {colour}]{headline}[/]  {_certified(replayed)}")
    out.print(
        f"  {plain(claims.subject.title)} – {plain(claims.subject.artist)}, certificate {display_code(claims.code)}"
    )
    out.print(f"  {because}")
    for check in replayed.checks:
        if check.value == "differs" or (check.value == "cannot" and check.hint):  # what lacks the standard is told once
            _show_problem(check)
    for fact in replayed.facts:
        if fact.standing == "differs":
            _show_rows(f"  [bold]{plain(fact.name)}[/]", (("the record says", fact.value), ("found here", fact.found)))
    for heading, checks in _grouped(replayed.checks):
        _show_list(heading, ((check.value, _label(check), _value(check)) for check in checks))
    checked = [fact for fact in replayed.facts if fact.standing != "issuer's word"]
    words = [fact for fact in replayed.facts if fact.standing == "issuer's word"]
    if checked:
        _show_list("Said by the issuer, and looked up here", map(_row, checked))
    _show_list("The issuer's word: the public files state these and cannot prove them", map(_row, words))
    out.print()
    if verification is None:
        out.print(f"  {VERIFY_NOTE}")
    else:
        out.print(f"  certifier verify: [bold]{WORDS[verification.verdict]}[/], {plain(verification.because)}")


def _grouped(checks: Iterable[Check]) -> Iterator[tuple[str, list[Check]]]:
    """Members of the certificate apart from what binds the files and the rules together."""
    rest = list(checks)
    yield "The files and the rules", [check for check in rest if check.name not in MEMBERS]
    yield "The certificate, member by member", [check for check in rest if check.name in MEMBERS]


def _certified(replayed: Replay) -> str:
    claims = replayed.claims
    figures = claims.figures
    return (
        f"{plain(claims.outcome)}, at most {plain(figures.assessed_g_per_min)} g CO2e per minute of finished music"
        f" (best estimate {plain(figures.central_g_per_min)})"
    )


def _show_problem(check: Check) -> None:
    says = "record says" if check.name in OF_RECORD else "certificate says"
    rows = [(says, check.says), ("re-derived" if check.name in REDERIVED else "found here", check.found)]
    _show_rows(f"  [bold]{_label(check)}[/]", [*rows, *([("note", check.hint)] if check.hint else [])])


def _show_rows(heading: str, rows: Iterable[tuple[str, str]]) -> None:
    out = console()
    out.print(heading)
    for label, text in rows:
        for line in _lines(text, f"      {label:<18}"):
            out.print(plain(line))


def _show_list(heading: str, rows: Iterable[tuple[str, str, str]]) -> None:
    out = console()
    out.print(f"\n[bold]{heading}[/]")
    for value, name, text in rows:
        for line in _lines(text, f"  {value:<8}{name:<34} "):
            out.print(plain(line))


def _row(fact: Fact) -> tuple[str, str, str]:
    return {"issuer's word": "word", "checked here": "ok", "differs": "differs"}[fact.standing], fact.name, fact.value


def _label(check: Check) -> str:
    """``figures.assessed_g_per_min`` as ``figures: assessed``."""
    return check.name.replace("_g_per_min", "").replace(".", ": ").replace("_", " ")


def _value(check: Check) -> str:
    return check.found if check.value == "ok" else check.says


def _lines(text: str, start: str) -> Iterator[str]:
    """The text after a label, in lines that fit a terminal of 100 columns; digests and keys by their first symbols."""
    short = _LONG.sub(lambda match: f"{match[1] or match[2]}…", text)
    wrapped = textwrap.wrap(short, WIDTH - len(start), break_on_hyphens=False) or [""]
    for number, line in enumerate(wrapped):
        yield (start if number == 0 else " " * len(start)) + line
