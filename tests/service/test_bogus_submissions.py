"""Cheats that live in signatures, envelopes, logs and the ledger: what the service answers to each.

Cheats in the report's own numbers are cases of the standard (cases/bogus.json).
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.times import time_text
from certifier.crypto.signing import SigningKey
from certifier.errors import (
    BadSignature,
    CertifierError,
    LogMismatch,
    MalformedEnvelope,
    MalformedJson,
    MalformedReport,
    OperatorError,
)
from certifier.report.envelope import open_report, sign_report, statement_for
from certifier.service.certifier import Certifier, Issued, Refused
from certifier.service.examine import Examined, examine
from certifier.service.home import register_key
from certifier.settings import Settings
from tests.studio import APPLICANT, CAPABILITY, NOW, PARTY, SCOPE, STRANGER, VERIFIER, Studio, emissions_csv

BOTH = (APPLICANT, PARTY)
ALL = (APPLICANT, PARTY, VERIFIER)
OLD_PARTY, NEW_PARTY, SECOND_PARTY, SECOND_KEY, SERVICE = (
    SigningKey.from_seed(name.ljust(32, b".")) for name in (b"old", b"new", b"second party", b"second key", b"service")
)
KEY_LIFE = timedelta(days=5 * 365)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A track that is analysed once, and an installation to copy, whose register knows a few more keys."""
    studio = Studio(tmp_path_factory.mktemp("workshop"))
    studio.certifier().close()
    ten_days_ago, day_ago, long_ago = (NOW - timedelta(days=days) for days in (10, 1, 300))
    for key_id, key, since in (
        ("old-party", OLD_PARTY, ten_days_ago - KEY_LIFE),
        ("new-party", NEW_PARTY, day_ago),
        ("second-party", SECOND_PARTY, long_ago),
    ):
        register_key(studio.settings, key_id, "measuring_party", "A Party (example)", key.public, since, CAPABILITY)
    register_key(studio.settings, "example-service", "service", "A Service (example)", SERVICE.public, long_ago)
    write_entry(studio, "example-verifier-2", "verifier", "example-verifier", SECOND_KEY, SCOPE)
    return studio


@pytest.fixture
def studio(workshop: Studio, tmp_path: Path) -> Iterator[Studio]:
    """The workshop with an installation of its own."""
    template, log = workshop.settings, workshop.log
    shutil.copytree(template.home, tmp_path / "home")
    workshop.settings = Settings(home=tmp_path / "home")
    yield workshop
    workshop.settings, workshop.log = template, log


@pytest.fixture
def certifier(studio: Studio) -> Iterator[Certifier]:
    certifier = studio.certifier()
    yield certifier
    certifier.close()


def write_entry(studio: Studio, key_id: str, role: str, owner: str, key: SigningKey, extra: str = "") -> None:
    """An entry of the register, as an operator writes it for the second key of an owner."""
    since, until = time_text(NOW - timedelta(days=300)), time_text(NOW + timedelta(days=300))
    (studio.settings.register_dir / "tools" / f"{key_id}.toml").write_text(
        f'[[keys]]\nid = "{key_id}"\nowner = "{owner}"\nname = "{owner} (example)"\nrole = "{role}"\n'
        f'key = "{key.public.did_key}"\nfrom = {since}\nuntil = {until}\n{extra}'
    )


def issuer(key: SigningKey, name: str | None = None) -> dict[str, str]:
    return {"id": name or key.public.did_key, "key_id": key.public.did_key}


def sent(
    studio: Studio,
    number: int,
    keys: tuple[SigningKey, ...] = BOTH,
    *,
    log: bytes | None = None,
    activity: dict[str, Any] | None = None,
    **changes: Any,
) -> Examined:
    """A report about a file of its own for each number, signed and opened, with its first activity and its log changed."""
    first = studio.examined(number)
    report: dict[str, Any] = copy.deepcopy(first.opened.value) | changes
    report["activities"][0] |= activity or {}
    log = emissions_csv(report["activities"][0]["run_id"]) if log is None else log
    digest = hashlib.sha256(log).hexdigest()
    report["raw_log_sha256"] = changes.get("raw_log_sha256", [digest])
    statement = statement_for(report, file_name="track.wav", essence_sha256=first.audio.essence_sha256)
    return Examined(open_report(json.dumps(sign_report(statement, keys)).encode()), first.audio, {digest: log})


def answered(certifier: Certifier, examined: Examined, now: datetime = NOW) -> tuple[str, set[str]]:
    """The outcome of the certificate, or none; and the must rules that failed."""
    answer = certifier.certify(examined, now)
    assert isinstance(answer, Issued | Refused), answer
    issued = answer.certificate.outcome if isinstance(answer, Issued) else "none"
    return issued, {finding.rule for finding in answer.verdict.failed_must}


SHARED = {"run_id": "shared"}
PART = {"allocation_share": "0.4", "allocation_method": "time_log"}

# What was certified before, and what is sent then: the same run in another guise.
TWICE: dict[str, tuple[Callable[[Studio], Examined], Callable[[Studio], Examined]]] = {
    "the same run for another track": (
        lambda studio: sent(studio, 1, activity=SHARED),
        lambda studio: sent(studio, 2, activity=SHARED),
    ),
    "the same run by another applicant": (
        lambda studio: sent(studio, 1, activity=SHARED),
        lambda studio: sent(studio, 2, (STRANGER, PARTY), activity=SHARED, issuer=issuer(STRANGER)),
    ),
    "more than is left of a run": (
        lambda studio: sent(studio, 1, activity=SHARED | PART | {"allocation_share": "0.7"}),
        lambda studio: sent(studio, 2, activity=SHARED | PART),
    ),
    "one key that signs under two names": (
        lambda studio: sent(studio, 1, (APPLICANT,), activity=SHARED, issuer=issuer(APPLICANT, "one")),
        lambda studio: sent(studio, 2, (APPLICANT,), activity=SHARED, issuer=issuer(APPLICANT, "another")),
    ),
    "an applicant who takes the measuring party's name": (
        lambda studio: sent(studio, 1, activity=SHARED),
        lambda studio: sent(studio, 2, activity=SHARED, issuer=issuer(APPLICANT, "example-party")),
    ),
    "an applicant who took the party's name before": (
        lambda studio: sent(studio, 1, activity=SHARED, issuer=issuer(APPLICANT, "example-party")),
        lambda studio: sent(studio, 2, activity=SHARED),
    ),
    "another applicant by the name of the party": (
        lambda studio: sent(studio, 1, activity=SHARED),
        lambda studio: sent(studio, 2, (STRANGER, PARTY), activity=SHARED, issuer=issuer(STRANGER, "example-party")),
    ),
    "another applicant by the name of the service": (
        lambda studio: service_use(studio, 1, (APPLICANT, SERVICE)),
        lambda studio: service_use(studio, 2, (STRANGER, SERVICE), "example-service"),
    ),
    "a name that makes one key of two runs": (
        lambda studio: service_use(studio, 1, (APPLICANT, SERVICE), "example-service/x", run_ids=("x/y", "y")),
        lambda studio: service_use(studio, 2, (STRANGER, SERVICE), run_ids=("x/y",)),
    ),
    "a second party that signs first": (
        lambda studio: sent(studio, 1, (APPLICANT, SECOND_PARTY, PARTY), activity=SHARED),
        lambda studio: sent(studio, 2, activity=SHARED),
    ),
    "a second party put before the one that is on record": (
        lambda studio: sent(studio, 1, activity=SHARED),
        lambda studio: sent(studio, 2, (APPLICANT, SECOND_PARTY, PARTY), activity=SHARED),
    ),
}


@pytest.mark.parametrize(("before", "then"), TWICE.values(), ids=TWICE.keys())
def test_a_run_is_used_once_in_whatever_guise(
    certifier: Certifier, studio: Studio, before: Callable[[Studio], Examined], then: Callable[[Studio], Examined]
) -> None:
    assert answered(certifier, before(studio))[0] != "none"
    assert answered(certifier, then(studio))[0] == "none"
    assert "INT-10" in answered(certifier, then(studio))[1]


def service_use(
    studio: Studio,
    number: int,
    keys: tuple[SigningKey, ...],
    name: str | None = None,
    *,
    run_ids: tuple[str, ...] = ("jobs-1",),
) -> Examined:
    """A minute of a service under each run id; its export is some file, which counts if the service signed."""
    use = {
        "model": "m1",
        "stage": "inference",
        "started_at": "2026-10-01T10:00:00Z",
        "ended_at": "2026-10-01T10:01:00Z",
        "method": "service_default",
        "minutes": "1",
        "job_ids": ["job-1"],
        "allocation_share": "1",
        "allocation_method": "whole",
    }
    minutes = {"generated_minutes": str(len(run_ids))}
    return sent(
        studio,
        number,
        keys,
        log=b"an export",
        activities=[use | {"id": run_id, "run_id": run_id} for run_id in run_ids],
        generation={"takes": 1} | minutes,
        models=[studio.report()["models"][0] | minutes],
        issuer=issuer(keys[0], name),
    )


@pytest.mark.parametrize("name", [None, "example-service"], ids=["by its own name", "by the service's name"])
def test_leaving_the_services_signature_away_frees_no_job(
    certifier: Certifier, studio: Studio, name: str | None
) -> None:
    assert answered(certifier, service_use(studio, 1, (APPLICANT, SERVICE), name))[0] == "measured"
    outcome, failed = answered(certifier, service_use(studio, 2, (APPLICANT,), name))
    assert (outcome, "INT-10" in failed) == ("none", True)


def test_an_applicant_alone_gets_a_statement_about_a_run_and_no_class(certifier: Certifier, studio: Studio) -> None:
    """Without the party's signature a run is the applicant's word. It lowers nobody's share and opens no class."""
    assert answered(certifier, sent(studio, 1, activity=SHARED))[0] == "class-2"
    assert answered(certifier, sent(studio, 2, (APPLICANT,), activity=SHARED))[0] == "disclosed"


# Which keys signed, and what the certificate is worth.
SIGNED: dict[str, tuple[Callable[[Studio], Examined], str, str]] = {
    "with a verifier, for comparison": (lambda studio: sent(studio, 1, ALL), "class-2", "A2"),
    "without one, for comparison": (lambda studio: sent(studio, 1), "class-2", "A1"),
    "a stranger as measuring party": (lambda studio: sent(studio, 1, (APPLICANT, STRANGER)), "disclosed", "A0"),
    "a stranger as measuring party, with a real verifier": (
        lambda studio: sent(studio, 1, (APPLICANT, STRANGER, VERIFIER)),
        "disclosed",
        "A0",
    ),
    "a stranger as verifier": (lambda studio: sent(studio, 1, (APPLICANT, PARTY, STRANGER)), "class-2", "A1"),
    "a party's key that has ended, under a report dated into its days": (
        lambda studio: sent(studio, 1, (APPLICANT, OLD_PARTY), issued_at="2026-10-02T09:00:00Z"),
        "disclosed",
        "A0",
    ),
    "a party's key that had not begun when the report was signed": (
        lambda studio: sent(studio, 1, (APPLICANT, NEW_PARTY)),
        "disclosed",
        "A0",
    ),
    "a party that is the applicant, with one key for both": (
        lambda studio: sent(studio, 1, (PARTY,), issuer=issuer(PARTY, "example-party")),
        "disclosed",
        "A0",
    ),
    "an applicant by the verifier's name": (
        lambda studio: sent(studio, 1, ALL, issuer=issuer(APPLICANT, "example-verifier")),
        "class-2",
        "A1",
    ),
    "a verifier who applies with a second key, under another name": (
        lambda studio: sent(studio, 1, (SECOND_KEY, PARTY, VERIFIER), issuer=issuer(SECOND_KEY, "some studio")),
        "class-2",
        "A1",
    ),
    "a verifier who applies with the first key and verifies with the second": (
        lambda studio: sent(studio, 1, (VERIFIER, PARTY, SECOND_KEY), issuer=issuer(VERIFIER, "some studio")),
        "class-2",
        "A1",
    ),
    "a tool version that the register does not have": (
        lambda studio: sent(studio, 1, ALL, activity={"tool": {"name": "codecarbon", "version": "99.0"}}),
        "disclosed",
        "A2",
    ),
}


@pytest.mark.parametrize(("examined", "outcome", "level"), SIGNED.values(), ids=SIGNED.keys())
def test_a_signature_is_worth_what_the_register_says(
    certifier: Certifier, studio: Studio, examined: Callable[[Studio], Examined], outcome: str, level: str
) -> None:
    answer = certifier.certify(examined(studio), NOW)
    assert isinstance(answer, Issued)
    assert (answer.certificate.outcome, answer.verdict.evidence_level) == (outcome, level)


def test_a_registered_key_that_has_ended_applies_for_nothing(certifier: Certifier, studio: Studio) -> None:
    """Every key has to be in force, also the applicant's where the register knows its days (10.3)."""
    stolen = sent(studio, 1, (OLD_PARTY, PARTY), issuer=issuer(OLD_PARTY))
    outcome, failed = answered(certifier, stolen)
    assert (outcome, "INT-02" in failed) == ("none", True)


def test_a_declared_conflict_holds_for_the_key_and_for_the_name(certifier: Certifier, studio: Studio) -> None:
    conflicts = f'conflicts = ["{APPLICANT.public.did_key}", "studio-x"]\n'
    third = SigningKey.from_seed(b"third".ljust(32, b"."))
    register_key(
        studio.settings, "v3", "verifier", "V (example)", third.public, NOW - timedelta(days=99), SCOPE + conflicts
    )
    again = studio.certifier()
    for number, key, name in ((1, APPLICANT, "studio-y"), (2, STRANGER, "studio-x")):
        answer = again.certify(sent(studio, number, (key, PARTY, third), issuer=issuer(key, name)), NOW)
        assert answer.verdict.evidence_level == "A1"
    again.close()


def second_line(run_id: str, energy_kwh: str = "0.006") -> bytes:
    return emissions_csv(run_id, energy_kwh).splitlines(keepends=True)[1]


LOGS = {
    "a run that the log holds and the report does not": emissions_csv("run-1") + second_line("run-0"),
    "a run under a new name that its log does not have": emissions_csv("run-before"),
    "a log with more energy than the report": emissions_csv("run-1", energy_kwh="0.0062"),
    "a log with a longer time than the report": emissions_csv("run-1", duration_s="90"),
    "a log of another tool": b"time,watts\n0,360\n",
    "an empty log": b"",
}


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS.keys())
def test_a_log_that_says_something_else_refuses_the_report(certifier: Certifier, studio: Studio, log: bytes) -> None:
    outcome, failed = answered(certifier, sent(studio, 1, log=log))
    assert (outcome, "PLS-18" in failed) == ("none", True)


def moved_signature(studio: Studio) -> Examined:
    """A party's signature under one report, put under another."""
    signed, bare = (sent(studio, number, keys).opened.envelope for number, keys in ((1, BOTH), (2, (APPLICANT,))))
    envelope = json.loads(bare)
    envelope["signatures"].append(json.loads(signed)["signatures"][1])
    return Examined(open_report(json.dumps(envelope).encode()), studio.facts(), {})


def taken_over(studio: Studio) -> Examined:
    """Somebody's report, with another's signature only."""
    return sent(studio, 1, (STRANGER, PARTY))


def one_key_twice(studio: Studio) -> Examined:
    envelope = json.loads(sent(studio, 1, (APPLICANT,)).opened.envelope)
    envelope["signatures"] *= 2
    return Examined(open_report(json.dumps(envelope).encode()), studio.facts(), {})


def two_files(studio: Studio) -> Examined:
    """The statement's subject is one file, the report's track another."""
    report = studio.report()
    statement = statement_for(report, file_name="track.wav", essence_sha256=None)
    statement["predicate"] = copy.deepcopy(report)
    statement["predicate"]["track"]["audio_sha256"] = "9" * 64
    return Examined(open_report(json.dumps(sign_report(statement, BOTH)).encode()), studio.facts(), {})


def two_energies(studio: Studio) -> Examined:
    """A body in which one reader sees the first and another the last of two members."""
    raw = sent(studio, 1).opened.envelope.replace(b'"payloadType"', b'"payloadType": "x", "payloadType"', 1)
    return Examined(open_report(raw), studio.facts(), {})


def edited_log(studio: Studio) -> Examined:
    envelope = studio.signed(studio.report())
    return examine(studio.upload(envelope, logs={"emissions.csv": studio.log.replace(b"0.006", b"0.003")}))


def loud_digest(studio: Studio) -> Examined:
    """The digest in capital letters: the same number, and another text."""
    digest = hashlib.sha256(studio.log).hexdigest().upper()
    return examine(studio.upload(studio.signed(studio.report() | {"raw_log_sha256": [digest]})))


def level_in_the_report(studio: Studio) -> Examined:
    return sent(studio, 1, evidence_level="A2")


def credit_in_the_duties(studio: Studio) -> Examined:
    return sent(studio, 1, process=studio.report()["process"] | {"offset_kg": "1000"})


BENT = {
    "a party's signature from another report": (moved_signature, BadSignature),
    "a report that its applicant did not sign": (taken_over, BadSignature),
    "one key that signs twice": (one_key_twice, MalformedEnvelope),
    "two files in one statement": (two_files, MalformedReport),
    "a member that stands twice": (two_energies, MalformedJson),
    "a log edited after signing": (edited_log, LogMismatch),
    "a log digest in capital letters": (loud_digest, LogMismatch),
    "a level that the report gives itself": (level_in_the_report, MalformedReport),
    "an offset among the duties": (credit_in_the_duties, MalformedReport),
}


@pytest.mark.parametrize(("bend", "error"), BENT.values(), ids=BENT.keys())
def test_what_is_bent_does_not_come_in(
    studio: Studio, bend: Callable[[Studio], Examined], error: type[CertifierError]
) -> None:
    with pytest.raises(error):
        bend(studio)


@pytest.mark.parametrize("named", ["0000000000", "", "LCA-1", "cert-0001"])
def test_a_renewal_of_nothing_is_no_way_around_a_rule(certifier: Certifier, studio: Studio, named: str) -> None:
    """A renewal is exempt from freshness, so it has to renew something."""
    late = NOW + timedelta(days=400)
    assert "INT-08" in answered(certifier, sent(studio, 1), late)[1]
    with pytest.raises(CertifierError):
        certifier.certify(sent(studio, 1, renewal_of=named), late)
    assert certifier.store.newest_certificates(10) == []


def test_one_key_in_the_register_of_two_owners_stops_the_service(certifier: Certifier, studio: Studio) -> None:
    assert answered(certifier, sent(studio, 1))[0] == "class-2"
    write_entry(studio, "another-owner", "measuring_party", "another-owner", PARTY, CAPABILITY)
    with pytest.raises(OperatorError, match="twice"):
        studio.certifier()


def test_of_two_tracks_that_share_a_run_at_the_same_moment_one_gets_it(certifier: Certifier, studio: Studio) -> None:
    tracks = [sent(studio, number, activity=SHARED) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda track: answered(certifier, track), tracks))
    assert sorted(outcome for outcome, _ in answers) == ["class-2", *["none"] * 7]
    assert all("INT-10" in failed for outcome, failed in answers if outcome == "none")
    assert certifier.logbook.head.size == 1


def test_shares_taken_at_the_same_moment_never_sum_above_one(certifier: Certifier, studio: Studio) -> None:
    tracks = [sent(studio, number, activity=SHARED | PART) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda track: answered(certifier, track), tracks))
    assert sorted(outcome for outcome, _ in answers) == ["class-2", "class-2", *["none"] * 4]
    assert certifier.store.share_used('["example-party", "shared"]') * 10 == 8
