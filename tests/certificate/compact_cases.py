"""One good compact certificate, and bytes and digits that no reader may take for one, each with its name.

The tests here read them, and ``scripts/remake_goldens.py`` writes them as ``tests/vectors/compact.json`` for other readers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import cbor2

from certifier.certificate.compact import MAX_BYTES, MAX_DIGITS, Compact, digits_of, sign_compact
from certifier.crypto.signing import SigningKey

SEED = b"golden compact".ljust(32, b".")
KEY, METHOD = SigningKey.from_seed(SEED), "did:web:label.example#key-2026"
COMPACT = Compact(
    code="EBS86PXD70",
    outcome="class-2",
    assessed_g_per_min="16.10",
    evidence_level="A2",
    standard="LCAL-1.0.0",
    issued_at=datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC),
    expires_at=datetime(2029, 11, 22, 20, 0, 0, tzinfo=UTC),
    payload_digest="0123456789abcdef" * 2,
    audio_digest="aa" * 16,
    essence_digest="ee" * 16,
    revocation=81_806,
    suspension=131_072 + 75_188,
)
COMPACTS = {
    "whole": COMPACT,
    "without-essence": replace(COMPACT, essence_digest=None),
    "smallest": replace(
        COMPACT,
        code="0000000000",
        outcome="disclosed",
        assessed_g_per_min="0.00",
        evidence_level="A0",
        essence_digest=None,
        revocation=0,
        suspension=0,
    ),
}
RAW = sign_compact(COMPACT, KEY, METHOD)

# --- bytes

PROTECTED, CONTENTS = (cbor2.loads(part) for part in (cbor2.loads(RAW).value[0], cbor2.loads(RAW).value[2]))
SIGNATURE = cbor2.loads(RAW).value[3]


def cose(
    contents: Any = None,
    header: Any = None,
    unprotected: Any = None,
    payload: Any = None,
    signature: Any = SIGNATURE,
    tag: int = 18,
    **changed: Any,
) -> bytes:
    """The good message with something else in one place; a value of None takes a member away."""
    members = {**CONTENTS, **{int(name[1:]): value for name, value in changed.items()}}
    members = {key: value for key, value in members.items() if value is not None}
    body = cbor2.dumps(members if contents is None else contents, canonical=True) if payload is None else payload
    head = cbor2.dumps(PROTECTED if header is None else header, canonical=True)
    return cbor2.dumps(cbor2.CBORTag(tag, [head, {} if unprotected is None else unprotected, body, signature]))


def respelled(old: str, new: str) -> bytes:
    """Another spelling inside the payload, its length mended."""
    payload = cbor2.loads(RAW).value[2]
    assert bytes.fromhex(old) in payload
    return cose(payload=payload.replace(bytes.fromhex(old), bytes.fromhex(new), 1))


PARTS = cbor2.loads(RAW).value
KID_1 = METHOD.encode()
CODE_HEX = COMPACT.code.encode().hex()
# what is wrong -> (the bytes, a word of what was found or expected)
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "first byte"),
    "no CBOR": (b"\xd2\xff", "CBOR"),
    "too long": (RAW + bytes(MAX_BYTES), f"at most {MAX_BYTES}"),
    "no tag": (RAW[1:], "tag 18"),
    "the tag of another COSE message": (cose(tag=98), "tag 18"),
    "the tag twice": (b"\xd2" + RAW, "tag"),
    "the tag in two bytes": (b"\xd8\x12" + RAW[1:], "tag 18"),
    "an array of three": (cbor2.dumps(cbor2.CBORTag(18, PARTS[:3])), "four"),
    "an array of five": (cbor2.dumps(cbor2.CBORTag(18, [*PARTS, b""])), "four"),
    "an array of open end": (b"\xd2\x9f" + RAW[2:] + b"\xff", "definite"),
    "a map instead of an array": (cbor2.dumps(cbor2.CBORTag(18, {1: 2})), "four"),
    "an unprotected header": (cose(unprotected={4: KID_1}), "unprotected"),
    "a detached payload": (cbor2.dumps(cbor2.CBORTag(18, [PARTS[0], {}, None, PARTS[3]])), "payload"),
    "a payload that is text": (cose(payload="text"), "byte string"),
    "a payload that is no map": (cose(contents=[1, 2]), "map"),
    "a payload with something after it": (cose(payload=PARTS[2] + b"\x00"), "spelling"),
    "a short signature": (cose(signature=SIGNATURE[:63]), "64 bytes"),
    "no signature": (cose(signature=None), "64 bytes"),
    "no algorithm": (cose(header={4: KID_1}), "algorithm"),
    "another algorithm": (cose(header={1: -7, 4: KID_1}), "algorithm"),
    "the algorithm as a float": (cose(header={1: -8.0, 4: KID_1}), "spelling"),
    "the algorithm by name": (cose(header={1: "EdDSA", 4: KID_1}), "algorithm"),
    "no key id": (cose(header={1: -8}), "key id"),
    "a key id that is text": (cose(header={1: -8, 4: METHOD}), "key id"),
    "a key id that is no verification method": (cose(header={1: -8, 4: b"key-2026"}), "key id"),
    "a key id with a letter beyond ASCII": (cose(header={1: -8, 4: "did:web:läbel.example#k".encode()}), "key id"),
    "a key id that is too long": (cose(header={1: -8, 4: b"did:web:" + b"a" * 193 + b"#k"}), "key id"),
    "a critical header": (cose(header={1: -8, 2: [99], 4: KID_1}), "nothing else"),
    "a content type besides": (cose(header={1: -8, 3: 0, 4: KID_1}), "nothing else"),
    "a header of no bytes": (cbor2.dumps(cbor2.CBORTag(18, [b"", *PARTS[1:]])), "header"),
    "no form": (cose(_1=None), "form 1"),
    "another form": (cose(_1=2), "form 1"),
    "true as the form": (cose(_1=True), "form 1"),
    "a member that is not known": (cose(_14=1), "unknown 14"),
    "a member of a negative key": (cose(contents={**CONTENTS, -1: 1}), "unknown -1"),
    "a member with a name": (cose(contents={**CONTENTS, "note": "x"}), "unknown 'note'"),
    "a member missing": (cose(_9=None), "no 9"),
    "a member twice": (respelled("ad0101", "ae01010101"), "once"),
    "members in another order": (
        cose(payload=cbor2.dumps(dict(sorted(CONTENTS.items(), reverse=True)))),
        "spelling",
    ),
    "a map of open end": (cose(payload=b"\xbf" + PARTS[2][1:] + b"\xff"), "definite"),
    "text in pieces": (respelled(f"026a{CODE_HEX}", f"027f6a{CODE_HEX}ff"), "definite"),
    "a number in more bytes than it needs": (respelled("0302", "031802"), "spelling"),
    "a length in more bytes than it needs": (respelled("0950", "095810"), "spelling"),
    "a key in more bytes than it needs": (respelled("0302", "180302"), "spelling"),
    "a number with a fraction": (cose(_4=16.10), "whole number"),
    "a whole number as a float": (cose(_4=1610.0), "whole number"),
    "a negative figure": (cose(_4=-1), "whole number"),
    "a figure out of all proportion": (cose(_4=10**12), "whole number"),
    "a giant number": (cose(_4=2**600), "CBOR"),
    "a number that costs a gigabyte": (respelled("04" + cbor2.dumps(1610).hex(), "04c5821a7fffffff01"), "CBOR"),
    "a date as a tag": (cose(_7=cbor2.CBORTag(1, 1_795_000_000)), "CBOR"),
    "a date after the year 9999": (cose(_8=253_402_300_800), "whole number"),
    "null in place of a digest": (cose(payload=PARTS[2].replace(b"\x0b\x50" + b"\xee" * 16, b"\x0b\xf6")), "16 bytes"),
    "a digest that is too short": (cose(_9=bytes(15)), "16 bytes"),
    "a digest that is too long": (cose(_10=bytes(32)), "16 bytes"),
    "a digest in hex": (cose(_11="ee" * 16), "16 bytes"),
    "an outcome that is not known": (cose(_3=4), "from 0 to 3"),
    "an outcome by name": (cose(_3="class-1"), "from 0 to 3"),
    "an evidence level that is not known": (cose(_5=3), "from 0 to 2"),
    "false as an evidence level": (cose(_5=False), "from 0 to 2"),
    "a code with a typing error": (cose(_2="0000000001"), "checksum"),
    "a code in small letters": (cose(_2=COMPACT.code.lower()), "one spelling"),
    "a code with a hyphen": (cose(_2="00000-00000"), "at most 10"),
    "a code that is a number": (cose(_2=0), "text"),
    "a standard without a version": (cose(_6="LCAL"), "LCAL-1.0.0"),
    "a standard of a long name": (cose(_6="LCAL-1." + "0" * 40), "at most 40"),
    "a standard in other letters": (cose(_6="LCAL-１.0.0"), "LCAL-1.0.0"),
    "text that is not UTF-8": (respelled("066a4c", "066aff"), "CBOR"),
    "a place in no list": (cose(_12=-1), "whole number"),
    "a place in a list beyond all lists": (cose(_13=999_999 * 131_072), "whole number"),
    "arrays in arrays without end": (cose(payload=b"\x81" * 300 + b"\x00"), "CBOR"),
}

# --- digits

DIGITS = digits_of(RAW)
BAD_DIGITS: dict[str, str] = {
    "nothing": "",
    "a leading zero": "0" + DIGITS,
    "a sign": "+" + DIGITS,
    "a space": DIGITS[:9] + " " + DIGITS[9:],
    "an underscore": DIGITS[:9] + "_" + DIGITS[9:],
    "a line end": DIGITS + "\n",
    "letters": "12ab",
    "digits of another script": "١٢٣",
    "one digit more": DIGITS + "0",
    "one digit less": DIGITS[:-1],
    "more than any certificate has": "1" * (MAX_DIGITS + 1),
    "a million": "9" * 1_000_000,
    "the mark alone": "1",
    "a number of another mark": str(int.from_bytes(b"\x02" + RAW, "big")),
    "bytes beyond the limit": str(int.from_bytes(b"\x01" + bytes(MAX_BYTES + 1), "big")),
}
