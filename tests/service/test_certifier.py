"""The main path from a signed report to a certificate that anybody can check, and what never gets one."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from certifier.certificate.credential import parse_claims
from certifier.certificate.verification import AudioDigests
from certifier.certificate.verify import check_certificate
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.strict_json import parse_object
from certifier.errors import (
    AudioMismatch,
    CertifierError,
    ConflictError,
    LogMismatch,
    MalformedAudio,
    MalformedLog,
    MalformedReport,
    NotFoundError,
    ReadOnlyError,
)
from certifier.log.entry import parse_entry
from certifier.log.note import open_checkpoint
from certifier.log.tiles import parse_entry_bundle
from certifier.report.envelope import sign_report, statement_for
from certifier.service.certifier import Accepted, Certifier, Issued, Refused
from certifier.service.examine import Upload, examine
from certifier.service.home import register_key
from tests.studio import APPLICANT, NOW, PARTY, STRANGER, VERIFIER, Studio, emissions_csv, write_track


def issue(certifier: Certifier, studio: Studio, **options: Any) -> Issued:
    answer = certifier.submit(studio.upload(studio.signed(studio.report(), **options)), NOW)
    assert isinstance(answer, Issued), answer
    return answer


def outcome_of(certifier: Certifier, upload: Upload) -> str:
    answer = certifier.submit(upload, NOW)
    return answer.certificate.outcome if isinstance(answer, Issued) else answer.verdict.outcome


def test_a_measured_report_becomes_a_certificate_that_verifies(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio).certificate
    material = certifier.published.material(row, NOW)
    audio = AudioDigests(studio.facts().sha256)
    verification = check_certificate(
        row.document or b"", type(material)(material.trust, material.proof, material.status_lists, audio), NOW
    )
    assert verification.verdict == "valid"
    assert verification.claims is not None
    assert verification.claims.outcome == row.outcome == "class-2"
    assert verification.claims.assessor.name == "Example Party"


SIGNERS = {
    "the applicant alone is self-declared": ((APPLICANT,), "disclosed", "A0"),
    "an unknown second key is worth nothing": ((APPLICANT, STRANGER), "disclosed", "A0"),
    "a registered measuring party": ((APPLICANT, PARTY), "class-2", "A1"),
}


@pytest.mark.parametrize(("keys", "outcome", "level"), SIGNERS.values(), ids=SIGNERS.keys())
def test_the_evidence_level_follows_from_the_signatures(
    certifier: Certifier, studio: Studio, keys: Any, outcome: str, level: str
) -> None:
    row = issue(certifier, studio, keys=keys).certificate
    claims = parse_claims({name: value for name, value in parse_object(row.document or b"").items() if name != "proof"})
    assert (claims.outcome, claims.basis.evidence_level) == (outcome, level)


def test_a_verifier_lifts_the_evidence_to_a2(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio, keys=(APPLICANT, PARTY, VERIFIER)).certificate
    claims = parse_claims({name: value for name, value in parse_object(row.document or b"").items() if name != "proof"})
    assert (claims.basis.evidence_level, claims.assessor.kind) == ("A2", "verifier")


def test_logs_that_are_named_but_not_deposited_leave_it_self_declared(certifier: Certifier, studio: Studio) -> None:
    assert outcome_of(certifier, studio.upload(studio.signed(studio.report()), logs={})) == "disclosed"


def test_the_decision_can_be_replayed_from_what_is_public(certifier: Certifier, studio: Studio) -> None:
    issued = issue(certifier, studio)
    submission = certifier.store.submission(issued.submission_id)
    verdict = certifier.replayed(submission)
    assert verdict.outcome == issued.certificate.outcome
    claims = parse_claims(parse_object(issued.certificate.payload))
    assert sha256_hex(submission.decision) == claims.basis.decision_sha256


def test_the_log_commits_to_the_payload_that_was_signed(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio).certificate
    checkpoint = open_checkpoint(certifier.logbook.head.note, [certifier.logbook.verifier_key])
    bundle = certifier.logbook.resource(f"tile/entries/000.p/{checkpoint.size}")
    entry = parse_entry(parse_entry_bundle(bundle or b"")[0])
    assert checkpoint.size == 1
    assert entry["payload"] == f"sha256:{sha256_hex(row.payload)}"
    document = parse_object(row.document or b"")
    assert {name: value for name, value in document.items() if name != "proof"} == parse_object(row.payload)


def test_the_same_report_gets_the_same_certificate_again(certifier: Certifier, studio: Studio) -> None:
    envelope = studio.signed(studio.report())
    first, second = (certifier.submit(studio.upload(envelope), NOW) for _ in range(2))
    assert isinstance(first, Issued)
    assert isinstance(second, Issued)
    assert second.repeated
    assert second.certificate == first.certificate
    assert certifier.logbook.head.size == 1


def test_the_same_report_sent_many_times_at_once_gets_one_certificate(certifier: Certifier, studio: Studio) -> None:
    envelope = studio.signed(studio.report())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: certifier.submit(studio.upload(envelope), NOW), range(24)))
    assert {answer.certificate.code for answer in answers if isinstance(answer, Issued)} == {
        answers[0].certificate.code
    }  # type: ignore[union-attr]
    assert certifier.logbook.head.size == 1


def test_a_certified_file_gets_no_second_certificate(certifier: Certifier, studio: Studio) -> None:
    issue(certifier, studio)
    another = {**studio.report(), "report_id": "rep-another"}
    answer = certifier.submit(studio.upload(studio.signed(another)), NOW)
    assert isinstance(answer, Refused)
    assert "INT-09" in [finding.rule for finding in answer.verdict.failed_must]


def test_a_run_is_not_counted_away_over_two_tracks(certifier: Certifier, studio: Studio) -> None:
    """The second track names the same run with the whole of it again."""
    issue(certifier, studio)
    other = write_track(studio.folder / "other.wav", pitch=330)
    answer = certifier.submit(studio.upload(studio.signed(studio.report(track=other), track=other), track=other), NOW)
    assert isinstance(answer, Refused)
    assert "INT-10" in [finding.rule for finding in answer.verdict.failed_must]


def test_a_refused_track_is_kept_with_its_reasons_and_logs_nothing(certifier: Certifier, studio: Studio) -> None:
    report = studio.report()
    report["activities"][0] |= {"energy_kwh": "6"}  # Wh sent as kWh
    answer = certifier.submit(studio.upload(studio.signed(report)), NOW)
    assert isinstance(answer, Refused)
    assert {"PLS-02", "PLS-18"} <= {finding.rule for finding in answer.verdict.failed_must}
    assert certifier.store.submission(answer.submission_id).state == "refused"
    assert certifier.logbook.head.size == 0


def wrong_log(studio: Studio) -> Upload:
    return studio.upload(studio.signed(studio.report()), logs={"emissions.csv": emissions_csv(energy_kwh="0.001")})


def broken_log(studio: Studio) -> Upload:
    studio.log = b"project_name,run_id,energy_consumed\n1,2\n"
    return studio.upload(studio.signed(studio.report()))


def other_track(studio: Studio) -> Upload:
    return studio.upload(studio.signed(studio.report()), track=write_track(studio.folder / "other.wav", pitch=330))


def text_as_audio(studio: Studio) -> Upload:
    path = studio.folder / "text.wav"
    path.write_text("Hello, this is a text and no music.")
    return studio.upload(studio.signed(studio.report()), track=path)


def lying_essence(studio: Studio) -> Upload:
    statement = statement_for(studio.report(), file_name="track.wav", essence_sha256="00" * 32)
    return studio.upload(json.dumps(sign_report(statement, (APPLICANT,))).encode())


UNUSABLE = {
    "a replayed report for another track": (other_track, AudioMismatch),
    "an essence digest that is not the file's": (lying_essence, AudioMismatch),
    "a log that the report does not name": (wrong_log, LogMismatch),
    "a log that cannot be read": (broken_log, MalformedLog),
    "a text file named .wav": (text_as_audio, MalformedAudio),
}


@pytest.mark.parametrize(("upload", "error"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_used_is_refused_by_name_and_nothing_is_stored(
    certifier: Certifier, studio: Studio, upload: Any, error: type[CertifierError]
) -> None:
    with pytest.raises(error):
        certifier.submit(upload(studio), NOW)
    assert certifier.store.newest_certificates(10) == []
    assert certifier.logbook.head.size == 0


def test_revoked_means_revoked_in_log_list_and_verdict(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio).certificate
    certifier.change_status(row.code, "revoke", "evidence", NOW)
    assert certifier.published.lifecycle(row.code) == "revoked"
    assert (
        check_certificate(row.document or b"", certifier.published.material(row, NOW), NOW).axes["lifecycle"]
        == "revoked"
    )
    assert [placed.type for placed in certifier.store.entries_between("label.example/2026", 0, 9)] == [
        "issue",
        "revoke",
    ]
    with pytest.raises(ConflictError):
        certifier.change_status(row.code, "reinstate", "evidence", NOW)


def test_a_suspended_certificate_comes_back(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio).certificate
    certifier.change_status(row.code, "suspend", "evidence", NOW)
    assert check_certificate(row.document or b"", certifier.published.material(row, NOW), NOW).verdict == "not_valid"
    certifier.change_status(row.code, "reinstate", "evidence", NOW)
    assert check_certificate(row.document or b"", certifier.published.material(row, NOW), NOW).verdict == "valid"


def test_an_unknown_code_is_not_found(certifier: Certifier) -> None:
    with pytest.raises(NotFoundError):
        certifier.certificate("0000000000")


def test_a_renewal_replaces_its_forerunner_in_the_same_batch(certifier: Certifier, studio: Studio) -> None:
    first = issue(certifier, studio).certificate
    renewal = studio.report(run_id="run-1") | {"report_id": "rep-renewal", "renewal_of": first.code}
    renewal["activities"][0]["run_id"] = "run-2"
    studio.log = emissions_csv(run_id="run-2")
    renewal["raw_log_sha256"] = [hashlib.sha256(studio.log).hexdigest()]
    answer = certifier.submit(studio.upload(studio.signed(renewal)), NOW + timedelta(days=1))
    assert isinstance(answer, Issued), answer
    assert certifier.published.lifecycle(first.code) == "revoked"
    revocation = parse_entry(certifier.store.entries_between("label.example/2026", 1, 2)[0].entry)
    assert (revocation["reason"], revocation["replaced_by"]) == ("superseded", answer.certificate.code)


def test_what_a_crash_left_undelivered_is_delivered_at_the_next_start(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepted and logged, but the process died before it signed."""
    certifier = studio.certifier()

    class PowerCut(Exception): ...

    def cut(*_: object) -> None:
        raise PowerCut

    monkeypatch.setattr(certifier.store, "deliver", cut)
    answer = certifier.submit(studio.upload(studio.signed(studio.report())), NOW)
    assert isinstance(answer, Accepted)  # it is on record, so nobody is told a failure
    certifier.close()
    restarted = studio.certifier()
    answer = restarted.submit(studio.upload(studio.signed(studio.report())), NOW)
    assert isinstance(answer, Issued)
    assert answer.repeated
    assert (
        check_certificate(
            answer.certificate.document or b"", restarted.published.material(answer.certificate, NOW), NOW
        ).verdict
        == "valid"
    )
    assert restarted.logbook.head.size == 1


def test_private_keys_appear_in_no_public_bytes(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio).certificate
    pem = (studio.settings.private_dir / "issuer.pem").read_bytes()
    secret = pem.splitlines()[1]
    submission = certifier.store.submission(row.submission_id)
    for public in (
        row.document,
        row.proof,
        submission.decision,
        submission.envelope,
        repr(certifier.published.trust_at(NOW)).encode(),
    ):
        assert secret not in (public or b"")


def test_a_renewal_takes_over_the_shares_of_its_forerunner(certifier: Certifier, studio: Studio) -> None:
    """The same run, still whole, counts once: the forerunner gives it back."""
    first = issue(certifier, studio).certificate
    renewal = studio.report() | {"report_id": "rep-renewal", "renewal_of": first.code}
    answer = certifier.submit(studio.upload(studio.signed(renewal)), NOW + timedelta(days=1))
    assert isinstance(answer, Issued), answer
    assert certifier.store.share_used('["example-party", "run-1"]') == 1


@pytest.mark.parametrize("named", ["0000000000", "another file's"])
def test_a_renewal_of_what_the_file_does_not_have_is_refused(certifier: Certifier, studio: Studio, named: str) -> None:
    if named != "0000000000":
        named = issue(certifier, studio).certificate.code
    other = write_track(studio.folder / "other.wav", pitch=330)
    renewal = studio.report(track=other) | {"renewal_of": named}
    with pytest.raises(ConflictError, match="cannot be renewed"):
        certifier.submit(studio.upload(studio.signed(renewal, track=other), track=other), NOW)


def test_a_product_footprint_is_deposited_beside_the_log(certifier: Certifier, studio: Studio) -> None:
    """A maker's footprint counts only when its file comes along."""
    footprint = b"the maker's product carbon footprint"
    report = studio.report()
    embodied = {"kgco2e": "150", "pcf_sha256": hashlib.sha256(footprint).hexdigest()}
    report["activities"][0]["hardware"][0]["embodied"] = embodied
    upload = studio.upload(studio.signed(report), logs={"emissions.csv": studio.log, "pcf.pdf": footprint})
    answer = certifier.submit(upload, NOW)
    assert isinstance(answer, Issued), answer
    verdict = certifier.replayed(certifier.store.submission(answer.submission_id))
    assert verdict.footprint is not None
    assert any("150*1000*60" in item.formula for item in verdict.footprint.items)


def renewal_of(code: str, studio: Studio, **changes: Any) -> dict[str, Any]:
    return studio.report() | {"report_id": "rep-renewal", "renewal_of": code} | changes


def test_nobody_renews_and_so_withdraws_the_certificate_of_another(certifier: Certifier, studio: Studio) -> None:
    first = issue(certifier, studio).certificate
    theirs = renewal_of(first.code, studio, issuer={"id": STRANGER.public.did_key, "key_id": STRANGER.public.did_key})
    with pytest.raises(ConflictError) as error:
        certifier.submit(studio.upload(studio.signed(theirs, (STRANGER,))), NOW)
    assert "another key" in (error.value.found or "")
    assert certifier.published.lifecycle(first.code) == "active"


def test_a_suspended_certificate_is_not_renewed_out_of_its_suspension(certifier: Certifier, studio: Studio) -> None:
    first = issue(certifier, studio).certificate
    certifier.change_status(first.code, "suspend", "evidence", NOW)
    with pytest.raises(ConflictError) as error:
        certifier.submit(studio.upload(studio.signed(renewal_of(first.code, studio))), NOW)
    assert "suspended" in (error.value.found or "")


def test_the_same_renewal_sent_again_gets_the_same_certificate(certifier: Certifier, studio: Studio) -> None:
    envelope = studio.signed(renewal_of(issue(certifier, studio).certificate.code, studio))
    first, second = (certifier.submit(studio.upload(envelope), NOW) for _ in range(2))
    assert isinstance(first, Issued)
    assert isinstance(second, Issued)
    assert (second.repeated, second.certificate.code) == (True, first.certificate.code)


def test_an_operators_command_is_seen_by_the_running_service(certifier: Certifier, studio: Studio) -> None:
    """The command opens the same home as a process of its own; neither stops the other."""
    row = issue(certifier, studio).certificate
    command = studio.certifier()
    command.change_status(row.code, "revoke", "evidence", NOW)
    assert certifier.published.lifecycle(row.code) == "revoked"
    assert (
        check_certificate(row.document or b"", certifier.published.material(row, NOW), NOW).axes["lifecycle"]
        == "revoked"
    )
    other = write_track(studio.folder / "other.wav", pitch=330)
    studio.log = emissions_csv(run_id="run-2")
    report = studio.report(track=other, run_id="run-2")
    answer = certifier.submit(studio.upload(studio.signed(report, track=other), track=other), NOW)
    assert isinstance(answer, Issued), answer
    assert command.logbook.head == certifier.logbook.head


def two_runs() -> bytes:
    first, second = emissions_csv(), emissions_csv(run_id="run-2", energy_kwh="5")
    return first + second.splitlines(keepends=True)[1]


HIDDEN = {
    "a run of the log that the report leaves out": (two_runs(), "run-1"),
    "a run that stands in no log": (emissions_csv(run_id="run-1"), "another-run"),
    "a log that was made unreadable": (b"\x1f\x8b" + emissions_csv(), "run-1"),
    "a log behind an empty line": (b"\n" + emissions_csv(energy_kwh="0.06"), "run-1"),
    "a log whose header was renamed": (emissions_csv().replace(b"energy_consumed", b"Energy_consumed"), "run-1"),
}


@pytest.mark.parametrize(("log", "run_id"), HIDDEN.values(), ids=HIDDEN.keys())
def test_hiding_a_part_of_the_log_gains_nothing(certifier: Certifier, studio: Studio, log: bytes, run_id: str) -> None:
    studio.log = log
    upload = studio.upload(studio.signed(studio.report(run_id=run_id)))
    try:
        answer = certifier.submit(upload, NOW)
    except MalformedLog:
        return
    assert isinstance(answer, Refused)
    assert "PLS-18" in [finding.rule for finding in answer.verdict.failed_must]


def test_a_run_of_the_log_does_not_hide_behind_an_activity_of_its_name(certifier: Certifier, studio: Studio) -> None:
    """The log holds two runs of equal energy; the one activity that is reported is called like the other run."""
    studio.log = emissions_csv() + emissions_csv(run_id="run-2").splitlines(keepends=True)[1]
    report = studio.report()
    report["activities"][0]["id"] = "run run-2"
    answer = certifier.submit(studio.upload(studio.signed(report)), NOW)
    assert isinstance(answer, Refused)
    assert "PLS-18" in [finding.rule for finding in answer.verdict.failed_must]


def test_a_stranger_cannot_use_up_the_runs_of_another_by_their_name(certifier: Certifier, studio: Studio) -> None:
    other = write_track(studio.folder / "other.wav", pitch=330)
    theirs = studio.report(track=other) | {"issuer": {"id": "example-party", "key_id": STRANGER.public.did_key}}
    statement = certifier.submit(studio.upload(studio.signed(theirs, (STRANGER,), track=other), track=other), NOW)
    assert isinstance(statement, Issued)
    assert issue(certifier, studio).certificate.outcome == "class-2"


def test_somebodys_statement_about_a_file_keeps_no_certificate_away(certifier: Certifier, studio: Studio) -> None:
    theirs = studio.report() | {"issuer": {"id": "somebody", "key_id": STRANGER.public.did_key}}
    assert isinstance(certifier.submit(studio.upload(studio.signed(theirs, (STRANGER,))), NOW), Issued)
    assert issue(certifier, studio).certificate.outcome == "class-2"


def test_the_certificate_names_whom_the_evidence_rests_on(certifier: Certifier, studio: Studio) -> None:
    """A party whose key has run out may sign along; it does not stand behind the figure."""
    capability = '\n[keys.capability]\ncoverage = ["system"]\nmethod = ["sensor"]\n'
    expired = NOW - timedelta(days=365 * 6)
    register_key(
        studio.settings,
        "famous-party",
        "measuring_party",
        "Famous Party (example)",
        STRANGER.public,
        expired,
        capability,
    )
    reopened = studio.certifier()
    row = issue(reopened, studio, keys=(APPLICANT, STRANGER, PARTY)).certificate
    assert parse_claims(parse_object(row.payload)).assessor.name == "Example Party"


def test_an_issuer_whose_key_has_run_out_issues_nothing(certifier: Certifier, studio: Studio) -> None:
    report = studio.report() | {"issued_at": "2036-10-02T09:00:00Z"}
    for time in ("started_at", "ended_at"):
        report["activities"][0][time] = report["activities"][0][time].replace("2026", "2036")
    envelope = studio.signed(report, keys=(APPLICANT,))
    with pytest.raises(ReadOnlyError) as caught:
        certifier.submit(studio.upload(envelope), NOW + timedelta(days=3653))
    assert "no-issuer-key" in (caught.value.found or "")


@pytest.mark.parametrize("issued_at", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_time_at_the_end_of_the_calendar_is_judged_not_tripped_over(
    certifier: Certifier, studio: Studio, issued_at: str
) -> None:
    answer = certifier.submit(studio.upload(studio.signed(studio.report() | {"issued_at": issued_at})), NOW)
    assert isinstance(answer, Refused)


def test_hardware_that_is_none_lowers_nothing(certifier: Certifier, studio: Studio) -> None:
    """A second line with a count of zero would cancel the server behind a lone processor."""
    report = studio.report()
    report["activities"][0]["hardware"] = [{"name": "AMD EPYC 7543", "count": 1}, {"name": "laptop", "count": 0}]
    with pytest.raises(MalformedReport):
        certifier.submit(studio.upload(studio.signed(report)), NOW)


def test_a_repeated_report_is_answered_also_where_its_key_cannot_be_kept(certifier: Certifier, studio: Studio) -> None:
    """Many at once with one new key: all get the certificate that the report has, none a conflict."""
    first = issue(certifier, studio)
    envelope = studio.signed(studio.report())
    examined = examine(studio.upload(envelope))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: certifier.certify(examined, NOW, "one key for all"), range(16)))
    assert {answer.certificate.code for answer in answers if isinstance(answer, Issued)} == {first.certificate.code}
    assert all(isinstance(answer, Issued) for answer in answers)
    certifier.pipeline.close()
    assert isinstance(certifier.certify(examined, NOW, "another key"), Issued)
