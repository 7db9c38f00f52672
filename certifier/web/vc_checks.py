"""Whether a credential or presentation of anybody verifies, and if not, at which step and why.

The steps for a credential:
 (1) it fits the data model
 (2) it is one of ours? Then the one verification decides (``check_certificate``), with log and status
 (3) its one proof can be read, and was made for what the asker has in mind
 (4) the issuer is who holds the key
 (5) the key can be had and may assert
 (6) the signature fits
 (7) the dates
 (8) every status that it names can be had, and says nothing against it

What cannot be found out is a reason of its own and never counts as good. Asking for fewer checks makes nothing good either.

Sources: VC Data Model 2.0 section 7.1, Data Integrity 1.0 section 4.4, Bitstring Status List 1.0 section 3.2, VC-API.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from certifier.certificate.did import PURPOSES as PROOF_PURPOSES
from certifier.certificate.did import Method, did_web_url, key_in_document, key_of_did_key, parse_method
from certifier.certificate.integrity import Proof, check_proof_options, parse_proof, sign_with, verify_proof
from certifier.certificate.jose import parse_jwt, verify_jwt
from certifier.certificate.rdfc import CREDENTIALS_V2
from certifier.certificate.status import PURPOSES
from certifier.certificate.times import time_text
from certifier.certificate.vcdm import ENVELOPED, check_credential, check_presentation, moment_of, party_of
from certifier.certificate.verification import Verification
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import (
    AddressRefused,
    BadSignature,
    BusyError,
    CertifierError,
    CredentialRefused,
    ForeignInputError,
    MalformedCredential,
    UnreachableError,
)
from certifier.service.sandbox import is_sandbox, list_payload, list_url
from certifier.web.site import Site
from certifier.web.verifications import check_document

SKEW = timedelta(seconds=300)
MOST_CREDENTIALS = 10  # in one presentation
MOST_FETCHES = 4  # for one question
FETCH_SECONDS = 8.0  # after so many, nothing more is begun
MOST_STATUSES = 4  # of one credential
SHORTEST_LIST = 131_072  # Bitstring Status List 1.0, section 6.1: shorter ones hide nobody
LONGEST_LIST = 8 * 1024 * 1024
FETCHED = Limits(max_bytes=64 * 1024, max_depth=32, max_nodes=4_000)
UNCHECKED = ("credentialSchema", "refreshService", "termsOfUse", "relatedResource")
LIST_TYPE = "BitstringStatusListCredential"

_DATA_MODEL = "https://www.w3.org/TR/vc-data-model#"
_INTEGRITY = "https://w3id.org/security#"
_STATUS = "https://www.w3.org/ns/credentials/status-list#"
# step -> the problem type of the specification that describes it
TYPES = {
    "malformed": f"{_DATA_MODEL}MALFORMED_VALUE_ERROR",
    "domain": f"{_INTEGRITY}INVALID_DOMAIN_ERROR",
    "challenge": f"{_INTEGRITY}INVALID_CHALLENGE_ERROR",
    "document": f"{_INTEGRITY}PROOF_TRANSFORMATION_ERROR",
    "not_yet_valid": f"{_DATA_MODEL}RANGE_ERROR",
    "expired": f"{_DATA_MODEL}RANGE_ERROR",
    "status_unchecked": f"{_STATUS}STATUS_RETRIEVAL_ERROR",
    "status_list": f"{_STATUS}STATUS_VERIFICATION_ERROR",
    "status_length": f"{_STATUS}STATUS_LIST_LENGTH_ERROR",
    "status_range": f"{_STATUS}RANGE_ERROR",
    "status_unsupported": f"{_STATUS}STATUS_VERIFICATION_ERROR",
    "revoked": f"{_STATUS}STATUS_VERIFICATION_ERROR",
    "suspended": f"{_STATUS}STATUS_VERIFICATION_ERROR",
}
OTHER_TYPE = f"{_INTEGRITY}PROOF_VERIFICATION_ERROR"
_PURPOSE_STEPS = {"revocation": "revoked", "suspension": "suspended"}
# What a token says to the options of a question: it asserts, for no domain and to no challenge.
_OF_TOKEN = Proof("", "", "assertionMethod", b"", {})
_DATA_URL = re.compile(r"data:application/(?:vc\+)?jwt,([A-Za-z0-9_.-]+)", re.ASCII)


@dataclass(frozen=True)
class Question:
    """What the asker expects of the proof: its purpose where that is not the usual one, its domain, its challenge."""

    purpose: str | None = None
    domain: Any = None
    challenge: str | None = None


@dataclass(frozen=True)
class Fault:
    """One reason why it does not verify: a word for machines, a sentence, what was found and expected."""

    step: str
    message: str
    found: str | None = None
    expected: str | None = None
    hint: str | None = None
    pointer: str | None = None

    def to_document(self) -> dict[str, str]:
        """In the form of problem details (RFC 9457)."""
        detail = f"{self.message} Found: {self.found}." if self.found else self.message
        more = {"found": self.found, "expected": self.expected, "hint": self.hint, "pointer": self.pointer}
        return {
            "type": TYPES.get(self.step, OTHER_TYPE),
            "code": self.step,
            "title": self.message,
            "detail": detail,
            **{name: value for name, value in more.items() if value},
        }


@dataclass(frozen=True)
class Outcome:
    """The answer. ``verification`` is the one verification, for a certificate of this label."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    verification: Verification | None = None
    inner: tuple[Outcome, ...] = field(default=())

    @property
    def verified(self) -> bool:
        return not self.faults and all(outcome.verified for outcome in self.inner)


class Checker:
    """Answers one question; whatever it fetches, it fetches once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._now = site.clock()
        self._fetched: dict[str, bytes] = {}
        self._ends = monotonic() + FETCH_SECONDS

    # -- credentials ------------------------------------------------------------------------------------------------

    def credential(self, document: dict[str, Any], question: Question = Question()) -> Outcome:
        """Whether a credential verifies. Raises only what is a fault of this installation."""
        try:
            return self._credential(document, question)
        except CertifierError as error:
            return Outcome((_fault_of(error),))

    def _credential(self, document: dict[str, Any], question: Question) -> Outcome:
        if ENVELOPED in _types_of(document):
            return self._enveloped(document, question)
        check_credential(document)  # (1)
        if self._is_ours(document):  # (2)
            self._check_proof(document, "assertionMethod", question)
            return self._own(_bytes_of(document))
        self._check_signed(document, party_of(document, "issuer"), "assertionMethod", question)  # (3) to (6)
        return self._in_force(document)  # (7), (8)

    def _is_ours(self, document: dict[str, Any]) -> bool:
        """Whether it names this label as its issuer. The label's status lists are no certificates, and go the common way."""
        is_list = set(_types_of(document)) == {"VerifiableCredential", LIST_TYPE}
        is_here = str(document.get("id")).startswith(f"{self._site.settings.base_url}/status/")
        return party_of(document, "issuer") == self._site.settings.did and not (is_list and is_here)

    def _own(self, raw: bytes) -> Outcome:
        verification = check_document(self._site, raw, None)
        if verification.verdict in {"valid", "valid_with_warnings"}:
            warnings = (verification.because,) if verification.verdict == "valid_with_warnings" else ()
            return Outcome(warnings=warnings, verification=verification)
        fault = Fault(verification.reason, verification.because, _what_failed(verification))
        return Outcome((fault,), verification=verification)

    def _enveloped(self, document: dict[str, Any], question: Question) -> Outcome:
        """A credential inside a data address (VC Data Model 2.0, section 4.13.1): a signed token."""
        contexts, found = document.get("@context"), _DATA_URL.fullmatch(str(document.get("id")))
        if CREDENTIALS_V2 not in (contexts if isinstance(contexts, list) else [contexts]):
            raise _malformed("/@context", contexts, CREDENTIALS_V2)
        if document.get("type") not in (ENVELOPED, [ENVELOPED]):
            raise _malformed("/type", document.get("type"), ENVELOPED)
        if not found:
            raise _malformed("/id", str(document.get("id"))[:60], "data:application/vc+jwt, and the token")
        token = parse_jwt(found.group(1))
        check_credential(token.unsigned)
        wanted = question.purpose or _OF_TOKEN.purpose
        check_proof_options(
            _OF_TOKEN, purpose=wanted, domain=question.domain, challenge=question.challenge, now=self._now
        )
        if self._is_ours(token.unsigned):
            return self._own(found.group(1).encode())
        method = parse_method(token.kid)
        _require_holder(party_of(token.unsigned, "issuer"), method, "issuer")
        verify_jwt(found.group(1), self._key_for(method, "assertionMethod"))
        return self._in_force(token.unsigned)

    def _check_proof(self, document: dict[str, Any], purpose: str, question: Question) -> Proof:
        """(3) The proof, once it was made for what the asker has in mind."""
        proof, wanted = parse_proof(document), question.purpose or purpose
        check_proof_options(proof, purpose=wanted, domain=question.domain, challenge=question.challenge, now=self._now)
        if wanted not in PROOF_PURPOSES:
            raise CredentialRefused(
                "Proofs of this purpose are not verified here.",
                step="proof_purpose",
                found=wanted[:80],
                expected=" or ".join(PROOF_PURPOSES),
            )
        return proof

    def _check_signed(self, document: dict[str, Any], party: str | None, purpose: str, question: Question) -> None:
        proof = self._check_proof(document, purpose, question)  # (3)
        method = parse_method(proof.method)
        _require_holder(party, method, "issuer" if purpose == "assertionMethod" else "holder")  # (4)
        verify_proof(document, proof, self._key_for(method, proof.purpose))  # (5), (6)

    def _in_force(self, document: dict[str, Any]) -> Outcome:
        faults = [*self._date_faults(document)] or [*self._status_faults(document)]
        issuer = party_of(document, "issuer")
        warnings = [f"Issued by {issuer}: this is no certificate of the label."]
        warnings += [f"{name} was not looked at." for name in UNCHECKED if name in document]
        return Outcome(tuple(faults), tuple(warnings))

    def _date_faults(self, document: dict[str, Any]) -> Iterator[Fault]:
        begins, ends, now = document.get("validFrom"), document.get("validUntil"), time_text(self._now)
        if begins and self._now + SKEW < moment_of(begins):
            yield Fault("not_yet_valid", "The credential is not valid yet.", f"validFrom {begins}", f"now {now}")
        if ends and self._now > moment_of(ends):
            yield Fault("expired", "The credential has expired.", f"validUntil {ends}", f"now {now}")

    # -- presentations ----------------------------------------------------------------------------------------------

    def presentation(self, document: dict[str, Any], question: Question = Question()) -> Outcome:
        """Whether a presentation and everything in it verifies. Raises only what is a fault of this installation."""
        try:
            return self._presentation(document, question)
        except CertifierError as error:
            return Outcome((_fault_of(error),))

    def _presentation(self, document: dict[str, Any], question: Question) -> Outcome:
        check_presentation(document)
        held = document.get("verifiableCredential", [])
        credentials = held if isinstance(held, list) else [held]
        if len(credentials) > MOST_CREDENTIALS:
            raise _malformed("/verifiableCredential", f"{len(credentials)} credentials", f"at most {MOST_CREDENTIALS}")
        holder = party_of(document, "holder")
        signer = parse_method(parse_proof(document).method).did
        self._check_signed(document, holder or signer, "authentication", question)
        return Outcome(inner=tuple(self._inside(credential, holder) for credential in credentials))

    def _inside(self, credential: dict[str, Any], holder: str | None) -> Outcome:
        """A credential inside a presentation whose proof was verified.

        One without a proof of its own is what the holder says of itself (VC Data Model 2.0, section 4.13.3).
        """
        if "proof" in credential or ENVELOPED in _types_of(credential):
            return self.credential(credential)
        try:
            check_credential(credential)
            if holder is None or party_of(credential, "issuer") != holder:
                raise CredentialRefused(
                    "A credential without a proof is the holder's own word, and this one is not by the holder.",
                    step="proof_missing",
                    found=f"issuer {party_of(credential, 'issuer')}, holder {holder}"[:200],
                    expected="a proof, or the holder as the issuer",
                )
            return self._in_force(credential)
        except CertifierError as error:
            return Outcome((_fault_of(error),))

    # -- keys -------------------------------------------------------------------------------------------------------

    def _key_for(self, method: Method, purpose: str) -> PublicKey:
        """(5) The key behind a verification method: from the did:key itself, from here, or fetched."""
        if method.kind == "did:key":
            return key_of_did_key(method)
        if method.did == self._site.settings.did:
            return self._own_key(method, purpose)
        with _told_as("did_unresolved", "The issuer's DID document could not be had, so nothing can be said."):
            raw = self._fetch(did_web_url(method.did), "application/did+json, application/json")
        with _told_as("did_document", "The DID document cannot be read."):
            document = parse_object(raw, FETCHED)
        return key_in_document(document, method, purpose, self._now)

    def _own_key(self, method: Method, purpose: str) -> PublicKey:
        if purpose != "assertionMethod":
            raise CredentialRefused("The keys of this label do nothing but assert.", step="key_purpose", found=purpose)
        key = self._site.trust(self._now).key_for(method.url)
        if key is None or key.last_good is not None or not key.was_in_force(self._now):
            raise CredentialRefused(
                "This label has no key of this name in force.", step="key_unknown", found=method.url[:200]
            )
        return key.key

    # -- status -----------------------------------------------------------------------------------------------------

    def _status_faults(self, document: dict[str, Any]) -> Iterator[Fault]:
        """(8) What the status lists say against it, and what they could not be asked."""
        found = document.get("credentialStatus", [])
        entries = found if isinstance(found, list) else [found]
        if len(entries) > MOST_STATUSES:
            yield Fault("status_unsupported", "The credential names too many status lists.", f"{len(entries)} entries")
            return
        for entry in entries:
            try:
                self._check_status(entry, document)
            except CertifierError as error:
                yield _fault_of(error)

    def _check_status(self, entry: dict[str, Any], document: dict[str, Any]) -> None:
        if (
            entry["type"] not in ("BitstringStatusListEntry", ["BitstringStatusListEntry"])
            or entry.get("statusSize", 1) != 1
        ):
            raise CredentialRefused(
                "The credential has a status of a kind that is not checked here.",
                step="status_unsupported",
                found=str(entry["type"])[:120],
                expected="BitstringStatusListEntry with one bit",
            )
        listed = self._status_list(entry["statusListCredential"], party_of(document, "issuer"))
        subject = listed["credentialSubject"]
        purposes = subject.get("statusPurpose")
        if entry["statusPurpose"] not in (purposes if isinstance(purposes, list) else [purposes]):
            raise _bad_list(f"statusPurpose {purposes}", f"statusPurpose {entry['statusPurpose']}")
        bits = _bits_of(subject.get("encodedList"))
        index = int(entry["statusListIndex"])
        if index >= 8 * len(bits):
            raise CredentialRefused(
                "The credential's place lies outside its status list.",
                step="status_range",
                found=str(index),
                expected=f"below {8 * len(bits)}",
            )
        if bits[index // 8] & 128 >> index % 8:
            purpose = entry["statusPurpose"]
            step = _PURPOSE_STEPS.get(purpose, "status_set")
            raise CredentialRefused(
                f"The credential was {step}." if step != "status_set" else "The credential's status is set.",
                step=step,
                found=f"its bit in the {purpose[:40]} list is set",
            )

    def _status_list(self, url: str, issuer: str | None) -> dict[str, Any]:
        """A status list whose own proof was verified: of the same issuer, of this address, in its dates."""
        with _told_as("status_unchecked", "A status list could not be had, so nothing is known of the status."):
            raw = self._list_bytes(url)
        with _told_as("status_list", "A status list cannot be relied on."):
            document = parse_object(raw, FETCHED)
            check_credential(document)
            if party_of(document, "issuer") != issuer:
                raise _bad_list(f"issuer {party_of(document, 'issuer')}", f"issuer {issuer}")
            if LIST_TYPE not in _types_of(document) or document.get("id", url) != url:
                raise _bad_list(f"{document.get('id')}: {', '.join(_types_of(document))}"[:200], f"{LIST_TYPE} {url}")
            subject = document["credentialSubject"]
            if not isinstance(subject, dict) or subject.get("type") != "BitstringStatusList":
                raise _bad_list("another subject", "a BitstringStatusList")
            self._check_signed(document, issuer, "assertionMethod", Question())
            for fault in self._date_faults(document):
                raise _bad_list(fault.found or fault.message, "a status list in its dates")
        return document

    def _list_bytes(self, url: str) -> bytes:
        settings = self._site.settings
        if url.startswith(f"{settings.base_url}/status/"):
            return self._site.status_lists(self._site.minute()).get(url, b"")
        for purpose in PURPOSES if is_sandbox(settings) else ():
            if url == list_url(settings, purpose):
                return _bytes_of(sandbox_list(self._site, purpose))
        return self._fetch(url, "application/vc, application/json")

    def _fetch(self, url: str, accept: str) -> bytes:
        if url not in self._fetched:
            if len(self._fetched) >= MOST_FETCHES or monotonic() > self._ends:
                raise UnreachableError("Too much would have to be fetched for this question.", found=url[:200])
            self._fetched[url] = b""  # a fault counts too
            self._fetched[url] = self._site.egress.fetch(url, accept)
        if not self._fetched[url]:
            raise UnreachableError("It could not be had a moment ago.", found=url[:200])
        return self._fetched[url]


def sandbox_list(site: Site, purpose: str) -> dict[str, Any]:
    """The sandbox's signed status list of a purpose. Raises SandboxOnly elsewhere."""
    key, minute = site.sandbox_key, site.minute()
    payload = list_payload(site.settings, purpose, key.public.did_key, minute)
    method = f"{key.public.did_key}#{key.public.multibase}"
    return sign_with(payload, key, cryptosuite="eddsa-jcs-2022", method=method, created=time_text(minute))


def _types_of(document: dict[str, Any]) -> list[Any]:
    types = document.get("type")
    return types if isinstance(types, list) else [types]


def _bytes_of(document: dict[str, Any]) -> bytes:
    # A fraction stays one: no certificate of ours holds any, so the check finds it changed.
    return json.dumps(document, ensure_ascii=False, default=float).encode()


def _what_failed(verification: Verification) -> str | None:
    told = [check for check in verification.checks if check.outcome != "ok" and check.found]
    return "; ".join(f"{check.axis} {check.value}: {check.found}" for check in told)[:400] or None


def _require_holder(party: str | None, method: Method, name: str) -> None:
    if party != method.did:
        raise CredentialRefused(
            f"The key belongs to somebody else than the {name}.",
            step=f"{name}_mismatch",
            found=f"a key of {method.did}"[:200],
            expected=f"a key of {party}"[:200],
        )


def _malformed(pointer: str, found: Any, expected: str) -> MalformedCredential:
    return MalformedCredential(
        "The document does not fit the Verifiable Credentials Data Model 2.0.",
        found=str(found)[:120],
        expected=expected,
        pointer=pointer,
    )


def _bad_list(found: str, expected: str) -> CredentialRefused:
    return CredentialRefused(
        "A status list cannot be relied on.", step="status_list", found=found[:200], expected=expected[:200]
    )


def _bits_of(encoded: Any) -> bytes:
    """The bits of a list of others, at least as many as hide a single one and never more than fit. Raises CredentialRefused."""
    try:
        if not isinstance(encoded, str) or not encoded.startswith("u"):
            raise _bad_list(str(encoded)[:20], "an encodedList in multibase base64url")
        text = encoded[1:]
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj(wbits=31)
        bits = reader.decompress(packed, LONGEST_LIST // 8 + 1)
        if len(bits) > LONGEST_LIST // 8 or not reader.eof:
            raise _bad_list("a list that unpacks to too much, or is cut off", f"at most {LONGEST_LIST} bits")
    except (binascii.Error, ValueError, zlib.error) as error:
        raise _bad_list("bits that cannot be unpacked", "base64url of gzip") from error
    if 8 * len(bits) < SHORTEST_LIST:
        raise CredentialRefused(
            "A status list is too short to hide anybody in it.",
            step="status_length",
            found=f"{8 * len(bits)} bits",
            expected=f"at least {SHORTEST_LIST} bits",
        )
    return bits


@contextmanager
def _told_as(step: str, message: str) -> Iterator[None]:
    """Whatever goes wrong inside is told as this step, with what was found; what names a step of its own keeps it.

    That too much is asked here just now is told as it is: it says nothing of the document.
    """
    try:
        yield
    except BusyError:
        raise
    except CredentialRefused as error:
        if step == "status_list" and not error.step.startswith("status"):
            raise _retold(step, message, error) from error
        raise
    except AddressRefused as error:
        if step == "did_unresolved":
            told = "The issuer's DID leads to an address from which nothing is fetched; nothing was sent."
            raise _retold("address_refused", told, error) from error
        raise _retold(step, message, error) from error
    except CertifierError as error:
        raise _retold(step, message, error) from error


def _retold(step: str, message: str, error: CertifierError) -> CredentialRefused:
    found = f"{error.message} {error.found or ''}".strip()[:300]
    return CredentialRefused(message, step=step, found=found, expected=error.expected)


def _fault_of(error: CertifierError) -> Fault:
    """An error as a fault of the document. Faults of this installation go on as what they are."""
    if not isinstance(error, ForeignInputError):
        raise error
    step = error.step if isinstance(error, CredentialRefused) else "malformed"
    if isinstance(error, BadSignature):
        step = "signature"
    return Fault(step, error.message, error.found, error.expected, error.hint, error.pointer)
