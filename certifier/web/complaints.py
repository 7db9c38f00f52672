"""Complaints and reports of misuse: a form for anybody, a receipt, what became of it, and numbers for everybody.

Nothing that was written is shown again on a page that others can reach: only the form itself, when it has to be mended.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, redirect, request
from pydantic import Field
from werkzeug.wrappers import Response as AnyResponse

from certifier.certificate.times import time_text
from certifier.errors import BusyError
from certifier.service import complaints as cases
from certifier.service.complaints import Draft, Fault, deadlines_of, display_receipt, draft_of
from certifier.storage.rows import ComplaintRow
from certifier.web.documents import Document
from certifier.web.language import N_
from certifier.web.problems import MediaTypeUnsupported, ParameterInvalid
from certifier.web.questions import sent
from certifier.web.responses import checked_query, json_reply, page
from certifier.web.site import Site
from certifier.web.uploads import FORM

FIELDS = ("kind", "code", "place", "text", "contact")
FORMS = ("application/x-www-form-urlencoded", FORM)
MOST_BYTES = 64 * 1024

# kind -> (what it is, when it is that one)
KINDS: dict[str, tuple[str, str]] = {
    "misuse": (
        N_("The mark stands where it should not"),
        N_("On another track, without a certificate, after it was withdrawn, or beside a claim about offsets."),
    ),
    "figure": (
        N_("A figure is wrong"),
        N_("You have reason to think that the footprint was larger, or that evidence is not true."),
    ),
    "appeal": (
        N_("An appeal against a decision"),
        N_("About a track or a complaint of your own, within 30 days. Somebody decides who did not decide before."),
    ),
    "other": (N_("Something else"), N_("About the scheme, this site, or how a case was handled.")),
}

STATES: dict[str, tuple[str, str]] = {
    "received": (N_("Received"), N_("It waits to be read by a person.")),
    "under_review": (N_("Under review"), N_("A person has read it and goes into it.")),
    "closed": (N_("Closed"), N_("The case has its outcome.")),
}

OUTCOMES: dict[str, tuple[str, str]] = {
    "upheld": (N_("Upheld"), N_("The complaint was right.")),
    "not_upheld": (N_("Not upheld"), N_("Nothing was found that has to be changed.")),
    "settled": (N_("Settled"), N_("What was complained about has ended, without a decision.")),
    "not_ours": (N_("Not for this scheme"), N_("It is about something that this scheme does not decide.")),
}

_TOO_LONG: dict[str, str] = {
    "place": N_("Shorten this to 500 characters."),
    "text": N_("Shorten this to 4000 characters."),
    "contact": N_("Shorten this to 200 characters."),
}
FAULTS: dict[tuple[str, Fault], str] = {
    ("kind", "missing"): N_("Choose what your report is about."),
    ("kind", "unknown"): N_("Choose one of the four kinds."),
    ("code", "malformed"): N_("This is no code: it has ten letters and digits. Leave it empty if you cannot read it."),
    ("place", "missing"): N_("Say where you saw the mark, or give the code on it."),
    ("text", "missing"): N_("Say in a sentence what is wrong."),
    **{(field, "too_long"): text for field, text in _TOO_LONG.items()},
}


class ComplaintRequest(Document):
    """A complaint or a report of misuse. Only ``kind`` and ``text`` have to be said; ``contact`` is for the operator alone."""

    kind: str = Field(examples=["misuse"], description=f"One of: {', '.join(cases.KINDS)}")
    code: str | None = Field(
        default=None, examples=["GG8W-7E5J-TV"], description="The code on the label, if there is one"
    )
    place: str = Field(default="", max_length=cases.MOST_PLACE, description="Where it was seen: an address, or words")
    text: str = Field(min_length=cases.LEAST_TEXT, max_length=cases.MOST_TEXT, description="What is wrong")
    contact: str = Field(default="", max_length=cases.MOST_CONTACT)


class ComplaintView(Document):
    """What whoever complained has: the receipt, and by when something is done."""

    receipt: str
    kind: str
    code: str | None
    state: str = Field(examples=list(cases.STATES))
    received_at: str
    acknowledge_by: str
    finding_by: str
    page: str


def form(site: Site) -> Response:
    """The form, what happens with a report, and the public numbers."""
    asked = checked_query(code=None, kind=("", *KINDS))
    given = {"code": cases.cleaned(asked["code"], lines=False)[:20], "kind": asked["kind"]}
    return _form(site, given, {}, "a minute")


def _form(site: Site, given: dict[str, str], faults: dict[str, Fault], cache: str) -> Response:
    response = page(
        "complaints.html",
        cache,
        given=given,
        faults={field: FAULTS[field, fault] for field, fault in faults.items()},
        kinds=KINDS,
        outcomes=OUTCOMES,
        totals=site.certifier.complaints.totals(),
        cases=cases,
        days=_days(),
    )
    if faults:
        response.status_code = 400
    return response


def _days() -> dict[str, int]:
    """The periods of LCAL 12 in days."""
    periods: dict[str, timedelta] = {
        "acknowledged": cases.ACKNOWLEDGED_IN,
        "finding": cases.FINDING_IN,
        "appeal": cases.APPEAL_IN,
        "down": cases.TAKEN_DOWN_IN,
    }
    return {name: period.days for name, period in periods.items()}


def send(site: Site) -> AnyResponse:
    """Take in the form and lead to its receipt; a form with faults comes back with all that was written."""
    checked_query()
    request.max_content_length = request.max_form_memory_size = MOST_BYTES
    if request.mimetype not in FORMS:
        raise MediaTypeUnsupported("A report is sent in a form.", found=request.mimetype or "none", expected=FORMS[0])
    names = {str(name or "") for name in (*request.form, *request.files)}
    if unknown := sorted(names - set(FIELDS)):
        raise ParameterInvalid(
            f"There is no field {unknown[0][:40]!r}.", found=unknown[0][:40], expected=", ".join(FIELDS)
        )
    fields = {name: request.form.get(name, "") for name in FIELDS}
    draft, faults = draft_of(fields)
    if draft is None:
        return _form(site, fields, faults, "not at all")
    return redirect(f"/complaints/{display_receipt(_filed(site, draft).receipt)}", 303)


def send_json(site: Site) -> Response:
    """The same for programs: 201 with the receipt."""
    checked_query()
    asked = sent(ComplaintRequest, "A report is sent", "The report cannot be read.", MOST_BYTES)
    draft, faults = draft_of({name: value or "" for name, value in asked.model_dump().items()})
    if draft is None:
        field, fault = next(iter(faults.items()))
        raise ParameterInvalid("The report cannot be used.", expected=FAULTS[field, fault], pointer=f"/{field}")
    view = _view_of(_filed(site, draft))
    response = json_reply(view, "not at all", Location=view.page)
    response.status_code = 201
    return response


def _filed(site: Site, draft: Draft) -> ComplaintRow:
    if not site.certifier.has_room:
        raise BusyError("No report can be kept just now.", hint="Send it again later.")
    return site.certifier.complaints.file(draft, site.clock())


def _view_of(row: ComplaintRow) -> ComplaintView:
    deadlines = deadlines_of(row)
    return ComplaintView(
        receipt=display_receipt(row.receipt),
        kind=row.kind,
        code=row.code,
        state=row.state,
        received_at=row.received_at,
        acknowledge_by=time_text(deadlines.acknowledge_by),
        finding_by=time_text(deadlines.finding_by),
        page=f"/complaints/{display_receipt(row.receipt)}",
    )


def find(site: Site) -> AnyResponse:
    """From a receipt that somebody typed to its page. Raises NotFoundError."""
    receipt = site.certifier.complaints.one(checked_query(receipt=None)["receipt"]).receipt
    return redirect(f"/complaints/{display_receipt(receipt)}", 303)


def show(site: Site, receipt: str) -> Response:
    """How far a report is, for whoever has its receipt: state and days, and nothing of what was written."""
    checked_query()
    row = site.certifier.complaints.one(receipt)
    response = page(
        "complaint.html",
        "not at all",
        told=_told(row),
        receipt=display_receipt(row.receipt),
        kind=KINDS[row.kind],
        state=STATES[row.state],
        outcome=OUTCOMES[row.outcome] if row.outcome else None,
        deadlines=deadlines_of(row),
        days=_days(),
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _told(row: ComplaintRow) -> dict[str, Any]:
    """What of a complaint its page may show."""
    return {
        name: getattr(row, name)
        for name in ("kind", "code", "state", "received_at", "reviewed_at", "closed_at", "reason")
    }
