"""The entries of the log: codes, digests and short words in one spelling, and never anything that must be forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.canonical import canonical_bytes
from certifier.errors import MalformedJson, MalformedProof
from certifier.log.entry import LEAF_TYPES, issue_entry, log_entry, parse_entry, status_entry

AT = "2026-11-22T20:00:00Z"
CODE = "7K3QZ9M2XA"
DIGEST = "sha256:" + "ab" * 32
KID = "did:web:label.example#key-2026"
MEMBERS: dict[str, dict[str, Any]] = {
    "issue": {
        "code": CODE,
        "payload": DIGEST,
        "kid": KID,
        "standard": "LCAL-1.0.0",
        "report": DIGEST,
        "audio": DIGEST,
    },
    "revoke": {"code": CODE, "reason": "superseded", "replaced_by": "0000000000"},
    "suspend": {"code": CODE, "reason": "under-review"},
    "reinstate": {"code": CODE, "reason": "review_closed"},
    "key-add": {"kid": KID, "key": "z6MkexampleKey"},
    "key-retire": {"kid": KID},
    "key-compromise": {"kid": KID, "last_good_index": 41},
    "standard-publish": {"standard": "LCAL-1.0.0", "digest": DIGEST},
    "approve": {"kind": "verifier", "id": "example-verifier", "digest": DIGEST, "reason": "application"},
    "freeze": {"reason": "year-ended"},
}


def raw_entry(**changes: Any) -> bytes:
    """The issue entry with members changed, or taken out when the change is None."""
    members = {"v": "lcal-log/1", "type": "issue", "at": AT, **MEMBERS["issue"], **changes}
    return canonical_bytes({name: value for name, value in members.items() if value is not None})


def test_an_issue_entry_has_its_exact_bytes() -> None:
    entry = issue_entry(
        code=CODE,
        payload_sha256="01" * 32,
        kid=KID,
        standard="LCAL-1.0.0",
        report_sha256="02" * 32,
        audio_sha256="03" * 32,
        at=AT,
    )
    assert entry == (
        b'{"at":"2026-11-22T20:00:00Z","audio":"sha256:' + b"03" * 32 + b'","code":"7K3QZ9M2XA",'
        b'"kid":"did:web:label.example#key-2026","payload":"sha256:' + b"01" * 32 + b'","report":"sha256:' + b"02" * 32
        + b'","standard":"LCAL-1.0.0","type":"issue","v":"lcal-log/1"}'
    )  # fmt: skip
    assert len(entry) < 1024


def test_a_revocation_may_name_what_replaces_the_certificate() -> None:
    plain = status_entry(type="revoke", code=CODE, reason="audio-mismatch", at=AT)
    assert plain == (
        b'{"at":"2026-11-22T20:00:00Z","code":"7K3QZ9M2XA","reason":"audio-mismatch","type":"revoke","v":"lcal-log/1"}'
    )
    replacing = status_entry(type="revoke", code=CODE, reason="superseded", at=AT, replaced_by="0000000000")
    assert parse_entry(replacing)["replaced_by"] == "0000000000"


def test_a_suspension_replaces_nothing() -> None:
    with pytest.raises(MalformedProof) as caught:
        status_entry(type="suspend", code=CODE, reason="under-review", at=AT, replaced_by="0000000000")
    assert caught.value.pointer == "/replaced_by"


def test_every_type_of_entry_is_tried_here() -> None:
    assert tuple(MEMBERS) == LEAF_TYPES


@pytest.mark.parametrize("leaf_type", LEAF_TYPES)
def test_every_type_is_read_as_it_was_written(leaf_type: str) -> None:
    raw = log_entry(leaf_type, AT, **MEMBERS[leaf_type])
    assert parse_entry(raw) == {"v": "lcal-log/1", "type": leaf_type, "at": AT, **MEMBERS[leaf_type]}


@pytest.mark.parametrize("leaf_type", LEAF_TYPES)
def test_an_entry_that_lacks_a_member_or_has_a_spare_one_is_refused(leaf_type: str) -> None:
    for name in MEMBERS[leaf_type].keys() - {"replaced_by", "last_good_index"}:
        rest = {other: value for other, value in MEMBERS[leaf_type].items() if other != name}
        with pytest.raises(MalformedProof) as caught:
            log_entry(leaf_type, AT, **rest)
        assert caught.value.pointer == f"/{name}"
    with pytest.raises(MalformedProof) as caught:
        log_entry(leaf_type, AT, **MEMBERS[leaf_type], title="A song")
    assert caught.value.pointer == "/title"


BAD_MEMBERS: dict[str, dict[str, Any]] = {
    "v": {"the next version": "lcal-log/2", "another log": "example/1", "no version": None, "a number": 1},
    "type": {"an unknown type": "delete", "no type": None, "a list": ["issue"]},
    "at": {
        "an offset": "2026-11-22T20:00:00+00:00",
        "fractions": "2026-11-22T20:00:00.5Z",
        "a day that is none": "2026-02-30T20:00:00Z",
        "other digits": "٢٠٢٦-11-22T20:00:00Z",
        "a number": 1_790_000_000,
        "no time": None,
    },
    "code": {"small letters": CODE.lower(), "hyphens": "7K3Q-Z9M2-XA", "a letter O": "O" * 10, "a number": 7},
    "payload": {
        "no algorithm": "ab" * 32,
        "capitals": "sha256:" + "AB" * 32,
        "63 digits": DIGEST[:-1],
        "a line feed": DIGEST + "\n",
    },
    "kid": {"a space": "did:web:label.example key", "another script": "did:web:läbel", "nothing": "", "a list": []},
    "audio": {"null is no digest": None, "an object": {}},
}
BAD = {f"{name}: {why}": (name, value) for name, cases in BAD_MEMBERS.items() for why, value in cases.items()}


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD.keys())
def test_a_member_that_does_not_fit_is_named(name: str, value: Any) -> None:
    with pytest.raises(MalformedProof) as caught:
        parse_entry(raw_entry(**{name: value}))
    assert caught.value.pointer == f"/{name}"


@pytest.mark.parametrize("reason", ["A sentence about somebody", "Superseded", "", "x" * 65, "name@label.example"])
def test_a_reason_is_a_short_word_and_no_sentence(reason: str) -> None:
    with pytest.raises(MalformedProof):
        status_entry(type="revoke", code=CODE, reason=reason, at=AT)


@pytest.mark.parametrize("index", [-1, True, "41", 2**53])
def test_the_last_good_index_of_a_key_is_a_plain_number(index: Any) -> None:
    with pytest.raises((MalformedProof, MalformedJson)):
        log_entry("key-compromise", AT, kid=KID, last_good_index=index)


OTHER_SPELLINGS = {
    "spaces": lambda raw: raw.replace(b",", b", "),
    "another order": lambda raw: json.dumps(dict(reversed(json.loads(raw).items())), separators=(",", ":")).encode(),
    "an escaped letter": lambda raw: raw.replace(b"LCAL", b"\\u004cCAL"),
    "a line feed at the end": lambda raw: raw + b"\n",
}


@pytest.mark.parametrize("respell", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS.keys())
def test_only_the_canonical_spelling_is_an_entry(respell: Any) -> None:
    assert parse_entry(raw_entry())["code"] == CODE
    with pytest.raises(MalformedProof, match="canonical"):
        parse_entry(respell(raw_entry()))


@given(st.integers(0, 8 * len(raw_entry()) - 1))
def test_a_flipped_bit_never_ends_in_the_same_entry_or_in_an_unnamed_error(bit: int) -> None:
    bent = bytearray(raw_entry())
    bent[bit // 8] ^= 1 << bit % 8
    try:
        entry = parse_entry(bytes(bent))
    except (MalformedProof, MalformedJson):
        return
    assert entry != parse_entry(raw_entry())
