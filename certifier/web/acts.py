"""What an operator does with an API key: revoke, suspend, reinstate; approve a tool, a verifier or a statement.

Each act needs a reason, a word that the public log holds. Who did it, and a note, stand in the operator's own record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Response
from pydantic import Field

from certifier.certificate.code import display_code, parse_code
from certifier.crypto.canonical import digest_of, to_json_text
from certifier.crypto.keyring import STATEMENT_ID
from certifier.crypto.keys import PublicKey
from certifier.errors import ConflictError
from certifier.report.statements import open_statement
from certifier.service.acts import MOST_NOTE, Act
from certifier.service.approvals import KINDS, Party, approve_party, approve_statement, check_envelope, check_party
from certifier.service.approvals import REASONS as APPROVAL_REASONS
from certifier.service.certifier import REASONS, ChangeType
from certifier.storage.rows import ActRow
from certifier.web.access import caller
from certifier.web.documents.base import ONE_LINE, Document, extensible
from certifier.web.problems import ParameterInvalid
from certifier.web.questions import sent
from certifier.web.records import row_of
from certifier.web.responses import checked_query, json_reply
from certifier.web.site import Site
from certifier.web.submissions import idempotency_key

STATES: dict[ChangeType, str] = {"revoke": "revoked", "suspend": "suspended", "reinstate": "active"}
SENT = ("An act is asked for", "The request cannot be read.")


class StatusChangeRequest(Document):
    """Which certificate, and why. The reason is public, the note is the operator's own."""

    code: str = Field(max_length=40, examples=["GG8W-7E5J-TV"])
    reason: str = Field(json_schema_extra={"enum": list(REASONS)})
    note: str = Field(default="", max_length=MOST_NOTE, pattern=ONE_LINE)


class PartyRequest(Document):
    """The owner of a measuring tool, or a verifier, with its public key. ``owner`` is the id where it is not given.

    ``coverage`` and ``method`` are a tool's (LCAL 10.2); ``standards``, ``conflicts`` and ``accreditation`` a verifier's (10.4).
    """

    id: str = Field(pattern=f"^{STATEMENT_ID}$", max_length=80, examples=["example-studio-2026"])
    owner: str | None = Field(default=None, pattern=f"^{STATEMENT_ID}$", max_length=80)
    name: str = Field(min_length=1, max_length=200, pattern=ONE_LINE, examples=["Example Studio"])
    key: str = Field(max_length=200, description="Its public key as did:key")
    days: int = Field(default=365, ge=1, le=1827, strict=True, description="How long it counts, from now")
    coverage: list[str] = Field(default=[], max_length=10)
    method: list[str] = Field(default=[], max_length=10)
    standards: list[str] = Field(default=[], max_length=50)
    conflicts: list[str] = Field(default=[], max_length=200, description="did:key of whom it may not verify")
    accreditation: str = Field(default="", max_length=500, pattern=ONE_LINE)


class ApprovalRequest(Document):
    """A ``party`` for a tool or a verifier; for a statement the ``statement`` as signed by maker and verifier (DSSE)."""

    kind: str = Field(json_schema_extra={"enum": list(KINDS)})
    reason: str = Field(json_schema_extra={"enum": list(APPROVAL_REASONS)})
    note: str = Field(default="", max_length=MOST_NOTE, pattern=ONE_LINE)
    party: PartyRequest | None = None
    statement: dict[str, Any] | None = None


class LogPlace(Document):
    """The entry of the public log."""

    origin: str
    index: int


class ActView(Document):
    """An act as the operator's record has it. With ``dry_run`` nothing was done: ``id``, ``at`` and ``log`` are null then."""

    id: str | None
    act: str = extensible("revoke", "suspend", "reinstate", "approve")
    subject: str = Field(description="The code of a certificate, or what was approved")
    state: str | None = Field(description="How the certificate stands after it; null for an approval")
    reason: str
    note: str
    key_id: str
    holder: str
    at: str | None
    log: LogPlace | None = Field(description="Where the public log tells it; null until it does")
    dry_run: bool = False


class ActList(Document):
    """The newest acts first."""

    items: list[ActView]


@dataclass(frozen=True)
class _Doing:
    """What is asked for: its record, how to do it, and how to see whether it could be done."""

    act: Act
    now: datetime
    do: Callable[[ActRow], object]
    check: Callable[[], object]


def revoke(site: Site) -> Response:
    return _answered(site, partial(_change, site, "revoke"))


def suspend(site: Site) -> Response:
    return _answered(site, partial(_change, site, "suspend"))


def reinstate(site: Site) -> Response:
    return _answered(site, partial(_change, site, "reinstate"))


def approve(site: Site) -> Response:
    """Put a tool, a verifier or a statement into the register."""
    return _answered(site, partial(_approval, site))


def listed(site: Site) -> Response:
    """What was done with API keys, the newest first."""
    checked_query()
    return json_reply(ActList(items=[_view_of(site, row) for row in site.certifier.acts.newest()]), "not at all")


def one(site: Site, act_id: str) -> Response:
    checked_query()
    return json_reply(_view_of(site, site.certifier.acts.one(act_id)), "not at all")


def _answered(site: Site, doing_of: Callable[[], _Doing]) -> Response:
    """Do what is asked, once; with ``?dry_run=true`` only see whether it could be done."""
    is_trial = checked_query(dry_run=("false", "true"))["dry_run"] == "true"
    doing = doing_of()
    if is_trial:
        doing.check()
        return json_reply(_trial_view(doing.act), "not at all")
    acts = site.certifier.acts
    before, row = acts.answered(doing.act), acts.row_of(doing.act, doing.now)
    if before is None:
        try:
            doing.do(row)
        except ConflictError:  # perhaps the same request, a moment ago
            before = acts.answered(doing.act)
            if before is None:
                raise
    view = _view_of(site, before or acts.one(row.id))
    response = json_reply(view, "not at all", Location=f"/api/v1/operator-acts/{view.id}")
    response.status_code = 201
    if before is not None:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _check_word(given: str, allowed: tuple[str, ...], pointer: str) -> None:
    if given not in allowed:
        raise ParameterInvalid(
            f"The {pointer[1:]} cannot be used.", found=given[:40], expected=", ".join(allowed), pointer=pointer
        )


def _change(site: Site, change: ChangeType) -> _Doing:
    asked = sent(StatusChangeRequest, *SENT)
    _check_word(asked.reason, REASONS, "/reason")
    code = row_of(site, parse_code(asked.code)).code
    certifier, now = site.certifier, site.clock()
    return _Doing(
        _act(change, code, asked.reason, asked.note, ""),
        now,
        lambda row: certifier.change_status(code, change, asked.reason, now, row),
        lambda: certifier.check_change(code, change, now),
    )


def _approval(site: Site) -> _Doing:
    asked = sent(ApprovalRequest, *SENT)
    _check_word(asked.kind, tuple(KINDS), "/kind")
    _check_word(asked.reason, APPROVAL_REASONS, "/reason")
    wanted = "statement" if asked.kind == "statement" else "party"
    if (asked.statement is not None, asked.party is not None) != (wanted == "statement", wanted == "party"):
        raise ParameterInvalid(f"Approving a {asked.kind} takes the member {wanted!r} alone.", pointer=f"/{wanted}")
    certifier, now, kind, reason = site.certifier, site.clock(), asked.kind, asked.reason
    if asked.statement is not None:
        envelope = to_json_text(asked.statement).encode()
        named = open_statement(envelope).statement.id
        return _Doing(
            _act("approve", f"statement {named}", reason, asked.note, digest_of(asked.statement)),
            now,
            lambda row: approve_statement(certifier, envelope, reason, now, row),
            lambda: check_envelope(certifier, envelope, now),
        )
    assert asked.party is not None
    party = _party(asked.party)
    return _Doing(
        _act("approve", f"{kind} {party.id}", reason, asked.note, digest_of(asked.party.model_dump(mode="json"))),
        now,
        lambda row: approve_party(certifier, kind, party, reason, now, row),
        lambda: check_party(certifier, kind, party, now),
    )


def _party(asked: PartyRequest) -> Party:
    for conflict in asked.conflicts:
        PublicKey.from_did_key(conflict)
    return Party(
        id=asked.id,
        owner=asked.owner or asked.id,
        name=asked.name,
        key=PublicKey.from_did_key(asked.key),
        days=asked.days,
        coverage=asked.coverage,
        method=asked.method,
        standards=asked.standards,
        conflicts=asked.conflicts,
        accreditation=asked.accreditation,
    )


def _act(act: str, subject: str, reason: str, note: str, what: str) -> Act:
    by = caller()
    return Act(act, subject, reason, note, by.key_id, by.holder, what, idempotency_key())


def _trial_view(act: Act) -> ActView:
    return ActView(
        id=None,
        act=act.act,
        subject=_shown(act.act, act.subject),
        state=STATES.get(act.act),  # type: ignore[call-overload]
        reason=act.reason,
        note=act.note,
        key_id=act.key_id,
        holder=act.holder,
        at=None,
        log=None,
        dry_run=True,
    )


def _view_of(site: Site, row: ActRow) -> ActView:
    return ActView(
        id=row.id,
        act=row.act,
        subject=_shown(row.act, row.subject),
        state=STATES.get(row.act),  # type: ignore[call-overload]
        reason=row.reason,
        note=row.note,
        key_id=row.key_id,
        holder=row.holder,
        at=row.at,
        log=_place_of(site, row),
    )


def _shown(act: str, subject: str) -> str:
    return subject if act == "approve" else display_code(subject)


def _place_of(site: Site, row: ActRow) -> LogPlace | None:
    """The entry that the act made: of its type and time."""
    place = site.certifier.acts.place_of(row)
    return LogPlace(origin=place[0], index=place[1]) if place else None
