"""Look at what an applicant sent, and write down what only the issuer can know about it.

Everything here is the same for a submission and for a trial run on the applicant's own machine; only the ledger differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal, Protocol

from certifier.audio.analyse import analyse_audio
from certifier.audio.model import AudioFacts
from certifier.certificate.code import parse_code
from certifier.certificate.times import time_text
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keyring import Keyring
from certifier.errors import AudioMismatch, ConflictError, LogMismatch
from certifier.report.envelope import OpenedReport, open_report, signatures_for
from certifier.report.evidence import (
    Audio,
    Deposit,
    Evidence,
    Ledger,
    RegisteredTool,
    Reproduced,
    ledger_keys_of,
)
from certifier.report.model import Report, ServiceUse
from certifier.report.rawlogs import is_emissions_csv, parse_emissions_csv
from certifier.units import microseconds_of

SHARED_STAGES = ("inference", "fine_tuning", "post_production")  # LCAL INT-10


class LedgerView(Protocol):
    """What earlier certificates used up."""

    def has_audio_in_force(self, audio_sha256: str) -> bool: ...

    def share_used(self, run: str, besides: str | None) -> Decimal:
        """The share that certificates hold, leaving out the one with the code ``besides``."""
        ...

    def audio_in_force_of(self, code: str) -> str | None:
        """The audio digest of a certificate in force."""
        ...


class EmptyLedger:
    """The ledger of a trial run: nothing was ever certified."""

    def has_audio_in_force(self, audio_sha256: str) -> bool:  # noqa: ARG002 - a protocol's signature
        return False

    def share_used(self, run: str, besides: str | None) -> Decimal:  # noqa: ARG002 - a protocol's signature
        return Decimal(0)

    def audio_in_force_of(self, code: str) -> str | None:  # noqa: ARG002 - a protocol's signature
        return None


@dataclass(frozen=True)
class Upload:
    """What an applicant sends: the signed report, the master file on disk, the raw logs by name."""

    report: bytes
    audio: Path
    logs: Mapping[str, bytes]


@dataclass(frozen=True)
class Examined:
    """A report and its audio, opened and analysed: all of a submission that does not depend on the ledger."""

    opened: OpenedReport
    audio: AudioFacts
    logs: Mapping[str, bytes]


def examine(upload: Upload) -> Examined:
    """Open the report, analyse the audio, match the logs: everything that can be wrong with what was sent.

    Raises a ForeignInputError that names it.
    """
    opened = open_report(upload.report)
    audio = analyse_audio(str(upload.audio))
    _check_audio(opened, audio)
    return Examined(opened, audio, _named_logs(opened, upload.logs))


def gather_evidence(examined: Examined, keyring: Keyring, ledger: LedgerView, now: datetime) -> Evidence:
    """Everything outside the report that the rules may ask for, in the form of the standard's cases.

    A renewal takes over what its forerunner holds. Raises ConflictError when it names no certificate of this file in force.
    """
    report, audio = examined.opened.report, examined.audio
    renewed = _renewed_code(examined, ledger)
    signatures = signatures_for(examined.opened, keyring, moment_of(report.issued_at), now)
    named = {f"{activity.tool.name} {activity.tool.version}" for activity in report.activities if activity.tool}
    tools = {name: keyring.tools[name] for name in sorted(named & set(keyring.tools))}
    evidence = Evidence(
        now=time_text(now),
        audio=Audio(sha256=audio.sha256, duration_s=audio.duration_s, silence_s=audio.silence_s, format=audio.format),
        signatures=signatures,
        deposited_logs={
            digest: _deposited(digest, content, report) for digest, content in sorted(examined.logs.items())
        },
        tools={name: RegisteredTool(ok=tool.ok, pue=tool.pue) for name, tool in tools.items()},
    )
    used = {run: ledger.share_used(run, renewed) for run in shares_of(report, evidence)}
    certified = (audio.sha256,) if ledger.has_audio_in_force(audio.sha256) else ()
    return evidence.model_copy(update={"ledger": Ledger(certified_audio=certified, run_share_used=used)})


def moment_of(text: str) -> datetime | None:
    """The moment of an RFC 3339 time with a zone, else None."""
    micros = microseconds_of(text)
    return None if micros is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


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


def _renewed_code(examined: Examined, ledger: LedgerView) -> str | None:
    named = examined.opened.report.renewal_of
    if named is None:
        return None
    code = parse_code(named)
    if ledger.audio_in_force_of(code) != examined.audio.sha256:
        raise ConflictError(
            "The report renews a certificate that this file does not have.",
            found=named,
            expected="the code of a certificate in force for the same audio",
            hint="Leave renewal_of out to apply for a first certificate.",
            pointer="/renewal_of",
        )
    return code


def kinds_of_deposits(report: Report) -> dict[str, Literal["log", "export", "pcf", "evidence"]]:
    """What each file is that the report names by its digest: raw logs, or the export of a service; product footprints of
    devices; evidence of their age and use (LCAL 4.5, 10.1).
    """
    generating = [activity for activity in report.activities if activity.stage == "inference"]
    on_service_path = bool(generating) and all(isinstance(activity, ServiceUse) for activity in generating)
    lines = [line.embodied for activity in report.activities for line in activity.hardware or () if line.embodied]
    return {
        **{line.lifetime_evidence: "evidence" for line in lines if line.lifetime_evidence},
        **{line.pcf_sha256: "pcf" for line in lines if line.pcf_sha256},
        **dict.fromkeys(report.raw_log_sha256, "export" if on_service_path else "log"),
    }


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


def _deposited(digest: str, content: bytes, report: Report) -> Deposit:
    """A deposited file as evidence; in a format that is known here, energy and duration are reproduced (PLS-18)."""
    kind = kinds_of_deposits(report)[digest]
    if not is_emissions_csv(content):
        return Deposit(kind=kind)
    lines = {line.run_id: line for line in parse_emissions_csv(content)}
    found = {activity.id: lines[activity.run_id] for activity in report.activities if activity.run_id in lines}
    reproduced = {
        activity: Reproduced(energy_kwh=line.energy_kwh, duration_s=line.duration_s) for activity, line in found.items()
    }
    return Deposit(kind=kind, format="codecarbon", activities=reproduced)


def shares_of(report: Report, evidence: Evidence) -> dict[str, Decimal]:
    """The share of each run that this report takes, by its key in the ledger (LCAL 6.6, INT-10)."""
    shares: dict[str, Decimal] = {}
    for activity in report.activities:
        if activity.stage in SHARED_STAGES:
            for run in ledger_keys_of(report, evidence, activity):
                shares[run] = shares.get(run, Decimal(0)) + activity.allocation_share
    return shares
