"""One certificate under ``/v/CODE``: the page, and every other form of it by suffix or by Accept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from flask import Response, g, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from certifier.certificate import jose
from certifier.certificate.code import display_code, near_codes, parse_code
from certifier.certificate.model import Claims
from certifier.certificate.status import status_file_name
from certifier.errors import CertifierError, MalformedCode, NotFoundError
from certifier.service.renditions import Form
from certifier.service.renewal import renewal_info
from certifier.standard.model import Standard
from certifier.units import plain
from certifier.web import badges, browser_check, charts, print_qr
from certifier.web.documents import certificate_links, certificate_view, renewal_view
from certifier.web.examples import examples_for
from certifier.web.problems import NoSuchCertificate, problem_document, wants_page
from certifier.web.records import limits_for, record_of, row_of
from certifier.web.responses import (
    HTML,
    JSON,
    PDF,
    PNG,
    SVG,
    TEXT,
    checked_query,
    chosen_form,
    json_reply,
    moved,
    page,
    reply,
)
from certifier.web.site import Site
from certifier.web.submissions import decision_on, explanation_on
from certifier.web.words import CONTRIBUTIONS, REGIONS

CREDENTIAL = "application/vc"
COSE = "application/cose"  # RFC 9052
JSON_LD = "application/ld+json"  # what badge software asks for; application/vc is the record
RENEWAL_ASKED_AGAIN_S = 86_400
SHOWN_OF_A_CODE = 20


def find(site: Site) -> AnyResponse:
    """From a code as somebody typed it to its page."""
    text = checked_query(code=None)["code"]
    try:
        return redirect(f"/v/{parse_code(text)}")
    except MalformedCode as error:
        return _no_certificate(site, text, error)


def show(site: Site, name: str) -> AnyResponse:
    """The certificate in the form that the suffix or the Accept header asks for; other spellings of the code lead here."""
    text, dot, suffix = name.partition(".")
    try:
        return _form_of(site, text, dot, suffix)
    except (MalformedCode, NoSuchCertificate) as error:
        if suffix:
            raise
        return _no_certificate(site, text, error)


def _no_certificate(site: Site, text: str, error: CertifierError) -> Response:
    """For people: what is wrong with the code, and which certificate may have been meant. Raises the error for programs."""
    if not wants_page():
        raise error
    problem = problem_document(error, site.settings.base_url, g.request_id)
    near = None
    if isinstance(error, MalformedCode) and (codes := near_codes(text)):
        store = site.certifier.store
        rows = [row for code in codes if (row := store.certificate(code)) and row.document]
        near = [(row, store.submission(row.submission_id)) for row in rows]
    body = render_template("no_certificate.html", problem=problem, near=near, asked=text[:SHOWN_OF_A_CODE])
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    return Response(body, problem["status"], headers, content_type=HTML)


def _form_of(site: Site, text: str, dot: str, suffix: str) -> AnyResponse:
    if suffix not in FORMS:
        raise NotFoundError(
            "A certificate does not come in this form.",
            found=f".{suffix}"[:40],
            expected=" ".join(f".{s}" for s in FORMS),
        )
    code = parse_code(text)
    if code != text:
        return moved(f"/v/{code}{dot}{suffix}")
    return FORMS[suffix](site, code)


def _negotiated(site: Site, code: str) -> Response:
    return negotiated(site, code, BY_TYPE, f"/v/{code}")


def negotiated(site: Site, code: str, by_type: Mapping[str, str], address: str) -> Response:
    """The form that Accept asks for, of media types with their suffixes, the default first. Raises NotAcceptable."""
    suffix = by_type[chosen_form(list(by_type))]
    response = FORMS[suffix](site, code) if suffix else _page(site, code)
    response.headers["Vary"] = "Accept"
    response.headers["Content-Location"] = f"{address}{'.' if suffix else ''}{suffix}"
    return response


def _page(site: Site, code: str) -> Response:
    checked_query()
    record = record_of(site, code, site.minute())
    claims = record.claims
    if claims is None or record.state == "unreliable":
        return page("unreliable.html", record=record, code=display_code(code))
    decision = decision_on(site, record.row.submission_id)
    scale = _scale(site, claims)
    return page(
        "certificate.html",
        record=record,
        face=record.face,
        claims=claims,
        limit=plain(Decimal(claims.figures.limit_g_per_min)),
        standard=_standard_behind(site, claims),
        ai_parts=[CONTRIBUTIONS[part] for part in site.ai_parts_of(record.row.submission_id)],
        shown_in=[REGIONS[region] for region, use in record.public_use.items() if use.allowed],
        not_shown_in=[REGIONS[region] for region, use in record.public_use.items() if not use.allowed],
        complaints=site.certifier.complaints.open_count(claims.code),
        examples=examples_for(site, claims.code, scale.assessed) if scale else (),
        code=display_code(code),
        links=certificate_links(record.row),
        segments=charts.segments_of(decision.footprint) if decision.footprint else (),
        scale=scale,
        market=_market_line(site, record.row.submission_id),
        submission_id=record.row.submission_id,
        accreditation=_accreditation(site, claims),
        status_file_name=status_file_name,
        brought=browser_check.brought_by_page(site, record, claims),
    )


def _accreditation(site: Site, claims: Claims) -> str:
    """What the register states of the competence of whoever checked; empty where it states nothing."""
    keyring = site.certifier.keyring
    entry = keyring.named(claims.assessor.id)
    return entry.accreditation if entry else ""


def _standard_behind(site: Site, claims: Claims) -> Standard | None:
    """The version that the certificate was judged by; None where its files cannot be had just now."""
    try:
        return site.certifier.shelf.with_digest(claims.basis.standard_sha256)
    except NotFoundError:
        return None


def _market_line(site: Site, submission_id: str) -> str | None:
    """What the applicant's own market-based line says (LCAL 7.2), in g per minute; it counts for nothing."""
    try:
        footprint = site.verdict_on(site.certifier.store.submission(submission_id)).footprint
    except NotFoundError:
        return None
    line = footprint.market_based if footprint else None
    return None if line is None or line.amount is None else f"{line.amount.central:.2f}"


def _scale(site: Site, claims: Claims) -> charts.MarkedScale | None:
    """The ruler with the limit of this outcome alone; a self-declared figure is put on no scale."""
    limits = limits_for(site, claims)
    own = {claims.outcome: limits[claims.outcome]} if claims.outcome in limits else {}
    figures = claims.figures
    return charts.scale_of(figures.central_g_per_min, figures.assessed_g_per_min, own) if own else None


def _view(site: Site, code: str) -> Response:
    checked_query()
    return json_reply(certificate_view(record_of(site, code, site.minute()), site.settings.environment), "a minute")


def _sentence(site: Site, code: str) -> Response:
    checked_query()
    record = record_of(site, code, site.minute())
    return reply(f"{record.state}: {record.sentence or 'nothing of it can be believed'}\n", TEXT, "a minute")


def _credential(site: Site, code: str) -> Response:
    """The signed record, byte for byte as issued; what came to harm here is kept by nobody."""
    checked_query()
    row = row_of(site, code)
    return reply(row.document or b"", CREDENTIAL, "for ever" if site.is_whole(row) else "not at all")


def _open_badge(site: Site, code: str) -> Response:
    """The same claims with the proof that badge software checks."""
    return _rendition(site, code, "openbadge", JSON_LD)


def _jwt(site: Site, code: str) -> Response:
    """The same claims as one line of text."""
    return _rendition(site, code, "jwt", jose.MEDIA_TYPE)


def _compact(site: Site, code: str) -> Response:
    """The few claims that a QR has room for, and the digest of the rest."""
    return _rendition(site, code, "compact", f'{COSE}; cose-type="cose-sign1"')


def _rendition(site: Site, code: str, form: Form, media_type: str) -> Response:
    checked_query()
    return reply(site.certifier.rendition(row_of(site, code), form), media_type, "for ever")


def proof(site: Site, code: str) -> Response:
    checked_query()
    return reply(row_of(site, code).proof or b"", TEXT, "for ever")


def report(site: Site, code: str) -> Response:
    """The signed envelope, byte for byte as it was sent."""
    checked_query()
    submission = site.certifier.store.submission(row_of(site, code).submission_id)
    return reply(submission.envelope, JSON, "for ever")


def decision_record(site: Site, code: str) -> Response:
    """The decision record, whose digest stands in the certificate."""
    checked_query()
    submission = site.certifier.store.submission(row_of(site, code).submission_id)
    return reply(submission.decision, JSON, "for ever")


def _explanation(site: Site, code: str) -> Response:
    """Every line of the figure with its origins."""
    checked_query()
    return json_reply(explanation_on(site, row_of(site, code).submission_id), "an hour")


def renewal(site: Site, code: str) -> Response:
    """When to renew, why, and what a newer version of the standard would make of the track."""
    checked_query()
    parsed = parse_code(code)
    if record_of(site, parsed, site.minute()).claims is None:
        raise NotFoundError("The certificate cannot be believed, so there is nothing to renew.")
    view = renewal_view(renewal_info(site.certifier, parsed, site.minute()))
    return json_reply(view, "a minute", Retry_After=str(RENEWAL_ASKED_AGAIN_S))


# suffix -> view
FORMS: dict[str, Callable[[Site, str], Response]] = {
    "": _negotiated,
    "json": _view,
    "vc": _credential,
    "openbadge.json": _open_badge,
    "jwt": _jwt,
    "cose": _compact,
    "svg": badges.svg,
    "png": badges.png,
    "pdf": badges.pdf,
    "baked.svg": badges.baked,
    "qr.svg": print_qr.svg,
    "qr.png": print_qr.png,
    "txt": _sentence,
    "tlog-proof": proof,
    "report.json": report,
    "decision.json": decision_record,
    "explanation.json": _explanation,
    "check.json": browser_check.as_json,
    "offline.html": browser_check.offline,
}

# media type -> suffix, the default first
BY_TYPE = {
    HTML.partition(";")[0]: "",
    JSON: "json",
    CREDENTIAL: "vc",
    JSON_LD: "openbadge.json",
    jose.MEDIA_TYPE: "jwt",
    COSE: "cose",
    SVG.partition(";")[0]: "svg",
    PNG: "png",
    PDF: "pdf",
    TEXT.partition(";")[0]: "txt",
}
