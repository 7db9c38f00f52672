"""The one verification, asked over HTTP: of a code of this installation, or of a document that somebody holds."""

from __future__ import annotations

from certifier.certificate.code import parse_code
from certifier.certificate.opened import Opened, open_certificate
from certifier.certificate.verification import AudioDigests, Verification
from certifier.certificate.verify import check_certificate, check_print
from certifier.errors import MalformedCode
from certifier.storage.rows import CertificateRow
from certifier.web.records import row_of
from certifier.web.site import Site


def check_code(site: Site, code: str, audio: AudioDigests | None = None) -> Verification:
    """Raises MalformedCode or NoSuchCertificate."""
    return site.verification_of(row_of(site, parse_code(code)), site.clock(), audio)


def check_document(site: Site, raw: bytes, proof: bytes | None, audio: AudioDigests | None = None) -> Verification:
    """Check a certificate in any form with what this installation knows; without a proof, with the one that its log has.

    A print is checked together with the certificate that its code leads to here. Raises MalformedJson, MalformedCertificate or
    MalformedCode when it is no certificate at all.
    """
    now, opened = site.clock(), open_certificate(raw)
    row = _row_behind(site, opened)
    if opened.form == "compact" and row and row.document:
        return check_print(raw, row.document, site.material(now, row.proof, audio), now)
    known = _proof_on_record(site, opened, row) if proof is None else proof
    return check_certificate(raw, site.material(now, known, audio), now)


def check_audio(site: Site, audio: AudioDigests) -> list[Verification]:
    """The verification of each certificate for a file, the newest first; where there is none, for the samples in it."""
    store = site.certifier.store
    rows = store.certificates_for_audio(audio.sha256)
    if not rows and audio.essence_sha256:
        rows = store.certificates_for_essence(audio.essence_sha256)
    return [site.verification_of(row, site.clock(), audio) for row in reversed(rows) if row.document]


def _row_behind(site: Site, opened: Opened) -> CertificateRow | None:
    """What is stored here under the code that a document of this issuer names."""
    if opened.issuer != site.settings.did:
        return None
    try:
        return site.certifier.store.certificate(parse_code(opened.code))
    except MalformedCode:
        return None


def _proof_on_record(site: Site, opened: Opened, row: CertificateRow | None) -> bytes | None:
    """The proof that this installation's log has for the document; empty when the log does not hold it.

    An empty proof proves nothing: what our own key signed and our log does not hold is not valid (DESIGN 5). The log of
    another issuer is not at hand, so nothing is known of its documents.
    """
    if opened.issuer != site.settings.did:
        return None
    return (row.proof if row else None) or b""
