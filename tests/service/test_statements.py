"""Music made with a closed service: with a statement, without one, and with one that counts no more."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.credential import parse_claims
from certifier.certificate.verify import check_certificate
from certifier.crypto.keyring import Keyring
from certifier.crypto.strict_json import parse_object
from certifier.decision import parse_decision
from certifier.errors import (
    CertifierError,
    ConflictError,
    ForeignInputError,
    MalformedLog,
    NotFoundError,
    OperatorError,
)
from certifier.report.evidence import Evidence
from certifier.service.certifier import Accepted, Certifier, Issued, Refused
from certifier.service.examine import examine, gather_evidence
from certifier.service.home import register_key
from certifier.service.ledger import EmptyLedger
from certifier.service.statements import bounds_of, register_statement, statements_in, withdraw_statement
from certifier.storage.files import load_keyring
from tests.standard.world import standard
from tests.statements import (
    EXPORT,
    SERVICE,
    at,
    csv_export,
    plain_export,
    service_report,
    signed_export,
    signed_statement,
)
from tests.studio import APPLICANT, NOW, PARTY, STRANGER, Studio, write_track

BOUNDS = bounds_of(standard())
REGISTERED = NOW - timedelta(days=100)


@pytest.fixture
def world(studio: Studio) -> Studio:
    """An installation whose register holds the service, the verifier and the service's statement."""
    studio.certifier().close()
    long_ago = NOW - timedelta(days=300)
    register_key(studio.settings, "example-service", "service", "Example Service", SERVICE.public, long_ago)
    register_statement(studio.settings.register_dir, signed_statement(), BOUNDS, REGISTERED)
    return studio


def opened(studio: Studio) -> Certifier:
    return studio.certifier()


def submitted(studio: Studio, deposit: bytes, now: Any = NOW, **how: Any) -> Issued | Accepted | Refused:
    certifier = opened(studio)
    try:
        envelope = studio.signed(service_report(studio, deposit, **how), (APPLICANT,), how.get("track"))
        return certifier.submit(studio.upload(envelope, track=how.get("track"), logs={"export": deposit}), now)
    finally:
        certifier.close()


def failed(answer: Issued | Accepted | Refused) -> set[str]:
    return {finding.rule for finding in answer.verdict.failed_must}


EXPORTS = {"signed by the service": signed_export(), "as JSON": plain_export(), "as CSV": csv_export()}


@pytest.mark.parametrize("deposit", EXPORTS.values(), ids=EXPORTS.keys())
def test_a_statement_opens_class_2(world: Studio, deposit: bytes) -> None:
    answer = submitted(world, deposit)
    assert isinstance(answer, Issued)
    assert (answer.certificate.outcome, answer.verdict.evidence_level) == ("class-2", "A1")
    assert answer.verdict.footprint is not None
    assert answer.verdict.footprint.calculated is False


def test_the_certificate_verifies_and_the_decision_can_be_replayed(world: Studio) -> None:
    answer = submitted(world, signed_export())
    assert isinstance(answer, Issued)
    certifier = opened(world)
    try:
        material = certifier.published.material(answer.certificate, NOW)
        verification = check_certificate(answer.certificate.document or b"", material, NOW)
        submission = certifier.store.submission(answer.submission_id)
        assert (verification.verdict, certifier.replayed(submission).outcome) == ("valid", "class-2")
    finally:
        certifier.close()
    _, evidence = parse_decision(submission.decision)
    statement = evidence.statements["example-song-5"]
    assert (statement.registered, str(statement.wh_per_minute), statement.link) == (
        True,
        "0.6",
        "https://example.org/statement",
    )


VOUCHERS = {
    "the service that signed its export": (signed_export(), ("service", "Example Service")),
    "nobody for an unsigned export": (plain_export(), ("software", "software only")),
    "nobody for an export that a stranger signed": (signed_export(key=STRANGER), ("software", "software only")),
}


@pytest.mark.parametrize(("deposit", "expected"), VOUCHERS.values(), ids=VOUCHERS.keys())
def test_the_certificate_names_who_stands_behind_the_minutes(
    world: Studio, deposit: bytes, expected: tuple[str, str]
) -> None:
    answer = submitted(world, deposit)
    assert isinstance(answer, Issued)
    assessor = parse_claims(parse_object(answer.certificate.payload)).assessor
    assert (assessor.kind, assessor.name.partition(";")[0]) == expected


JOBS = EXPORT["jobs"]
SIGNED_IN_PART = {
    "another export of the service is not signed": plain_export({"jobs": JOBS[1:]}),
    "the export of another service is not signed": plain_export({"jobs": JOBS[1:], "service": "other-service"}),
    "a stranger signed the other one": signed_export({"jobs": JOBS[1:]}, key=STRANGER),
}


@pytest.mark.parametrize("unsigned", SIGNED_IN_PART.values(), ids=SIGNED_IN_PART.keys())
def test_one_signed_job_vouches_for_no_other_job(world: Studio, unsigned: bytes) -> None:
    deposits = {"signed": signed_export({"jobs": JOBS[:1]}), "unsigned": unsigned}
    digests = [hashlib.sha256(deposit).hexdigest() for deposit in deposits.values()]
    report = service_report(world, unsigned) | {"raw_log_sha256": digests}
    certifier = opened(world)
    try:
        answer = certifier.submit(world.upload(world.signed(report, (APPLICANT,)), logs=deposits), NOW)
    finally:
        certifier.close()
    assert isinstance(answer, Issued)
    assert parse_claims(parse_object(answer.certificate.payload)).assessor.kind == "software"


def test_three_takes_without_a_statement_are_measured_and_calculated(world: Studio) -> None:
    deposit = plain_export({"jobs": EXPORT["jobs"][:3]})
    three = {
        "generation": {"takes": 3, "generated_minutes": "1.2"},
        "models/0/generated_minutes": "1.2",
        "activities/0/minutes": "1.2",
        "activities/0/job_ids": ["job-1", "job-2", "job-3"],
    }
    answer = submitted(world, deposit, statement_id=None, changes=three)
    assert isinstance(answer, Issued)
    assert answer.certificate.outcome == "measured"
    assert parse_claims(parse_object(answer.certificate.payload)).figures.calculated is True
    assert failed(answer) >= {"BND-05", "BND-07", "MTH-03", "QLT-01"}


def test_five_takes_by_default_are_too_much(world: Studio) -> None:
    answer = submitted(world, plain_export(), statement_id=None)
    assert isinstance(answer, Refused)
    assert "THR-01" in failed(answer)


def test_the_decision_says_what_the_default_costs_and_whom_to_ask(world: Studio) -> None:
    findings = {
        finding.rule: finding for finding in submitted(world, plain_export(), statement_id=None).verdict.findings
    }
    assert "0.005 kWh at an unknown place" in findings["MTH-03"].reason
    assert "Ask the service" in findings["MTH-03"].advice
    assert "ask the service" in findings["BND-05"].advice
    assert "ask its maker" in findings["BND-07"].advice
    assert findings["QLT-01"].found.count("from defaults") == 1


LAPSED = {
    "a year after its issue": ("2027-06-01T00:00:01Z", None, {"ALC-03", "MTH-04"}),
    "withdrawn": ("2026-11-01T12:00:00Z", NOW - timedelta(days=1), {"ALC-03", "MTH-04"}),
    "withdrawn tomorrow": ("2026-11-01T12:00:00Z", NOW + timedelta(days=1), set()),
    "on its last moment": ("2027-06-01T00:00:00Z", None, set()),
}


@pytest.mark.parametrize(("now", "withdrawn", "rules"), LAPSED.values(), ids=LAPSED.keys())
def test_a_statement_that_counts_no_more_gets_no_certificate(
    world: Studio, now: str, withdrawn: Any, rules: set[str]
) -> None:
    if withdrawn:
        withdraw_statement(world.settings.register_dir, "example-song-5", "the figures were too low", withdrawn)
    answer = submitted(world, signed_export(), at(now[:-1]))
    assert failed(answer) & {"ALC-03", "MTH-04"} == rules
    assert isinstance(answer, Refused if rules else Issued)


def test_a_statement_that_nobody_registered_counts_for_nothing(world: Studio) -> None:
    answer = submitted(world, signed_export(), statement_id="example-song-6")
    assert isinstance(answer, Refused)
    assert {"ALC-03", "MTH-04"} <= failed(answer)


LIES: dict[str, dict[str, Any]] = {
    "a take is left out": {
        "activities/0/job_ids": ["job-1", "job-2", "job-3", "job-4"],
        "activities/0/minutes": "1.6",
        "generation/generated_minutes": "1.6",
        "models/0/generated_minutes": "1.6",
    },
    "minutes are halved": {
        "activities/0/minutes": "1",
        "generation/generated_minutes": "1",
        "models/0/generated_minutes": "1",
    },
    "a job is made up": {"activities/0/job_ids/+": "job-6"},
    "the run has another name": {"activities/0/run_id": "day-ferry"},
}


@pytest.mark.parametrize("changes", LIES.values(), ids=LIES.keys())
@pytest.mark.parametrize("deposit", [signed_export(), plain_export()], ids=["signed", "unsigned"])
def test_a_report_that_says_something_else_than_its_export_fails(
    world: Studio, deposit: bytes, changes: dict[str, Any]
) -> None:
    answer = submitted(world, deposit, changes=changes)
    assert isinstance(answer, Refused)
    assert "PLS-18" in failed(answer)


def test_a_broken_export_refuses_the_submission(world: Studio) -> None:
    with pytest.raises(MalformedLog):
        submitted(world, plain_export({"jobs/0/minutes": "-1"}))


def test_a_run_of_a_service_is_used_once_by_whoever_brings_its_signed_export(world: Studio, tmp_path: Path) -> None:
    assert isinstance(submitted(world, signed_export()), Issued)
    other = write_track(tmp_path / "other.wav", pitch=330)
    report = service_report(world, signed_export(), track=other)
    report["issuer"] = {"id": STRANGER.public.did_key, "key_id": STRANGER.public.did_key}
    certifier = opened(world)
    try:
        upload = world.upload(world.signed(report, (STRANGER,), other), track=other, logs={"e": signed_export()})
        answer = certifier.submit(upload, NOW)
    finally:
        certifier.close()
    assert isinstance(answer, Refused)
    assert "INT-10" in failed(answer)


def test_leaving_the_signature_away_frees_no_run(world: Studio, tmp_path: Path) -> None:
    assert isinstance(submitted(world, signed_export()), Issued)
    answer = submitted(world, plain_export(), track=write_track(tmp_path / "other.wav", pitch=330))
    assert isinstance(answer, Refused)
    assert "INT-10" in failed(answer)


def gathered(studio: Studio, keyring: Keyring, report: dict[str, Any], logs: dict[str, bytes]) -> Evidence:
    envelope = studio.signed(report, (APPLICANT,))
    return gather_evidence(examine(studio.upload(envelope, logs=logs)), keyring, EmptyLedger(), NOW)


def test_one_signed_export_does_not_vouch_for_another_service(world: Studio) -> None:
    other = b"a receipt that nobody can read"
    report = service_report(world, signed_export())
    second = {
        **report["activities"][0],
        "id": "s2",
        "run_id": "elsewhere",
        "job_ids": ["x"],
        "method": "service_default",
    }
    report["activities"].append(second)
    report["raw_log_sha256"].append(hashlib.sha256(other).hexdigest())
    keyring = load_keyring(world.settings.register_dir)
    evidence = gathered(world, keyring, report, {"export": signed_export(), "receipt": other})
    assert [signature.role for signature in evidence.signatures] == ["applicant"]


def test_a_hidden_log_stays_hidden_from_nobody_beside_an_export(world: Studio) -> None:
    """A run of a tool whose logs are read, deposited with an export alone, is listed with nothing."""
    report = service_report(world, plain_export())
    report["activities"].append({**world.report()["activities"][0], "id": "local"})
    evidence = gathered(world, load_keyring(world.settings.register_dir), report, {"export": plain_export()})
    (deposit,) = evidence.deposited_logs.values()
    assert (deposit.kind, deposit.format) == ("export", "lcal-service-export/1")
    assert str(deposit.activities["local"].energy_kwh) == "0"
    assert str(deposit.activities["s1"].minutes) == "2.0"


# --- models of the applicant ---


MODELS = """
[[models]]
name = "example-song"
version = "5"
affiliated_with = ["{key}"]
use = {{ months = 13.5, minutes_last_12m = "20000", evidence = "https://example.org/use" }}
"""


def with_models(studio: Studio, key: Any, name: str = "example-song") -> Keyring:
    text = MODELS.format(key=key.public.did_key).replace("example-song", name)
    (studio.settings.register_dir / "models.toml").write_text(text)
    return load_keyring(studio.settings.register_dir)


KEYS = {"the applicant's own model": (APPLICANT, ("m1",), ["m1"]), "the model of another": (PARTY, (), [])}


@pytest.mark.parametrize(("key", "affiliated", "used"), KEYS.values(), ids=KEYS.keys())
def test_the_register_knows_whose_model_it_is(world: Studio, key: Any, affiliated: Any, used: list[str]) -> None:
    report = service_report(world, plain_export())
    evidence = gathered(world, with_models(world, key), report, {"export": plain_export()})
    assert evidence.affiliated_models == affiliated
    assert list(evidence.model_use) == used
    assert all(str(use.months) == "13.5" for use in evidence.model_use.values())


NAMES = {"in the report": ("Example-Song ", "example-song"), "in the register": ("example-song", "Example-Song")}


@pytest.mark.parametrize(("reported", "listed"), NAMES.values(), ids=NAMES.keys())
def test_letter_case_hides_no_affiliation_and_gains_no_use(world: Studio, reported: str, listed: str) -> None:
    deposit = plain_export()
    report = service_report(world, deposit, changes={"models/0/name": reported})
    evidence = gathered(world, with_models(world, APPLICANT, listed), report, {"export": deposit})
    assert (evidence.affiliated_models, dict(evidence.model_use)) == (("m1",), {})


def test_the_default_is_closed_to_a_model_of_the_applicant(world: Studio) -> None:
    with_models(world, APPLICANT)
    answer = submitted(world, plain_export(), statement_id=None)
    assert "ALC-03" in failed(answer)


# --- the register ---


def test_a_withdrawn_statement_stays_listed(world: Studio) -> None:
    register = world.settings.register_dir
    withdraw_statement(register, "example-song-5", 'the figures were "too low"', NOW)
    (view,) = statements_in(load_keyring(register), standard(), NOW + timedelta(days=1))
    assert (view.state, view.entry.reason, view.has_service_figures) == (
        "withdrawn",
        'the figures were "too low"',
        True,
    )
    assert (register / "statements" / "example-song-5.json").is_file()


STATES = {
    "in force": (REGISTERED, "in force"),
    "a year later": (NOW + timedelta(days=300), "expired"),
}


@pytest.mark.parametrize(("now", "state"), STATES.values(), ids=STATES.keys())
def test_the_list_says_how_a_statement_stands(world: Studio, now: Any, state: str) -> None:
    (view,) = statements_in(load_keyring(world.settings.register_dir), standard(), now)
    assert (view.state, view.verifier, f"{view.valid_until:%Y-%m-%d}") == (state, "Example Verifier", "2027-06-01")


def test_a_verifier_that_lost_its_scope_takes_its_statements_along(world: Studio) -> None:
    file = next((world.settings.register_dir / "verifiers").glob("*.toml"))
    file.write_text(file.read_text().replace('["LCAL-1.0.0"]', "[]"))
    (view,) = statements_in(load_keyring(world.settings.register_dir), standard(), NOW)
    assert view.state == "not verified"
    assert isinstance(submitted(world, signed_export()), Refused)


REFUSALS: dict[str, tuple[bytes, type[CertifierError], str]] = {
    "the same statement again": (signed_statement(), ConflictError, "the id is free"),
    "its id with another content": (signed_statement({"service/pue": "1.1"}), ConflictError, "the id is free"),
    "a statement that only its maker signed": (
        signed_statement({"id": "example-song-6"}, (SERVICE,)),
        ForeignInputError,
        "signed by the verifier",
    ),
    "weights that do not sum to one": (
        signed_statement({"id": "example-song-6", "service/places/0/weight": "0.4"}),
        ForeignInputError,
        "the weights sum to 1",
    ),
}


@pytest.mark.parametrize(("envelope", "kind", "expected"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_is_refused_leaves_the_register_as_it_was(
    world: Studio, envelope: bytes, kind: type[CertifierError], expected: str
) -> None:
    before = files_of(world.settings.register_dir)
    with pytest.raises(kind) as caught:
        register_statement(world.settings.register_dir, envelope, BOUNDS, NOW)
    assert caught.value.expected == expected
    assert files_of(world.settings.register_dir) == before


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_registration_that_broke_off_half_way_can_be_repeated(world: Studio) -> None:
    register = world.settings.register_dir
    (register / "statements" / "example-song-5.toml").unlink()
    assert load_keyring(register).statements == {}
    register_statement(register, signed_statement(), BOUNDS, NOW)
    assert list(load_keyring(register).statements) == ["example-song-5"]


WITHDRAWALS: dict[str, tuple[str, str, type[CertifierError]]] = {
    "an id that is not there": ("example-song-9", "why", NotFoundError),
    "without a reason": ("example-song-5", " ", ForeignInputError),
    "with a reason of two lines": ("example-song-5", "one\ntwo", ForeignInputError),
}


@pytest.mark.parametrize(("name", "reason", "kind"), WITHDRAWALS.values(), ids=WITHDRAWALS.keys())
def test_a_withdrawal_names_a_statement_and_a_reason(
    world: Studio, name: str, reason: str, kind: type[CertifierError]
) -> None:
    with pytest.raises(kind):
        withdraw_statement(world.settings.register_dir, name, reason, NOW)


def test_nothing_is_withdrawn_twice(world: Studio) -> None:
    withdraw_statement(world.settings.register_dir, "example-song-5", "first", NOW)
    with pytest.raises(ConflictError, match="before"):
        withdraw_statement(world.settings.register_dir, "example-song-5", "second", NOW)


def test_of_two_statements_that_are_registered_at_once_one_is(world: Studio) -> None:
    register = world.settings.register_dir
    rivals = [
        signed_statement({"id": "rival", "model": "rival-song", "training_g_per_minute": grams})
        for grams in ("0.01", "0.02", "0.03", "0.04")
    ]

    def registered(envelope: bytes) -> bool:
        try:
            register_statement(register, envelope, BOUNDS, REGISTERED)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(len(rivals)) as pool:
        answers = list(pool.map(registered, rivals))
    assert sorted(answers) == [False, False, False, True]
    assert load_keyring(register).envelopes["rival"] == rivals[answers.index(True)]


def test_where_there_is_no_register_nothing_is_registered(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no register of keys"):
        register_statement(tmp_path / "keys", signed_statement(), BOUNDS, REGISTERED)
