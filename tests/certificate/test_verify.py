"""The one verification: every axis, the verdict table row by row, and a certificate that was tampered with in every way."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import tracemalloc
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from certifier.certificate.compact import Compact, compact_of, sign_compact
from certifier.certificate.credential import parse_claims, payload_for
from certifier.certificate.model import Assessor, Basis, Claims, Figures, Issuer, Subject, months_later
from certifier.certificate.proof import sign_document
from certifier.certificate.status import PURPOSES, StatusEntry, status_list_payload, status_url
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust, TrustedKey, TrustedStandard, did_document, parse_trust, trust_document
from certifier.certificate.verdict import verdict_of, verdict_table
from certifier.certificate.verification import AudioDigests, Material, Verification
from certifier.certificate.verify import check_certificate, check_print, leaf_of
from certifier.crypto.canonical import digest_of, to_json_text
from certifier.crypto.signing import SigningKey
from certifier.errors import ForeignInputError, MalformedTrust
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, sign_checkpoint, verifier_key_for
from certifier.log.proof import InclusionProof, render_proof

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
BASE = "https://label.example"
DID = "did:web:label.example"
METHOD = f"{DID}#key-2026"
ORIGIN = "label.example/2026"
ISSUER = SigningKey.from_seed(b"issuer".ljust(32, b"."))
LOG = SigningKey.from_seed(b"log".ljust(32, b"."))
FORGER = SigningKey.from_seed(b"forger".ljust(32, b"."))
AUDIO = "aa" * 32
ESSENCE = "ee" * 32

CLAIMS = Claims(
    code="0000000000",
    outcome="class-2",
    issuer=Issuer(DID, "Low-Carbon Audio Label", BASE),
    subject=Subject("Night Ferry (example)", "Example Artist", AUDIO, ESSENCE, "QZABC2600001"),
    figures=Figures("16.10", "14.09", "6.59", "7.50", "30.00", "B", "not assessed", calculated=False),
    basis=Basis("LCAL-1.0.0", "11" * 32, "22" * 32, "33" * 32, "44" * 32, "A1"),
    assessor=Assessor("measuring_party", "example-party", "Example Party"),
    issued_at=NOW,
    expires_at=months_later(NOW, 36),
    status=tuple(StatusEntry(status_url(BASE, purpose), purpose, 7) for purpose in PURPOSES),  # type: ignore[arg-type]
)
TRUST = Trust(
    "demo",
    (TrustedKey(METHOD, DID, "issuer", ISSUER.public, NOW - timedelta(days=9), NOW + timedelta(days=900)),),
    (verifier_key_for(ORIGIN, LOG.public),),
    (TrustedStandard("LCAL-1.0.0", "11" * 32, "current"),),
)


OLD_KEY = TrustedKey(
    f"{DID}#key-2020", DID, "issuer", FORGER.public, NOW - timedelta(days=2000), NOW - timedelta(days=1000)
)
OTHER_KEY = TrustedKey(
    "did:web:other.example#key-1",
    "did:web:other.example",
    "issuer",
    FORGER.public,
    TRUST.keys[0].valid_from,
    TRUST.keys[0].valid_until,
)


def issued(claims: Claims = CLAIMS, key: SigningKey = ISSUER, method: str = METHOD) -> dict[str, Any]:
    return sign_document(payload_for(claims), key, method, time_text(NOW))


def logged(document: Mapping[str, Any], others: int = 5, key: SigningKey = LOG, method: str = METHOD) -> bytes:
    """The proof of a document's leaf, third of several in a log."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    entries = [f"other {number}".encode() for number in range(others)]
    entries.insert(2, leaf_of(unsigned, method, parse_claims(unsigned)))
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    note = sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root()), key)
    return render_proof(InclusionProof(2, tuple(tree.inclusion_proof(2)), note))


def lists(
    revoked: Collection[int] = (),
    suspended: Collection[int] = (),
    key: SigningKey = ISSUER,
    at: datetime = NOW,
    method: str = METHOD,
) -> dict[str, bytes]:
    documents = {}
    for purpose, positions in zip(PURPOSES, (revoked, suspended), strict=True):
        url = status_url(BASE, purpose)
        payload = status_list_payload(url, purpose, positions, issuer=DID, log="label.example/2026 at size 6", now=at)
        documents[url] = json.dumps(sign_document(payload, key, method, time_text(at))).encode()
    return documents


GOOD = issued()
NEWER = issued(key=FORGER, method=f"{DID}#key-2027")
MATERIAL = Material(TRUST, logged(GOOD), lists(), AudioDigests(AUDIO))


def check(document: Mapping[str, Any] = GOOD, material: Material = MATERIAL, now: datetime = NOW) -> Verification:
    return check_certificate(to_json_text(document).encode(), material, now)


def test_a_signed_logged_certificate_in_force_with_its_audio_is_valid() -> None:
    verification = check()
    assert verification.verdict == "valid"
    assert verification.axes == {
        "integrity": "ok",
        "issuer_trust": "trusted",
        "inclusion": "included",
        "lifecycle": "active",
        "validity": "current",
        "standard_state": "current",
        "binding": "sha256_match",
    }
    assert verification.claims == CLAIMS


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    bent = copy.deepcopy(document)
    bent["credentialSubject"]["result"][0]["value"] = "1.10"
    return bent


CASES: dict[str, tuple[dict[str, Any], Material, datetime, str, str, str]] = {
    "a changed figure": (renamed(GOOD), MATERIAL, NOW, "integrity", "broken", "not_valid"),
    "a forger's signature": (issued(key=FORGER), MATERIAL, NOW, "integrity", "broken", "not_valid"),
    "no trust at all": (GOOD, replace(MATERIAL, trust=None), NOW, "issuer_trust", "unchecked", "cannot_tell"),
    "trust in somebody else": (
        GOOD,
        replace(MATERIAL, trust=replace(TRUST, keys=())),
        NOW,
        "issuer_trust",
        "unknown",
        "cannot_tell",
    ),
    "a key that was no longer in force": (
        GOOD,
        replace(MATERIAL, trust=replace(TRUST, keys=(replace(TRUST.keys[0], valid_until=NOW - timedelta(days=1)),))),
        NOW,
        "issuer_trust",
        "withdrawn",
        "not_valid",
    ),
    "no proof": (GOOD, replace(MATERIAL, proof=None), NOW, "inclusion", "unchecked", "cannot_tell"),
    "the proof of another certificate": (
        GOOD,
        replace(MATERIAL, proof=logged(issued(CLAIMS._replace(code="0000000012")))),
        NOW,
        "inclusion",
        "broken",
        "not_valid",
    ),
    "a proof from a log of a forger": (
        GOOD,
        replace(MATERIAL, proof=logged(GOOD, key=FORGER)),
        NOW,
        "inclusion",
        "broken",
        "not_valid",
    ),
    "a proof that is no proof": (GOOD, replace(MATERIAL, proof=b"hello"), NOW, "inclusion", "broken", "not_valid"),
    "revoked": (GOOD, replace(MATERIAL, status_lists=lists({7})), NOW, "lifecycle", "revoked", "not_valid"),
    "suspended": (
        GOOD,
        replace(MATERIAL, status_lists=lists(suspended={7})),
        NOW,
        "lifecycle",
        "suspended",
        "not_valid",
    ),
    "another certificate revoked": (
        GOOD,
        replace(MATERIAL, status_lists=lists({8})),
        NOW,
        "lifecycle",
        "active",
        "valid",
    ),
    "no status lists": (GOOD, replace(MATERIAL, status_lists={}), NOW, "lifecycle", "unchecked", "cannot_tell"),
    "status lists of last week": (
        GOOD,
        replace(MATERIAL, status_lists=lists(at=NOW - timedelta(days=7))),
        NOW,
        "lifecycle",
        "unchecked",
        "cannot_tell",
    ),
    "status lists of a forger": (
        GOOD,
        replace(MATERIAL, status_lists=lists(key=FORGER)),
        NOW,
        "lifecycle",
        "unchecked",
        "cannot_tell",
    ),
    "suspended, with the other list missing": (
        GOOD,
        replace(MATERIAL, status_lists={url: raw for url, raw in lists(suspended={7}).items() if "suspension" in url}),
        NOW,
        "lifecycle",
        "suspended",
        "not_valid",
    ),
    "an empty list by a key of the issuer that had run out": (
        GOOD,
        replace(
            MATERIAL,
            trust=replace(TRUST, keys=(*TRUST.keys, OLD_KEY)),
            status_lists=lists(key=FORGER, method=OLD_KEY.id),
        ),
        NOW,
        "lifecycle",
        "unchecked",
        "cannot_tell",
    ),
    "an empty list by another trusted issuer": (
        GOOD,
        replace(
            MATERIAL,
            trust=replace(TRUST, keys=(*TRUST.keys, OTHER_KEY)),
            status_lists=lists(key=FORGER, method=OTHER_KEY.id),
        ),
        NOW,
        "lifecycle",
        "unchecked",
        "cannot_tell",
    ),
    "a changed byte in the name of the key": (
        {**GOOD, "proof": {**GOOD["proof"], "verificationMethod": f"{DID}#key-2027"}},
        MATERIAL,
        NOW,
        "inclusion",
        "broken",
        "not_valid",
    ),
    "a key too new for the trust file": (
        NEWER,
        replace(MATERIAL, proof=logged(NEWER, method=f"{DID}#key-2027")),
        NOW,
        "issuer_trust",
        "unknown",
        "cannot_tell",
    ),
    "an audio file that cannot be read": (
        GOOD,
        replace(MATERIAL, audio=AudioDigests("", unreadable="no audio")),
        NOW,
        "binding",
        "unchecked",
        "cannot_tell",
    ),
    "expired": (
        GOOD,
        replace(MATERIAL, status_lists=lists(at=NOW + timedelta(days=1200))),
        NOW + timedelta(days=1200),
        "validity",
        "expired",
        "not_valid",
    ),
    "not begun": (
        GOOD,
        replace(MATERIAL, status_lists=lists(at=NOW - timedelta(days=2))),
        NOW - timedelta(days=2),
        "validity",
        "not_yet",
        "not_valid",
    ),
    "another audio file": (
        GOOD,
        replace(MATERIAL, audio=AudioDigests("bb" * 32, "cc" * 32)),
        NOW,
        "binding",
        "mismatch",
        "not_valid",
    ),
    "the same samples in another file": (
        GOOD,
        replace(MATERIAL, audio=AudioDigests("bb" * 32, ESSENCE)),
        NOW,
        "binding",
        "essence_match",
        "valid",
    ),
    "no audio file": (GOOD, replace(MATERIAL, audio=None), NOW, "binding", "not_checked", "valid"),
    "other rule files under the same name": (
        GOOD,
        replace(MATERIAL, trust=replace(TRUST, standards=(TrustedStandard("LCAL-1.0.0", "99" * 32, "current"),))),
        NOW,
        "standard_state",
        "unknown",
        "cannot_tell",
    ),
    "a superseded standard": (
        GOOD,
        replace(MATERIAL, trust=replace(TRUST, standards=(TrustedStandard("LCAL-1.0.0", "11" * 32, "superseded"),))),
        NOW,
        "standard_state",
        "superseded",
        "valid_with_warnings",
    ),
    "a withdrawn standard": (
        GOOD,
        replace(MATERIAL, trust=replace(TRUST, standards=(TrustedStandard("LCAL-1.0.0", "11" * 32, "withdrawn"),))),
        NOW,
        "standard_state",
        "withdrawn",
        "not_valid",
    ),
}


@pytest.mark.parametrize(("document", "material", "now", "axis", "value", "verdict"), CASES.values(), ids=CASES.keys())
def test_each_axis_is_told_apart(
    document: dict[str, Any], material: Material, now: datetime, axis: str, value: str, verdict: str
) -> None:
    verification = check(document, material, now)
    assert (verification.axes[axis], verification.verdict) == (value, verdict)


def test_nothing_is_shown_of_a_document_that_cannot_be_believed() -> None:
    verification = check(renamed(GOOD))
    assert verification.claims is None
    assert "Night Ferry" not in repr(verification)
    assert "1.10" not in repr(verification)


RAW = to_json_text(GOOD).encode()


@pytest.mark.parametrize("place", [place for place in range(0, len(RAW), 13) if not RAW[place : place + 1].isspace()])
def test_no_byte_of_a_certificate_can_be_changed(place: int) -> None:
    """White space aside, a flipped byte is refused or cannot be read; it is never valid."""
    raw = bytearray(RAW)
    raw[place] ^= 1
    try:
        answer = check_certificate(bytes(raw), MATERIAL, NOW).verdict
    except ForeignInputError as error:
        answer = type(error).__name__
    assert answer in ("not_valid", "cannot_tell", "MalformedJson", "MalformedCertificate")


def test_a_certificate_that_was_never_logged_is_not_valid_however_well_it_is_signed() -> None:
    """A stolen issuer key cannot issue quietly."""
    assert check(issued(CLAIMS._replace(code="0000000012"))).verdict == "not_valid"


def test_where_an_isrc_alone_was_to_be_compared_no_audio_file_is_blamed() -> None:
    document = issued(CLAIMS._replace(subject=CLAIMS.subject._replace(isrc=None)))
    material = replace(MATERIAL, proof=logged(document), audio=AudioDigests(sha256="", isrc="QZABC2600001"))
    verification = check(document, material)
    assert (verification.verdict, verification.reason) == ("cannot_tell", "audio_unchecked")
    assert "could not be read" not in verification.because


def all_axes() -> list[dict[str, str]]:
    axes = verdict_table()["axes"]
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def test_the_table_gives_every_combination_a_verdict_that_its_worst_axis_allows() -> None:
    """Valid needs every axis good; a broken or withdrawn one is never more than not_valid; unchecked is never valid."""
    never = {"broken", "withdrawn", "compromised", "revoked", "suspended", "expired", "not_yet", "mismatch"}
    warned = {"superseded", "ending", "active_then", "isrc_only"}
    for axes in all_axes():
        verdict, reason, because = verdict_of(axes)
        assert reason
        assert because
        if never & set(axes.values()):
            assert verdict == "not_valid", axes
        elif {"unchecked", "unknown"} & set(axes.values()):
            assert verdict == "cannot_tell", axes
        else:
            assert verdict == ("valid_with_warnings" if warned & set(axes.values()) else "valid"), axes


def test_an_answer_that_the_table_does_not_know_is_never_valid() -> None:
    good = check().axes
    for axis in good:
        assert verdict_of({**good, axis: "something new"})[0] == "cannot_tell"


def test_a_trust_file_reads_back() -> None:
    assert parse_trust(to_json_text(trust_document(TRUST)).encode()) == TRUST


WRONG_TRUST = {
    "another form": {"form": "x"},
    "no keys": {"form": "lcal-trust/1", "environment": "demo"},
    "a weak key": {
        **trust_document(TRUST),
        "keys": [{**trust_document(TRUST)["keys"][0], "publicKeyMultibase": "z6Mk"}],
    },
    "a standard in an unknown state": {
        **trust_document(TRUST),
        "standards": [{"id": "LCAL-1.0.0", "sha256": "11", "state": "retired"}],
    },
    "a key id that is no text": {**trust_document(TRUST), "keys": [{**trust_document(TRUST)["keys"][0], "id": 5}]},
    "a key twice, of which readers would take the one or the other": trust_document(
        replace(TRUST, keys=TRUST.keys * 2)
    ),
    "a broken log key": {**trust_document(TRUST), "logs": ["label.example"]},
    "a state inside a list": {
        **trust_document(TRUST),
        "standards": [{"id": "LCAL-1.0.0", "sha256": "11", "state": ["current"]}],
    },
    "a log's key inside a list": {**trust_document(TRUST), "logs": [[TRUST.logs[0].to_text()]]},
    "no list of logs": {**trust_document(TRUST), "logs": {}},
    "keys as text": {**trust_document(TRUST), "keys": ""},
    "a theft that is told as a number": {
        **trust_document(TRUST),
        "keys": [{**trust_document(TRUST)["keys"][0], "last_good": 0}],
    },
    "a key older than any clock": {
        **trust_document(TRUST),
        "keys": [{**trust_document(TRUST)["keys"][0], "from": "0001-01-01T00:00:00Z"}],
    },
}


@pytest.mark.parametrize("document", WRONG_TRUST.values(), ids=WRONG_TRUST.keys())
def test_a_trust_file_that_is_half_right_is_refused_whole(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedTrust):
        parse_trust(json.dumps(document).encode())


def test_a_certificate_from_the_first_minute_of_the_calendar_is_refused() -> None:
    """The error of a clock is taken off a certificate's dates; before the year 1 there is no date."""
    with pytest.raises(ForeignInputError, match="time cannot be read"):
        check(issued(CLAIMS._replace(issued_at=datetime(1, 1, 1, tzinfo=UTC))))


def test_a_record_may_begin_with_any_white_space() -> None:
    assert check_certificate(b" " * 100 + RAW, MATERIAL, NOW).verdict == "valid"


def test_a_digest_of_the_standard_that_is_no_text_fits_no_standard() -> None:
    with pytest.raises(ForeignInputError, match="not a certificate"):
        check(issued(CLAIMS._replace(basis=CLAIMS.basis._replace(standard_sha256=None))))  # type: ignore[arg-type]


def test_a_certificate_runs_thirty_six_months_to_the_same_day() -> None:
    assert months_later(datetime(2024, 2, 29, tzinfo=UTC), 36) == datetime(2027, 2, 28, tzinfo=UTC)
    assert months_later(datetime(2026, 12, 31, tzinfo=UTC), 2) == datetime(2027, 2, 28, tzinfo=UTC)


# -- a print beside its record --------------------------------------------------------------------------------------

STATUS_KEY = replace(OTHER_KEY, id=f"{DID}#status", issuer=DID, role="status")
PRINTED = compact_of(CLAIMS, digest_of(payload_for(CLAIMS)))
LYING = replace(PRINTED, assessed_g_per_min="0.01", outcome="class-1")
MANY_KEYS = replace(MATERIAL, trust=replace(TRUST, keys=(*TRUST.keys, OLD_KEY, OTHER_KEY, STATUS_KEY)))
PRINTS: dict[str, tuple[Compact, SigningKey, str]] = {
    "another figure": (LYING, ISSUER, METHOD),
    "another day of its end": (replace(PRINTED, expires_at=NOW + timedelta(days=9000)), ISSUER, METHOD),
    "the record of another certificate": (replace(PRINTED, payload_digest="00" * 16), ISSUER, METHOD),
    "another code": (replace(PRINTED, code="0000000012"), ISSUER, METHOD),
    "signed by another issuer": (LYING, FORGER, OTHER_KEY.id),
    "signed by a key that is out of its days": (LYING, FORGER, OLD_KEY.id),
}


def test_a_print_that_says_what_its_record_says_stands_as_the_record_does() -> None:
    raw = sign_compact(PRINTED, ISSUER, METHOD)
    assert check_print(raw, RAW, MANY_KEYS, NOW).verdict == "valid"
    assert check_print(raw, RAW, replace(MANY_KEYS, status_lists=lists({7})), NOW).reason == "revoked"
    assert check_print(raw, to_json_text(renamed(GOOD)).encode(), MANY_KEYS, NOW).reason == "integrity_broken"


@pytest.mark.parametrize(("compact", "key", "method"), PRINTS.values(), ids=PRINTS.keys())
def test_a_print_that_says_anything_else_than_its_record_is_not_valid(
    compact: Compact, key: SigningKey, method: str
) -> None:
    verification = check_print(sign_compact(compact, key, method), RAW, MANY_KEYS, NOW)
    assert (verification.verdict, verification.reason) == ("not_valid", "integrity_broken")
    assert (verification.claims, verification.compact) == (None, None)


STRANGERS = {"its own status key": STATUS_KEY, "another issuer": OTHER_KEY}


@pytest.mark.parametrize("key", STRANGERS.values(), ids=STRANGERS.keys())
def test_nothing_is_shown_of_what_a_trusted_key_signed_that_may_not_sign_it(key: TrustedKey) -> None:
    made_up = issued(key=FORGER, method=key.id)
    verification = check(made_up, replace(MANY_KEYS, proof=logged(made_up, method=key.id)))
    assert (verification.verdict, verification.reason, verification.claims) == ("cannot_tell", "issuer_unknown", None)


def test_a_print_by_a_key_that_may_not_sign_it_is_told_apart_from_its_record() -> None:
    raw = sign_compact(PRINTED, FORGER, STATUS_KEY.id)
    for verification in (check_certificate(raw, MANY_KEYS, NOW), check_print(raw, RAW, MANY_KEYS, NOW)):
        assert (verification.verdict, verification.reason) == ("cannot_tell", "issuer_unknown")
        assert (verification.claims, verification.compact) == (None, None)


# -- what each side brought -----------------------------------------------------------------------------------------

LATER = NOW + timedelta(days=3)
EARLIER = LATER - timedelta(days=1)
BEFORE = LATER - timedelta(minutes=30)
BOTH_LISTS: dict[str, tuple[dict[str, bytes], dict[str, bytes], str]] = {
    "a suspension that was lifted since the pack": (lists(at=LATER), lists(suspended={7}, at=EARLIER), "active"),
    "a suspension that was lifted within the hour": (lists(at=LATER), lists(suspended={7}, at=BEFORE), "active"),
    "a suspension that the pack alone knows": (lists(at=BEFORE), lists(suspended={7}, at=LATER), "suspended"),
    "a suspension since the pack": (lists(suspended={7}, at=LATER), lists(at=EARLIER), "suspended"),
    "a revocation in an old list": (lists({7}, at=NOW), lists(at=LATER), "revoked"),
    "a revocation in the pack": (lists(at=LATER), lists({7}, at=EARLIER), "revoked"),
}


@pytest.mark.parametrize(("loose", "packed", "lifecycle"), BOTH_LISTS.values(), ids=BOTH_LISTS.keys())
def test_of_a_loose_list_and_the_one_in_a_pack_the_newer_counts_and_a_revocation_in_either(
    loose: dict[str, bytes], packed: dict[str, bytes], lifecycle: str
) -> None:
    material = replace(MATERIAL, status_lists=loose, pack_lists=packed, lists_as_of=EARLIER)
    assert check(GOOD, material, LATER).axes["lifecycle"] == lifecycle


FIRST_DAY, LAST_DAY = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_the_first_and_the_last_day_of_the_calendar_are_days_like_others() -> None:
    ever = replace(TRUST, keys=(replace(TRUST.keys[0], valid_from=FIRST_DAY, valid_until=LAST_DAY),))
    assert check(GOOD, replace(MATERIAL, trust=ever)).verdict == "valid"
    assert did_document(ever, DID, NOW)["assertionMethod"] == [METHOD]
    old = issued(CLAIMS._replace(issued_at=FIRST_DAY, expires_at=FIRST_DAY))
    assert check(old, replace(MATERIAL, trust=ever)).axes["validity"] == "expired"


def test_signatures_of_strangers_below_a_checkpoint_change_nothing_and_fill_no_memory() -> None:
    stranger = "— stranger.example " + base64.b64encode(bytes(3000)).decode() + "\n"
    material = replace(MATERIAL, proof=(MATERIAL.proof or b"") + 60 * stranger.encode())
    tracemalloc.start()
    verdicts = {check(GOOD, replace(material, proof=(material.proof or b"") + extra)).verdict for extra in _LINES}
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert verdicts == {"valid"}
    assert kept < 1_000_000  # of twenty such notes, 240,000 bytes each


_LINES = [f"— other{number}.example {base64.b64encode(bytes(8)).decode()}\n".encode() for number in range(20)]
