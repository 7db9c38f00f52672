"""The certificate as a document: a W3C Verifiable Credential 2.0 in the vocabulary of Open Badges 3.0.

Sources: VC Data Model 2.0, Open Badges 3.0 (context 3.0.3), LCAL section 11. No context of our own, so that any badge software
can read it. The unsigned document is the *payload*: the log's leaf commits to its canonical bytes before it is signed.
"""

from __future__ import annotations

import base64
import binascii
import re
from types import NoneType
from typing import Any

from certifier.certificate.code import parse_code
from certifier.certificate.model import OUTCOMES, Assessor, Basis, Claims, Figures, Issuer, Subject
from certifier.certificate.status import status_entries_of
from certifier.certificate.times import parse_time, time_text
from certifier.errors import MalformedCertificate, MalformedCode

CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
TYPES = ["VerifiableCredential", "OpenBadgeCredential"]
_BEFORE_VERSION = re.compile(r"-(?=[0-9])")
UNIT = "g CO2e per minute of finished music"

# name of a result -> (what it is, Open Badges resultType, unit)
RESULTS: dict[str, tuple[str, str, str]] = {
    "assessed": ("AI generation footprint, at most (upper bound)", "RawScore", UNIT),
    "central": ("AI generation footprint, best estimate", "RawScore", UNIT),
    "consumer": (
        "Part of the person who generates: inference, storage, their hardware (best estimate)",
        "RawScore",
        UNIT,
    ),
    "provider": ("Part of the model's provider: data, training, fine-tuning (best estimate)", "RawScore", UNIT),
    "assurance": ("Evidence level: A0 self-declared, A1 measured by a registered party, A2 verified", "Result", ""),
    "data-quality": ("Data quality rating: A at least 80 % metered or sensed, B at least 50 %, else C", "Result", ""),
    "post-production": ("Post-production line, never part of the figure", "Result", UNIT),
    "calculated": ("Whether defaults carry more than half of the figure", "Result", ""),
    "outcome": ("Outcome under the standard", "Status", ""),
}


def page_url(base_url: str, code: str) -> str:
    return f"{base_url}/v/{code}"


def standard_url(base_url: str, standard: str) -> str:
    name, version = name_and_version(standard)
    return f"{base_url}/standards/{name.lower()}/{version}"


def name_and_version(standard: str) -> tuple[str, str]:
    """The two parts of an id such as LCAL-1.1.0-draft: the version begins with the first digit after a hyphen."""
    name, version = _BEFORE_VERSION.split(standard, maxsplit=1)
    return name, version


def payload_for(claims: Claims) -> dict[str, Any]:
    """The unsigned credential. The same claims give the same bytes."""
    base, standard = claims.issuer.base_url, standard_url(claims.issuer.base_url, claims.basis.standard)
    return {
        "@context": CONTEXTS,
        "id": page_url(base, claims.code),
        "type": TYPES,
        "name": OUTCOMES[claims.outcome],
        "issuer": {"id": claims.issuer.did, "type": ["Profile"], "name": claims.issuer.name, "url": base},
        "validFrom": time_text(claims.issued_at),
        "validUntil": time_text(claims.expires_at),
        "awardedDate": time_text(claims.issued_at),
        "credentialSubject": {
            "id": f"urn:sha256:{claims.subject.audio_sha256}",
            "type": ["AchievementSubject"],
            "identifier": _identifiers(claims.subject),
            "narrative": f"{claims.subject.title} — {claims.subject.artist}",
            "source": _assessor(claims.assessor, base),
            "achievement": _achievement(claims, standard),
            "result": _results(claims, standard),
        },
        "evidence": [
            _evidence(base, claims.code, "report", "Signed emission report", claims.basis.report_sha256),
            _evidence(base, claims.code, "decision", "Decision record", claims.basis.decision_sha256),
        ],
        "credentialStatus": [entry.to_document() for entry in claims.status],
    }


def _identifiers(subject: Subject) -> list[dict[str, Any]]:
    known = {
        "ext:audio-sha256": subject.audio_sha256,
        "ext:audio-essence-v1-sha256": subject.essence_sha256,
        "ext:ISRC": subject.isrc,
        "ext:title": subject.title,
        "ext:artist": subject.artist,
    }
    return [
        {"type": "IdentityObject", "hashed": False, "identityHash": value, "identityType": kind}
        for kind, value in known.items()
        if value
    ]


def _assessor(assessor: Assessor, base_url: str) -> dict[str, Any]:
    return {
        "id": f"{base_url}/scheme#{assessor.id}",
        "type": ["Profile"],
        "name": assessor.name,
        "otherIdentifier": [
            {"type": "IdentifierEntry", "identifier": assessor.kind, "identifierType": "ext:assessor-kind"},
            {"type": "IdentifierEntry", "identifier": assessor.id, "identifierType": "ext:assessor-id"},
        ],
    }


def _achievement(claims: Claims, standard: str) -> dict[str, Any]:
    limit = claims.figures.limit_g_per_min
    return {
        "id": f"{standard}/outcomes/{claims.outcome}",
        "type": ["Achievement"],
        "achievementType": "Certification",
        "version": name_and_version(claims.basis.standard)[1],
        "name": f"{claims.basis.standard}: {OUTCOMES[claims.outcome]}",
        "description": f"At most {limit} {UNIT}. AI generation only: data to storage, with hardware. Climate only, no offsets.",
        "criteria": {"id": standard, "narrative": "The rule files are bound by their digest in otherIdentifier."},
        "resultDescription": [_result_description(standard, name, claims.figures) for name in RESULTS],
        "otherIdentifier": [
            {"type": "IdentifierEntry", "identifier": digest, "identifierType": f"ext:{what}-sha256"}
            for what, digest in (("standard", claims.basis.standard_sha256), ("tables", claims.basis.tables_sha256))
        ],
    }


def _result_description(standard: str, name: str, figures: Figures) -> dict[str, Any]:
    what, kind, unit = RESULTS[name]
    text = f"{what}, {unit}" if unit else what
    description = {"id": f"{standard}#{name}", "type": ["ResultDescription"], "name": text, "resultType": kind}
    return {**description, "valueMin": "0", "valueMax": figures.limit_g_per_min} if name == "assessed" else description


def _results(claims: Claims, standard: str) -> list[dict[str, Any]]:
    figures = claims.figures
    values = {
        "assessed": figures.assessed_g_per_min,
        "central": figures.central_g_per_min,
        "consumer": figures.consumer_g_per_min,
        "provider": figures.provider_g_per_min,
        "assurance": claims.basis.evidence_level,
        "data-quality": figures.data_quality,
        "post-production": figures.post_production,
        "calculated": "yes" if figures.calculated else "no",
        "outcome": claims.outcome,
    }
    return [
        {"type": ["Result"], "resultDescription": f"{standard}#{name}", "value": value}
        for name, value in values.items()
    ]


def _evidence(base: str, code: str, kind: str, name: str, sha256: str) -> dict[str, Any]:
    return {
        "id": f"{page_url(base, code)}.{kind}.json",
        "type": ["Evidence"],
        "name": name,
        "genre": f"ext:{kind}",
        "digestSRI": "sha256-" + base64.b64encode(bytes.fromhex(sha256)).decode(),
    }


# Members that may be something else than text.
_OTHERWISE = {"essence_sha256": NoneType, "isrc": NoneType, "calculated": bool}


def _require_text(claims: Claims) -> None:
    """Every member that is shown or compared is text; a signed document may hold anything else."""
    for part in (claims.issuer, claims.subject, claims.figures, claims.basis, claims.assessor):
        if {*map(type, part)} != {str}:
            for name, value in zip(part._fields, part, strict=True):
                if type(value) is not str and type(value) is not _OTHERWISE.get(name):
                    raise TypeError(f"{name} is {type(value).__name__}")


def parse_claims(unsigned: dict[str, Any]) -> Claims:
    """The claims inside a certificate, members that this version does not know left aside (they are signed all the same).

    Raises MalformedCertificate when a member that every certificate has is missing or of another form.
    """
    try:
        claims = _read_claims(unsigned)
        _require_text(claims)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, MalformedCode) as error:
        raise MalformedCertificate(
            "This is not a certificate of the Low-Carbon Audio Label.",
            found=(f"no member {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}")[:120],
            expected="an Open Badges 3.0 credential as this label writes it",
        ) from error
    return claims


def _read_claims(unsigned: dict[str, Any]) -> Claims:
    subject, issuer = unsigned["credentialSubject"], unsigned["issuer"]
    base, _, code = unsigned["id"].rpartition("/v/")
    values = {result["resultDescription"].rpartition("#")[2]: result["value"] for result in subject["result"]}
    identity = {entry["identityType"]: entry["identityHash"] for entry in subject["identifier"]}
    achievement = subject["achievement"]
    other = {entry["identifierType"]: entry["identifier"] for entry in achievement["otherIdentifier"]}
    assessor = {entry["identifierType"]: entry["identifier"] for entry in subject["source"]["otherIdentifier"]}
    digests = {entry["genre"]: _sha256_of(entry["digestSRI"]) for entry in unsigned["evidence"]}
    return Claims(
        code=parse_code(code),
        outcome=values["outcome"],
        issuer=Issuer(issuer["id"], issuer["name"], base),
        subject=Subject(
            identity["ext:title"],
            identity["ext:artist"],
            identity["ext:audio-sha256"],
            identity.get("ext:audio-essence-v1-sha256"),
            identity.get("ext:ISRC"),
        ),
        figures=Figures(
            values["assessed"],
            values["central"],
            values["consumer"],
            values["provider"],
            achievement["resultDescription"][0]["valueMax"],
            values["data-quality"],
            values["post-production"],
            values["calculated"] == "yes",
        ),
        basis=Basis(
            achievement["name"].partition(":")[0],
            other["ext:standard-sha256"],
            other["ext:tables-sha256"],
            digests["ext:report"],
            digests["ext:decision"],
            values["assurance"],
        ),
        assessor=Assessor(assessor["ext:assessor-kind"], assessor["ext:assessor-id"], subject["source"]["name"]),
        issued_at=parse_time(unsigned["validFrom"]),
        expires_at=parse_time(unsigned["validUntil"]),
        status=status_entries_of(unsigned),
    )


def _sha256_of(digest_sri: str) -> str:
    return binascii.a2b_base64(digest_sri.removeprefix("sha256-"), strict_mode=True).hex()
