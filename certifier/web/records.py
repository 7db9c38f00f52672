"""A certificate as it stands now: the stored bytes, the verification of them, and what the log says happened since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from certifier.badge.badge import BadgeFace, face_lines
from certifier.badge.public_use import Permission, public_use_of
from certifier.certificate.code import display_code
from certifier.certificate.model import OUTCOMES, Claims
from certifier.certificate.verification import Verification
from certifier.errors import NotFoundError, ReadOnlyError
from certifier.service.logbook import Change
from certifier.standard.model import Standard
from certifier.storage.rows import CertificateRow
from certifier.units import plain
from certifier.web.faces import face_of, standing_of
from certifier.web.problems import NoSuchCertificate
from certifier.web.site import Site
from certifier.web.words import state_of

UNRELIABLE = "unreliable"  # the state of what cannot be believed (web/words.STATES)


@dataclass(frozen=True)
class Record:
    """``claims`` and ``face`` are None when the stored document cannot be believed; then nothing of it is shown."""

    row: CertificateRow
    verification: Verification
    changes: tuple[Change, ...]
    state: str
    face: BadgeFace | None
    public_use: Mapping[str, Permission]  # by region; empty when nothing can be believed

    @property
    def claims(self) -> Claims | None:
        return self.verification.claims

    @property
    def sentence(self) -> str | None:
        """The one sentence of LCAL 9.2, as it was certified, whatever the state is now."""
        if self.face is None:
            return None
        sentence = f"{face_lines(replace(self.face, status='active')).sentence}."
        return f"{OUTCOMES['disclosed']} {sentence}" if self.face.kind == "statement" else sentence


def row_of(site: Site, code: str) -> CertificateRow:
    """The delivered certificate with this code (ten symbols). Raises NoSuchCertificate."""
    try:
        return site.certifier.certificate(code)
    except NotFoundError as error:
        if site.certifier.store.entry_for(code, "issue"):
            raise NoSuchCertificate(
                "This certificate is in the log, and its file is not here just now.",
                found=display_code(code),
                hint="The label is not false for that. Ask its holder for the file, and verify that; or try again later.",
            ) from error
        raise NoSuchCertificate(error.message, found=display_code(code), hint=error.hint) from error


def record_of(site: Site, code: str, minute: datetime) -> Record:
    """The certificate with this code and its state. Raises NoSuchCertificate."""
    return record_for(site, row_of(site, code), minute)


def record_for(site: Site, row: CertificateRow, minute: datetime) -> Record:
    """A delivered certificate and its state."""
    verification = site.verification_of(row, minute)
    changes = site.certifier.published.changes_of(row.code)
    state = state_of(verification, changes[-1].reason if changes else None)
    claims = verification.claims
    monitored = site.scheme.monitored_at(minute)
    face = face_of(claims, limits_for(site, claims), state, minute, monitored) if claims else None
    public_use = public_use_of(standing_of(claims, state, monitored)) if claims else {}
    return Record(row, verification, changes, state, face, public_use)


def not_believed(site: Site, rows: Collection[CertificateRow], minute: datetime) -> set[str]:
    """The codes of those among some certificates that came to harm here, or cannot be believed for another reason: no page
    speaks of them as of the others. While no status can be told, the stored documents alone decide.
    """
    try:
        return {row.code for row in rows if state_of(site.verification_of(row, minute)) == UNRELIABLE}
    except ReadOnlyError:
        return {row.code for row in rows if not site.is_whole(row)}


def limits_for(site: Site, claims: Claims) -> dict[str, str]:
    """The limits that a certificate was judged by: those of its own version of the standard, its own limit as it was signed."""
    shelf, figures = site.certifier.shelf, claims.figures
    try:
        limits = limits_of(shelf.with_digest(claims.basis.standard_sha256))
    except NotFoundError:
        limits = limits_of(shelf.newest)
    signed = {claims.outcome: plain(Decimal(figures.limit_g_per_min))} if claims.outcome in limits else {}
    return limits | signed


def limits_of(standard: Standard) -> dict[str, str]:
    """The limit of each outcome that has artwork, rising, in g CO2e per minute as people write them."""
    limits = standard.parameters.limits
    return {"class-1": plain(limits.class_1), "class-2": plain(limits.class_2), "measured": plain(limits.measured)}
