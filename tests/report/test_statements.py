"""A model statement counts only as far as its maker, its verifier and the tables carry it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from certifier.crypto.keyring import Keyring, RegisteredStatement, parse_keyring
from certifier.errors import BadSignature, CertifierError, MalformedEnvelope, MalformedReport, OperatorError
from certifier.report.envelope import sign_report, statement_for
from certifier.report.statements import (
    check_statement,
    open_statement,
    parse_statement,
    rules_met,
    statement_fact,
    unsigned_statement,
)
from certifier.service.statements import bounds_of
from tests.standard.world import REMOVED, standard
from tests.statements import SCOPE, SERVICE, STATEMENT, at, entry, keyring, signed_statement, statement
from tests.studio import APPLICANT, NOW, STRANGER, VERIFIER

BOUNDS = bounds_of(standard())


def unmet(envelope: bytes, register: Keyring, now: Any = NOW) -> list[str]:
    return [check.name for check in check_statement(open_statement(envelope), register, BOUNDS, now) if not check.met]


def test_a_statement_that_maker_and_verifier_signed_may_be_registered() -> None:
    assert unmet(signed_statement(), keyring()) == []


def test_a_maker_without_a_registered_key_may_state_its_model() -> None:
    changes = {"maker": {"id": "example-lab", "key": STRANGER.public.did_key}}
    assert unmet(signed_statement(changes, (STRANGER, VERIFIER)), keyring()) == []


FORMS = {
    "a field that nobody knows": ({"offsets": "10"}, "/offsets"),
    "no declaration about a conflict": ({"verifier/conflict": REMOVED}, "/verifier/conflict"),
    "an id that is no file name": ({"id": "../keyring"}, "/id"),
    "an id in capitals": ({"id": "Example"}, "/id"),
    "a key that is none": ({"maker/key": "did:key:z6Mk"}, "/maker/key"),
    "a day that is none": ({"issued_on": "2026-02-30"}, "/issued_on"),
    "a time without a zone": ({"issued_on": "2026-06-01T10:00:00"}, "/issued_on"),
    "a year that cannot be added to": ({"issued_on": "9999-12-31"}, "/issued_on"),
    "training that is not said": ({"training_g_per_minute": REMOVED}, "/training_g_per_minute"),
    "a negative number": ({"training_g_per_minute": "-1"}, "/training_g_per_minute"),
    "no number": ({"service/pue": "NaN"}, "/service/pue"),
    "a binary float": ({"service/pue": 1.15}, "/service/pue"),
    "service figures without places": ({"service/places": []}, "/service/places"),
    "energy without PUE": ({"service/pue": REMOVED}, "/service/pue"),
    "markup in a name": ({"model": "<b>song"}, "/model"),
    "no evidence": ({"evidence": ""}, "/evidence"),
    "evidence that is a script": ({"evidence": "javascript:alert(1)"}, "/evidence"),
    "evidence at another host's whim": ({"evidence": "//example.org/x"}, "/evidence"),
    "another form": ({"form": "lcal-model-statement/2"}, "/form"),
}


@pytest.mark.parametrize(("changes", "pointer"), FORMS.values(), ids=FORMS.keys())
def test_a_document_that_does_not_fit_is_refused_by_its_field(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedReport) as caught:
        parse_statement(statement(changes))
    assert caught.value.pointer == pointer


def test_one_bad_signature_refuses_the_statement() -> None:
    envelope = json.loads(signed_statement())
    envelope["signatures"][1]["sig"] = envelope["signatures"][0]["sig"]
    with pytest.raises(BadSignature, match="statement"):
        open_statement(json.dumps(envelope).encode())


def test_a_signed_report_is_no_statement() -> None:
    report = statement_for({"track": {"audio_sha256": "a" * 64}}, file_name="a.wav", essence_sha256=None)
    with pytest.raises(MalformedEnvelope, match="no model statement"):
        open_statement(json.dumps(sign_report(report, [SERVICE, VERIFIER])).encode())


def test_the_subject_is_the_model_of_the_statement() -> None:
    document = unsigned_statement(statement()) | {"subject": unsigned_statement(statement({"version": "6"}))["subject"]}
    with pytest.raises(MalformedEnvelope, match="two models"):
        open_statement(json.dumps(sign_report(document, [SERVICE, VERIFIER])).encode())


def verifier(extra: str = SCOPE, **days: str) -> dict[str, str]:
    return {"verifier": entry(VERIFIER, "verifier", "example-verifier", extra, **days)}


SIGNERS: dict[str, tuple[dict[str, Any], tuple[Any, ...], dict[str, str], list[str]]] = {
    "only the maker": ({}, (SERVICE,), {}, ["signed by the verifier"]),
    "only the verifier": ({}, (VERIFIER,), {}, ["signed by the maker"]),
    "a stranger for the verifier": ({}, (SERVICE, STRANGER), {}, ["signed by the verifier"]),
    "a verifier that nobody registered": (
        {"verifier": {"id": "example-other", "key": STRANGER.public.did_key, "conflict": False}},
        (SERVICE, STRANGER),
        {},
        ["the verifier is registered"],
    ),
    "a registered key of another role": (
        {"verifier": {"id": "example-other", "key": STRANGER.public.did_key, "conflict": False}},
        (SERVICE, STRANGER),
        {"other": entry(STRANGER, "measuring_party", "example-other")},
        ["the verifier is registered"],
    ),
    "a verifier under another's name": (
        {"verifier/id": "example-assurance"},
        (SERVICE, VERIFIER),
        {},
        ["the verifier is registered"],
    ),
    "the verifier states its own model": (
        {"maker": {"id": "example-verifier", "key": VERIFIER.public.did_key}},
        (VERIFIER,),
        {},
        ["the verifier is not the maker"],
    ),
    "the verifier with a second key as the maker": (
        {"maker": {"id": "example-verifier", "key": STRANGER.public.did_key}},
        (STRANGER, VERIFIER),
        {},
        ["the maker's name is its own", "the verifier is not the maker"],
    ),
    "another's registered name": (
        {"maker/key": STRANGER.public.did_key},
        (STRANGER, VERIFIER),
        {},
        ["the maker's name is its own"],
    ),
    "a registered key under another name": (
        {"maker/id": "example-lab"},
        (SERVICE, VERIFIER),
        {},
        ["the maker's name is its own"],
    ),
    "a declared conflict": ({"verifier/conflict": True}, (SERVICE, VERIFIER), {}, ["the verifier has no conflict"]),
    "a registered conflict with the maker's name": (
        {},
        (SERVICE, VERIFIER),
        verifier(SCOPE + '\nconflicts = ["example-service"]'),
        ["the verifier has no conflict"],
    ),
    "a registered conflict with the maker's key": (
        {},
        (SERVICE, VERIFIER),
        verifier(SCOPE + f'\nconflicts = ["{SERVICE.public.did_key}"]'),
        ["the verifier has no conflict"],
    ),
    "a verifier out of scope": ({}, (SERVICE, VERIFIER), verifier(""), ["the verifier's scope holds this standard"]),
    "a key that was not in force yet": (
        {},
        (SERVICE, VERIFIER),
        verifier(since="2026-07-01T00:00:00Z"),
        ["the verifier's key is in force on the day of issue"],
    ),
    "a key that is retired now": (
        {},
        (SERVICE, VERIFIER),
        verifier(until="2026-10-01T00:00:00Z"),
        ["the verifier's key is in force now"],
    ),
}


@pytest.mark.parametrize(("changes", "keys", "files", "names"), SIGNERS.values(), ids=SIGNERS.keys())
def test_who_signs_a_statement_decides_whether_it_may_be_registered(
    changes: dict[str, Any], keys: Any, files: dict[str, str], names: list[str]
) -> None:
    assert unmet(signed_statement(changes, keys), keyring(**files)) == names


FIGURES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "market-based grams": ({"location_based": False}, ["location-based"]),
    "training for nothing": ({"training_g_per_minute": "0"}, ["training_g_per_minute is plausible"]),
    "training in milligrams": ({"training_g_per_minute": "20000"}, ["training_g_per_minute is plausible"]),
    "kWh for Wh": ({"service/wh_per_minute": "0.0006"}, ["wh_per_minute is plausible"]),
    "more than any model needs": ({"service/wh_per_minute": "20001"}, ["wh_per_minute is plausible"]),
    "a PUE below one": ({"service/pue": "0.9"}, ["pue is plausible"]),
    "a place that is in no table": ({"service/places/0/key": "ATLANTIS"}, ["each place is in the tables"]),
    "the unknown place": ({"service/places/0/key": "UNKNOWN"}, ["each place is in the tables"]),
    "a place twice": ({"service/places/0/key": "FRA"}, ["each place stands once"]),
    "weights below one": ({"service/places/0/weight": "0.4"}, ["the weights sum to 1"]),
    "weights above one": ({"service/places/0/weight": "0.6"}, ["the weights sum to 1"]),
    "a weight of nothing": ({"service/places/+": {"key": "NOR", "weight": "0"}}, ["the weights sum to 1"]),
    "hardware that is in no table": (
        {"service/hardware/0/name": "H100 XYZ"},
        ["H100 XYZ is in the tables"],
    ),
    "hardware for no time": (
        {"service/hardware/0/seconds_per_minute": "0"},
        ["NVIDIA H100 SXM5 80GB: seconds_per_minute is plausible"],
    ),
    "no hardware at all counts as the default": ({"service/hardware": REMOVED}, []),
    "training alone": ({"service": REMOVED}, []),
    "tomorrow": ({"issued_on": "2026-11-02"}, ["issued in the past"]),
    "the last day": ({"issued_on": "2025-11-01T12:00:00Z"}, ["the verifier's key is in force on the day of issue"]),
    "a second over a year": (
        {"issued_on": "2025-11-01T11:59:59Z"},
        ["the verifier's key is in force on the day of issue", "not older than 365 days"],
    ),
}


@pytest.mark.parametrize(("changes", "names"), FIGURES.values(), ids=FIGURES.keys())
def test_figures_that_cannot_be_are_named_before_registration(changes: dict[str, Any], names: list[str]) -> None:
    assert unmet(signed_statement(changes), keyring()) == names


def test_thirds_sum_to_one_within_the_tolerance_of_the_standard() -> None:
    thirds = [{"key": key, "weight": "0.3333333"} for key in ("FRA", "US-VA", "NOR")]
    assert unmet(signed_statement({"service/places": thirds}), keyring()) == []


RULES = {
    "with service figures": ({}, {"ALC-03", "BND-07", "MTH-03", "MTH-04", "BND-05"}),
    "training alone": ({"service": REMOVED}, {"ALC-03", "BND-07"}),
    "not fit to be registered": ({"location_based": False}, set()),
}


@pytest.mark.parametrize(("changes", "rules"), RULES.values(), ids=RULES.keys())
def test_the_check_says_which_rules_the_statement_opens(changes: dict[str, Any], rules: set[str]) -> None:
    opened = open_statement(signed_statement(changes))
    met = rules_met(opened, check_statement(opened, keyring(), BOUNDS, NOW))
    assert {rule for rule, is_met in met.items() if is_met} == rules


# --- in the register ---


def registered(envelope: bytes, files: dict[str, str] | None = None, **entry_changes: Any) -> Keyring:
    known = keyring(**(files or {}))
    statement_id = entry_changes.pop("id", STATEMENT["id"])
    place = RegisteredStatement(id=statement_id, sha256="0" * 64, registered_at=at("2026-06-02"), **entry_changes)
    return Keyring(known.keys, (), [place], {statement_id: envelope})


def test_a_registered_statement_is_a_fact_with_all_its_figures() -> None:
    fact = statement_fact("example-song-5", registered(signed_statement()), "LCAL-1.0.0", NOW)
    assert fact is not None
    assert (fact.registered, fact.verifier_signed, fact.location_based) == (True, True, True)
    assert (str(fact.wh_per_minute), str(fact.pue), [place.key for place in fact.places]) == (
        "0.6",
        "1.15",
        ["US-VA", "FRA"],
    )
    assert fact.link == STATEMENT["evidence"]


FACTS: dict[str, tuple[dict[str, Any], dict[str, Any], bool, bool]] = {
    "before it was registered": ({}, {"now": at("2026-06-01")}, False, True),
    "withdrawn later": ({"withdrawn_at": NOW + timedelta(seconds=1)}, {}, True, True),
    "withdrawn at this moment": ({"withdrawn_at": NOW}, {}, False, True),
    "under another id than its own": ({"id": "example-song-6"}, {}, False, True),
    "signed by a verifier that fell out of the register": ({}, {"files": {"verifier": ""}}, True, False),
    "signed by a verifier that has a conflict since": (
        {},
        {"files": verifier(SCOPE + '\nconflicts = ["example-service"]')},
        True,
        False,
    ),
    "not signed by the maker": ({}, {"keys": (VERIFIER,)}, False, True),
}


@pytest.mark.parametrize(("place", "world", "is_registered", "is_verified"), FACTS.values(), ids=FACTS.keys())
def test_what_the_register_knows_now_is_what_the_rules_are_told(
    place: dict[str, Any], world: dict[str, Any], is_registered: bool, is_verified: bool
) -> None:
    envelope = signed_statement(keys=world.get("keys", (SERVICE, VERIFIER)))
    register = registered(envelope, world.get("files"), **place)
    name = place.get("id", "example-song-5")
    fact = statement_fact(name, register, "LCAL-1.0.0", world.get("now", NOW))
    assert fact is not None
    assert (fact.registered, fact.verifier_signed) == (is_registered, is_verified)


def test_an_id_that_the_register_does_not_hold_is_no_fact() -> None:
    assert statement_fact("example-song-9", registered(signed_statement()), "LCAL-1.0.0", NOW) is None


TAKEN: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "the same statement": ({}, {}, ["the id is free"]),
    "the same id with another content": (
        {"training_g_per_minute": "0.01"},
        {},
        ["the id is free", "the registered one is this one, and counts"],
    ),
    "the id of a withdrawn one": (
        {},
        {"withdrawn_at": NOW},
        ["the id is free", "the registered one is this one, and counts"],
    ),
    "a renewal under a new id": ({"id": "example-song-5-next"}, {}, []),
    "another maker's statement of the model": (
        {"id": "example-lab-5", "maker": {"id": "example-lab", "key": APPLICANT.public.did_key}},
        {},
        ["no other maker states this model"],
    ),
    "another maker's statement of the model in other letters": (
        {
            "id": "example-lab-5",
            "model": " Example-SONG",
            "maker": {"id": "example-lab", "key": APPLICANT.public.did_key},
        },
        {},
        ["no other maker states this model"],
    ),
    "another maker's, after the first was withdrawn": (
        {"id": "example-lab-5", "maker": {"id": "example-lab", "key": APPLICANT.public.did_key}},
        {"withdrawn_at": NOW},
        [],
    ),
}


@pytest.mark.parametrize(("changes", "place", "names"), TAKEN.values(), ids=TAKEN.keys())
def test_an_id_has_one_content_and_a_model_one_maker(
    changes: dict[str, Any], place: dict[str, Any], names: list[str]
) -> None:
    keys = (APPLICANT, VERIFIER) if "maker" in changes else (SERVICE, VERIFIER)
    assert unmet(signed_statement(changes, keys), registered(signed_statement(), **place)) == names


ALTERED = {
    "another file": {"example-song-5": b"{}"},
    "no file": {},
}


@pytest.mark.parametrize("envelopes", ALTERED.values(), ids=ALTERED.keys())
def test_a_registered_statement_whose_file_changed_is_an_alarm(envelopes: dict[str, bytes]) -> None:

    text = f'[[statements]]\nid = "example-song-5"\nsha256 = "{"a" * 64}"\nregistered_at = 2026-06-02T00:00:00Z\n'
    with pytest.raises(OperatorError, match="is not the one that was registered"):
        parse_keyring({"statements/example-song-5.toml": text}, envelopes)


def test_every_refusal_is_an_error_of_ours() -> None:
    for raw in (b"", b"[]", b"{}", b'{"payload":1,"payloadType":2,"signatures":3}', signed_statement()[:-9]):
        with pytest.raises(CertifierError):
            open_statement(raw)
