"""What earlier certificates used up, as a decision asks for it: the file, the shares of runs, the certificate to renew."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from certifier.report.envelope import open_report
from certifier.report.evidence import Evidence, ledger_keys_of
from certifier.report.model import Report
from certifier.storage.store import Store

SHARED_STAGES = ("inference", "fine_tuning", "post_production")  # LCAL INT-10


@dataclass(frozen=True)
class Forerunner:
    """A certificate that a report wants to renew: of which file, whose it is (did:key), and how it stands."""

    code: str
    audio_sha256: str
    applicant: str
    state: str


class Ledger(Protocol):
    def has_audio_in_force(self, audio_sha256: str) -> bool:
        """Whether the file holds a certificate."""
        ...

    def share_used(self, run: str, besides: str | None) -> Decimal:
        """The share of a run that certificates hold, leaving out the one with the code ``besides``."""
        ...

    def forerunner(self, code: str) -> Forerunner | None: ...


class EmptyLedger:
    """The ledger of a trial run: nothing was ever certified."""

    def has_audio_in_force(self, audio_sha256: str) -> bool:  # noqa: ARG002 - a protocol's signature
        return False

    def share_used(self, run: str, besides: str | None) -> Decimal:  # noqa: ARG002 - a protocol's signature
        return Decimal(0)

    def forerunner(self, code: str) -> Forerunner | None:  # noqa: ARG002 - a protocol's signature
        return None


class StoredLedger:
    """The ledger of an installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def has_audio_in_force(self, audio_sha256: str) -> bool:
        return self._store.has_audio_in_force(audio_sha256)

    def share_used(self, run: str, besides: str | None) -> Decimal:
        return self._store.share_used(run, besides)

    def forerunner(self, code: str) -> Forerunner | None:
        row = self._store.certificate(code)
        if row is None:
            return None
        applicant = open_report(self._store.submission(row.submission_id).envelope).applicant
        change = self._store.last_change(code)
        return Forerunner(code, row.audio_sha256, applicant.did_key, change or "issue")


def runs_of(report: Report, evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """For each run of the report, its key in the evidence and its names in the ledger (LCAL 6.6).

    A run is kept under the registered party that signed. Where the report's issuer stands for it, it is kept under the key
    that signed, so that nobody can use up the runs of another by writing their name into a report. Whoever writes the name
    of the party that signed has it kept under both.
    """
    registered = {
        sign.id for sign in evidence.signatures if sign.role != "applicant" and sign.registered and sign.counts
    }
    names: dict[str, tuple[str, ...]] = {}
    for activity in report.activities:
        if activity.stage in SHARED_STAGES:
            for key in ledger_keys_of(report, evidence, activity):
                party = key.removesuffix(f"/{activity.run_id}")
                owners = [party] if party in registered else []
                owners += [report.issuer.key_id] if party == report.issuer.id else []
                names[key] = tuple(json.dumps([owner, activity.run_id]) for owner in owners)
    return names


def shares_of(report: Report, evidence: Evidence) -> dict[str, Decimal]:
    """The share of each run that this report takes, by its names in the ledger."""
    names, shares = runs_of(report, evidence), dict[str, Decimal]()
    for activity in report.activities:
        if activity.stage in SHARED_STAGES:
            kept = {name for key in ledger_keys_of(report, evidence, activity) for name in names[key]}
            for name in kept:
                shares[name] = shares.get(name, Decimal(0)) + activity.allocation_share
    return shares
