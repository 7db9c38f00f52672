"""The status lists a second time, from the log alone: a quiet revocation, or a quiet end of one, then shows.

The log says which certificates are revoked or suspended; where a certificate's bit stands is in its payload, to which the log
commits. Fetching, and the signatures of log and lists, are the caller's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from certifier.certificate.status import LIST_LENGTH, StatusList, status_entries_of
from certifier.crypto.canonical import digest_of
from certifier.errors import CertifierError, MalformedCertificate
from certifier.log.entry import parse_entry
from certifier.log.lines import parse_number

# What a change of status means for the lists: the purpose whose bit it sets; None clears both.
SETS = {"revoke": "revocation", "suspend": "suspension", "reinstate": None}

_COMPUTED_AT = re.compile(r"Computed from the log(?: (?P<origin>[^\s+]+))? at size (?P<size>[0-9]+)\.", re.ASCII)


@dataclass(frozen=True)
class StatusPositions:
    """What the lists must hold, by purpose.

    ``codes`` names for each set place, counted through all lists of a purpose, the certificate. ``missing`` are codes whose bit
    must be set, and nobody knows where, since their certificate could not be had or does not fit its digest in the log; with
    the purpose of the list. ``unread`` are the places of entries that this version does not know: they might change a status.
    """

    codes: Mapping[str, Mapping[int, str]]
    missing: Mapping[str, str]
    unread: tuple[int, ...]

    @property
    def positions(self) -> dict[str, set[int]]:
        """The set places by purpose."""
        return {purpose: set(codes) for purpose, codes in self.codes.items()}

    def codes_in(self, purpose: str, number: int) -> dict[int, str]:
        """The certificate for each position that must be set in one list."""
        start = (number - 1) * LIST_LENGTH
        return {place - start: code for place, code in self.codes[purpose].items() if 0 <= place - start < LIST_LENGTH}

    def last_list(self, purpose: str) -> int:
        """The highest number of a list in which a bit must be set; 0 when there is none."""
        return max(self.codes[purpose], default=-1) // LIST_LENGTH + 1

    def missing_in(self, purpose: str) -> list[str]:
        return [code for code, wanted in self.missing.items() if wanted == purpose]


@dataclass(frozen=True)
class ListDifferences:
    """``unfounded`` positions are set in the served list and not in the log; ``unset`` ones the other way round."""

    unfounded: frozenset[int]
    unset: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.unfounded or self.unset)


@dataclass(frozen=True)
class ComputedAt:
    """The size of the log that a status list was computed at; ``origin`` is None where the list does not name the log."""

    origin: str | None
    size: int


def status_positions(
    entries: Iterable[bytes], payload_of: Callable[[str], dict[str, Any] | None], size: int | None = None
) -> StatusPositions:
    """The set positions after the first ``size`` entries (all of them when None), the oldest log's first.

    ``payload_of`` gives a certificate without its proof, None when it cannot be had; it is asked only about certificates
    that are revoked or suspended now. Believed is only a payload with the digest in the certificate's one issue entry.
    """
    issued: dict[str, set[str]] = {}
    last: dict[str, str] = {}
    unread: list[int] = []
    for index, raw in enumerate(islice(entries, size)):
        try:
            entry = parse_entry(raw)
        except CertifierError:
            unread.append(index)
            continue
        if entry["type"] == "issue":
            issued.setdefault(entry["code"], set()).add(entry["payload"])
        elif entry["type"] in SETS:
            last[entry["code"]] = entry["type"]
    codes: dict[str, dict[int, str]] = {purpose: {} for purpose in SETS.values() if purpose}
    missing: dict[str, str] = {}
    for code, change in last.items():
        purpose = SETS[change]
        if purpose is None:
            continue
        place = _place_of(payload_of(code), issued.get(code, set()), purpose)
        if place is None:
            missing[code] = purpose
        else:
            codes[purpose][place] = code
    return StatusPositions(codes, missing, tuple(unread))


def _place_of(payload: dict[str, Any] | None, digests: set[str], purpose: str) -> int | None:
    try:
        if payload is None or {f"sha256:{digest_of(payload)}"} != digests:
            return None
        return next(entry.place for entry in status_entries_of(payload) if entry.purpose == purpose)
    except CertifierError:  # a payload that no certificate of ours can have
        return None


def list_differences(served: StatusList, positions: Collection[int]) -> ListDifferences:
    """Where a served list and the recomputed positions disagree."""
    theirs, ours = served.positions, frozenset(positions)
    return ListDifferences(theirs - ours, ours - theirs)


def computed_at(served: StatusList) -> ComputedAt:
    """The log and the size that a status list names in its description. Raises MalformedCertificate."""
    match = _COMPUTED_AT.fullmatch(served.description)
    size = parse_number(match["size"]) if match else None
    if match is None or size is None:
        raise MalformedCertificate(
            "The status list does not say at which size of the log it was computed.",
            found=repr(served.description)[:120],
            expected="Computed from the log ORIGIN at size N.",
        )
    return ComputedAt(match["origin"], size)
