"""Look at what an applicant sent, and write down what only the issuer can know about it.

Everything here is the same for a submission and for a trial run on the applicant's own machine; only the ledger differs.

Logs are read where energy and duration of a run stand in them and the run can be told by its id: those of CodeCarbon,
CarbonTracker and Impact Framework. The impacts of EcoLogits have no time, so they are kept as deposited and not read.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, count
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore
from typing import Literal

from certifier.audio.analyse import analyse_audio
from certifier.audio.model import AudioFacts
from certifier.certificate.code import parse_code
from certifier.certificate.times import time_text
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keyring import Keyring, RegisteredModel
from certifier.errors import AudioMismatch, BusyError, ConflictError, LogMismatch
from certifier.report.envelope import OpenedReport, open_report, signatures_for
from certifier.report.evidence import (
    Audio,
    Deposit,
    Evidence,
    ModelUse,
    RegisteredTool,
    Reproduced,
    Signature,
    Statement,
)
from certifier.report.evidence import Ledger as LedgerFacts
from certifier.report.exports import FORM as EXPORT_FORM
from certifier.report.exports import (
    OpenedExport,
    export_signatures,
    is_export,
    open_export,
    reproduced_minutes,
    stand_in_exports,
)
from certifier.report.model import Activity, Report, ServiceUse
from certifier.report.rawlogs import READABLE_TOOLS, LoggedRun, read_logs
from certifier.report.statements import statement_fact
from certifier.service.ledger import Forerunner, Ledger, instruments_of, runs_of
from certifier.units import microseconds_of, parse_time

NOTHING = Reproduced(energy_kwh=Decimal(0), duration_s=Decimal(0))

MOST_IN_LINE = (
    12  # files that are read or wait for it: half of the places for requests with a body (settings.max_waiting)
)

# Its free places. A queue can be looked at without taking one, which would for a moment keep out whoever has come for it.
_line: SimpleQueue[None] = SimpleQueue()
for _ in range(MOST_IN_LINE):
    _line.put(None)
_readers = BoundedSemaphore(max(2, os.cpu_count() or 1))


@dataclass(frozen=True)
class Upload:
    """What an applicant sends: the signed report, the master file on disk, the raw logs by name.

    ``contact`` is for the operator alone: it is no part of the report, and nothing public has it.
    """

    report: bytes
    audio: Path
    logs: Mapping[str, bytes]
    contact: str | None = None


@dataclass(frozen=True)
class Examined:
    """A report and its audio, opened and analysed: all of a submission that does not depend on the ledger."""

    opened: OpenedReport
    audio: AudioFacts
    logs: Mapping[str, bytes]
    contact: str | None = None


def examine(upload: Upload) -> Examined:
    """Open the report, analyse the audio, match the logs: everything that can be wrong with what was sent.

    Raises a ForeignInputError that names it, or BusyError when many files wait to be read.
    """
    opened = open_report(upload.report)
    audio = facts_in_turn(upload.audio)
    _check_audio(opened, audio)
    return Examined(opened, audio, _named_logs(opened, upload.logs), upload.contact)


def facts_in_turn(audio: Path) -> AudioFacts:
    """What a file is that somebody sent. Raises as ``analyse_audio`` does, or BusyError when many files wait to be read.

    As many are read at once as there are processors, in a short line behind them. Else a rush of uploads would take the
    processors from whoever verifies or reads, and all places for requests with a body.
    """
    with _place_in_line(), _readers:
        return analyse_audio(str(audio))


def check_line() -> None:
    """Raises BusyError while no further file can be read: to be asked before one is received, which takes longest of all."""
    if _line.empty():
        raise _busy()


@contextmanager
def _place_in_line() -> Iterator[None]:
    try:
        _line.get_nowait()
    except Empty:
        raise _busy() from None
    try:
        yield
    finally:
        _line.put(None)


def _busy() -> BusyError:
    return BusyError("Many files are being read just now.", hint="Send the same again shortly.")


def gather_evidence(examined: Examined, keyring: Keyring, ledger: Ledger, now: datetime) -> Evidence:
    """Everything outside the report that the rules may ask for, in the form of the standard's cases.

    A renewal takes over what its forerunner holds. Raises ConflictError when it names no certificate of this file in force.
    """
    report, audio = examined.opened.report, examined.audio
    renewed = _renewed_code(examined, ledger)
    deposits = deposits_of(examined.logs, report)
    named = {f"{activity.tool.name} {activity.tool.version}" for activity in report.activities if activity.tool}
    tools = {name: keyring.tools[name] for name in sorted(named & set(keyring.tools))}
    evidence = Evidence(
        now=time_text(now),
        audio=Audio(sha256=audio.sha256, duration_s=audio.duration_s, silence_s=audio.silence_s, format=audio.format),
        signatures=signatures_of(examined.opened, keyring, examined.logs, now),
        deposited_logs=deposits,
        statements=_statements(report, keyring, now),
        tools={name: RegisteredTool(ok=tool.ok, pue=tool.pue) for name, tool in tools.items()},
        model_use=_model_use(report, keyring),
        affiliated_models=_affiliated_models(report, keyring),
    )
    used = {
        key: max(ledger.share_used(name, renewed) for name in names) for key, names in runs_of(report, evidence).items()
    }
    certified = (audio.sha256,) if ledger.has_audio_in_force(audio.sha256) else ()
    instruments = instruments_of(report)
    held = tuple(name for key, name in instruments.items() if ledger.share_used(key, renewed) > 0)
    facts = LedgerFacts(
        certified_audio=certified, run_share_used=used, claims_used=held if report.energy_claims else None
    )
    return evidence.model_copy(update={"ledger": facts})


def signatures_of(
    opened: OpenedReport, keyring: Keyring, logs: Mapping[str, bytes], now: datetime
) -> tuple[Signature, ...]:
    """The signatures under the report, and those of services under their exports among the deposited files (10.1, 17.4).

    A service vouches for its own jobs only. Where all sound comes from services, a signature under an export is told only if
    each job of every use stands in an export that its service signed: else one signed export would vouch for another file.
    """
    report = opened.report
    under_report = signatures_for(opened, keyring, moment_of(report.issued_at), now)
    exports, moment = tuple(_exports_in(logs).values()), parse_time(time_text(now))
    signed_exports = [
        read.export for read in exports if any(sign.registered for sign in export_signatures([read], keyring, moment))
    ]
    if _on_service_path(report) and not stand_in_exports(_generating(report), signed_exports):
        return under_report
    signed = {signature.key for signature in under_report if signature.role == "service"}
    under_exports = export_signatures(exports, keyring, moment)
    return (*under_report, *(signature for signature in under_exports if signature.key not in signed))


def _statements(report: Report, keyring: Keyring, now: datetime) -> dict[str, Statement]:
    """What the register knows of each statement that a model of the report names (6.3)."""
    named = dict.fromkeys(model.training.statement for model in report.models if model.training.statement)
    found = {name: statement_fact(name, keyring, report.standard, now) for name in named}
    return {name: fact for name, fact in found.items() if fact is not None}


def _affiliated_models(report: Report, keyring: Keyring) -> tuple[str, ...]:
    """The models that the applicant or an affiliate trained, as the register knows (6.2); letter case hides none."""
    own = {(_folded(entry.name), _folded(entry.version)) for entry in _own_models(report, keyring)}
    return tuple(model.id for model in report.models if (_folded(model.name), _folded(model.version)) in own)


def _model_use(report: Report, keyring: Keyring) -> dict[str, ModelUse]:
    """The evidenced use of the applicant's own models (6.2)."""
    uses = {(entry.name, entry.version): entry.use for entry in _own_models(report, keyring) if entry.use}
    named = {model.id: uses.get((model.name, model.version)) for model in report.models}
    return {
        model_id: ModelUse(months=use.months, minutes_last_12m=use.minutes_last_12m)
        for model_id, use in named.items()
        if use
    }


def _own_models(report: Report, keyring: Keyring) -> list[RegisteredModel]:
    return [entry for entry in keyring.models if report.issuer.key_id in entry.affiliated_with]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def moment_of(text: str) -> datetime | None:
    """The moment of an RFC 3339 time with a zone, else None."""
    micros = microseconds_of(text)
    try:
        return None if micros is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:  # the zone leads out of the years 1 to 9999
        return None


def _check_audio(opened: OpenedReport, audio: AudioFacts) -> None:
    declared = opened.report.track.audio_sha256
    if declared != audio.sha256:
        raise AudioMismatch(
            "The report is about another audio file.",
            found=f"sha256 {audio.sha256}",
            expected=f"sha256 {declared}",
            hint="Send the master that the report names, or make a report for this file.",
            pointer="/track/audio_sha256",
        )
    if opened.essence_sha256 and opened.essence_sha256 != audio.essence_sha256:
        raise AudioMismatch(
            "The signed essence digest is not that of the file.",
            found=str(audio.essence_sha256),
            expected=opened.essence_sha256,
            pointer="/subject/0/digest",
        )


def _renewed_code(examined: Examined, ledger: Ledger) -> str | None:
    """The certificate that this report renews: in force, of this file, and the applicant's own."""
    named = examined.opened.report.renewal_of
    if named is None:
        return None
    forerunner = ledger.forerunner(parse_code(named))
    problem = _renewal_problem(forerunner, examined)
    if forerunner is None or problem:
        raise ConflictError(
            "The report renews a certificate that cannot be renewed by it.",
            found=f"{named}: {problem}",
            expected="the code of a certificate in force, for the same file, issued to the same key",
            hint="Leave renewal_of out to apply for a first certificate.",
            pointer="/renewal_of",
        )
    return forerunner.code


def _renewal_problem(forerunner: Forerunner | None, examined: Examined) -> str:
    if forerunner is None:
        return "no such certificate"
    if forerunner.applicant != examined.opened.applicant.did_key:
        return "issued to another key"
    if forerunner.audio_sha256 != examined.audio.sha256:
        return "issued for another file"
    return {"revoke": "withdrawn", "suspend": "suspended; a renewal waits for the decision"}.get(forerunner.state, "")


def kinds_of_deposits(report: Report) -> dict[str, Literal["log", "export", "pcf", "evidence"]]:
    """What each file is that the report names by its digest: raw logs, or the export of a service; product footprints of
    devices; evidence of their age and use (LCAL 4.5, 10.1).
    """
    lines = [line.embodied for activity in report.activities for line in activity.hardware or () if line.embodied]
    return {
        **{line.lifetime_evidence: "evidence" for line in lines if line.lifetime_evidence},
        **{line.pcf_sha256: "pcf" for line in lines if line.pcf_sha256},
        **dict.fromkeys(report.raw_log_sha256, "export" if _on_service_path(report) else "log"),
    }


def _generating(report: Report) -> list[Activity]:
    return [activity for activity in report.activities if activity.stage == "inference"]


def _on_service_path(report: Report) -> bool:
    """Whether all sound comes from services."""
    generating = _generating(report)
    return bool(generating) and all(isinstance(activity, ServiceUse) for activity in generating)


def _named_logs(opened: OpenedReport, logs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The deposited files by digest; each must be one that the signed report names."""
    by_digest = {sha256_hex(content): (name, content) for name, content in logs.items()}
    named = kinds_of_deposits(opened.report)
    strangers = [(digest, name) for digest, (name, _) in by_digest.items() if digest not in named]
    if strangers:
        digest, name = strangers[0]
        raise LogMismatch(
            f"The file {name[:80]!r} is not one that the report names.",
            found=f"sha256 {digest}",
            expected="one of: " + (", ".join(named) or "none; the report names no log"),
            hint="Send the log exactly as it was when the report was signed.",
            pointer="/raw_log_sha256",
        )
    return {digest: content for digest, (_, content) in by_digest.items()}


def _exports_in(logs: Mapping[str, bytes]) -> dict[str, OpenedExport]:
    """The exports of services among deposited files, opened."""
    return {digest: open_export(content) for digest, content in logs.items() if is_export(content)}


def deposits_of(logs: Mapping[str, bytes], report: Report) -> dict[str, Deposit]:
    """The deposited files as evidence; in a format that is read here, energy and duration are reproduced (PLS-18), and of the
    exports of services the minutes.

    A log is read as a whole: a run that it holds and the report leaves out is listed under its own name, and a run that the
    report says was measured by a tool whose logs are read here, but that stands in no log, is listed with nothing. The rule
    fails for both; hiding a log, or a part of it, gains nothing.
    """
    kinds = kinds_of_deposits(report)
    read = read_logs(logs)
    logged = {run.run_id for log in read.values() for run in log.runs}
    unseen = {
        activity.id: activity.tool.name.lower()
        for activity in report.activities
        if activity.tool and activity.tool.name.lower() in READABLE_TOOLS and activity.run_id not in logged
    }
    deposits = {
        digest: Deposit(
            kind=kinds[digest], format=read[digest].format, activities=_reproduced(read[digest].runs, report)
        )
        if digest in read
        else Deposit(kind=kinds[digest])
        for digest in sorted(logs)
    }
    deposits |= _export_deposits(_exports_in(logs), report)
    if unseen and deposits:
        first = deposits[next(iter(deposits))]
        unread = {
            name: NOTHING.model_copy(update={"minutes": first.activities[name].minutes})
            if name in first.activities
            else NOTHING
            for name in unseen
        }
        deposits[next(iter(deposits))] = Deposit(
            kind=first.kind,
            format=first.format or next(iter(unseen.values())),
            activities={**first.activities, **unread},
        )
    return deposits


def _export_deposits(exports: Mapping[str, OpenedExport], report: Report) -> dict[str, Deposit]:
    """The exports that stand for logs; what all of them together say is listed with the first one."""
    digests = [digest for digest in sorted(exports) if digest in report.raw_log_sha256]
    read = reproduced_minutes([exports[digest].export for digest in digests], report)
    return {
        digest: Deposit(kind="export", format=EXPORT_FORM, activities={} if number else read)
        for number, digest in enumerate(digests)
    }


def _reproduced(runs: Iterable[LoggedRun], report: Report) -> dict[str, Reproduced]:
    """What a log says of each activity; a run without one goes under a name that no activity has."""
    by_run: dict[str, list[str]] = {}
    for activity in report.activities:
        by_run.setdefault(activity.run_id, []).append(activity.id)
    taken = {activity.id for activity in report.activities}
    found: dict[str, Reproduced] = {}
    for run in runs:
        for name in by_run.get(run.run_id) or [_name_beside(f"run {run.run_id[:150]}", taken | found.keys())]:
            found[name] = Reproduced(energy_kwh=run.energy_kwh, duration_s=run.duration_s)
    return found


def _name_beside(wanted: str, taken: Collection[str]) -> str:
    """The wanted name, numbered where it is taken."""
    numbered = (f"{wanted} ({number})" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name not in taken)


def registered_name(signature: Signature | None, keyring: Keyring) -> str | None:
    """The name of the key's owner as the register has it; None for a key that it does not list."""
    return next((entry.name for entry in keyring.keys if signature and entry.key == signature.key), None)
