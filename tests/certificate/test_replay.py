"""Replay: an honest certificate follows; whatever a dishonest issuer signs instead is named, member by member."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.credential import parse_claims, payload_for
from certifier.certificate.model import Claims
from certifier.certificate.proof import sign_document, split_proof
from certifier.certificate.replay import MEMBERS, Case, Found, Replay, case_of, replay
from certifier.crypto.canonical import canonical_bytes, sha256_hex, to_json_text
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, ForeignInputError
from certifier.report.envelope import open_report, sign_report, statement_for
from certifier.report.evidence import Audio, Deposit
from certifier.service.certifier import Certifier, Issued, Refused
from certifier.service.examine import Examined
from certifier.standard.model import Standard
from tests.studio import APPLICANT, NOW, PARTY, STRANGER, VERIFIER, Studio

ISSUER = SigningKey.from_seed(b"issuer".ljust(32, b"."))
BOTH = (APPLICANT, PARTY)
GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True)
class World:
    """One certified track, as its public files, and the rules that certified it."""

    studio: Studio
    certifier: Certifier
    certificate: bytes
    report: bytes
    decision: bytes

    @property
    def standard(self) -> Standard:
        return self.certifier.shelf.newest

    @property
    def claims(self) -> Claims:
        return parse_claims(split_proof(parse_object(self.certificate))[0])

    @property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.decision)
        return record

    def replayed(self, found: Found | None = None, **files: bytes) -> Replay:
        own = {"certificate": self.certificate, "report": self.report, "decision": self.decision}
        return replay(case_of(**own | files), [self.standard], found)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    certifier = studio.certifier()
    report = studio.report()
    report["track"]["isrc"] = "QZABC2600001"
    answer = certifier.submit(studio.upload(studio.signed(report)), NOW)
    assert isinstance(answer, Issued)
    submission = certifier.store.submission(answer.submission.id)
    return World(studio, certifier, answer.certificate.document or b"", submission.envelope, submission.decision)


def signed(claims: Claims, change: Mapping[str, Any] | None = None) -> bytes:
    """A certificate as an issuer signs it who wants it so; with other values at JSON paths of the document."""
    payload = copy.deepcopy(payload_for(claims))
    for path, value in (change or {}).items():
        *way, last = path.split("/")
        part: Any = payload
        for step in way:
            part = part[int(step)] if isinstance(part, list) else part[step]
        part[int(last) if isinstance(part, list) else last] = value
    return to_json_text(sign_document(payload, ISSUER, "did:web:label.example#key-1", "2026-11-01T12:00:00Z")).encode()


def with_member(claims: Claims, member: str, value: Any) -> Claims:
    part, _, name = member.rpartition(".")
    return claims._replace(**({part: attrgetter(part)(claims)._replace(**{name: value})} if part else {name: value}))


def problems(replayed: Replay, value: str = "differs") -> list[str]:
    return [check.name for check in replayed.checks if check.value == value]


# --- an honest certificate ---------------------------------------------------------------------------------------------


def test_a_certificate_follows_from_its_public_files(world: World) -> None:
    replayed = world.replayed()
    assert (replayed.answer, problems(replayed), problems(replayed, "cannot")) == ("follows", [], [])
    assert {check.name for check in replayed.checks} >= set(MEMBERS) - {"assessor.name"}


OTHERS = {
    "verified": ((*BOTH, VERIFIER), "verifier"),
    "self-declared": ((APPLICANT,), "software"),
}


def certified(world: World, examined: Examined) -> Replay:
    answer = world.certifier.certify(examined, NOW)
    assert isinstance(answer, Issued)
    row = world.certifier.store.submission(answer.submission.id)
    return world.replayed(certificate=answer.certificate.document or b"", report=row.envelope, decision=row.decision)


@pytest.mark.parametrize(("keys", "assessor"), OTHERS.values(), ids=OTHERS.keys())
def test_it_follows_whoever_signed_the_report(world: World, keys: Any, assessor: str) -> None:
    replayed = certified(world, world.studio.examined(assessor, keys))
    assert (replayed.answer, replayed.claims.assessor.kind) == ("follows", assessor), problems(replayed)


def test_a_digest_of_the_samples_that_no_applicant_signed_is_the_issuers_word(world: World) -> None:
    examined = world.studio.examined("bare")
    statement = statement_for(examined.opened.value, file_name="track.wav", essence_sha256=None)
    opened = open_report(json.dumps(sign_report(statement, BOTH)).encode())
    replayed = certified(world, replace(examined, opened=opened))
    assert replayed.answer == "follows"
    assert "subject.essence_sha256" not in {check.name for check in replayed.checks}
    words = {fact.name: fact.value for fact in replayed.facts if fact.standing == "issuer's word"}
    assert words["digest of the samples"] == examined.audio.essence_sha256


@pytest.mark.parametrize("folder", sorted(GOLDEN.iterdir()), ids=lambda folder: folder.name)
def test_a_certificate_of_every_release_follows_where_its_standard_is_at_hand(world: World, folder: Path) -> None:
    """While a standard is a draft its folder may have changed since: then nobody can tell, and it is said why."""
    names = ("certificate.json", "report.dsse.json", "decision.json")
    case = case_of(*((folder / name).read_bytes() for name in names))
    replayed = replay(case, [world.standard])
    if case.claims.basis.standard_sha256 == world.standard.digest:
        assert replayed.answer == "follows", problems(replayed)
    else:
        assert (replayed.answer, problems(replayed)) == ("cannot_tell", [])
        assert "standard" in problems(replayed, "cannot")


def test_replaying_twice_gives_the_same(world: World) -> None:
    assert world.replayed() == world.replayed()


# --- without the standard ----------------------------------------------------------------------------------------------


def test_without_the_named_standard_nobody_can_tell_and_both_digests_are_said(world: World) -> None:
    other = replace(world.standard, digest="0" * 64)
    replayed = replay(case_of(world.certificate, world.report, world.decision), [other])
    assert (replayed.answer, problems(replayed)) == ("cannot_tell", [])
    check = next(check for check in replayed.checks if check.name == "standard")
    assert (world.standard.digest in check.says, other.digest in check.found) == (True, True)
    assert {"outcome", "figures.assessed_g_per_min", "decision again"} <= set(problems(replayed, "cannot"))


def test_what_needs_no_rules_is_compared_all_the_same(world: World) -> None:
    bent = signed(with_member(world.claims, "subject.title", "Another Song (example)"))
    replayed = replay(case_of(bent, world.report, world.decision), [])
    assert (replayed.answer, problems(replayed)) == ("does_not_follow", ["subject.title"])


# --- a dishonest issuer ------------------------------------------------------------------------------------------------

LIES: dict[str, Any] = {
    "outcome": "class-1",
    "basis.evidence_level": "A2",
    "figures.assessed_g_per_min": "0.03",
    "figures.central_g_per_min": "0.02",
    "figures.consumer_g_per_min": "0.00",
    "figures.provider_g_per_min": "0.01",
    "figures.limit_g_per_min": "10.00",
    "figures.data_quality": "A",
    "figures.post_production": "0.00 (at most 0.00)",
    "figures.calculated": True,
    "subject.title": "Another Song (example)",
    "subject.artist": "Another Artist",
    "subject.isrc": None,
    "subject.audio_sha256": "ab" * 32,
    "subject.essence_sha256": "cd" * 32,
    "basis.standard": "LCAL-9.0.0",
    "basis.tables_sha256": "12" * 32,
    "basis.report_sha256": "34" * 32,
    "basis.decision_sha256": "56" * 32,
    "assessor.kind": "verifier",
    "assessor.id": "example-verifier",
    "issued_at": NOW - timedelta(days=1),
    "expires_at": NOW + timedelta(days=4000),
}
# Members that the certificate shares with a file: the file's own check says so, too.
ECHOES = {
    "basis.report_sha256": ["report"],
    "basis.decision_sha256": ["decision record"],
    "basis.standard": ["record: standard"],
}


def test_there_is_a_lie_for_every_member_but_the_ones_that_have_a_test_of_their_own() -> None:
    assert set(LIES) == set(MEMBERS) - {"basis.standard_sha256", "assessor.name"}


@pytest.mark.parametrize(("member", "lie"), LIES.items(), ids=LIES.keys())
def test_a_member_that_does_not_follow_is_named_and_no_other(world: World, member: str, lie: Any) -> None:
    replayed = world.replayed(certificate=signed(with_member(world.claims, member, lie)))
    assert replayed.answer == "does_not_follow"
    assert sorted(problems(replayed)) == sorted([*ECHOES.get(member, []), member])
    assert problems(replayed, "cannot") == []


def test_a_certificate_that_names_other_rules_than_its_record_does_not_follow(world: World) -> None:
    replayed = world.replayed(certificate=signed(with_member(world.claims, "basis.standard_sha256", "9" * 64)))
    assert (replayed.answer, problems(replayed)) == ("does_not_follow", ["record: standard"])


def test_the_name_of_the_assessor_is_the_issuers_word_until_a_register_is_asked(world: World) -> None:
    bent = signed(with_member(world.claims, "assessor.name", "Somebody Else (example)"))
    trusting, asking = (
        world.replayed(found, certificate=bent) for found in (None, Found(assessor_name="Example Party"))
    )
    assert trusting.answer == "follows"
    assert ("name of the assessor", "issuer's word") in [(fact.name, fact.standing) for fact in trusting.facts]
    assert (asking.answer, problems(asking)) == ("does_not_follow", ["assessor.name"])


def test_nobody_is_named_as_assessor_where_nobody_assessed(world: World) -> None:
    answer = world.certifier.certify(world.studio.examined("nobody", (APPLICANT,)), NOW)
    assert isinstance(answer, Issued)
    row = world.certifier.store.submission(answer.submission.id)
    claims = parse_claims(split_proof(parse_object(answer.certificate.document or b""))[0])
    bent = signed(with_member(claims, "assessor.name", "A Renowned Body (example)"))
    assert problems(world.replayed(certificate=bent, report=row.envelope, decision=row.decision)) == ["assessor.name"]


def test_nothing_given_is_not_the_word_for_it(world: World) -> None:
    examined = world.studio.examined("no isrc")
    answer = world.certifier.certify(examined, NOW)
    assert isinstance(answer, Issued)
    row = world.certifier.store.submission(answer.submission.id)
    claims = parse_claims(split_proof(parse_object(answer.certificate.document or b""))[0])
    assert claims.subject.isrc is None
    bent = signed(with_member(claims, "subject.isrc", "not given"))
    assert problems(world.replayed(certificate=bent, report=row.envelope, decision=row.decision)) == ["subject.isrc"]


OTHER_TEXT = {
    "a better name on top": ({"name": "Low-Carbon Audio, class 1"}, "does_not_follow"),
    "another version of the standard": ({"credentialSubject/achievement/version": "2.0.0"}, "does_not_follow"),
    "two results of one kind": ({"credentialSubject/result": "twice"}, "does_not_follow"),
    "another person's page": ({"credentialSubject/achievement/criteria/id": "https://example.org"}, "does_not_follow"),
    "a lower figure in prose": ({"credentialSubject/achievement/description": "At most 1.00 g."}, "cannot_tell"),
    "a member that nobody knows": ({"climateNeutral": True}, "cannot_tell"),
}


@pytest.mark.parametrize(("change", "answer"), OTHER_TEXT.values(), ids=OTHER_TEXT.keys())
def test_what_a_certificate_says_beside_its_members_is_found(world: World, change: Any, answer: str) -> None:
    """Words may be those of another version of this software: they are shown, and nobody is accused of them."""
    if "credentialSubject/result" in change:
        results = payload_for(world.claims)["credentialSubject"]["result"]
        change = {"credentialSubject/result": [{**results[0], "value": "1.00"}, *results]}
    replayed = world.replayed(certificate=signed(world.claims, change))
    assert (replayed.answer, problems(replayed, "differs" if answer == "does_not_follow" else "cannot")) == (
        answer,
        ["document"],
    )


def test_an_outcome_that_no_label_has_does_not_follow(world: World) -> None:
    results = copy.deepcopy(payload_for(world.claims)["credentialSubject"]["result"])
    results[-1]["value"] = "gold"
    replayed = world.replayed(certificate=signed(world.claims, {"credentialSubject/result": results}))
    assert problems(replayed) == ["outcome", "document"]


def test_a_certificate_for_a_refused_report_does_not_follow(world: World) -> None:
    examined = world.studio.examined("refused", (*BOTH,))
    answer = world.certifier.certify(
        replace(examined, audio=replace(examined.audio, duration_s=examined.audio.duration_s * 3)), NOW
    )
    assert isinstance(answer, Refused)
    row = world.certifier.store.submission(answer.submission.id)
    case = case_of(signed(world.claims), row.envelope, row.decision)
    basis = world.claims.basis._replace(report_sha256=case.opened.digest, decision_sha256=sha256_hex(row.decision))
    replayed = world.replayed(
        certificate=signed(world.claims._replace(basis=basis)), report=row.envelope, decision=row.decision
    )
    assert replayed.answer == "does_not_follow"
    outcome = next(check for check in replayed.checks if check.name == "outcome")
    assert (outcome.value, outcome.says, outcome.found) == ("differs", "class-2", "none")
    assert outcome.hint.startswith("closed by ")


# --- a bent record -----------------------------------------------------------------------------------------------------

BENT = {
    "the outcome": ("outcome", "class-1"),
    "the level": ("evidence_level", "A2"),
    "the figure": ("assessed_g_per_min", "1.00"),
    "the best estimate": ("central_g_per_min", "1.00"),
    "failed rules": ("failed_must", []),
    "warnings": ("warnings", ["PRO-01"]),
}


@pytest.mark.parametrize(("member", "value"), BENT.values(), ids=BENT.keys())
def test_a_record_bent_in_one_fact_is_not_the_one_that_the_certificate_names(
    world: World, member: str, value: Any
) -> None:
    bent = canonical_bytes(world.record | {member: value})
    replayed = world.replayed(decision=bent)
    assert problems(replayed) == ["decision record", "decision again", "basis.decision_sha256"]


@pytest.mark.parametrize(("member", "value"), BENT.values(), ids=BENT.keys())
def test_nor_does_it_follow_when_the_certificate_names_it(world: World, member: str, value: Any) -> None:
    bent = canonical_bytes(world.record | {member: value})
    claims = with_member(world.claims, "basis.decision_sha256", sha256_hex(bent))
    replayed = world.replayed(certificate=signed(claims), decision=bent)
    assert (replayed.answer, problems(replayed)) == ("does_not_follow", ["decision again"])
    assert f"/{member} " in next(check for check in replayed.checks if check.name == "decision again").says


def test_the_record_is_compared_byte_for_byte(world: World) -> None:
    spaced = json.dumps(world.record, indent=1).encode()
    claims = with_member(world.claims, "basis.decision_sha256", sha256_hex(spaced))
    assert problems(world.replayed(certificate=signed(claims), decision=spaced)) == ["decision again"]


def test_a_record_with_more_members_than_this_version_knows_accuses_nobody(world: World) -> None:
    later = canonical_bytes(world.record | {"weather": "fair"})
    claims = with_member(world.claims, "basis.decision_sha256", sha256_hex(later))
    replayed = world.replayed(certificate=signed(claims), decision=later)
    assert (replayed.answer, problems(replayed, "cannot")) == ("cannot_tell", ["decision again"])


def _other_evidence(world: World, found: Found | None = None, **changes: Any) -> Replay:
    """A record whose evidence was changed, and everything that follows from it written again by the issuer."""
    record = world.record
    record["evidence"] |= changes
    bent = canonical_bytes(record)
    claims = with_member(world.claims, "basis.decision_sha256", sha256_hex(bent))
    return world.replayed(found, certificate=signed(claims), decision=bent)


def test_the_order_in_which_a_log_names_its_runs_contradicts_nothing(world: World) -> None:
    runs = {"take-1": {"duration_s": "60"}, "data-1": {"duration_s": "30"}}
    log = {"kind": "log", "format": "codecarbon", "activities": runs}  # the record's members are sorted
    digest = "a" * 64
    found = Found(deposits={digest: Deposit.model_validate(log)})
    replayed = _other_evidence(world, found, deposited_logs={digest: log})
    fact = next(fact for fact in replayed.facts if fact.name.startswith("deposited log aaaa"))
    assert fact.standing == "checked here"


def test_a_signature_that_the_report_does_not_carry_is_found(world: World) -> None:
    invented = {
        "role": "verifier", "id": "example-verifier", "key": VERIFIER.public.did_key, "valid": True, "registered": True,
        "key_active_at_signing": True, "key_active_now": True, "in_scope": True, "conflict": False, "own_measurement": False,
    }  # fmt: skip
    replayed = _other_evidence(world, signatures=[*world.record["evidence"]["signatures"], invented])
    assert "signatures" in problems(replayed)
    assert VERIFIER.public.did_key in next(check for check in replayed.checks if check.name == "signatures").found


SIGNATURES = {
    "a good one called bad": lambda found: [found[0], found[1] | {"valid": False}],
    "one counted twice": lambda found: [*found, found[1]],
    "the applicant's left out": lambda found: found[1:],
    "the applicant under another name": lambda found: [found[0] | {"id": "somebody"}, found[1]],
    "another key than the one that signed": lambda found: [found[0], found[1] | {"key": STRANGER.public.did_key}],
}


@pytest.mark.parametrize("change", SIGNATURES.values(), ids=SIGNATURES.keys())
def test_what_the_record_says_of_signatures_is_compared_with_the_report(world: World, change: Any) -> None:
    assert "signatures" in problems(_other_evidence(world, signatures=change(world.record["evidence"]["signatures"])))


def test_a_signature_that_came_later_changes_nothing(world: World) -> None:
    report = parse_object(world.report)
    statement = parse_object(base64.b64decode(report["payload"]))
    more = json.dumps(sign_report(statement, (*BOTH, VERIFIER))).encode()
    replayed = world.replayed(report=more)
    assert replayed.answer == "follows"
    assert "1 of them not counted" in next(check for check in replayed.checks if check.name == "signatures").found


def test_a_record_about_another_file_is_found(world: World) -> None:
    audio = world.record["evidence"]["audio"] | {"sha256": "ab" * 32}
    assert "record: audio" in problems(_other_evidence(world, audio=audio))


def test_another_report_is_not_the_one_that_the_certificate_names(world: World) -> None:
    facts = world.studio.facts()
    statement = statement_for(
        world.studio.report(title="Other"), file_name="x.wav", essence_sha256=facts.essence_sha256
    )
    replayed = world.replayed(report=json.dumps(sign_report(statement, BOTH)).encode())
    assert {"report", "record: report", "basis.report_sha256", "subject.title"} <= set(problems(replayed))


def test_a_tampered_report_is_refused(world: World) -> None:
    envelope = parse_object(world.report)
    envelope["signatures"][0]["sig"] = envelope["signatures"][1]["sig"]
    with pytest.raises(CertifierError, match="A signature does not fit the report"):
        world.replayed(report=json.dumps(envelope).encode())


# --- the issuer's word -------------------------------------------------------------------------------------------------


def test_a_lie_about_what_only_the_issuer_knows_follows_and_is_listed_as_its_word(world: World) -> None:
    replayed = _other_evidence(world, ledger={"certified_audio": [], "run_share_used": {"example-party/run-1": "0.5"}})
    assert "shares of runs used up before" in {f.name for f in replayed.facts if f.standing == "issuer's word"}


STATEMENT = {
    "model": "example-model",
    "version": "1",
    "registered": True,
    "verifier_signed": True,
    "issued_on": "2026-09-01",
    "training_g_per_minute": "0.25",
}


def test_each_register_fact_is_listed_with_its_value(world: World) -> None:
    facts = {fact.name: fact.value for fact in _other_evidence(world, statements={"ST-1": STATEMENT}).facts}
    assert facts["statement ST-1"] == (
        "example-model 1, 2026-09-01: 0.25 g of training per minute, data not in;"
        " registered, signed by a verifier, not location-based"
    )
    assert facts["tool codecarbon 3.3.2"] == "usable, PUE in its energy: either"
    assert facts["register: example-party"].startswith("registered as measuring party example-party; key in force at")
    assert facts["time of the decision"] == "2026-11-01T12:00:00Z"
    assert facts["length of the audio"] == "20.000000000 s"


SERVICE_STATEMENT = STATEMENT | {
    "location_based": True,
    "includes_data": True,
    "wh_per_minute": "0.6",
    "pue": "1.15",
    "places": [{"key": "US-VA", "weight": "0.5"}, {"key": "FRA", "weight": "0.5"}],
    "hardware": [{"name": "NVIDIA L4", "seconds_per_minute": "3"}],
}
LEDGER = {"certified_audio": [], "run_share_used": {}, "claims_used": ["GO-7"]}
# What of a record only the issuer knew -> the fact that has to say it, and the words that it says it with.
WORDS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "a service's figures": (
        {"statements": {"ST-1": SERVICE_STATEMENT}},
        "statement ST-1",
        ["data in", "0.6 Wh", "PUE 1.15", "0.5 in US-VA", "0.5 in FRA", "3 s of 1 NVIDIA L4"],
    ),
    "instruments of other certificates": ({"ledger": LEDGER}, "electricity instruments used before", ["GO-7"]),
    "months of use": (
        {"model_use": {"m1": {"months": "13", "minutes_last_12m": "900"}}},
        "minutes made with a model",
        ["m1", "13 months", "900 min"],
    ),
    "the key of a service that signed its export": (
        {"signatures": [{"role": "service", "id": "svc", "valid": True, "registered": True, "key": "did:key:z6Mk1"}]},
        "register: svc",
        ["registered as service svc", "did:key:z6Mk1"],
    ),
    "the applicant's key": ({}, "key of the applicant", ["in force at signing: yes", "now: yes"]),
}


@pytest.mark.parametrize(("change", "name", "words"), WORDS.values(), ids=WORDS.keys())
def test_whatever_the_verdict_may_rest_on_is_listed(world: World, change: Any, name: str, words: list[str]) -> None:
    facts = {fact.name: fact for fact in _other_evidence(world, **change).facts}
    assert facts[name].standing == "issuer's word"
    assert [word for word in words if word not in facts[name].value] == []


def test_a_renewal_says_what_it_renews(world: World) -> None:
    first = world.certifier.certify(world.studio.examined("renewed"), NOW)
    assert isinstance(first, Issued)
    again = world.studio.examined("renewed", renewal_of=first.certificate.code, report_id="rep-again")
    replayed = certified(world, again)
    assert replayed.answer == "follows"
    renewed = next(fact for fact in replayed.facts if fact.name == "the certificate that it renews")
    assert (renewed.value.partition(":")[0], renewed.standing) == (first.certificate.code, "issuer's word")


def test_without_help_every_fact_is_the_issuers_word(world: World) -> None:
    assert {fact.standing for fact in world.replayed().facts} == {"issuer's word"}


def test_a_fact_that_the_reader_measured_otherwise_does_not_follow(world: World) -> None:
    stated = Audio.model_validate(world.record["evidence"]["audio"])
    essence = world.claims.subject.essence_sha256
    same, shorter = (
        world.replayed(Found(audio=stated.model_copy(update={"duration_s": length, "essence_sha256": essence})))
        for length in (stated.duration_s, stated.duration_s / 2)
    )
    assert (same.answer, shorter.answer) == ("follows", "does_not_follow")
    assert [fact.name for fact in shorter.facts if fact.standing == "differs"] == ["length of the audio"]


# --- hostile files -----------------------------------------------------------------------------------------------------

HOSTILE = {
    "no JSON": lambda record: b"{",
    "an array": lambda record: b"[]",
    "another form": lambda record: canonical_bytes(record | {"form": "lcal-decision/9"}),
    "no form": lambda record: canonical_bytes({}),
    "a standard that is text": lambda record: canonical_bytes(record | {"standard": "LCAL-1.0.0"}),
    "a standard without digest": lambda record: canonical_bytes(record | {"standard": {"id": "LCAL-1.0.0"}}),
    "a digest in capitals": lambda record: canonical_bytes(record | {"report_sha256": "A" * 64}),
    "a digest with a line end": lambda record: canonical_bytes(record | {"report_sha256": "a" * 64 + "\n"}),
    "an outcome in a list": lambda record: canonical_bytes(record | {"outcome": ["class-1"]}),
    "an unknown outcome": lambda record: canonical_bytes(record | {"outcome": "gold"}),
    "an unknown level": lambda record: canonical_bytes(record | {"evidence_level": "A9"}),
    "a figure that is a number": lambda record: canonical_bytes(record | {"assessed_g_per_min": 7}),
    "rules as text": lambda record: canonical_bytes(record | {"failed_must": "none"}),
    "a rule that is a number": lambda record: canonical_bytes(record | {"warnings": [1]}),
    "no warnings": lambda record: canonical_bytes({k: v for k, v in record.items() if k != "warnings"}),
    "evidence in a list": lambda record: canonical_bytes(record | {"evidence": []}),
    "no audio": lambda record: canonical_bytes(record | {"evidence": {"now": record["evidence"]["now"]}}),
    "a time in words": lambda record: canonical_bytes(record | {"evidence": record["evidence"] | {"now": "today"}}),
    "a time in another zone": lambda record: canonical_bytes(
        record | {"evidence": record["evidence"] | {"now": "2026-11-01T13:00:00+01:00"}}
    ),
    "the end of all time": lambda record: canonical_bytes(
        record | {"evidence": record["evidence"] | {"now": "9999-12-31T23:59:59Z"}}
    ),
    "an endless length": lambda record: canonical_bytes(
        record | {"evidence": record["evidence"] | {"audio": record["evidence"]["audio"] | {"duration_s": "1E+390"}}}
    ),
    "a member twice": lambda record: canonical_bytes(record)[:-1] + b',"outcome":"class-1"}',
    "deep nesting": lambda record: canonical_bytes(record)[:-1] + b',"x":' + b"[" * 99 + b"]" * 99 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("bend", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_record_that_cannot_be_read_ends_in_one_clear_error(world: World, bend: Any) -> None:
    with pytest.raises(ForeignInputError) as caught:
        world.replayed(decision=bend(world.record))
    assert caught.value.message


ABSURD = {
    "no length": {"duration_s": "0", "silence_s": "0"},
    "more silence than length": {"silence_s": "99999"},
    "hardly a length": {"duration_s": "1E-390"},
}


@pytest.mark.parametrize("audio", ABSURD.values(), ids=ABSURD.keys())
def test_absurd_facts_end_in_an_answer(world: World, audio: dict[str, str]) -> None:
    replayed = _other_evidence(world, audio=world.record["evidence"]["audio"] | audio)
    assert replayed.answer == "does_not_follow"


def test_a_case_is_read_and_not_yet_judged(world: World) -> None:
    case = case_of(world.certificate, world.report, world.decision)
    assert isinstance(case, Case)
    assert (case.decided_at, case.claims.outcome) == (NOW, "class-2")
