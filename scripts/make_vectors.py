"""Remake the certificate vectors under ``tests/vectors/certificates``: files with fixed keys and a fixed clock, and the verdicts.

Anybody who writes a verifier may run it over these files. The expected verdicts stand here as they follow from the standard and
from docs/certificates.md; they are not computed. A test compares the files with what this script makes, and Python, Node and a
browser run them all.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from certifier.badge.qr import print_qr_text  # noqa: E402 - the tree has to be found first
from certifier.certificate.baked import bake  # noqa: E402
from certifier.certificate.code import code_of  # noqa: E402
from certifier.certificate.compact import compact_of, digits_of, sign_compact  # noqa: E402
from certifier.certificate.credential import payload_for  # noqa: E402
from certifier.certificate.jose import jwt_of  # noqa: E402
from certifier.certificate.model import Assessor, Basis, Claims, Figures, Issuer, Subject, months_later  # noqa: E402
from certifier.certificate.proof import sign_document  # noqa: E402
from certifier.certificate.rdfc import sign_rdfc  # noqa: E402
from certifier.certificate.status import PURPOSES, StatusEntry, status_list_payload, status_url  # noqa: E402
from certifier.certificate.times import time_text  # noqa: E402
from certifier.certificate.trust import LastGood, Trust, TrustedKey, TrustedStandard, trust_document  # noqa: E402
from certifier.certificate.verify import leaf_of  # noqa: E402
from certifier.crypto.canonical import digest_of, to_json_text  # noqa: E402
from certifier.crypto.keys import base58_decode, base58_encode  # noqa: E402
from certifier.crypto.signing import SigningKey  # noqa: E402
from certifier.log.merkle import Tree, leaf_hash  # noqa: E402
from certifier.log.note import Checkpoint, sign_checkpoint, verifier_key_for  # noqa: E402
from certifier.log.proof import InclusionProof, render_proof  # noqa: E402

FOLDER = ROOT / "tests" / "vectors" / "certificates"
NOW = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)
ISSUED = datetime(2026, 11, 20, 9, 30, 0, tzinfo=UTC)
BASE = "https://label.example"
DID = "did:web:label.example"
ORIGIN = "label.example/2026"
AUDIO, ESSENCE = "a5" * 32, "e5" * 32
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def _key(name: str) -> SigningKey:
    return SigningKey.from_seed(name.encode().ljust(32, b"."))


ISSUER, RETIRED, STOLEN, LOG, FORGER = map(_key, ("issuer", "retired issuer", "stolen issuer", "log", "forger"))
METHOD = f"{DID}#key-2026"

CLAIMS = Claims(
    code=code_of(b"vector"),
    outcome="class-2",
    issuer=Issuer(DID, "Low-Carbon Audio Label (example)", BASE),
    subject=Subject("Night Ferry (example)", "Example Artist", AUDIO, ESSENCE, "QZABC2600001"),
    figures=Figures("16.10", "14.09", "6.59", "7.50", "30.00", "B", "not assessed", calculated=False),
    basis=Basis("LCAL-1.0.0", "11" * 32, "22" * 32, "33" * 32, "44" * 32, "A1"),
    assessor=Assessor("measuring_party", "example-party", "Example Party"),
    issued_at=ISSUED,
    expires_at=months_later(ISSUED, 36),
    status=(
        StatusEntry(status_url(BASE, "revocation"), "revocation", 4_711),
        StatusEntry(status_url(BASE, "suspension"), "suspension", 130_001),
    ),
)
DAYS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
STANDARDS = (TrustedStandard("LCAL-1.0.0", "11" * 32, "current"), TrustedStandard("LCAL-1.1.0", "12" * 32, "current"))
TRUST = Trust(
    "vectors",
    (
        TrustedKey(f"{DID}#key-2024", DID, "issuer", STOLEN.public, *DAYS, LastGood(ORIGIN, 3)),
        TrustedKey(f"{DID}#key-2025", DID, "issuer", RETIRED.public, DAYS[0], ISSUED + timedelta(days=1)),
        TrustedKey(METHOD, DID, "issuer", ISSUER.public, *DAYS),
    ),
    (verifier_key_for(ORIGIN, LOG.public),),
    STANDARDS,
)
GOOD_AXES = {
    "integrity": "ok",
    "issuer_trust": "trusted",
    "inclusion": "included",
    "lifecycle": "active",
    "validity": "current",
    "standard_state": "current",
    "binding": "not_checked",
}
UNKNOWN = dict.fromkeys(GOOD_AXES, "unchecked")


def record(claims: Claims = CLAIMS, key: SigningKey = ISSUER, method: str = METHOD) -> dict[str, Any]:
    return sign_document(payload_for(claims), key, method, time_text(claims.issued_at))


def openbadge(claims: Claims = CLAIMS) -> dict[str, Any]:
    return sign_rdfc(payload_for(claims), ISSUER, METHOD, time_text(claims.issued_at))


def compact(claims: Claims = CLAIMS) -> bytes:
    return sign_compact(compact_of(claims, digest_of(payload_for(claims))), ISSUER, METHOD)


def proof(claims: Claims = CLAIMS, *, method: str = METHOD, key: SigningKey = LOG, index: int = 5) -> bytes:
    """The proof of a certificate's leaf among nine entries."""
    entries = [f"another entry, number {number}".encode() for number in range(9)]
    entries[index] = leaf_of(payload_for(claims), method, claims)
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    note = sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root()), key)
    return render_proof(InclusionProof(index, tuple(tree.inclusion_proof(index)), note))


def status_list(
    purpose: str,
    positions: Collection[int] = (),
    *,
    key: SigningKey = ISSUER,
    method: str = METHOD,
    at: datetime = NOW,
    encoded: str | None = None,
    issuer: str = DID,
) -> dict[str, Any]:
    url = status_url(BASE, purpose)
    payload = status_list_payload(url, purpose, positions, issuer=issuer, log=f"{ORIGIN} at size 9", now=at)
    if encoded:
        payload["credentialSubject"]["encodedList"] = encoded
    return sign_document(payload, key, method, time_text(at))


def lists(**changed: dict[str, Any] | None) -> dict[str, bytes]:
    """Both lists with nothing set, but for those that are given; None leaves one out."""
    documents = {purpose: changed.get(purpose, status_list(purpose)) for purpose in PURPOSES}
    return {f"status-{name}.json": text_of(document) for name, document in documents.items() if document}


def text_of(document: Mapping[str, Any]) -> bytes:
    return to_json_text(document).encode()


def packed_list(bits: int) -> str:
    packed = gzip.compress(bytes(bits // 8), compresslevel=9, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


@dataclass(frozen=True)
class Case:
    """One certificate in some form with what lies beside it, and what a verifier has to say of it at ``now``.

    ``differs`` are the axes that are not those of a good certificate. ``error`` stands for a file that is no certificate at all.
    """

    about: str
    files: dict[str, bytes]
    verdict: str
    reason: str
    differs: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW
    audio: dict[str, str] = field(default_factory=dict)
    trust: Trust = TRUST
    error: bool = False
    axes: dict[str, str] = field(default_factory=lambda: GOOD_AXES)

    def expected(self) -> dict[str, Any]:
        told = {"about": self.about, "certificate": next(name for name in self.files if name.startswith("certificate"))}
        if self.error:
            return {**told, "now": time_text(self.now), "error": self.reason}
        verdict = {"verdict": self.verdict, "reason": self.reason, "axes": {**self.axes, **self.differs}}
        return {**told, "now": time_text(self.now), **({"audio": self.audio} if self.audio else {}), **verdict}


def beside(claims: Claims = CLAIMS, **changes: Any) -> dict[str, bytes]:
    """The proof and the status lists of a certificate, as they lie beside it."""
    own_lists = changes["lists"] if "lists" in changes else lists()
    return {"certificate.tlog-proof": changes.get("proof") or proof(claims), **own_lists}


def with_record(document: Mapping[str, Any] | bytes, **changes: Any) -> dict[str, bytes]:
    raw = document if isinstance(document, bytes) else text_of(document)
    return {"certificate.json": raw, **beside(**changes)}


def without(files: Mapping[str, bytes], *names: str) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name not in names}


def valid(about: str, files: dict[str, bytes], **more: Any) -> Case:
    return Case(about, files, "valid", "all_checked", **more)


def broken(about: str, files: dict[str, bytes]) -> Case:
    """Nothing but the key's name is looked at once the signature does not fit."""
    axes = {**UNKNOWN, "integrity": "broken", "issuer_trust": "trusted"}
    return Case(about, files, "not_valid", "integrity_broken", axes=axes)


def refused(about: str, files: dict[str, bytes], kind: str = "malformed") -> Case:
    return Case(about, files, "", kind, error=True)


def bent(document: Mapping[str, Any]) -> dict[str, Any]:
    """The figure made better by one digit."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    copy["credentialSubject"]["result"][0]["value"] = "06.10"
    return copy


def with_member(document: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(document))
    copy["credentialSubject"][name] = value
    return copy


def with_proof(document: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**document, "proof": {**document["proof"], **changes}}


def with_s_plus_order(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same signature with its second half written in the other way that a careless verifier takes, too."""
    raw = base58_decode(document["proof"]["proofValue"][1:])
    second = int.from_bytes(raw[32:], "little") + GROUP_ORDER
    return with_proof(document, proofValue="z" + base58_encode(raw[:32] + second.to_bytes(32, "little")))


def other_version() -> Claims:
    return CLAIMS._replace(basis=CLAIMS.basis._replace(standard="LCAL-1.1.0", standard_sha256="12" * 32))


def with_standards(*standards: TrustedStandard) -> Trust:
    return replace(TRUST, standards=standards)


def signed_by(key: SigningKey, method: str, index: int = 5) -> dict[str, bytes]:
    return with_record(record(key=key, method=method), proof=proof(method=method, index=index))


GOOD = record()
LATER = CLAIMS._replace(issued_at=ISSUED + timedelta(days=5))
OLD, STOLEN_METHOD = f"{DID}#key-2025", f"{DID}#key-2024"
END = CLAIMS.expires_at


def _later_lists(at: datetime) -> dict[str, bytes]:
    return lists(**{purpose: status_list(purpose, at=at) for purpose in PURPOSES})


def good_cases() -> dict[str, Case]:
    qr = print_qr_text(BASE, CLAIMS.code, digits_of(compact())).encode()
    svg = bake(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>Badge</title></svg>', json.dumps(openbadge())
    )
    printed = {**GOOD_AXES, "inclusion": "unchecked"}
    return {
        "good": valid("The record, signed, logged, in force.", with_record(GOOD)),
        "good-compact-json": valid("The same with other white space.", with_record(json.dumps(GOOD).encode())),
        "good-openbadge": valid(
            "The badge wallets' form.", {"certificate.openbadge.json": text_of(openbadge()), **beside()}
        ),
        "good-jwt": valid(
            "The same claims as a JWT.",
            {"certificate.jwt": jwt_of(payload_for(CLAIMS), ISSUER, METHOD).encode(), **beside()},
        ),
        "good-baked-svg": valid(
            "A badge image that holds the badge wallets' form.", {"certificate.baked.svg": svg.encode(), **beside()}
        ),
        "good-cose": Case(
            "A print's certificate: it has no room for a proof.",
            {"certificate.cose": compact(), **lists()},
            "cannot_tell",
            "inclusion_unchecked",
            axes=printed,
        ),
        "good-qr": Case(
            "The text of a print's QR.",
            {"certificate.qr.txt": qr, **lists()},
            "cannot_tell",
            "inclusion_unchecked",
            axes=printed,
        ),
        "good-with-audio": valid(
            "With the master's digest.", with_record(GOOD), audio={"sha256": AUDIO}, differs={"binding": "sha256_match"}
        ),
        "good-with-same-samples": valid(
            "Other file bytes, the same samples.",
            with_record(GOOD),
            audio={"sha256": "b6" * 32, "essence_sha256": ESSENCE},
            differs={"binding": "essence_match"},
        ),
        "good-other-standard-version": valid(
            "Earned under another version that is in force.",
            with_record(record(other_version()), claims=other_version()),
        ),
        "good-retired-key": valid("Signed before its key was retired.", signed_by(RETIRED, OLD)),
        "good-before-the-theft": valid(
            "Its key was stolen later: the log shows it at an earlier place.", signed_by(STOLEN, STOLEN_METHOD, 3)
        ),
    }


def warned_cases() -> dict[str, Case]:
    superseded = with_standards(TrustedStandard("LCAL-1.0.0", "11" * 32, "superseded"))
    soon = END - timedelta(days=20)
    return {
        "superseded-standard": Case(
            "Earned under a version that has a successor.",
            with_record(GOOD),
            "valid_with_warnings",
            "standard_superseded",
            {"standard_state": "superseded"},
            trust=superseded,
        ),
        "nearing-expiry": Case(
            "It expires within 30 days.",
            with_record(GOOD, lists=_later_lists(soon)),
            "valid_with_warnings",
            "nearing_expiry",
            {"validity": "ending"},
            now=soon,
        ),
        "isrc-only": Case(
            "Only the recording's ISRC was compared.",
            with_record(GOOD),
            "valid_with_warnings",
            "isrc_only",
            {"binding": "isrc_only"},
            audio={"isrc": "QZABC2600001"},
        ),
    }


def not_valid_cases() -> dict[str, Case]:
    jwt = jwt_of(payload_for(CLAIMS), ISSUER, METHOD)
    head, _, signature = jwt.split(".")
    other_body = jwt_of(payload_for(other_version()), ISSUER, METHOD).split(".")[1]
    bent_print = bytearray(compact())
    bent_print[-1] ^= 1
    after = END + timedelta(days=1)
    before = ISSUED - timedelta(days=2)
    return {
        "tampered": broken("A better figure was written into it.", with_record(bent(GOOD))),
        "tampered-openbadge": broken(
            "The same in the badge wallets' form.",
            {"certificate.openbadge.json": text_of(bent(openbadge())), **beside()},
        ),
        "tampered-jwt": broken(
            "A JWT with the claims of another.",
            {"certificate.jwt": f"{head}.{other_body}.{signature}".encode(), **beside()},
        ),
        "tampered-cose": broken("One bit of a print's signature.", {"certificate.cose": bytes(bent_print), **lists()}),
        "injected-term": broken(
            "A member that the record's signature does not cover.", with_record(with_member(GOOD, "tier", "platinum"))
        ),
        "wrong-key": broken("Signed by another key under the issuer's name.", with_record(record(key=FORGER))),
        "signature-s-plus-order": broken(
            "The same signature, spelled in the way that is not allowed.", with_record(with_s_plus_order(GOOD))
        ),
        "proof-of-another-document": broken(
            "The proof of another certificate of this issuer.",
            with_record({**GOOD, "proof": record(other_version())["proof"]}),
        ),
        "expired": Case(
            "Its end is over.",
            with_record(GOOD, lists=_later_lists(after)),
            "not_valid",
            "expired",
            {"validity": "expired"},
            now=after,
        ),
        "not-yet-valid": Case(
            "It begins later.",
            with_record(GOOD, lists=_later_lists(before)),
            "not_valid",
            "not_yet_valid",
            {"validity": "not_yet"},
            now=before,
        ),
        "revoked": Case(
            "Its bit in the revocation list is set.",
            with_record(GOOD, lists=lists(revocation=status_list("revocation", {4_711}))),
            "not_valid",
            "revoked",
            {"lifecycle": "revoked"},
        ),
        "revoked-in-an-expired-list": Case(
            "A revocation is for ever, so an old list still tells it.",
            with_record(GOOD, lists=lists(revocation=status_list("revocation", {4_711}, at=NOW - timedelta(days=9)))),
            "not_valid",
            "revoked",
            {"lifecycle": "revoked"},
        ),
        "suspended": Case(
            "Its bit in the suspension list is set.",
            with_record(GOOD, lists=lists(suspension=status_list("suspension", {130_001}))),
            "not_valid",
            "suspended",
            {"lifecycle": "suspended"},
        ),
        "suspended-other-list-missing": Case(
            "One list is enough to know that it is suspended.",
            with_record(GOOD, lists=lists(suspension=status_list("suspension", {130_001}), revocation=None)),
            "not_valid",
            "suspended",
            {"lifecycle": "suspended"},
        ),
        "superseded": Case(
            "Replaced by a renewal: the old one is revoked as superseded.",
            with_record(GOOD, lists=lists(revocation=status_list("revocation", {1, 4_711, 99}))),
            "not_valid",
            "revoked",
            {"lifecycle": "revoked"},
        ),
        "logged-elsewhere": Case(
            "Well signed, with the proof of another certificate: the log does not hold it.",
            with_record(GOOD, proof=proof(other_version())),
            "not_valid",
            "inclusion_broken",
            {"inclusion": "broken"},
        ),
        "log-of-a-forger": Case(
            "Its checkpoint is signed by a key that is not the log's.",
            with_record(GOOD, proof=proof(key=FORGER)),
            "not_valid",
            "inclusion_broken",
            {"inclusion": "broken"},
        ),
        "changed-key-name": Case(
            "The name of its key was changed: the log holds it under another.",
            with_record(with_proof(GOOD, verificationMethod=f"{DID}#key-2027")),
            "not_valid",
            "inclusion_broken",
            axes={**UNKNOWN, "issuer_trust": "unknown", "inclusion": "broken"},
        ),
        "signed-after-retirement": Case(
            "Signed on a day on which its key was retired.",
            with_record(record(LATER, RETIRED, OLD), proof=proof(LATER, method=OLD)),
            "not_valid",
            "key_withdrawn",
            {"issuer_trust": "withdrawn"},
        ),
        "backdated-signature": Case(
            "Issued after its key was retired, with a signature that says it was made before.",
            with_record(
                sign_document(payload_for(LATER), RETIRED, OLD, time_text(ISSUED)), proof=proof(LATER, method=OLD)
            ),
            "not_valid",
            "key_withdrawn",
            {"issuer_trust": "withdrawn"},
        ),
        "compromised-key": Case(
            "Its key was stolen, and the log took it in afterwards, whatever date it bears.",
            signed_by(STOLEN, STOLEN_METHOD, 4),
            "not_valid",
            "key_compromised",
            {"issuer_trust": "compromised"},
        ),
        "withdrawn-standard": Case(
            "Its standard was withdrawn.",
            with_record(GOOD),
            "not_valid",
            "standard_withdrawn",
            {"standard_state": "withdrawn"},
            trust=with_standards(TrustedStandard("LCAL-1.0.0", "11" * 32, "withdrawn")),
        ),
        "other-audio": Case(
            "Another audio file.",
            with_record(GOOD),
            "not_valid",
            "audio_mismatch",
            {"binding": "mismatch"},
            audio={"sha256": "b6" * 32, "essence_sha256": "b7" * 32},
        ),
    }


def open_cases() -> dict[str, Case]:
    """What cannot be told, and why."""

    def status(about: str, **changed: dict[str, Any] | None) -> Case:
        return Case(
            about,
            with_record(GOOD, lists=lists(**changed)),
            "cannot_tell",
            "status_unchecked",
            {"lifecycle": "unchecked"},
        )

    stranger = f"{DID}#key-2030"
    return {
        "unlogged": Case(
            "Without a proof nobody knows whether the log holds it.",
            without(with_record(GOOD), "certificate.tlog-proof"),
            "cannot_tell",
            "inclusion_unchecked",
            {"inclusion": "unchecked"},
        ),
        "unknown-key": Case(
            "A key that the trust file does not have.",
            signed_by(FORGER, stranger),
            "cannot_tell",
            "issuer_unknown",
            axes={**UNKNOWN, "issuer_trust": "unknown", "inclusion": "included"},
        ),
        "unknown-issuer": Case(
            "Another issuer, whom the trust file does not name.",
            with_record(
                sign_document(
                    {
                        **payload_for(CLAIMS),
                        "issuer": {"id": "did:web:other.example", "type": ["Profile"], "name": "Other", "url": BASE},
                    },
                    FORGER,
                    "did:web:other.example#key-1",
                    time_text(ISSUED),
                ),
            ),
            "not_valid",
            "inclusion_broken",
            axes={**UNKNOWN, "issuer_trust": "unknown", "inclusion": "broken"},
        ),
        "unknown-log": Case(
            "The trusted keys are those of another installation: its log is not this one.",
            with_record(GOOD),
            "cannot_tell",
            "inclusion_unchecked",
            {"inclusion": "unchecked"},
            trust=replace(TRUST, logs=(verifier_key_for("other.example/2026", FORGER.public),)),
        ),
        "stolen-key-without-proof": Case(
            "Its key was stolen, and no proof shows on which side of the theft it stands.",
            without(signed_by(STOLEN, STOLEN_METHOD, 3), "certificate.tlog-proof"),
            "cannot_tell",
            "issuer_unchecked",
            {"issuer_trust": "unchecked", "inclusion": "unchecked"},
        ),
        "other-files-of-the-standard": Case(
            "The standard has its name and other files.",
            with_record(GOOD),
            "cannot_tell",
            "standard_unknown",
            {"standard_state": "unknown"},
            trust=with_standards(TrustedStandard("LCAL-1.0.0", "99" * 32, "current")),
        ),
        "no-status-lists": status("No list is at hand.", revocation=None, suspension=None),
        "status-list-expired": status(
            "The list is a day old.", revocation=status_list("revocation", at=NOW - timedelta(days=1))
        ),
        "suspension-in-an-expired-list": status(
            "A suspension may have been lifted since.",
            suspension=status_list("suspension", {130_001}, at=NOW - timedelta(days=1)),
        ),
        "status-list-too-short": status(
            "65,536 places.", revocation=status_list("revocation", encoded=packed_list(65_536))
        ),
        "status-list-zip-bomb": status(
            "It unpacks to 64 megabytes.", revocation=status_list("revocation", encoded=packed_list(2**29))
        ),
        "status-list-of-another-issuer": status(
            "Signed by another issuer's key.",
            revocation=status_list(
                "revocation", key=FORGER, method="did:web:other.example#key-1", issuer="did:web:other.example"
            ),
        ),
        "status-list-of-a-forger": status(
            "Signed by another key under the issuer's name.", revocation=status_list("revocation", key=FORGER)
        ),
        "status-list-by-a-stolen-key": status(
            "A stolen key vouches for no list.", revocation=status_list("revocation", key=STOLEN, method=STOLEN_METHOD)
        ),
        "status-list-of-the-other-purpose": status(
            "The suspension list twice.", revocation={**status_list("suspension"), "id": status_url(BASE, "revocation")}
        ),
    }


def refused_cases() -> dict[str, Case]:
    """Files that are no certificate: each ends in one clear error, whatever is asked of it."""
    text = text_of(GOOD).decode()
    contexts = {**openbadge()}
    contexts["@context"] = contexts["@context"][::-1]
    return {
        "injected-term-openbadge": broken(
            "A member that RDF does not see: the signature still fits, and the form is refused.",
            {"certificate.openbadge.json": text_of(with_member(openbadge(), "tier", "platinum")), **beside()},
        ),
        "changed-context-order": broken(
            "The contexts the other way round.", {"certificate.openbadge.json": text_of(contexts), **beside()}
        ),
        "two-proofs": refused("Two proofs.", with_record({**GOOD, "proof": [GOOD["proof"], openbadge()["proof"]]})),
        "no-proof": refused("Not signed.", with_record(payload_for(CLAIMS))),
        "another-cryptosuite": refused(
            "A suite that this label does not use.", with_record(with_proof(GOOD, cryptosuite="ecdsa-rdfc-2019"))
        ),
        "duplicate-member": refused(
            "A member twice.",
            with_record(text.replace('"name":', '"name": "Low-Carbon Audio, class 1",\n  "name":', 1).encode()),
        ),
        "number-out-of-range": refused(
            "A number that no reader can hold.",
            with_record(text.replace('"hashed": false', '"hashed": 1e400', 1).encode()),
        ),
        "lone-surrogate": refused(
            "Half a character.", with_record(text.replace("Night Ferry", "Night \\ud83d Ferry", 1).encode())
        ),
        "byte-order-mark": refused("A byte order mark.", with_record(b"\xef\xbb\xbf" + text.encode())),
        "no-json": refused("Cut in the middle.", with_record(text[: len(text) // 2].encode())),
        "jwt-without-algorithm": refused(
            "alg none.",
            {
                "certificate.jwt": b"eyJhbGciOiJub25lIiwidHlwIjoidmMrand0In0."
                + jwt_of(payload_for(CLAIMS), ISSUER, METHOD).split(".")[1].encode()
                + b".",
                **beside(),
            },
        ),
        "qr-of-another-address": refused(
            "The QR's address leads to another host than its certificate.",
            {
                "certificate.qr.txt": print_qr_text(
                    "https://other.example", CLAIMS.code, digits_of(compact())
                ).encode(),
                **lists(),
            },
        ),
    }


def all_cases() -> dict[str, Case]:
    return {**good_cases(), **warned_cases(), **not_valid_cases(), **open_cases(), **refused_cases()}


def files_of(cases: Mapping[str, Case]) -> dict[str, bytes]:
    """Every file of the vectors by its path below their folder."""
    files = {
        f"{name}/{file}": content
        for name, case in cases.items()
        for file, content in {**case.files, "trust.json": text_of(trust_document(case.trust))}.items()
    }
    expected = {"form": "lcal-vectors/1", "cases": {name: case.expected() for name, case in cases.items()}}
    return {**files, "expected.json": text_of(expected)}


def main() -> None:
    files = files_of(all_cases())
    for old in FOLDER.iterdir() if FOLDER.is_dir() else ():
        if old.is_dir():
            shutil.rmtree(old)
    for path, content in files.items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    print(f"{len(files)} files in {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
