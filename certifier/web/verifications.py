"""The one verification, asked over HTTP: of a code of this installation, or of a document that somebody holds.

What is asked one by one here is asked by the thousand in ``batches``, with the same functions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import Field

from certifier.certificate.code import parse_code
from certifier.certificate.opened import Opened, open_certificate, open_document
from certifier.certificate.verification import AudioDigests, Material, Verification
from certifier.certificate.verify import check_opened, check_print
from certifier.errors import MalformedCode
from certifier.storage.rows import DeliveredRow
from certifier.web.documents import Document, verification_bytes
from certifier.web.memory import Kept
from certifier.web.parameters import DIGEST
from certifier.web.problems import ParameterInvalid
from certifier.web.questions import parse_as
from certifier.web.records import row_of
from certifier.web.site import Site


class AudioInQuestion(Document):
    """The file that the asker holds: SHA-256 of its bytes, and of its samples where known."""

    sha256: str = Field(pattern=DIGEST)
    essence_sha256: str | None = Field(default=None, pattern=DIGEST)


class VerificationRequest(Document):
    """Exactly one of ``code`` and ``credential``; a credential may bring its own proof (the .tlog-proof text).

    A credential is the JSON document itself, or the text of another form: a JWT, a badge SVG, the text of a print's QR.
    """

    code: str | None = Field(default=None, examples=["GG8W-7E5J-TV"])
    credential: dict[str, Any] | str | None = None
    proof: str | None = Field(default=None, max_length=64 * 1024)
    audio: AudioInQuestion | None = None


class Held(NamedTuple):
    """A document that somebody holds, read and not yet believed, and the proof that came with it.

    ``raw`` is empty for one that came as an object inside a question.
    """

    raw: bytes
    opened: Opened
    proof: bytes | None


def answer_to(site: Site, raw: bytes) -> bytes:
    """The answer to one question, both in JSON. Raises what the question deserves; ForeignInputError in most cases."""
    question = _parse_verification(raw)
    if question.code is None:
        return _told(site, _verification_for(site, question))
    # The same question about the same bytes at the same moment has the same answer, which says when it was given.
    answers, asked = site.answers(), (parse_code(question.code), question.audio)
    answer = answers.get(asked)
    if answer is None:
        answer = Kept([], _told(site, _verification_for(site, question)), "")
        answers.put(asked, answer)
    return answer.body


def _parse_verification(raw: bytes) -> VerificationRequest:
    question = parse_as(VerificationRequest, raw)
    if (question.code is None) == (question.credential is None):
        raise ParameterInvalid(
            "Send exactly one of 'code' and 'credential'.",
            found="both" if question.code else "none",
            expected="one",
            pointer="/code",
        )
    if question.code is not None and question.proof is not None:
        raise ParameterInvalid("A proof goes with a credential; a code has its own.", pointer="/proof")
    return question


def _told(site: Site, verification: Verification) -> bytes:
    return verification_bytes(verification, site.settings.environment)


def _verification_for(site: Site, question: VerificationRequest) -> Verification:
    audio = AudioDigests(question.audio.sha256, question.audio.essence_sha256) if question.audio else None
    if question.code is not None:
        return check_code(site, question.code, audio)
    proof = question.proof.encode() if question.proof is not None else None
    return check_document(site, question.credential or {}, proof, audio)


def check_code(site: Site, code: str, audio: AudioDigests | None = None) -> Verification:
    """Raises MalformedCode or NoSuchCertificate."""
    plain = parse_code(code)
    return site.verification_of(site.certifier.store.delivered(plain) or row_of(site, plain), site.clock(), audio)


def check_document(
    site: Site, sent: dict[str, Any] | str | bytes, proof: bytes | None, audio: AudioDigests | None = None
) -> Verification:
    """Check a certificate in any form with what this installation knows; without a proof, with the one that its log has.

    A print is checked together with the certificate that its code leads to here. Raises MalformedJson, MalformedCertificate or
    MalformedCode when it is no certificate at all.
    """
    now, held = site.clock(), held_of(sent, proof)
    code = code_needed(site, held)
    row = site.certifier.store.delivered(code) if code else None
    return check_held(site, held, row, site.material(now, None, audio), now)


def held_of(sent: dict[str, Any] | str | bytes, proof: bytes | None) -> Held:
    """A document as it was sent: in an object that was read strictly, or in any form as text or bytes.

    Raises MalformedJson, MalformedCertificate or MalformedCode when it is no certificate at all.
    """
    if isinstance(sent, dict):
        return Held(b"", open_document(sent), proof)
    raw = sent.encode() if isinstance(sent, str) else sent
    return Held(raw, open_certificate(raw), proof)


def check_held(site: Site, held: Held, row: DeliveredRow | None, common: Material, now: datetime) -> Verification:
    """As ``check_document``, with the row that ``code_needed`` asked for, and with what is known about any certificate."""
    if held.opened.form == "compact" and row:
        return check_print(held.raw, row.document, common.with_proof(row.proof), now)
    known = _proof_on_record(site, held.opened, row) if held.proof is None else held.proof
    return check_opened(held.opened, common.with_proof(known), now)


def check_audio(site: Site, audio: AudioDigests) -> list[Verification]:
    """The verification of each certificate for a file, the newest first; where there is none, for the samples in it."""
    store = site.certifier.store
    rows = store.certificates_for_audio(audio.sha256)
    if not rows and audio.essence_sha256:
        rows = store.certificates_for_essence(audio.essence_sha256)
    return [site.verification_of(row, site.clock(), audio) for row in reversed(rows) if row.document]


def code_needed(site: Site, held: Held) -> str | None:
    """The code whose certificate has to be looked up here before a document can be checked, if any."""
    opened = held.opened
    if opened.issuer != site.settings.did or (held.proof is not None and opened.form != "compact"):
        return None
    try:
        return parse_code(opened.code)
    except MalformedCode:
        return None


def _proof_on_record(site: Site, opened: Opened, row: DeliveredRow | None) -> bytes | None:
    """The proof that this installation's log has for the document; empty when the log does not hold it.

    An empty proof proves nothing: what our own key signed and our log does not hold is not valid (DESIGN 5). The log of
    another issuer is not at hand, so nothing is known of its documents.
    """
    if opened.issuer != site.settings.did:
        return None
    return (row.proof if row else None) or b""
