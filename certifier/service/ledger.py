"""What earlier certificates used up, as a decision asks for it: the file, the shares of runs, the certificate to renew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from certifier.report.envelope import open_report
from certifier.report.evidence import Evidence, instrument_key, ledger_keys_of
from certifier.report.model import Activity, Report

if TYPE_CHECKING:
    from certifier.storage.store import Store  # a report is checked without a database too

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
    """For each run of the report, its key in the evidence and the names under which the ledger may hold it (LCAL 6.6).

    Two runs may share a key, since names may hold slashes; then the key stands for the names of both.
    """
    names: dict[str, tuple[str, ...]] = {}
    for activity in report.activities:
        if activity.stage in SHARED_STAGES:
            for key, name in _names_of(activity, report, evidence):
                names[key] = tuple(dict.fromkeys([*names.get(key, ()), name]))
    return names


def instruments_of(report: Report) -> dict[str, str]:
    """The electricity instruments that a report names, by their name in the ledger (LCAL 7.2)."""
    ids = [(claim.certificate_id or "").strip() for claim in report.energy_claims or ()]
    return {json.dumps(["", "instrument", instrument_key(name)]): name for name in ids if instrument_key(name)}


def shares_of(report: Report, evidence: Evidence) -> dict[str, Decimal]:
    """The share of each run that this report takes, by its names in the ledger, and the instruments that nobody held yet.

    An instrument is taken whole, as a run would be: it stands in no second report that is certified (7.2).
    """
    held = {instrument_key(name) for name in evidence.ledger.claims_used or ()}
    free = {key for key, name in instruments_of(report).items() if instrument_key(name) not in held}
    shares = dict.fromkeys(sorted(free), Decimal(1))
    for activity in report.activities:
        if activity.stage in SHARED_STAGES:
            for name in dict.fromkeys(name for _, name in _names_of(activity, report, evidence)):
                shares[name] = shares.get(name, Decimal(0)) + activity.allocation_share
    return shares


def _names_of(activity: Activity, report: Report, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The keys of one run in the evidence, each with its name in the ledger.

    A run is kept under the registered party that signed. Where the report's issuer stands for it, it is kept under the key
    that signed, so that nobody can use up the runs of another by writing their name into a report. Whoever writes the name
    of the party that signed has it kept under both.
    """
    registered = {
        sign.id for sign in evidence.signatures if sign.role != "applicant" and sign.registered and sign.counts
    }
    for key in ledger_keys_of(report, evidence, activity):
        party = key.removesuffix(f"/{activity.run_id}")
        if party in registered:
            yield key, json.dumps([party, activity.run_id])
        if party == report.issuer.id:
            yield key, json.dumps([report.issuer.key_id, activity.run_id])
