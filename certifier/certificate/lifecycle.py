"""Whether a certificate was withdrawn, by the status lists that were brought and by the verifier's own pack.

Both lists of a certificate are read, and of two copies the newer one counts. A list that is out of its dates tells nothing, but
when it comes from the pack that the verifier chose: that one tells what was so when it was made.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from certifier.certificate.age import age_text, state_in_old_list
from certifier.certificate.status import StatusEntry, StatusList, open_status_list
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust
from certifier.certificate.verdict import Check
from certifier.certificate.verification import Material
from certifier.errors import CertifierError, MalformedCertificate, UnusableStatusList

REMEMBERED = 1024  # lists that were opened before


class Placed(NamedTuple):
    """Where the bits of a certificate stand, whose lists they are, and since when there is something to withdraw."""

    status: tuple[StatusEntry, ...]
    issuer: str
    issued_at: datetime


def check_lifecycle(placed: Placed, material: Material, now: datetime) -> Check:
    """Both lists are read; a bit that is set counts even where the other list is missing, and revoked before suspended."""
    expected, known, unread = "neither revoked nor suspended", dict[str, str](), list[Check]()
    for entry in placed.status:
        try:
            told = _told_of(entry, placed, material, now)
        except CertifierError as error:
            words = f"{entry.purpose} list: {error.message}" + (f" ({error.found})" if error.found else "")
            hint = error.hint or "Fetch the newest status lists from the service."
            unread.append(Check("lifecycle", "unchecked", words, "status lists in force", hint))
        else:
            known[told.state] = told.as_of
    for state, purpose in (("revoked", "revocation"), ("suspended", "suspension")):
        if state in known:
            return Check("lifecycle", state, f"its bit in the {purpose} list is set{known[state]}", expected)
    if unread:
        return unread[0]
    if "active_then" in known:
        hint = "Fetch a newer pack with: certifier pack --server URL -o FILE"
        return Check("lifecycle", "active_then", expected + known["active_then"], "status lists in force", hint)
    return Check("lifecycle", "active", expected, expected)


class _Told(NamedTuple):
    """What a list says, and ``as_of`` in words when it could say it of an earlier moment only."""

    state: str
    as_of: str = ""


_ACTIVE = _Told("active")


def _told_of(entry: StatusEntry, placed: Placed, material: Material, now: datetime) -> _Told:
    """The word of the newer one of the list that was brought and of the verifier's own pack; a revocation counts in either.

    Raises UnusableStatusList, or MalformedCertificate, when nothing can be known from either.
    """
    told, fault = list[tuple[datetime, _Told]](), None
    for lists, as_of in ((material.status_lists, None), (material.pack_lists, material.lists_as_of)):
        raw = lists.get(entry.url)
        if raw is None or material.trust is None:
            continue
        try:
            listed = _status_list(raw, material.trust)
            told.append((listed.valid_from, _told_by(listed, entry, placed, as_of, now)))
        except UnusableStatusList as error:
            fault = error
    if not told:
        raise fault or MalformedCertificate("not at hand")
    if len(told) == 1:
        return told[0][1]
    return max(told, key=lambda each: (each[1].state == "revoked", each[0]))[1]


def _told_by(listed: StatusList, entry: StatusEntry, placed: Placed, as_of: datetime | None, now: datetime) -> _Told:
    """What one list says. One that is out of its dates still tells what was so at ``as_of``, when the pack was made."""
    try:
        is_set = listed.state_of(entry, placed.issuer, now)
    except UnusableStatusList as error:
        if error.reason != "expired" or as_of is None:
            raise
        state = state_in_old_list(entry.purpose, is_set=listed.is_set(entry.index), as_of=as_of, now=now)
        when = f"{time_text(as_of)}, {age_text(as_of, now)} ago"
        if state == "unchecked" or placed.issued_at > as_of:
            raise UnusableStatusList(
                "The pack is too old to tell." if state == "unchecked" else "The pack is older than the certificate.",
                reason="aged_pack",
                found=f"made {when}",
                hint="Fetch a newer pack with: certifier pack --server URL -o FILE",
            ) from error
        return _Told(state, f" on {when}")
    if is_set:
        return _Told("revoked" if entry.purpose == "revocation" else "suspended")
    return _ACTIVE


@lru_cache(REMEMBERED)
def _status_list(raw: bytes, trust: Trust) -> StatusList:
    """A list is unpacked and its signature verified once, then remembered; one that does not fit is judged each time."""
    return open_status_list(raw, trust)
