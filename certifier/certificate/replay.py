"""Whether a certificate follows from its public files: the decision made again, and every member compared (DESIGN 19).

Certificate + signed report + decision record + rule files, bound by digests, give the same verdict on any machine. What the
record merely states, since only the issuer could know it, is listed as the issuer's word, or compared with what the reader
found out himself (`Found`). Values in, values out; signature, log and status are the business of `verify`.

The steps:
 (1) the report and the record are the ones that the certificate names
 (2) the record is about this report, this file and this standard
 (3) the report's signatures are those that the record counts
 (4) the rules at hand are those that the certificate names
 (5) the decision, made again, writes exactly this record
 (6) each member of the certificate follows from it
 (7) the certificate says nothing beside its members
 (8) what is left is the issuer's word
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal

from certifier.certificate.claims import SOFTWARE, VALID_MONTHS, Own, Result, claims_of, result_of
from certifier.certificate.code import display_code
from certifier.certificate.credential import parse_claims, payload_for
from certifier.certificate.model import OUTCOMES, Claims, Figures, months_later
from certifier.certificate.proof import split_proof
from certifier.certificate.times import parse_time, time_text
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.strict_json import parse_object
from certifier.decision import LIMITS, decision_record, parse_decision
from certifier.errors import ForeignInputError, MalformedCertificate
from certifier.report.envelope import OpenedReport, open_report
from certifier.report.evidence import Audio, Deposit, Evidence, RegisteredTool, Signature, Statement
from certifier.standard.evaluate import Verdict, decide
from certifier.standard.model import Standard

Value = Literal["ok", "differs", "cannot"]
Answer = Literal["follows", "does_not_follow", "cannot_tell"]
Standing = Literal["issuer's word", "checked here", "differs"]

_FIGURES = Figures._fields
_RULED = ("outcome", "basis.evidence_level", *(f"figures.{name}" for name in _FIGURES))
# Every member that follows from report, record and rules. The others are the issuer's: code, status, its own name.
MEMBERS = (
    *_RULED,
    "subject.title",
    "subject.artist",
    "subject.isrc",
    "subject.audio_sha256",
    "subject.essence_sha256",
    "basis.standard",
    "basis.standard_sha256",
    "basis.tables_sha256",
    "basis.report_sha256",
    "basis.decision_sha256",
    "assessor.kind",
    "assessor.id",
    "assessor.name",
    "issued_at",
    "expires_at",
)
_BOUND_BY_STANDARD = (*_RULED, "basis.standard", "basis.standard_sha256", "basis.tables_sha256")
_WORDS = ("name", "narrative", "description")  # for people; another version of this software may word them otherwise
_OUTCOME_WORDS = ("/name", "/credentialSubject/achievement/name")  # the outcome by its name: worded by the standard
_NOTHING = object()


@dataclass(frozen=True)
class Case:
    """A certificate with the two documents that its evidence names, read but not yet compared."""

    unsigned: dict[str, Any]
    claims: Claims
    opened: OpenedReport
    decision: bytes
    record: dict[str, Any]
    evidence: Evidence
    decided_at: datetime


@dataclass(frozen=True)
class Found:
    """What the reader found out himself, in the form of the record; None: not looked at."""

    audio: Audio | None = None
    deposits: Mapping[str, Deposit] | None = None
    signatures: tuple[Signature, ...] | None = None
    tools: Mapping[str, RegisteredTool] | None = None
    assessor_name: str | None = None


@dataclass(frozen=True)
class Check:
    """One comparison: what the certificate (or the record) says, and what was found here."""

    name: str
    value: Value
    says: str
    found: str
    hint: str = ""


@dataclass(frozen=True)
class Fact:
    """A fact that the public files state and cannot prove. ``found`` is what the reader found instead, where it differs."""

    name: str
    value: str
    standing: Standing
    found: str = ""


@dataclass(frozen=True)
class Replay:
    claims: Claims
    checks: tuple[Check, ...]
    facts: tuple[Fact, ...]
    verdict: Verdict | None = field(default=None)

    @property
    def answer(self) -> Answer:
        if self.differing or any(fact.standing == "differs" for fact in self.facts):
            return "does_not_follow"
        return "cannot_tell" if any(check.value == "cannot" for check in self.checks) else "follows"

    @property
    def differing(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.value == "differs")


# --- reading -----------------------------------------------------------------------------------------------------------


def parse_certificate(raw: bytes) -> tuple[dict[str, Any], Claims]:
    """The unsigned document and its claims; nothing is trusted yet. Raises MalformedJson or MalformedCertificate."""
    unsigned, _ = split_proof(parse_object(raw))
    return unsigned, parse_claims(unsigned)


def open_case(certificate: tuple[dict[str, Any], Claims], opened: OpenedReport, decision: bytes) -> Case:
    """Raises MalformedJson or ForeignInputError when the record cannot be read."""
    record, evidence = parse_decision(decision)
    try:
        decided_at = parse_time(evidence.now)
        months_later(decided_at, VALID_MONTHS)
    except (MalformedCertificate, ValueError) as error:
        raise ForeignInputError(
            "The time of the decision cannot be read.",
            found=evidence.now,
            expected="a time such as 2026-11-22T20:00:00Z, long before the year 10000",
            pointer="/evidence/now",
        ) from error
    return Case(*certificate, opened, decision, record, evidence, decided_at)


def case_of(certificate: bytes, report: bytes, decision: bytes) -> Case:
    """The case in three files. Raises the ForeignInputError of the first that cannot be read."""
    return open_case(parse_certificate(certificate), open_report(report), decision)


# --- the main path -----------------------------------------------------------------------------------------------------


def replay(case: Case, standards: Sequence[Standard], found: Found | None = None) -> Replay:
    """Decide again by the standard that the certificate names, if it is among these, and compare everything."""
    found = found or Found()
    wanted = case.claims.basis.standard_sha256
    standard = next((standard for standard in standards if standard.digest == wanted), None)
    verdict = decide(standard, case.opened.report, case.evidence) if standard else None
    checks = [
        *_check_files(case),  # (1)
        *_check_record(case),  # (2)
        _check_signatures(case),  # (3)
        _check_standard(case, standard, standards),  # (4)
        _check_decision(case, standard, verdict),  # (5)
        *_check_members(case, standard, verdict, found),  # (6)
        _check_document(case),  # (7)
    ]
    return Replay(case.claims, tuple(checks), tuple(_facts(case, found)), verdict)  # (8)


# --- (1) to (4): the files belong together -----------------------------------------------------------------------------


def _compared(name: str, says: str, found: str, hint: str = "") -> Check:
    return Check(name, "ok", says, found) if says == found else Check(name, "differs", says, found, hint)


def _check_files(case: Case) -> Iterator[Check]:
    basis = case.claims.basis
    hint = "Is it the file of this certificate, byte for byte as the service gives it out?"
    yield _compared("report", f"sha256 {basis.report_sha256}", f"sha256 {case.opened.digest}", hint)
    yield _compared("decision record", f"sha256 {basis.decision_sha256}", f"sha256 {sha256_hex(case.decision)}", hint)


def _check_record(case: Case) -> Iterator[Check]:
    basis, named = case.claims.basis, case.record["standard"]
    report, audio = case.opened.report, case.evidence.audio
    yield _compared("record: report", f"sha256 {case.record['report_sha256']}", f"sha256 {case.opened.digest}")
    yield _compared("record: audio", f"sha256 {audio.sha256}", f"sha256 {report.track.audio_sha256}")
    yield _compared(
        "record: standard",
        f"{named['id']} sha256 {named['sha256']}",
        f"{basis.standard} sha256 {basis.standard_sha256}",
    )


def _check_signatures(case: Case) -> Check:
    """Every signature of the envelope was verified when it was opened; here they are compared with the record's list."""
    carried = [signer.did_key for signer in case.opened.signers]
    counted = [
        _signer_of(signature, case) for signature in case.evidence.signatures if not _is_elsewhere(signature, case)
    ]
    says = f"{len(counted)} signatures by " + (", ".join(counted) or "nobody")
    found = f"{len(carried)} verified signatures by " + ", ".join(carried)
    problems = [
        *(f"the report carries no signature by {signer}" for signer in counted if signer not in carried),
        *(f"{signer} is counted twice" for signer in sorted(set(counted)) if counted.count(signer) > 1),
        *(f"the signature by {s.id} is good" for s in case.evidence.signatures if not s.valid),
    ]
    if case.opened.applicant.did_key not in counted:
        problems.append(f"the applicant {case.opened.applicant.did_key} signed")
    if problems:
        return Check("signatures", "differs", says, "; ".join(problems))
    later = len(carried) - len(counted)
    return Check("signatures", "ok", says, found + (f"; {later} of them not counted by the record" if later else ""))


def _is_elsewhere(signature: Signature, case: Case) -> bool:
    """Whether a service signed its export, a deposited file that is not public, and not the report (LCAL 17.4)."""
    carried = {signer.did_key for signer in case.opened.signers}
    exported = any(deposit.kind == "export" for deposit in case.evidence.deposited_logs.values())
    return signature.role == "service" and exported and signature.key not in carried


def _signer_of(signature: Signature, case: Case) -> str:
    """The did:key of a signature in the record. The applicant's is the one that the report names, if it is his."""
    if signature.role == "applicant":
        return case.opened.applicant.did_key if signature.id == case.opened.report.issuer.id else signature.id
    return signature.key or signature.id


def _check_standard(case: Case, standard: Standard | None, standards: Sequence[Standard]) -> Check:
    basis = case.claims.basis
    asked = f"{basis.standard} sha256 {basis.standard_sha256}"
    if standard:
        return Check("standard", "ok", asked, f"{standard.id} sha256 {standard.digest}")
    found = ", ".join(f"{other.id} sha256 {other.digest}" for other in standards) or "no standard"
    hint = "Take the folder that the issuer judged by: --standard DIR, or --server URL, which keeps it by its digest"
    return Check("standard", "cannot", asked, found, hint)


# --- (5) to (7): the decision again ------------------------------------------------------------------------------------


def _check_decision(case: Case, standard: Standard | None, verdict: Verdict | None) -> Check:
    """The strongest single check: the record, written again from the verdict, is the record, byte for byte (RFC 8785)."""
    name, says = "decision again", f"the record: {case.record['outcome']}, {case.record['evidence_level']}"
    if standard is None or verdict is None:
        return Check(name, "cannot", says, "not decided again without the standard's files")
    again = decision_record(verdict, case.evidence, standard_sha256=standard.digest, report_sha256=case.opened.digest)
    if again == case.decision:
        return Check(name, "ok", says, "the record is exactly what these rules write")
    differences = list(_differences(case.record, parse_object(again, LIMITS)))
    if not differences:
        return Check(name, "differs", "the record's bytes", "the same members in another form than RFC 8785 gives them")
    return _check_of(name, differences)


def _check_members(case: Case, standard: Standard | None, verdict: Verdict | None, found: Found) -> Iterator[Check]:
    claims = case.claims
    own = Own(
        claims.issuer, claims.code, claims.status, _essence_of(case, found), found.assessor_name or claims.assessor.name
    )
    again = claims_of(
        case.opened,
        case.evidence,
        case.decision,
        _result_again(claims, standard, verdict),
        own=own,
        decided_at=case.decided_at,
    )
    word = _members_of_word(case, again, found)
    for member in MEMBERS:
        if member in word:
            continue
        stated, derived = attrgetter(member)(claims), attrgetter(member)(again)
        says = _text(stated)
        if standard is None and member in _BOUND_BY_STANDARD:
            yield Check(member, "cannot", says, "not decided again without the standard's files")
        elif verdict and verdict.footprint is None and member.startswith("figures."):
            yield Check(member, "differs", says, "no figure can be computed")
        else:
            reason = _reason(verdict) if member == "outcome" and verdict else ""
            value: Value = "ok" if stated == derived else "differs"
            yield Check(member, value, says, _text(derived), reason if value == "differs" else "")


def _members_of_word(case: Case, again: Claims, found: Found) -> set[str]:
    """The members that nothing at hand can confirm: they are facts, not checks."""
    word = set()
    if case.opened.essence_sha256 is None and found.audio is None:
        word.add("subject.essence_sha256")
    if again.assessor != SOFTWARE and found.assessor_name is None:
        word.add("assessor.name")
    return word


def _essence_of(case: Case, found: Found) -> str | None:
    """The essence digest that the applicant signed, else what the reader found, else the certificate's own (a fact)."""
    measured = found.audio.essence_sha256 if found.audio else case.claims.subject.essence_sha256
    return case.opened.essence_sha256 or measured


def _result_again(claims: Claims, standard: Standard | None, verdict: Verdict | None) -> Result:
    """The result of deciding again; what cannot be decided stays as the certificate says, and is reported so."""
    if standard and verdict and verdict.footprint:
        return result_of(verdict, standard)
    basis = claims.basis
    stays = Result(
        claims.outcome,
        basis.evidence_level,
        claims.figures,
        basis.standard,
        basis.standard_sha256,
        basis.tables_sha256,
    )
    if standard is None or verdict is None:
        return stays
    return replace(
        stays,
        outcome=verdict.outcome,
        evidence_level=verdict.evidence_level,
        standard=standard.id,
        tables_sha256=standard.tables_digest,
    )


def _reason(verdict: Verdict) -> str:
    failed = ", ".join(finding.rule for finding in verdict.failed_must)
    return f"closed by {failed}" if failed else ""


def _check_document(case: Case) -> Check:
    """The certificate written again from its own members: it says nothing beside them, and nothing else than them."""
    name = "document"
    try:
        again = payload_for(case.claims)
    except (KeyError, ValueError):
        outcomes = ", ".join(OUTCOMES)
        return Check(name, "differs", f"{case.claims.outcome} under {case.claims.basis.standard}", f"one of {outcomes}")
    differences = list(_differences(case.unsigned, again))
    if differences:
        return _check_of(name, differences)
    return Check(name, "ok", "the whole document", "nothing beside these members")


_Difference = tuple[str, Any, Any]


def _differences(says: Any, again: Any, pointer: str = "") -> Iterator[_Difference]:
    """Where two JSON values differ, as (JSON Pointer, the one, the other); lists of another length as a whole."""
    if isinstance(says, dict) and isinstance(again, dict):
        for name in sorted({*says, *again}):
            yield from _differences(says.get(name, _NOTHING), again.get(name, _NOTHING), f"{pointer}/{name}")
    elif isinstance(says, list) and isinstance(again, list) and len(says) == len(again):
        for number, pair in enumerate(zip(says, again, strict=True)):
            yield from _differences(*pair, f"{pointer}/{number}")
    elif type(says) is not type(again) or says != again:
        yield pointer, says, again


def _check_of(name: str, differences: Sequence[_Difference]) -> Check:
    """Another version of this software may have more or fewer members and other words: that alone accuses nobody."""
    plain = [d for d in differences if not _may_be_another_version(d)]
    shown = (plain or differences)[:5]
    value: Value = "differs" if plain else "cannot"
    hint = "" if plain else "Written by another version of this software, or by hand. Read these places yourself."
    says = "; ".join(f"{pointer} {_shown(says)}" for pointer, says, _ in shown)
    found = "; ".join(f"{pointer} {_shown(again)}" for pointer, _, again in shown)
    return Check(name, value, says, found, hint)


def _may_be_another_version(difference: _Difference) -> bool:
    pointer, says, again = difference
    if says is _NOTHING or again is _NOTHING:
        return True
    return pointer.rpartition("/")[2] in _WORDS and pointer not in _OUTCOME_WORDS


def _shown(value: Any) -> str:
    return "nothing" if value is _NOTHING else str(value)[:120]


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not given" if value is None else str(value)


# --- (8): the issuer's word --------------------------------------------------------------------------------------------


def _facts(case: Case, found: Found) -> Iterator[Fact]:
    """What an outsider cannot work out from the public files, each with its value."""
    evidence, claims = case.evidence, case.claims
    yield _word("time of the decision", evidence.now)
    yield from _audio_facts(case, found.audio)
    yield from _file_facts(evidence.deposited_logs, found.deposits)
    yield from _signature_facts(case, found)
    yield from _tool_facts(evidence.tools, found.tools)
    yield _word("earlier certificates of this file", _listed(evidence.ledger.certified_audio))
    if case.opened.report.renewal_of is not None:
        yield _word(
            "the certificate that it renews", f"{case.opened.report.renewal_of}: in force, of this file and key"
        )
    shares = (f"{run}: {share}" for run, share in evidence.ledger.run_share_used.items() if share)
    yield _word("shares of runs used up before", _listed(shares))
    if evidence.ledger.claims_used is not None:
        yield _word("electricity instruments used before", _listed(evidence.ledger.claims_used))
    yield from _statement_facts(evidence.statements)
    uses = (
        f"{model}: in use for {use.months:f} months, {use.minutes_last_12m:f} min in the last 12"
        for model, use in evidence.model_use.items()
    )
    yield _word("minutes made with a model", _listed(uses))
    yield _word("models of affiliates", _listed(evidence.affiliated_models))
    places = ", ".join(f"{entry.purpose} {entry.index}" for entry in claims.status)
    yield _word("chosen by the issuer", f"code {display_code(claims.code)}; places in the status lists: {places}")
    yield _word("issuer", f"{claims.issuer.name}, {claims.issuer.did}")


def _word(name: str, value: str) -> Fact:
    return Fact(name, value, "issuer's word")


def _fact(name: str, value: str, found: str | None) -> Fact:
    """The fact beside what the reader found; None where he did not look."""
    if found is None:
        return _word(name, value)
    return Fact(name, value, "checked here") if found == value else Fact(name, value, "differs", found)


def _listed(parts: Iterable[str]) -> str:
    return "; ".join(parts) or "none"


def _audio_facts(case: Case, found: Audio | None) -> Iterator[Fact]:
    stated = case.evidence.audio
    words: dict[str, Callable[[Audio], str]] = {
        "length of the audio": lambda audio: f"{audio.duration_s:f} s",
        "silence in the audio": lambda audio: f"{audio.silence_s:f} s",
        "form of the audio": lambda audio: audio.format or "not said",
    }
    for name, word in words.items():
        yield _fact(name, word(stated), word(found) if found else None)
    if case.opened.essence_sha256 is None:
        essence = case.claims.subject.essence_sha256 or "none"
        yield _fact("digest of the samples", essence, (found.essence_sha256 or "none") if found else None)


def _file_facts(stated: Mapping[str, Deposit], found: Mapping[str, Deposit] | None) -> Iterator[Fact]:
    if not stated and not found:
        yield _fact("deposited files", "none", None if found is None else "none")
    for digest in sorted({*stated, *(found or {})}):
        kind = (stated.get(digest) or (found or {})[digest]).kind
        read = None if found is None else _deposit_text(found.get(digest))
        yield _fact(f"deposited {kind} {digest[:12]}…", _deposit_text(stated.get(digest)), read)


def _deposit_text(deposit: Deposit | None) -> str:
    if deposit is None:
        return "not deposited"
    if deposit.format is None:
        return f"{deposit.kind}, not read by the issuer"
    units = {"energy_kwh": "kWh", "duration_s": "s", "minutes": "min"}
    read = (
        f"{name} "
        + ", ".join(
            f"{value:f} {unit}" for field, unit in units.items() if (value := getattr(found, field)) is not None
        )
        for name, found in sorted(deposit.activities.items())  # a record is sorted, a log is not
    )
    return f"{deposit.kind}, read as {deposit.format}: {_listed(read)}"


def _signature_facts(case: Case, found: Found) -> Iterator[Fact]:
    own = None if found.signatures is None else {_signer_of(s, case): _register_text(s) for s in found.signatures}
    for signature in case.evidence.signatures:
        if signature.role == "applicant":
            yield _word("key of the applicant", f"{signature.id}: {_key_text(signature)}")
        else:
            unseen = None if _is_elsewhere(signature, case) else "not in the report"
            registered = None if own is None else own.get(_signer_of(signature, case), unseen)
            yield _fact(f"register: {signature.id}", _register_text(signature), registered)
    if case.claims.assessor != SOFTWARE:
        yield _fact("name of the assessor", case.claims.assessor.name, found.assessor_name)


def _register_text(signature: Signature) -> str:
    role = signature.role.replace("_", " ")
    if not signature.registered:
        return f"{role}, key not registered"
    says = [f"registered as {role} {signature.id}", f"key {_key_text(signature)}"]
    if signature.capability:
        coverage, method = (
            ", ".join(part) or "nothing" for part in (signature.capability.coverage, signature.capability.method)
        )
        says.append(f"may measure {coverage} by {method}")
    if signature.role == "verifier":
        in_scope, conflict = bool(signature.in_scope), signature.conflict is not False
        says.append(f"in scope: {_text(in_scope)}, conflict of interest: {_text(conflict)}")
    if signature.own_measurement:
        says.append("measured itself")
    if signature.role == "service" and signature.key:  # not in the report: its export is no public file
        says.append(f"signed its export with {signature.key}")
    return "; ".join(says)


def _key_text(signature: Signature) -> str:
    return f"in force at signing: {_text(signature.key_active_at_signing)}, now: {_text(signature.key_active_now)}"


def _statement_facts(stated: Mapping[str, Statement]) -> Iterator[Fact]:
    if not stated:
        yield _word("registered model statements", "none")
    for name, statement in sorted(stated.items()):
        holds = {
            "registered": statement.registered,
            "signed by a verifier": statement.verifier_signed,
            "location-based": statement.location_based,
        }
        says = ", ".join(words if good else f"not {words}" for words, good in holds.items())
        figures = "; ".join(_statement_figures(statement))
        yield _word(
            f"statement {name}", f"{statement.model} {statement.version}, {statement.issued_on}: {figures}; {says}"
        )


def _statement_figures(statement: Statement) -> Iterator[str]:
    """Every number of a statement that a figure may rest on."""
    data = "data in" if statement.includes_data else "data not in"
    yield f"{statement.training_g_per_minute:f} g of training per minute, {data}"
    if statement.wh_per_minute is not None:
        yield f"{statement.wh_per_minute:f} Wh of service per minute"
    if statement.pue is not None:
        yield f"PUE {statement.pue:f}"
    if statement.places:
        yield "made " + ", ".join(f"{place.weight:f} in {place.key}" for place in statement.places)
    if statement.hardware:
        lines = (f"{line.seconds_per_minute:f} s of {line.count} {line.name}" for line in statement.hardware)
        yield "hardware per minute " + ", ".join(lines)


def _tool_facts(stated: Mapping[str, RegisteredTool], found: Mapping[str, RegisteredTool] | None) -> Iterator[Fact]:
    for name in sorted({*stated, *(found or {})}):
        own = None if found is None else _tool_text(found.get(name))
        yield _fact(f"tool {name}", _tool_text(stated.get(name)), own)


def _tool_text(tool: RegisteredTool | None) -> str:
    if tool is None:
        return "not registered"
    return f"{'usable' if tool.ok else 'withdrawn'}, PUE in its energy: {tool.pue}"
