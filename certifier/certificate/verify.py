"""One verification for page, API, command line and client: seven axes, and a verdict that is a pure table of them.

Values in, a value out: whoever calls brings the trusted keys, the proof, the status lists and the time. What was not brought
is *unchecked*, never guessed. When integrity is broken, nothing of the document is shown.

The steps:
 (1) read the document, in whatever form it comes
 (2) find its key among the trusted ones, and in force
 (3) verify the signature
 (4) verify that the log holds the leaf which commits to exactly these claims, before the key was stolen if it was
 (5) look the certificate up in its status lists
 (6) compare the dates
 (7) look up the standard
 (8) compare the audio
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from certifier.certificate.compact import Compact, compact_of
from certifier.certificate.credential import parse_claims
from certifier.certificate.lifecycle import Placed, check_lifecycle
from certifier.certificate.model import Claims
from certifier.certificate.opened import Opened, Proven, base_url_of, open_certificate
from certifier.certificate.status import StatusEntry
from certifier.certificate.times import time_text
from certifier.certificate.trust import SKEW, Trust, TrustedKey
from certifier.certificate.verdict import Check, verdict_on, verdict_table
from certifier.certificate.verification import AudioDigests, Material, Verification
from certifier.crypto.canonical import digest_of
from certifier.errors import (
    BadSignature,
    CertifierError,
    MalformedNote,
    MalformedProof,
    UnknownLog,
)
from certifier.isrc import plain_isrc
from certifier.log.entry import expected_issue_entry
from certifier.log.note import Checkpoint, VerifierKey, open_checkpoint
from certifier.log.proof import parse_proof, verify_entry

ENDING = timedelta(days=30)  # a certificate that expires sooner is valid with a warning
REMEMBERED = 1024  # checkpoints and status lists that were opened before
MOST_NOTE_BYTES = 4096  # of a checkpoint that is remembered; ours have a few hundred


class _Stated(NamedTuple):
    """What the checks need of a certificate. A compact one holds the first half of each digest, and none of the standard."""

    code: str
    issuer: str
    issued_at: datetime
    expires_at: datetime
    status: tuple[StatusEntry, ...]
    standard: str
    standard_sha256: str | None
    audio_sha256: str
    essence_sha256: str | None
    isrc: str | None


def check_certificate(raw: bytes, material: Material, now: datetime) -> Verification:
    """Check a certificate in any of its forms (see ``opened``).

    Raises MalformedJson, MalformedCertificate or MalformedCode when it is none at all.
    """
    return check_opened(open_certificate(raw), material, now)  # (1)


def check_opened(opened: Opened, material: Material, now: datetime) -> Verification:
    """As ``check_certificate``, for a caller who has read the document before; its signature is checked here."""
    key = _issuer_key(opened, material.trust)
    issuer = _check_issuer(opened, key, material.trust)  # (2)
    integrity, proven = _check_integrity(opened, key)  # (3)
    if proven is None:
        # A key that nobody knows may be a new one, or a changed byte in its name. The log tells them apart.
        others = [] if integrity.value == "broken" else _unsigned_inclusion(opened, material)
        return _concluded([issuer, integrity, *others], now)
    claims = parse_claims(proven.unsigned) if proven.unsigned is not None else None
    stated = _stated_by(claims, opened) if claims else _stated_by_print(proven.compact, opened)
    inclusion, place = _check_inclusion(proven, opened.method, claims, material)  # (4)
    checks = [
        integrity,
        _before_theft(issuer, key, place, material.trust),
        inclusion,
        check_lifecycle(Placed(stated.status, stated.issuer, stated.issued_at), material, now),  # (5)
        _check_validity(stated, now),  # (6)
        _check_standard(stated, material),  # (7)
        _check_binding(stated, material.audio),  # (8)
    ]
    return _concluded(checks, now, claims, proven.compact)


def cannot_be_read(error: CertifierError, now: datetime) -> Verification:
    """The verification of a document that is none at all, where one was promised: broken."""
    found = error.found or error.message
    return _concluded([Check("integrity", "broken", found, "a certificate", "Do not rely on this file.")], now)


def check_print(print_raw: bytes, record: bytes, material: Material, now: datetime) -> Verification:
    """Check the compact certificate of a print, and the record that its code leads to: the two must say the same.

    The answer is the record's, which says more and has its proof. Where the print is not signed, or says a thing that the record
    does not say, it is broken however well the record stands: whoever holds the label reads the print.
    """
    printed = check_certificate(print_raw, material, now)
    verification = check_certificate(record, material, now)
    if printed.compact is None:
        return printed
    if verification.claims is None or _is_print_of(printed.compact, open_certificate(record), verification.claims):
        return verification
    found = Check(
        "integrity",
        "broken",
        "the print carries another certificate",
        "the certificate of this code",
        "Do not rely on this label.",
    )
    return _concluded([found], now)


def _is_print_of(compact: Compact, record: Opened, claims: Claims) -> bool:
    """Whether the record says all that its print says, and names the same key: then the key is judged with the record."""
    payload = record.unsigned()
    expected = compact_of(claims, digest_of(payload)) if payload else None
    return expected is not None and replace(expected, kid=record.method) == compact


def _concluded(
    checks: Sequence[Check], now: datetime, claims: Claims | None = None, compact: Compact | None = None
) -> Verification:
    axes = verdict_table()["axes"]
    if len(checks) < len(axes):
        known = {check.axis: check for check in checks}
        checks = [known.get(axis) or Check(axis, "unchecked") for axis in axes]
    verdict, reason, because = verdict_on(tuple([check.value for check in checks]))
    return Verification(verdict, reason, because, tuple(checks), now, claims, compact)


def _stated_by(claims: Claims, opened: Opened) -> _Stated:
    subject, basis = claims.subject, claims.basis
    return _Stated(
        claims.code,
        opened.issuer or "",
        claims.issued_at,
        claims.expires_at,
        claims.status,
        basis.standard,
        basis.standard_sha256,
        subject.audio_sha256,
        subject.essence_sha256,
        subject.isrc,
    )


def _stated_by_print(compact: Compact | None, opened: Opened) -> _Stated:
    assert compact is not None
    issuer = opened.issuer or ""
    return _Stated(
        compact.code,
        issuer,
        compact.issued_at,
        compact.expires_at,
        compact.status(base_url_of(issuer)),
        compact.standard,
        None,
        compact.audio_digest,
        compact.essence_digest,
        None,
    )


def _issuer_key(opened: Opened, trust: Trust | None) -> TrustedKey | None:
    """The key that it names, where that may sign certificates of its issuer; any other is as good as unknown."""
    key = trust.key_for(opened.method) if trust else None
    return key if key and key.role == "issuer" and key.issuer == opened.issuer else None


def _check_issuer(opened: Opened, key: TrustedKey | None, trust: Trust | None) -> Check:
    if trust is None:
        return Check(
            "issuer_trust",
            "unchecked",
            "no trusted keys",
            "a trust file, a pack or pinned keys",
            "Give --trust FILE or --pack FILE, or pin a service's keys once with: certifier init --pin URL",
        )
    if key is None:
        expected = ", ".join(known.id for known in trust.keys if known.role == "issuer")
        return Check(
            "issuer_trust",
            "unknown",
            opened.method[:200],
            expected,
            "Was it issued by another installation? Then use its trust file.",
        )
    signed_at = opened.signed_at
    if signed_at is None or not key.was_in_force(signed_at):
        expected = f"signed between {time_text(key.valid_from)} and {time_text(key.valid_until)}"
        return Check(
            "issuer_trust", "withdrawn", time_text(signed_at) if signed_at else "not one time of issuing", expected
        )
    return Check("issuer_trust", "trusted", key.id, key.id)


def _before_theft(issuer: Check, key: TrustedKey | None, place: _Place | None, trust: Trust | None) -> Check:
    """A stolen key vouches for what the log held before the theft, and for nothing that came after it.

    The log's order decides and not the certificate's own date: whoever has the key can write any date.
    """
    if issuer.value != "trusted" or trust is None or key is None or key.last_good is None:
        return issuer
    last = key.last_good
    expected = f"at most entry {last.index} of {last.origin}"
    if place is None:
        return Check(
            "issuer_trust",
            "unchecked",
            "the key was stolen, and no proof shows that the log held this certificate before",
            expected,
            "Put the .tlog-proof file beside the certificate, or verify online.",
        )
    origins = [log.name for log in trust.logs]
    if last.origin not in origins or place.origin not in origins:
        is_before = False
    elif place.origin == last.origin:
        is_before = place.number <= last.index
    else:
        is_before = origins.index(place.origin) < origins.index(last.origin)
    found = f"entry {place.number} of {place.origin}"
    return Check("issuer_trust", "trusted" if is_before else "compromised", found, expected)


def _check_integrity(opened: Opened, key: TrustedKey | None) -> tuple[Check, Proven | None]:
    if key is None:
        return Check("integrity", "unchecked", "no key to check the signature with", "a trusted key"), None
    expected = f"a signature by {key.id}"
    try:
        proven = opened.proven(key.key)
    except CertifierError as error:
        return Check("integrity", "broken", error.found or error.message, expected, "Do not rely on this file."), None
    return Check("integrity", "ok", expected, expected), proven


class _Place(NamedTuple):
    origin: str
    number: int


def _check_inclusion(
    proven: Proven, method: str, claims: Claims | None, material: Material
) -> tuple[Check, _Place | None]:
    expected = "a proof that the log holds this certificate"
    if claims is None:
        hint = "Look the code up at the service: its certificate says more, and comes with its proof."
        return Check("inclusion", "unchecked", "a print has no room for a proof", expected, hint), None
    if material.proof is None:
        hint = "Put the .tlog-proof file beside the certificate, or verify online."
        return Check("inclusion", "unchecked", "no proof", expected, hint), None
    if not material.trust or not material.trust.logs:
        return Check("inclusion", "unchecked", "no trusted log key", expected), None
    try:
        proof = parse_proof(material.proof)
        checkpoint = _checkpoint(proof.checkpoint, material.trust.logs)
        verify_entry(proof, _leaf(proven.payload_sha256.hex(), method, claims), checkpoint)
    except UnknownLog as error:
        hint = "Is the trust file, or the pack, that of this certificate's issuer, and not an old one?"
        return Check(
            "inclusion", "unchecked", f"no trusted key for {error.found}", error.expected or expected, hint
        ), None
    except (MalformedProof, MalformedNote, BadSignature) as error:
        found = error.found or error.message
        hint = error.hint or "Fetch the certificate and its proof again."
        return Check("inclusion", "broken", found, expected, hint), None
    found = f"{checkpoint.origin} at size {checkpoint.size}"
    return Check("inclusion", "included", found, expected), _Place(checkpoint.origin, proof.index)


def _checkpoint(note: bytes, logs: tuple[VerifierKey, ...]) -> Checkpoint:
    """A checkpoint's own signature is verified once, then remembered; one that does not fit is judged each time.

    So is one that is far too long: anybody may put signatures of strangers below a good one, and fill the memory with them.
    """
    return _known_checkpoint(note, logs) if len(note) <= MOST_NOTE_BYTES else open_checkpoint(note, logs)


_known_checkpoint = lru_cache(REMEMBERED)(open_checkpoint)


def _unsigned_inclusion(opened: Opened, material: Material) -> list[Check]:
    try:
        unsigned = opened.unsigned()
        if unsigned is None:
            return []
        proven = Proven(bytes.fromhex(digest_of(unsigned)), unsigned)
        return [_check_inclusion(proven, opened.method, parse_claims(unsigned), material)[0]]
    except CertifierError as error:
        return [Check("inclusion", "unchecked", error.found or error.message, "a certificate of this label")]


def leaf_of(unsigned: dict[str, Any], method: str, claims: Claims) -> bytes:
    """The log entry that commits to this payload; anybody can compute it from the certificate alone."""
    return _leaf(digest_of(unsigned), method, claims)


def _leaf(payload_sha256: str, method: str, claims: Claims) -> bytes:
    return expected_issue_entry(
        code=claims.code,
        payload_sha256=payload_sha256,
        kid=method,
        standard=claims.basis.standard,
        report_sha256=claims.basis.report_sha256,
        audio_sha256=claims.subject.audio_sha256,
        at=time_text(claims.issued_at),
    )


def _check_validity(stated: _Stated, now: datetime) -> Check:
    expected = f"{time_text(stated.issued_at)} to {time_text(stated.expires_at)}"
    return Check("validity", _validity(stated, now), time_text(now), expected)


def _validity(stated: _Stated, now: datetime) -> str:
    if stated.issued_at - now > SKEW:
        return "not_yet"
    if now > stated.expires_at:
        return "expired"
    return "ending" if stated.expires_at - now < ENDING else "current"


def _check_standard(stated: _Stated, material: Material) -> Check:
    known = [entry for entry in material.trust.standards if entry.id == stated.standard] if material.trust else []
    fitting = [entry for entry in known if stated.standard_sha256 in (entry.sha256, None)]
    if len(fitting) != 1:  # a print names no files: two versions of one name leave it open which
        found = f"{stated.standard} sha256:{(stated.standard_sha256 or 'not told')[:16]}"
        expected = ", ".join(f"sha256:{entry.sha256[:16]}" for entry in known) or "a standard that the trust file lists"
        return Check("standard_state", "unknown", found, expected)
    standard = fitting[0]
    return Check("standard_state", standard.state, f"{standard.id} is {standard.state}", "a published version")


def _check_binding(stated: _Stated, audio: AudioDigests | None) -> Check:
    expected = f"sha256 {stated.audio_sha256}"
    if audio is None:
        return Check("binding", "not_checked", "no audio file was given", expected)
    if audio.unreadable:
        return Check("binding", "unchecked", audio.unreadable, expected, "Give the master file itself.")
    if not audio.sha256 and audio.essence_sha256 is None:
        return _check_isrc(stated, audio.isrc)
    found = f"sha256 {audio.sha256}" if audio.sha256 else f"samples with sha256 {audio.essence_sha256}"
    if audio.sha256 and _is_same(audio.sha256, stated.audio_sha256):
        return Check("binding", "sha256_match", found, expected)
    if _is_same(audio.essence_sha256, stated.essence_sha256):
        return Check("binding", "essence_match", "other file bytes, the same samples", expected)
    return Check("binding", "mismatch", found, expected, "Is this the master file, before any edit?")


def _is_same(digest: str | None, stated: str | None) -> bool:
    """Whether a digest is the stated one, of which a print holds the first half."""
    return digest is not None and bool(stated) and digest[: len(stated or "")] == stated


def _check_isrc(stated: _Stated, isrc: str | None) -> Check:
    if stated.isrc is None:
        return Check("binding", "unchecked", f"ISRC {isrc}", "an audio file; this certificate names no ISRC")
    value = "isrc_only" if isrc and plain_isrc(isrc) == plain_isrc(stated.isrc) else "mismatch"
    return Check("binding", value, f"ISRC {isrc}", f"ISRC {stated.isrc}", "Compare the master file for certainty.")
