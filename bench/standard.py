"""The standard at work: loaded, asked about one report, and tried on a whole store.

The report is the first worked case of LCAL 1.0.0 with eight runs instead of one; the store holds reports of one, two, four
and eight runs in turn, each with a decision record of its own.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from certifier.crypto.canonical import digest_of
from certifier.crypto.signing import SigningKey
from certifier.decision import decision_record
from certifier.footprint.calculate import footprint_of
from certifier.report.envelope import sign_report, statement_for
from certifier.report.evidence import Evidence, level_of, parse_evidence
from certifier.report.model import Report, parse_report
from certifier.service.simulate import Comparison, compare_pages
from certifier.standard.evaluate import decide, evaluate
from certifier.standard.facts import facts_of
from certifier.standard.model import Standard, parse_standard
from certifier.storage.files import load_standard_files
from certifier.storage.rows import Refusal, SubmissionRow
from certifier.storage.store import Store
from tests.standard.world import FOLDER, fixtures_of, report_of, run

ACTIVITIES = 8
SIZES = (1, 2, 4, 8)
REPORTS = 3_000
LOADS = 5
REPEATS = 200
TODAY = "2026-11-01T12:00:00Z"


@dataclass(frozen=True)
class Times:
    """Milliseconds of one decision, and of its parts: the figure, its facts, the rules that are asked after it."""

    decision: float
    footprint: float
    facts: float
    rules: float


def load_ms() -> float:
    """From the folder to compiled rules."""

    def load() -> None:
        assert parse_standard(load_standard_files(FOLDER)).sheets

    return ms(load, LOADS)


def decision_times() -> Times:
    standard = parse_standard(load_standard_files(FOLDER))
    report, evidence = parse_report(report_with(ACTIVITIES)), parse_evidence(fixtures_of())
    assert decide(standard, report, evidence).outcome == "class-1"
    return times_of(standard, report, evidence)


def times_of(standard: Standard, report: Report, evidence: Evidence) -> Times:
    factors, parameters, level = standard.factors, standard.parameters, level_of(report, evidence)
    footprint = footprint_of(report, evidence, factors, parameters)
    facts = facts_of(report, evidence, footprint, factors=factors, parameters=parameters)
    return Times(
        decision=ms(lambda: decide(standard, report, evidence)),
        footprint=ms(lambda: footprint_of(report, evidence, factors, parameters)),
        facts=ms(lambda: facts_of(report, evidence, footprint, factors=factors, parameters=parameters)),
        rules=ms(lambda: evaluate(standard, facts, footprint, level=level)),
    )


def simulated_per_core_s(store: Store) -> float:
    """The same by one process, for each second that its core was at it."""
    return simulated_per_s(store, 1, process_time)


def simulated_per_s(store: Store, processes: int, clock: Callable[[], float] = perf_counter) -> float:
    """Stored reports judged again, from the database to the comparison; the start of the processes is included."""
    files = load_standard_files(FOLDER)
    standard = parse_standard(files)
    began = clock()
    compared = list(compare_pages(standard, files, store.stored_decisions(TODAY), processes))
    taken = clock() - began
    assert len(compared) == REPORTS
    assert all(isinstance(one, Comparison) and one.direction == 0 for one in compared), compared[0]
    return REPORTS / taken


@contextmanager
def filled_store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'store.sqlite'}")
        standard, evidence = parse_standard(load_standard_files(FOLDER)), parse_evidence(fixtures_of())
        key = SigningKey.from_seed(b"bench".ljust(32, b"."))
        store.accept([Refusal(submission(number, standard, evidence, key)) for number in range(REPORTS)])
        yield store
        store.close()


def submission(number: int, standard: Standard, evidence: Evidence, key: SigningKey) -> SubmissionRow:
    """One stored decision; what it was decided, and how it is filed, is the same to a simulation."""
    value = report_with(SIZES[number % len(SIZES)]) | {"report_id": f"rep-{number}"}
    verdict = decide(standard, parse_report(value), evidence)
    envelope = sign_report(statement_for(value, file_name="track.wav", essence_sha256=None), [key])
    track, digest = value["track"], digest_of(value)
    record = decision_record(verdict, evidence, standard_sha256=standard.digest, report_sha256=digest)
    return SubmissionRow(
        id=f"sub_{number:032x}",
        created_at=TODAY,
        state="refused",
        title=track["title"],
        artist=track["artist"],
        report_sha256=digest,
        audio_sha256=track["audio_sha256"],
        outcome=verdict.outcome,
        envelope=json.dumps(envelope, default=str).encode(),
        decision=record,
    )


def report_with(activities: int) -> dict[str, Any]:
    report: dict[str, Any] = copy.deepcopy(report_of())
    report["activities"] += [run(id=f"x{n}", run_id=f"run-x{n}") for n in range(activities - 1)]
    return wire_form(report)


def wire_form(value: Any) -> Any:
    """With decimals as the texts that they are on the wire."""
    return json.loads(json.dumps(value, default=str))


def ms(act: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median time of several runs on the one core that does it: what else the machine does is left out."""
    times = []
    for _ in range(repeats):
        began = process_time()
        act()
        times.append(process_time() - began)
    return median(times) * 1000
