"""One verification for page, API, command line and client: seven axes, and a verdict that is a pure table of them.

Values in, a value out: whoever calls brings the trusted keys, the proof, the status lists and the time. What was not brought
is *unchecked*, never guessed. When integrity is broken, nothing of the document is shown.

The steps:
 (1) read the document
 (2) find its key among the trusted ones, and in force
 (3) verify the signature
 (4) verify that the log holds the leaf which commits to exactly these bytes
 (5) look the certificate up in its status lists
 (6) compare the dates
 (7) look up the standard
 (8) compare the audio
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from certifier.certificate.code import display_code
from certifier.certificate.credential import parse_claims
from certifier.certificate.model import Claims
from certifier.certificate.proof import split_proof, verify_document
from certifier.certificate.status import StatusEntry, is_set
from certifier.certificate.times import parse_time, time_text
from certifier.certificate.trust import Trust, TrustedKey
from certifier.crypto.canonical import digest_of
from certifier.crypto.strict_json import parse_object
from certifier.errors import BadSignature, CertifierError, MalformedCertificate, MalformedNote, MalformedProof
from certifier.log.entry import issue_entry
from certifier.log.proof import parse_proof, verify_proof

SKEW = timedelta(seconds=300)  # LCAL 8.4
LIST_SIGNERS = ("issuer", "status")


@dataclass(frozen=True)
class Check:
    """One axis: its value, what was expected, what was found, what to try."""

    axis: str
    value: str
    found: str = ""
    expected: str = ""
    hint: str = ""

    @property
    def outcome(self) -> str:
        """``ok``, ``failed`` or ``unchecked``, as the table has it for this value."""
        return str(verdict_table()["axes"][self.axis].get(self.value, "unchecked"))

    def to_document(self) -> dict[str, str]:
        return {
            "axis": self.axis,
            "outcome": self.outcome,
            **{name: value for name, value in vars(self).items() if name != "axis"},
        }


@dataclass(frozen=True)
class AudioDigests:
    """The file that a listener or a platform holds: SHA-256 of the file and of its essence, in hex.

    ``unreadable`` says why the file could not be read; then nothing is known of it.
    """

    sha256: str
    essence_sha256: str | None = None
    unreadable: str = ""


@dataclass(frozen=True)
class Verification:
    """The verdict, why (a word for machines and a sentence), and each check. ``claims`` is None whenever the document cannot be believed."""

    verdict: str
    reason: str
    because: str
    checks: tuple[Check, ...]
    checked_at: datetime
    claims: Claims | None = field(default=None)

    @property
    def axes(self) -> dict[str, str]:
        return {check.axis: check.value for check in self.checks}


def verification_document(verification: Verification) -> dict[str, Any]:
    """The verification as JSON, for the command line and the API alike; nothing of a document that cannot be believed."""
    claims = verification.claims
    return {
        "verdict": verification.verdict,
        "reason": verification.reason,
        "because": verification.because,
        "checked_at": time_text(verification.checked_at),
        "axes": verification.axes,
        "checks": [check.to_document() for check in verification.checks],
        "certificate": _summary(claims) if claims else None,
    }


def _summary(claims: Claims) -> dict[str, str]:
    return {
        "code": display_code(claims.code),
        "title": claims.subject.title,
        "artist": claims.subject.artist,
        "outcome": claims.outcome,
        "assessed_g_per_min": claims.figures.assessed_g_per_min,
        "central_g_per_min": claims.figures.central_g_per_min,
        "evidence_level": claims.basis.evidence_level,
        "standard": claims.basis.standard,
        "issued_at": time_text(claims.issued_at),
        "expires_at": time_text(claims.expires_at),
    }


@dataclass(frozen=True)
class Material:
    """What was brought to check a certificate with. None and absent mean: could not be had."""

    trust: Trust | None
    proof: bytes | None = None
    status_lists: Mapping[str, bytes] = field(default_factory=dict)
    audio: AudioDigests | None = None


@cache
def verdict_table() -> dict[str, Any]:
    """The table as data; the browser's module runs the same file."""
    raw = pkgutil.get_data("certifier.certificate", "verdict.json")
    table: dict[str, Any] = json.loads(raw or b"{}")
    return table


def verdict_of(axes: Mapping[str, str]) -> tuple[str, str, str]:
    """The verdict, its reason as a word and as a sentence: the first row of the table whose every condition holds."""
    for row in verdict_table()["rows"]:
        if all(axes[axis] in values for axis, values in row["when"].items()):
            return row["verdict"], row["reason"], row["because"]
    raise AssertionError("the last row of the table has no condition")


def check_certificate(raw: bytes, material: Material, now: datetime) -> Verification:
    """Check a certificate file (JSON). Raises MalformedJson or MalformedCertificate when it is none at all."""
    document = parse_object(raw)  # (1)
    unsigned, proof = split_proof(document)
    method = proof.get("verificationMethod")
    key = material.trust.key_for(str(method)) if material.trust else None
    checks = [_check_issuer(str(method), key, proof, unsigned, material.trust)]  # (2)
    checks.append(_check_integrity(document, key))  # (3)
    if checks[-1].value == "broken":
        return _concluded(checks, now, None)
    if checks[-1].value == "unchecked":
        # A key that nobody knows may be a new one, or a changed byte in its name. The log tells them apart.
        return _concluded([*checks, *_unsigned_inclusion(unsigned, str(method), material)], now, None)
    claims = parse_claims(unsigned)
    checks += [
        _check_inclusion(unsigned, str(method), claims, material),  # (4)
        _check_lifecycle(claims, material, now),  # (5)
        _check_validity(claims, now),  # (6)
        _check_standard(claims, material),  # (7)
        _check_binding(claims, material.audio),  # (8)
    ]
    return _concluded(checks, now, claims)


def _concluded(checks: list[Check], now: datetime, claims: Claims | None) -> Verification:
    known = {check.axis: check for check in checks}
    complete = tuple(known.get(axis, Check(axis, "unchecked")) for axis in verdict_table()["axes"])
    verdict, reason, because = verdict_of({check.axis: check.value for check in complete})
    return Verification(verdict, reason, because, complete, now, claims)


def _check_issuer(
    method: str, key: TrustedKey | None, proof: dict[str, Any], unsigned: dict[str, Any], trust: Trust | None
) -> Check:
    if trust is None:
        return Check(
            "issuer_trust",
            "unchecked",
            "no trusted keys",
            "a trust file or pinned keys",
            "Give --trust FILE, or pin a service's keys once with: certifier init --pin URL",
        )
    issuer = unsigned.get("issuer")
    named = issuer.get("id") if isinstance(issuer, dict) else None
    if key is None or key.role != "issuer" or key.issuer != named:
        expected = ", ".join(known.id for known in trust.keys if known.role == "issuer")
        return Check(
            "issuer_trust",
            "unknown",
            method[:200],
            expected,
            "Was it issued by another installation? Then use its trust file.",
        )
    signed_at = _time_of(proof)
    if signed_at is None or not key.valid_from - SKEW <= signed_at <= key.valid_until:
        expected = f"signed between {time_text(key.valid_from)} and {time_text(key.valid_until)}"
        return Check("issuer_trust", "withdrawn", str(proof.get("created"))[:40], expected)
    return Check("issuer_trust", "trusted", method, method)


def _time_of(proof: dict[str, Any]) -> datetime | None:
    try:
        return parse_time(proof.get("created"))
    except MalformedCertificate:
        return None


def _check_integrity(document: dict[str, Any], key: TrustedKey | None) -> Check:
    if key is None:
        return Check("integrity", "unchecked", "no key to check the signature with", "a trusted key")
    try:
        verify_document(document, key.key)
    except CertifierError as error:
        return Check(
            "integrity", "broken", error.found or error.message, f"a signature by {key.id}", "Do not rely on this file."
        )
    return Check("integrity", "ok", f"signature by {key.id}", f"signature by {key.id}")


def _check_inclusion(unsigned: dict[str, Any], method: str, claims: Claims, material: Material) -> Check:
    expected = "a proof that the log holds this certificate"
    if material.proof is None:
        hint = "Put the .tlog-proof file beside the certificate, or verify online."
        return Check("inclusion", "unchecked", "no proof", expected, hint)
    if not material.trust or not material.trust.logs:
        return Check("inclusion", "unchecked", "no trusted log key", expected)
    try:
        entry = leaf_of(unsigned, method, claims)
        checkpoint = verify_proof(parse_proof(material.proof), entry, material.trust.logs)
    except (MalformedProof, MalformedNote, BadSignature) as error:
        found = error.found or error.message
        return Check("inclusion", "broken", found, expected, error.hint or "Fetch the certificate and its proof again.")
    return Check("inclusion", "included", f"{checkpoint.origin} at size {checkpoint.size}", expected)


def _unsigned_inclusion(unsigned: dict[str, Any], method: str, material: Material) -> list[Check]:
    try:
        return [_check_inclusion(unsigned, method, parse_claims(unsigned), material)]
    except MalformedCertificate as error:
        return [Check("inclusion", "unchecked", error.found or error.message, "a certificate of this label")]


def leaf_of(unsigned: dict[str, Any], method: str, claims: Claims) -> bytes:
    """The log entry that commits to this payload; anybody can compute it from the certificate alone."""
    return issue_entry(
        code=claims.code,
        payload_sha256=digest_of(unsigned),
        kid=method,
        standard=claims.basis.standard,
        report_sha256=claims.basis.report_sha256,
        audio_sha256=claims.subject.audio_sha256,
        at=time_text(claims.issued_at),
    )


_STATES = {"revocation": "revoked", "suspension": "suspended"}


def _check_lifecycle(claims: Claims, material: Material, now: datetime) -> Check:
    """Both lists are read; a bit that is set counts even where the other list is missing."""
    expected, unread = "neither revoked nor suspended", list[Check]()
    for purpose, state in _STATES.items():
        entry = next(entry for entry in claims.status if entry.purpose == purpose)
        try:
            if _status_bit(entry, claims, material, now):
                return Check("lifecycle", state, f"its bit in the {purpose} list is set", expected)
        except CertifierError as error:
            found = f"{purpose} list: {error.message}" + (f" ({error.found})" if error.found else "")
            hint = error.hint or "Fetch the newest status lists from the service."
            unread.append(Check("lifecycle", "unchecked", found, "status lists in force", hint))
    return unread[0] if unread else Check("lifecycle", "active", expected, expected)


def _status_bit(entry: StatusEntry, claims: Claims, material: Material, now: datetime) -> bool:
    """Whether the bit is set, by a list that the certificate's own issuer signed with a key in force."""
    raw = material.status_lists.get(entry.url)
    if raw is None or material.trust is None:
        raise MalformedCertificate("not at hand")
    document = parse_object(raw)
    _, proof = split_proof(document)
    method = str(proof.get("verificationMethod"))
    key = material.trust.key_for(method)
    if key is None or key.role not in LIST_SIGNERS or not key.issuer == claims.issuer.did == document.get("issuer"):
        raise MalformedCertificate("signed by a key that may not", found=method[:200])
    made_at = parse_time(document.get("validFrom"))
    if not key.valid_from - SKEW <= made_at <= key.valid_until:
        raise MalformedCertificate("signed by a key out of its days", found=time_text(made_at))
    return is_set(verify_document(document, key.key), entry, now, SKEW)


def _check_validity(claims: Claims, now: datetime) -> Check:
    expected = f"{time_text(claims.issued_at)} to {time_text(claims.expires_at)}"
    value = "not_yet" if now < claims.issued_at - SKEW else "expired" if now > claims.expires_at else "current"
    return Check("validity", value, time_text(now), expected)


def _check_standard(claims: Claims, material: Material) -> Check:
    basis, trust = claims.basis, material.trust
    standard = trust.standard(basis.standard, basis.standard_sha256) if trust else None
    if standard is None:
        known = (
            [f"sha256:{entry.sha256[:16]}" for entry in trust.standards if entry.id == basis.standard] if trust else []
        )
        found = f"{basis.standard} sha256:{basis.standard_sha256[:16]}"
        expected = ", ".join(known) or "a standard that the trust file lists"
        return Check("standard_state", "unknown", found, expected)
    return Check("standard_state", standard.state, f"{standard.id} is {standard.state}", "a published version")


def _check_binding(claims: Claims, audio: AudioDigests | None) -> Check:
    expected = f"sha256 {claims.subject.audio_sha256}"
    if audio is None:
        return Check("binding", "not_checked", "no audio file was given", expected)
    if audio.unreadable:
        return Check("binding", "unchecked", audio.unreadable, expected, "Give the master file itself.")
    found = f"sha256 {audio.sha256}"
    if audio.sha256 == claims.subject.audio_sha256:
        return Check("binding", "sha256_match", found, expected)
    if audio.essence_sha256 and audio.essence_sha256 == claims.subject.essence_sha256:
        return Check("binding", "essence_match", "other file bytes, the same samples", expected)
    return Check("binding", "mismatch", found, expected, "Is this the master file, before any edit?")
