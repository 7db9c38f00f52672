"""One certificate for programs, under ``/api/v1/certificates/CODE``: its forms and files, how it stands, whether it verifies.

The forms and files are the ones under ``/v/CODE``, made by the same functions. A code in any spelling is answered at once: the
one that other answers hold has hyphens, and not every client follows a redirect.
"""

from __future__ import annotations

from flask import Response

from certifier.certificate.code import display_code, parse_code
from certifier.certificate.status import PURPOSES, entry_at
from certifier.certificate.times import time_text
from certifier.certificate.verification import AudioDigests
from certifier.errors import NotFoundError
from certifier.storage.rows import CertificateRow
from certifier.web import certificates
from certifier.web.documents import ChangeView, StatusPlaceView, StatusView, verification_view
from certifier.web.parameters import digest_in
from certifier.web.problems import ParameterInvalid
from certifier.web.records import record_of, row_of
from certifier.web.responses import checked_query, json_reply
from certifier.web.site import Site

# media type -> suffix, the default first; a page is no form of the API
BY_TYPE = {media_type: suffix for media_type, suffix in certificates.BY_TYPE.items() if suffix}


def show(site: Site, code: str) -> Response:
    """The certificate in the form that the suffix or the Accept header asks for."""
    text, dot, suffix = code.partition(".")
    if dot and suffix not in BY_TYPE.values():
        expected = " ".join(f".{each}" for each in BY_TYPE.values())
        raise NotFoundError("A certificate does not come in this form.", found=f".{suffix}"[:40], expected=expected)
    code = parse_code(text)
    if dot:
        return certificates.FORMS[suffix](site, code)
    return certificates.negotiated(site, code, BY_TYPE, f"/api/v1/certificates/{code}")


def decision_record(site: Site, code: str) -> Response:
    """What only the issuer knew when it decided; its digest stands in the certificate."""
    return certificates.decision_record(site, parse_code(code))


def report(site: Site, code: str) -> Response:
    """The signed report, byte for byte as it was sent."""
    return certificates.report(site, parse_code(code))


def log_proof(site: Site, code: str) -> Response:
    """The proof that the log holds the certificate (C2SP tlog-proof)."""
    return certificates.proof(site, parse_code(code))


def status(site: Site, code: str) -> Response:
    """How the certificate stands now, by the log."""
    checked_query()
    minute = site.minute()
    record = record_of(site, parse_code(code), minute)
    row = record.row
    view = StatusView(
        code=display_code(row.code),
        state=record.state,
        checked_at=time_text(minute),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        changes=[ChangeView.model_validate(vars(change)) for change in record.changes],
        lists=tuple(_place(site, row, purpose) for purpose in PURPOSES),
    )
    return json_reply(view, "a minute")


def _place(site: Site, row: CertificateRow, purpose: str) -> StatusPlaceView:
    place = row.revocation_index if purpose == "revocation" else row.suspension_index
    entry = entry_at(site.settings.base_url, purpose, place)
    return StatusPlaceView(purpose=purpose, list=f"/status/{purpose}/{entry.number}", index=entry.index)


def verification(site: Site, code: str) -> Response:
    """What a verification of the code answers, for clients that can only GET; to the minute, so that caches can keep it."""
    asked = checked_query(sha256=None, essence_sha256=None)
    sha256, essence_sha256 = digest_in(asked, "sha256"), digest_in(asked, "essence_sha256")
    if essence_sha256 and not sha256:
        raise ParameterInvalid(
            "The digest of the samples goes with that of the file.", expected="sha256 too", pointer="sha256"
        )
    audio = AudioDigests(sha256, essence_sha256 or None) if sha256 else None
    checked = site.verification_of(row_of(site, parse_code(code)), site.minute(), audio)
    return json_reply(verification_view(checked, site.settings.environment), "a minute")
