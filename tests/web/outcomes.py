"""One decision of each kind, in an installation of one's own: what the pages about decisions and certificates show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from certifier.crypto.signing import SigningKey
from certifier.service.certifier import Certifier, Issued, Refused
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio, emissions_csv

ALL = (APPLICANT, PARTY, VERIFIER)
TWO = (APPLICANT, PARTY)
HOSTILE = '"><3 onload="alert(1)" ](javascript:alert(1)) [x] `|*_ & --> {{ 7 * 7 }}'
TRAINED = {"trained_by": "applicant", "training": {"source": "activities", "generated_minutes_to_date": "1000"}}
TRAINING = {
    "id": "t1",
    "run_id": "run-t1",
    "stage": "training",
    "started_at": "2026-08-01T00:00:00Z",
    "ended_at": "2026-08-01T01:00:00Z",
    "duration_s": "3600",
    "energy_kwh": "0.35",
}
LONG_RUN = {"duration_s": "7200", "energy_kwh": "0.6", "ended_at": "2026-10-01T12:00:00Z"}


@dataclass(frozen=True)
class Outcomes:
    """``answers`` by name; ``codes`` of those that have a certificate."""

    studio: Studio
    certifier: Certifier
    answers: Mapping[str, Issued | Refused]

    @property
    def codes(self) -> dict[str, str]:
        return {name: a.certificate.code for name, a in self.answers.items() if isinstance(a, Issued)}

    def filled(self, path: str) -> str:
        """A path with {name} for the code of an answer, {name_decision} for its submission's id."""
        decisions = {f"{name}_decision": answer.submission_id for name, answer in self.answers.items()}
        return path.format(**self.codes, **decisions)


def log_of(*runs: tuple[str, ...]) -> bytes:
    """A raw log with several runs."""
    texts = [emissions_csv(*run).decode().splitlines() for run in runs]
    return "\n".join([texts[0][0], *(text[1] for text in texts), ""]).encode()


def make_outcomes(studio: Studio) -> Outcomes:
    certifier = studio.certifier()
    run, model = studio.report()["activities"][0], studio.report()["models"][0]

    def answer(name: str, keys: tuple[SigningKey, ...], log: bytes | None = None, **changes: Any) -> Issued | Refused:
        found = certifier.certify(studio.examined(name, keys, log, **changes), NOW)
        assert isinstance(found, (Issued, Refused))
        return found

    answers = {
        "class_1": answer(
            "class_1",
            ALL,
            log_of(("run-class_1",), ("run-t1", "0.35", "3600")),
            activities=[{**run, "run_id": "run-class_1"}, {**run, **TRAINING}],
            models=[model | TRAINED],
        ),
        "class_2": answer("class_2", ALL),
        "attested": answer("attested", TWO),
        "measured": answer("measured", TWO, process={}),
        "statement": answer("statement", (APPLICANT,)),
        "suspended": answer("suspended", ALL),
        "withdrawn": answer("withdrawn", ALL),
        "hostile": answer("hostile", ALL, track=studio.report(title=HOSTILE)["track"]),
        "above": answer(
            "above", TWO, log_of(("run-above", "0.6", "7200")), activities=[{**run, "run_id": "run-above", **LONG_RUN}]
        ),
        "mend": answer("mend", TWO, issued_at="2026-09-01T09:00:00Z"),
    }
    outcomes = Outcomes(studio, certifier, answers)
    certifier.change_status(outcomes.codes["suspended"], "suspend", "evidence", NOW + timedelta(days=1))
    certifier.change_status(outcomes.codes["withdrawn"], "revoke", "misuse", NOW + timedelta(days=1))
    return outcomes
