"""A pack: all that offline verification needs in one signed file, and every way in which one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.certificate.pack import LIMITS, open_pack, pack_of, sign_pack, sign_trust
from certifier.certificate.proof import sign_document
from certifier.certificate.rdfc import CONTEXT_FILES, context_bytes
from certifier.certificate.status import LIST_LENGTH, PURPOSES, status_list_payload, status_url
from certifier.certificate.times import time_text
from certifier.certificate.trust import LastGood, Trust, TrustedStandard, trust_document
from certifier.certificate.verify import check_certificate
from certifier.crypto.canonical import canonical_bytes, to_json_text
from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, ForeignInputError, MalformedJson, MalformedPack
from certifier.log.note import Checkpoint, sign_checkpoint, verifier_key_for
from tests.certificate.test_verify import (
    BASE,
    DID,
    FORGER,
    GOOD,
    ISSUER,
    LOG,
    METHOD,
    NOW,
    ORIGIN,
    OTHER_KEY,
    TRUST,
    lists,
    logged,
)

CONTEXTS = {url: context_bytes(url) for url in CONTEXT_FILES}
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 6, bytes(32)), LOG)
STATUS = SigningKey.from_seed(b"status".ljust(32, b"."))
STATUS_KEY = replace(TRUST.keys[0], id=f"{DID}#status-2026", role="status", key=STATUS.public)
NEXT_KEY = replace(TRUST.keys[0], id=f"{DID}#key-2027", key=FORGER.public)
STOLEN = replace(STATUS_KEY, last_good=LastGood(ORIGIN, 3))
NEXT = (FORGER, NEXT_KEY.id)
WITH_STATUS_KEY = replace(TRUST, keys=(*TRUST.keys, STATUS_KEY))


def made(
    trust: Trust = TRUST,
    *,
    issuer: tuple[SigningKey, str] = (ISSUER, METHOD),
    by: tuple[SigningKey, str] | None = None,
    at: datetime = NOW,
    status_lists: Mapping[str, bytes] | None = None,
    checkpoints: tuple[bytes, ...] = (NOTE,),
) -> bytes:
    """A pack whose trust ``issuer`` signs, and the whole of it ``by`` another key or the same."""
    listed = (lists(at=at) if status_lists is None else status_lists).values()
    signed = sign_trust(trust, *issuer, at)
    unsigned = pack_of(signed, issuer=DID, status_lists=listed, contexts=CONTEXTS, checkpoints=checkpoints, now=at)
    return sign_pack(unsigned, *(by or issuer))


PACK = made()


def test_a_pack_gives_all_that_a_check_needs() -> None:
    pack = open_pack(PACK, TRUST, NOW)
    assert (pack.issuer, pack.trust, pack.contexts) == (DID, TRUST, CONTEXTS)
    assert (pack.made_at, pack.valid_until, pack.status_as_of) == (NOW, NOW + timedelta(days=7), NOW)
    assert pack.checkpoints == (Checkpoint(ORIGIN, 6, bytes(32)),)
    assert (pack.issuer_key, pack.is_vouched_for, pack.new_keys) == (TRUST.keys[0], True, ())
    assert pack.size_bytes == len(PACK)


def test_a_certificate_is_valid_by_a_pack_and_its_proof_alone() -> None:
    material = open_pack(PACK, None, NOW).material(logged(GOOD))
    assert check_certificate(to_json_text(GOOD).encode(), material, NOW).verdict == "valid"


def test_a_certificate_that_a_pack_calls_revoked_is_not_valid() -> None:
    material = open_pack(made(status_lists=lists(revoked=[7])), None, NOW).material(logged(GOOD))
    verification = check_certificate(to_json_text(GOOD).encode(), material, NOW)
    assert (verification.verdict, verification.reason) == ("not_valid", "revoked")


def test_the_lists_come_out_byte_for_byte_as_they_are_served() -> None:
    served = {url: canonical_bytes(json.loads(raw)) for url, raw in lists(revoked=[3, 9]).items()}
    assert open_pack(made(status_lists=served), TRUST, NOW).status_lists == served


@pytest.mark.parametrize("trusted", [WITH_STATUS_KEY, TRUST, None], ids=["known", "new", "nothing known"])
def test_a_status_key_that_the_issuer_names_may_sign_packs_and_lists(trusted: Trust | None) -> None:
    served = lists(key=STATUS, method=STATUS_KEY.id)
    pack = open_pack(made(WITH_STATUS_KEY, by=(STATUS, STATUS_KEY.id), status_lists=served), trusted, NOW)
    assert pack.trust == WITH_STATUS_KEY
    assert pack.fingerprint == ISSUER.public.fingerprint


def test_without_trusted_keys_a_pack_is_trusted_by_whoever_names_it_and_says_so() -> None:
    pack = open_pack(PACK, None, NOW)
    assert not pack.is_vouched_for
    assert pack.fingerprint == ISSUER.public.fingerprint
    assert pack.new_keys == TRUST.keys


def test_the_oldest_list_tells_how_much_the_pack_knows() -> None:
    old, new = lists(at=NOW - timedelta(hours=3)), lists()
    url = next(iter(old))
    assert open_pack(made(status_lists=new | {url: old[url]}), TRUST, NOW).status_as_of == NOW - timedelta(hours=3)


def test_an_old_pack_opens_and_tells_its_age() -> None:
    later = NOW + timedelta(days=400)
    assert open_pack(PACK, TRUST, later).status_as_of == NOW


# -- how keys come and go ---------------------------------------------------------------------------------------------


def test_a_pack_by_a_trusted_key_brings_newer_keys_logs_and_standards() -> None:
    next_log = verifier_key_for("label.example/2027", FORGER.public)
    newest = Trust(
        "demo",
        (*TRUST.keys, NEXT_KEY),
        (*TRUST.logs, next_log),
        (replace(TRUST.standards[0], state="superseded"), TrustedStandard("LCAL-1.1.0", "22" * 32, "current")),
    )
    pack = open_pack(made(newest), TRUST, NOW)
    assert pack.trust == newest
    assert pack.new_keys == (NEXT_KEY,)
    following = open_pack(made(newest, issuer=NEXT, at=NOW + timedelta(days=1)), pack.trust, LATER)
    assert following.issuer_key == NEXT_KEY


LATER = NOW + timedelta(days=2)
KNOWN_BETTER = {
    "a key ended earlier": (
        replace(TRUST, keys=(replace(TRUST.keys[0], valid_until=NOW + timedelta(days=5)), NEXT_KEY)),
        TRUST,
    ),
    "a key was stolen": (
        replace(TRUST, keys=(*TRUST.keys, STOLEN)),
        WITH_STATUS_KEY,
    ),
    "a key was stolen earlier than the pack says": (
        replace(TRUST, keys=(*TRUST.keys, STOLEN)),
        replace(TRUST, keys=(*TRUST.keys, replace(STOLEN, last_good=LastGood(ORIGIN, 5)))),
    ),
    "a version was withdrawn": (
        replace(TRUST, standards=(replace(TRUST.standards[0], state="withdrawn"),)),
        TRUST,
    ),
    "a log came later": (
        replace(TRUST, logs=(*TRUST.logs, verifier_key_for("label.example/2027", FORGER.public))),
        TRUST,
    ),
}


@pytest.mark.parametrize(("trusted", "told"), KNOWN_BETTER.values(), ids=KNOWN_BETTER.keys())
def test_an_old_pack_takes_nothing_back_that_is_known(trusted: Trust, told: Trust) -> None:
    assert set(open_pack(made(told), trusted, LATER).trust.keys) == set(trusted.keys)
    assert open_pack(made(told), trusted, LATER).trust.logs == trusted.logs
    assert open_pack(made(told), trusted, LATER).trust.standards == trusted.standards


def test_keys_of_other_issuers_stay_trusted() -> None:
    trusted = replace(TRUST, keys=(*TRUST.keys, OTHER_KEY))
    assert open_pack(PACK, trusted, NOW).trust == trusted


# -- refusals -----------------------------------------------------------------------------------------------------------


def without_proof() -> bytes:
    document = json.loads(PACK)
    del document["proof"]
    return canonical_bytes(document)


def changed(**members: Any) -> bytes:
    return canonical_bytes(json.loads(PACK) | members)


def changed_trust(**members: Any) -> bytes:
    """A pack that the issuer signed around trust which was changed after its own proof."""
    return signed_with(trust=json.loads(PACK)["trust"] | members)


def signed_with(**members: Any) -> bytes:
    """A pack with such members, by the issuer itself."""
    unsigned = {name: value for name, value in json.loads(PACK).items() if name != "proof"}
    return sign_pack(unsigned | members, ISSUER, METHOD)


def with_lists(change: Callable[[dict[str, Any]], Any]) -> bytes:
    return signed_with(status_lists=[change(json.loads(raw)) for raw in lists().values()])


def unsigned_list(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


def foreign_list(document: dict[str, Any]) -> dict[str, Any]:
    return sign_document(unsigned_list(document) | {"issuer": OTHER_KEY.issuer}, ISSUER, METHOD, time_text(NOW))


def list_of_another(document: dict[str, Any]) -> dict[str, Any]:
    unsigned = unsigned_list(document) | {"issuer": OTHER_KEY.issuer}
    return sign_document(unsigned, FORGER, OTHER_KEY.id, time_text(NOW))


def bent_list(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"validUntil": "2030-01-01T00:00:00Z"}


def strangers_list(document: dict[str, Any]) -> dict[str, Any]:
    return sign_document(unsigned_list(document), FORGER, f"{DID}#forger", time_text(NOW))


def younger_list(document: dict[str, Any]) -> dict[str, Any]:
    later = {"validFrom": time_text(NOW + timedelta(hours=1))}
    return sign_document(unsigned_list(document) | later, ISSUER, METHOD, time_text(NOW))


def signed_at(moment: datetime) -> bytes:
    unsigned = {name: value for name, value in json.loads(PACK).items() if name != "proof"}
    return canonical_bytes(sign_document(unsigned, ISSUER, METHOD, time_text(moment)))


def by_status_key(trust: Trust, **changes: Any) -> bytes:
    """A pack without lists, by a status key with such changes that the trust names."""
    named = replace(trust, keys=(*trust.keys, replace(STATUS_KEY, **changes)))
    return made(named, by=(STATUS, STATUS_KEY.id), status_lists={})


def trust_with(**changes: Any) -> Trust:
    return replace(TRUST, keys=(replace(TRUST.keys[0], **changes),))


REFUSED: dict[str, tuple[Callable[[], bytes], Trust | None, str]] = {
    "no JSON": (lambda: b"PK\x03\x04", None, "not JSON"),
    "another kind of file": (lambda: canonical_bytes(trust_document(TRUST)), None, "no pack of a form"),
    "a later form": (lambda: signed_with(form="lcal-pack/2"), TRUST, "no pack of a form"),
    "not signed": (without_proof, TRUST, "not signed"),
    "not signed, and named by somebody": (without_proof, None, "not signed"),
    "two proofs": (lambda: changed(proof=[json.loads(PACK)["proof"]] * 2), TRUST, "pack has no single proof"),
    "signed at another time": (
        lambda: signed_at(NOW - timedelta(days=1)),
        TRUST,
        "pack was not signed when the pack was made",
    ),
    "a further member": (lambda: signed_with(note="trust me"), TRUST, "other members"),
    "written otherwise": (lambda: to_json_text(json.loads(PACK)).encode(), TRUST, "not written as it was signed"),
    "too large": (lambda: PACK + b" " * LIMITS.max_bytes, TRUST, "too large"),
    "from the future": (lambda: made(at=NOW + timedelta(hours=1)), TRUST, "from the future"),
    "holds for too long": (lambda: signed_with(valid_until="2026-12-30T00:00:00Z"), TRUST, "longer than a pack may"),
    "ends before it begins": (lambda: signed_with(valid_until="2026-11-01T00:00:00Z"), TRUST, "before it begins"),
    "a date that is none": (lambda: signed_with(valid_until="soon"), TRUST, "dates cannot be read"),
    "changed after signing": (
        lambda: changed(valid_until=time_text(NOW)),
        TRUST,
        "pack was changed after it was signed",
    ),
    "another key under the name": (lambda: made(by=(FORGER, METHOD)), TRUST, "pack was changed after it was signed"),
    "a key that nobody trusts": (lambda: made(by=NEXT), TRUST, "key that is not trusted"),
    "trust without a proof": (
        lambda: signed_with(trust=trust_document(TRUST)),
        TRUST,
        "trust in the pack has no single proof",
    ),
    "trust that was changed": (
        lambda: changed_trust(environment="production"),
        replace(TRUST, environment="production"),
        "trust in the pack was changed after it was signed",
    ),
    "trust of another day": (
        lambda: signed_with(trust=sign_trust(TRUST, ISSUER, METHOD, NOW - timedelta(days=1))),
        TRUST,
        "trust in the pack was not signed when the pack was made",
    ),
    "a status key that makes issuers": (
        lambda: made(WITH_STATUS_KEY, issuer=(STATUS, STATUS_KEY.id)),
        WITH_STATUS_KEY,
        "key that is not trusted for it",
    ),
    "a status key that makes issuers, and nothing known": (
        lambda: made(WITH_STATUS_KEY, issuer=(STATUS, STATUS_KEY.id)),
        None,
        "key that is not trusted for it",
    ),
    "a key that it brings itself": (
        lambda: made(replace(TRUST, keys=(*TRUST.keys, NEXT_KEY)), issuer=NEXT),
        TRUST,
        "key that is not trusted",
    ),
    "a key that is not in it": (lambda: made(issuer=NEXT), None, "key that is not trusted"),
    "another issuer": (lambda: PACK, replace(TRUST, keys=(OTHER_KEY,)), "another issuer than the trusted keys"),
    "another installation": (lambda: PACK, replace(TRUST, environment="production"), "another installation"),
    "a measuring party's key": (lambda: PACK, trust_with(role="measuring_party"), "another issuer than the trusted"),
    "a stolen key": (
        lambda: made(status_lists={}),
        trust_with(last_good=LastGood(ORIGIN, 3)),
        "trust in the pack is signed by a key that was stolen",
    ),
    "a signer that it calls stolen": (
        lambda: by_status_key(trust_with(last_good=LastGood(ORIGIN, 3))),
        TRUST,
        "trust in the pack is signed by a key that was stolen",
    ),
    "a list by a stolen key": (
        lambda: made(
            replace(WITH_STATUS_KEY, keys=(*TRUST.keys, STOLEN)), status_lists=lists(key=STATUS, method=STOLEN.id)
        ),
        WITH_STATUS_KEY,
        "list is signed by a key that was stolen",
    ),
    "a key before its days": (lambda: PACK, trust_with(valid_from=NOW + timedelta(days=1)), "key out of its days"),
    "a key after its days": (lambda: PACK, trust_with(valid_until=NOW - timedelta(days=1)), "key out of its days"),
    "a signer that it ends itself": (
        lambda: by_status_key(trust_with(valid_until=NOW - timedelta(days=1))),
        TRUST,
        "trust in the pack is signed by a key out of its days",
    ),
    "a status key that it ends itself": (
        lambda: by_status_key(TRUST, valid_until=NOW - timedelta(days=1)),
        TRUST,
        "pack is signed by a key out of its days",
    ),
    "a trusted name for another key": (
        lambda: made(trust_with(key=FORGER.public)),
        TRUST,
        "trusted key's name to another key",
    ),
    "a trusted log under another key": (
        lambda: made(replace(TRUST, logs=(verifier_key_for(ORIGIN, FORGER.public),)), checkpoints=()),
        TRUST,
        "trusted log another key",
    ),
    "keys of another issuer": (lambda: made(replace(TRUST, keys=(*TRUST.keys, OTHER_KEY))), TRUST, "of another issuer"),
    "a key twice": (lambda: made(replace(TRUST, keys=TRUST.keys * 2)), TRUST, "names a key twice"),
    "trust that is none": (lambda: signed_with(trust=7), TRUST, "trust in the pack cannot be used"),
    "trust of another form": (
        lambda: signed_with(trust=trust_document(TRUST) | {"form": "lcal-trust/9"}),
        TRUST,
        "trust in the pack cannot be used",
    ),
    "an issuer that is none": (lambda: signed_with(issuer=7), TRUST, "issuer in the pack is no text"),
    "an unsigned list": (lambda: with_lists(unsigned_list), TRUST, "no signed status list"),
    "a changed list": (lambda: with_lists(bent_list), TRUST, "signature of the status list does not fit"),
    "a list by a stranger": (lambda: with_lists(strangers_list), TRUST, "key that may not sign it"),
    "a list of another issuer": (lambda: with_lists(foreign_list), TRUST, "key that may not sign it"),
    "a trusted list of another issuer": (
        lambda: with_lists(list_of_another),
        replace(TRUST, keys=(*TRUST.keys, OTHER_KEY)),
        "list in the pack is of another issuer",
    ),
    "a list younger than the pack": (lambda: with_lists(younger_list), TRUST, "younger than its pack"),
    "a list twice": (
        lambda: signed_with(status_lists=[json.loads(raw) for raw in lists().values()] * 2),
        TRUST,
        "status list twice",
    ),
    "a list that is none": (lambda: signed_with(status_lists=["a list"]), TRUST, "no signed status list"),
    "lists that are none": (lambda: signed_with(status_lists={}), TRUST, "is no array"),
    "a checkpoint by a stranger": (
        lambda: made(checkpoints=(sign_checkpoint(Checkpoint(ORIGIN, 6, bytes(32)), FORGER),)),
        TRUST,
        "checkpoint in the pack is not signed by its log",
    ),
    "a checkpoint that is none": (lambda: signed_with(checkpoints=[7]), TRUST, "checkpoint in the pack is no text"),
    "a context with another meaning": (
        lambda: signed_with(contexts={url: raw.decode() + " " for url, raw in CONTEXTS.items()}),
        TRUST,
        "another text of the context",
    ),
    "contexts that are none": (lambda: signed_with(contexts=[]), TRUST, "contexts in the pack cannot be read"),
    "a context that is none": (lambda: signed_with(contexts={"https://example.org": 7}), TRUST, "context in the pack"),
}


@pytest.mark.parametrize(("raw", "trusted", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_pack_is_refused_with_its_own_reason(raw: Callable[[], bytes], trusted: Trust | None, message: str) -> None:
    with pytest.raises((MalformedPack, MalformedJson, BadSignature), match=message):
        open_pack(raw(), trusted, NOW)


@given(st.integers(0, len(PACK) - 1), st.integers(1, 255))
def test_no_byte_of_a_pack_can_be_changed(position: int, difference: int) -> None:
    bent = bytearray(PACK)
    bent[position] ^= difference
    with pytest.raises(ForeignInputError):
        open_pack(bytes(bent), TRUST, NOW)


# -- size -------------------------------------------------------------------------------------------------------------


def crowded(number_of_lists: int, certificates: int = 100_000) -> dict[str, bytes]:
    """The lists of so many certificates, spread evenly, of which one in a hundred is revoked and as many are suspended."""
    random = Random(5)
    documents = {}
    for number in range(1, number_of_lists + 1):
        for purpose in PURPOSES:
            url = status_url(BASE, purpose, number)
            places = random.sample(range(LIST_LENGTH), certificates // 100 // number_of_lists)
            payload = status_list_payload(url, purpose, places, issuer=DID, log=f"{ORIGIN} at size 102001", now=NOW)
            documents[url] = canonical_bytes(sign_document(payload, ISSUER, METHOD, time_text(NOW)))
    return documents


@pytest.mark.parametrize("number_of_lists", [1, 2])
def test_the_pack_of_100000_certificates_is_far_below_a_megabyte(
    number_of_lists: int, record_property: Callable[[str, object], None]
) -> None:
    raw = made(status_lists=crowded(number_of_lists))
    record_property("bytes", len(raw))
    pack = open_pack(raw, TRUST, NOW)
    assert sum(len(listed.positions) for listed in pack.lists) == 2_000
    assert len(pack.lists) == 2 * number_of_lists
    assert len(raw) < 50_000


def test_a_pack_of_lists_that_do_not_pack_at_all_can_be_read() -> None:
    """Half of a million certificates withdrawn: nothing is smaller, and still the reader takes it."""
    raw = made(status_lists=crowded(8, certificates=8 * LIST_LENGTH * 50))
    assert len(raw) < LIMITS.max_bytes // 4
    assert len(open_pack(raw, TRUST, NOW).lists) == 16
