"""The one verification, asked over HTTP: of a code of this installation, or of a document that somebody holds."""

from __future__ import annotations

from certifier.certificate.code import parse_code
from certifier.certificate.verify import AudioDigests, Verification, check_certificate
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedCode
from certifier.web.records import row_of
from certifier.web.site import Site


def check_code(site: Site, code: str, audio: AudioDigests | None = None) -> Verification:
    """Raises MalformedCode or NoSuchCertificate."""
    return site.verification_of(row_of(site, parse_code(code)), site.clock(), audio)


def check_document(site: Site, raw: bytes, proof: bytes | None, audio: AudioDigests | None = None) -> Verification:
    """Check a certificate file with what this installation knows; without a proof, with the one that its log has.

    Raises MalformedJson or MalformedCertificate when it is no certificate at all.
    """
    now = site.clock()
    known = _proof_on_record(site, raw) if proof is None else proof
    return check_certificate(raw, site.material(now, known, audio), now)


def check_audio(site: Site, audio: AudioDigests) -> list[Verification]:
    """The verification of each certificate for a file, the newest first."""
    rows = site.certifier.store.certificates_for_audio(audio.sha256)
    return [site.verification_of(row, site.clock(), audio) for row in reversed(rows) if row.document]


def _proof_on_record(site: Site, raw: bytes) -> bytes | None:
    """The proof that this installation's log has for the document; empty when the log does not hold it.

    An empty proof proves nothing: what our own key signed and our log does not hold is not valid (DESIGN 5). The log of
    another issuer is not at hand, so nothing is known of its documents.
    """
    document = parse_object(raw)
    issuer = document.get("issuer")
    if not isinstance(issuer, dict) or issuer.get("id") != site.settings.did:
        return None
    try:
        row = site.certifier.store.certificate(parse_code(str(document.get("id")).rpartition("/v/")[2]))
    except MalformedCode:
        return b""
    return (row.proof if row else None) or b""
