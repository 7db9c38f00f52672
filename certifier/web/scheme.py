"""The scheme behind this installation, as a page and as JSON: who owns, decides and monitors, what it costs, who may sign what.

What is not stated is shown as not stated, with what follows from it (must-says M7, M8, M14, M15; LCAL 12, 17).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import Response

from certifier.badge.public_use import REGIONS, Permission, Standing, public_use_of
from certifier.crypto.keyring import RegisteredKey
from certifier.service.scheme import Body, Complaints, Fees, Revision, Tie
from certifier.service.statements import statements_in
from certifier.web.documents import Document, PublicUseView, public_use_view
from certifier.web.records import limits_of
from certifier.web.responses import checked_query, json_reply, page
from certifier.web.site import Site

# What is in force: outcome and evidence level, as LCAL 9 has them.
KINDS = (
    ("class-1", "A2"),
    ("class-2", "A2"),
    ("class-2", "A1"),
    ("measured", "A2"),
    ("measured", "A1"),
    ("disclosed", "A0"),
)


class PartyView(Document):
    """A party of the public register. Its keys are did:keys; a null ``accreditation`` is not stated."""

    id: str
    name: str
    demo: bool
    in_force: bool
    accreditation: str | None
    keys: list[str]


class BodyView(Document):
    """The independent body that monitors the scheme, as far as its contract runs."""

    name: str
    accreditation: str
    contract_from: str
    contract_until: str
    monitors: list[str]
    web: str | None
    under_contract: bool


class UseView(Document):
    """Where the mark of a certificate in force may be shown now."""

    outcome: str
    evidence_level: str
    public_use: PublicUseView


class SchemeView(Document):
    """Who stands behind this installation. Null is not stated; ``ties`` that are empty state that there are none."""

    demo: bool
    owner: str | None
    decides: str | None
    issuer: str
    issuer_id: str
    monitoring_body: BodyView | None
    verifiers: list[PartyView]
    measuring_parties: list[PartyView]
    services: list[PartyView]
    uses: list[UseView]
    fees: Fees | None
    ties: list[Tie] | None
    complaints: Complaints
    revision: Revision


@dataclass(frozen=True)
class Row:
    """One kind of certificate in the table of public use: per region the permission, and the number of its reason."""

    outcome: str
    evidence_level: str
    cells: tuple[tuple[Permission, int], ...]


def show(site: Site) -> Response:
    """The page."""
    checked_query()
    keyring, now = site.certifier.keyring, site.minute()
    reasons, rows = _table(site.scheme.monitored_at(now))
    return page(
        "scheme.html",
        "five minutes",
        scheme=site.scheme,
        body=site.scheme.body_at(now),
        view=scheme_view(site, now),
        rows=rows,
        reasons=reasons,
        limits=limits_of(site.certifier.shelf.newest),
        keyring=keyring,
        statements=statements_in(keyring, site.certifier.shelf.newest, now),
        now=now,
    )


def as_json(site: Site) -> Response:
    checked_query()
    return json_reply(scheme_view(site, site.minute()), "five minutes")


def scheme_view(site: Site, now: datetime) -> SchemeView:
    scheme, keyring = site.scheme, site.certifier.keyring
    return SchemeView(
        demo=scheme.demo,
        owner=scheme.owner,
        decides=scheme.decides,
        issuer=site.settings.issuer_name,
        issuer_id=site.settings.did,
        monitoring_body=_body(scheme.body, now) if scheme.body else None,
        verifiers=_parties(keyring.with_role("verifier"), now),
        measuring_parties=_parties(keyring.with_role("measuring_party"), now),
        services=_parties(keyring.with_role("service"), now),
        uses=[
            UseView(
                outcome=outcome,
                evidence_level=level,
                public_use=public_use_view(public_use_of(_in_force(outcome, level, scheme.monitored_at(now)))),
            )
            for outcome, level in KINDS
        ],
        fees=scheme.fees,
        ties=None if scheme.ties is None else list(scheme.ties),
        complaints=scheme.complaints,
        revision=scheme.revision,
    )


def _in_force(outcome: str, level: str, monitored: frozenset[str]) -> Standing:
    return Standing(outcome, level, "active", monitored, boundary_known=True)


def _body(body: Body, now: datetime) -> BodyView:
    return BodyView(
        name=body.name,
        accreditation=body.accreditation,
        contract_from=body.contract_from.isoformat(),
        contract_until=body.contract_until.isoformat(),
        monitors=list(body.monitors),
        web=body.web,
        under_contract=body.is_under_contract(now),
    )


def _parties(entries: Iterable[RegisteredKey], now: datetime) -> list[PartyView]:
    """The keys of a role by their owners, in the order of the register."""
    by_owner: dict[str, list[RegisteredKey]] = {}
    for entry in entries:
        by_owner.setdefault(entry.owner, []).append(entry)
    return [
        PartyView(
            id=owner,
            name=keys[-1].name,
            demo=any(key.demo for key in keys),
            in_force=any(key.is_active(now) for key in keys),
            accreditation=keys[-1].accreditation or None,
            keys=[key.key for key in keys],
        )
        for owner, keys in by_owner.items()
    ]


def _table(monitored: frozenset[str]) -> tuple[list[str], list[Row]]:
    """The reasons in the order in which they come, and the rows that name them by number."""
    reasons: list[str] = []
    rows = []
    for outcome, level in KINDS:
        use = public_use_of(_in_force(outcome, level, monitored))
        for permission in use.values():
            if permission.reason not in reasons:
                reasons.append(permission.reason)
        cells = tuple((use[region], reasons.index(use[region].reason) + 1) for region in REGIONS)
        rows.append(Row(outcome, level, cells))
    return reasons, rows
