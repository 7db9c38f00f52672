"""Complaints and reports of misuse, from anybody and without an account (LCAL 12 and 17.6).

What was sent is the operator's alone. Whoever has the receipt sees how far it is and what was found; everybody sees numbers.
A certificate's page counts only what somebody has looked at: a report alone says nothing about a label.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from certifier.certificate.code import ALPHABET, LOOKALIKES, parse_code
from certifier.certificate.times import parse_time, time_text
from certifier.errors import ConflictError, ForeignInputError, MalformedCode, NotFoundError, TooManyError
from certifier.storage.complaints import ComplaintStore
from certifier.storage.rows import ComplaintRow

KINDS = ("misuse", "figure", "appeal", "other")
STATES = ("received", "under_review", "closed")
OPEN = ("received", "under_review")
OUTCOMES = ("upheld", "not_upheld", "settled", "not_ours")

# LCAL 12.1, 12.3, 12.4
ACKNOWLEDGED_IN = timedelta(days=5)
FINDING_IN = timedelta(days=14)
APPEAL_IN = timedelta(days=30)
TAKEN_DOWN_IN = timedelta(days=14)

# After cleaning, in characters.
LEAST_TEXT, MOST_TEXT, MOST_PLACE, MOST_CONTACT, MOST_REASON = 10, 4000, 500, 200, 1000

# People read every one of them, so the queue is bounded.
MOST_WAITING = 500
MOST_A_DAY = 200
MOST_OF_CODE = 20

RECEIPT_LENGTH = 20  # symbols of five bits: nobody guesses another's
_RECEIPT_BYTES = 13
_JOINERS = "\u200c\u200d"  # parts of words in some scripts, and of some emoji

Fault = Literal["missing", "too_long", "unknown", "malformed"]


@dataclass(frozen=True)
class Draft:
    """A complaint as it was sent, cleaned; every field within its bounds."""

    kind: str
    code: str | None
    place: str
    text: str
    contact: str


@dataclass(frozen=True)
class Deadlines:
    """The last moments by which something is done; ``appeal_until`` once it is closed."""

    acknowledge_by: datetime
    finding_by: datetime
    appeal_until: datetime | None


@dataclass(frozen=True)
class Totals:
    """What is public of all complaints. ``closed`` by kind and outcome; the others by kind."""

    received: Mapping[str, int]
    under_review: Mapping[str, int]
    closed: Mapping[tuple[str, str], int]

    def of(self, kind: str) -> int:
        """All of one kind, whatever became of them."""
        ended = sum(number for (of, _), number in self.closed.items() if of == kind)
        return self.received.get(kind, 0) + self.under_review.get(kind, 0) + ended


def draft_of(fields: Mapping[str, str]) -> tuple[Draft | None, dict[str, Fault]]:
    """The complaint in the fields of a form; None with what is wrong by field."""
    kind, place, contact = (cleaned(fields.get(name, ""), lines=False) for name in ("kind", "place", "contact"))
    text, written = cleaned(fields.get("text", "")), cleaned(fields.get("code", ""), lines=False)
    faults: dict[str, Fault] = {}
    if kind not in KINDS:
        faults["kind"] = "unknown" if kind else "missing"
    code = None
    if written:
        try:
            code = parse_code(written)
        except MalformedCode:
            faults["code"] = "malformed"
    if len(place) > MOST_PLACE:
        faults["place"] = "too_long"
    elif kind == "misuse" and not (place or written):
        faults["place"] = "missing"
    if not LEAST_TEXT <= len(text) <= MOST_TEXT:
        faults["text"] = "missing" if len(text) < LEAST_TEXT else "too_long"
    if len(contact) > MOST_CONTACT:
        faults["contact"] = "too_long"
    return (None if faults else Draft(kind, code, place, text, contact)), faults


def cleaned(text: str, *, lines: bool = True) -> str:
    """The text without control, direction and private characters, and without white space around it.

    Line breaks stay where ``lines`` allows them, else they are spaces.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    if not lines:
        text = text.replace("\n", " ")
    kept = (char for char in text if char == "\n" or char in _JOINERS or unicodedata.category(char)[0] != "C")
    return "".join(kept).strip()


def parse_receipt(text: str) -> str:
    """The symbols of a receipt as people write it. Raises NotFoundError, as for one that nobody has."""
    symbols = text.strip().upper().translate(LOOKALIKES)
    if len(symbols) != RECEIPT_LENGTH or any(symbol not in ALPHABET for symbol in symbols):
        raise _no_such(text)
    return symbols


def display_receipt(receipt: str) -> str:
    """``7K3QZ-9M2XA-…``: in four groups."""
    return "-".join(receipt[start : start + 5] for start in range(0, RECEIPT_LENGTH, 5))


def deadlines_of(row: ComplaintRow) -> Deadlines:
    received = parse_time(row.received_at)
    appeal = parse_time(row.closed_at) + APPEAL_IN if row.closed_at else None
    return Deadlines(received + ACKNOWLEDGED_IN, received + FINDING_IN, appeal)


def is_late(row: ComplaintRow, now: datetime) -> bool:
    """Whether what is to be done next should have been done."""
    deadlines = deadlines_of(row)
    due = {"received": deadlines.acknowledge_by, "under_review": deadlines.finding_by}.get(row.state)
    return due is not None and now > due


class Complaints:
    """All complaints of one installation. Thread-safe."""

    def __init__(self, store: ComplaintStore, randomness: Callable[[int], bytes]) -> None:
        self._store = store
        self._randomness = randomness

    def file(self, draft: Draft, now: datetime) -> ComplaintRow:
        """Keep a complaint; its receipt is known to the sender alone. Raises TooManyError when the queue is full."""
        queue = self._store.queue("received", draft.code, time_text(now - timedelta(days=1)))
        if queue.waiting >= MOST_WAITING or queue.since >= MOST_A_DAY or queue.of_code >= MOST_OF_CODE:
            of_code = queue.of_code >= MOST_OF_CODE
            raise TooManyError(
                "Many reports wait to be read, so no more are taken just now.",
                found="about this code" if of_code else "of all kinds",
                hint="Reports about this code are being looked at already."
                if of_code
                else "Send it again tomorrow. What you saw is worth keeping until then.",
            )
        row = ComplaintRow(
            receipt=self._new_receipt(),
            kind=draft.kind,
            code=draft.code,
            place=draft.place,
            text=draft.text,
            contact=draft.contact,
            state="received",
            received_at=time_text(now),
        )
        self._store.add(row)
        return row

    def _new_receipt(self) -> str:
        number = int.from_bytes(self._randomness(_RECEIPT_BYTES), "big")
        return "".join(ALPHABET[(number >> 5 * place) & 31] for place in range(RECEIPT_LENGTH))

    def one(self, receipt: str) -> ComplaintRow:
        """The complaint with this receipt, however it is written. Raises NotFoundError."""
        row = self._store.one(parse_receipt(receipt))
        if row is None:
            raise _no_such(receipt)
        return row

    def listed(self, states: Collection[str] = OPEN) -> list[ComplaintRow]:
        """The complaints in some states, the oldest first."""
        return self._store.in_states(states)

    def review(self, receipt: str, reason: str, now: datetime) -> ComplaintRow:
        """Somebody has looked at it and it is gone into: acknowledged. Raises ConflictError where it was before."""
        changes = {"state": "under_review", "reviewed_at": time_text(now), "reason": _reason(reason)}
        return self._changed(receipt, ("received",), changes)

    def close(self, receipt: str, outcome: str, reason: str, now: datetime) -> ComplaintRow:
        """The end, with the outcome and the reason that the sender is told. Raises ConflictError where it was closed before."""
        if outcome not in OUTCOMES:
            raise ForeignInputError("There is no such outcome.", found=outcome[:40], expected=", ".join(OUTCOMES))
        told = _reason(reason)
        if not told:
            raise ForeignInputError("Whoever complained is told why.", expected="a reason")
        changes = {"state": "closed", "closed_at": time_text(now), "outcome": outcome, "reason": told}
        return self._changed(receipt, OPEN, changes)

    def _changed(self, receipt: str, before: Collection[str], changes: Mapping[str, str]) -> ComplaintRow:
        row = self.one(receipt)
        if not self._store.change(row.receipt, before, changes):
            raise ConflictError(
                "The complaint is not in a state for that.",
                found=self.one(receipt).state,
                expected=" or ".join(before),
            )
        return self.one(receipt)

    def open_count(self, code: str) -> int:
        """How many complaints about this certificate are under review: looked at, and not closed. For its page."""
        return self._store.count(code, "under_review")

    def totals(self) -> Totals:
        """The numbers by kind and outcome that everybody may see."""
        rows = self._store.totals()
        return Totals(
            {kind: number for kind, state, _, number in rows if state == "received"},
            {kind: number for kind, state, _, number in rows if state == "under_review"},
            {(kind, outcome): number for kind, state, outcome, number in rows if state == "closed" and outcome},
        )


def _reason(text: str) -> str:
    told = cleaned(text, lines=False)
    if len(told) > MOST_REASON:
        raise ForeignInputError(
            "The reason is too long.", found=f"{len(told)} characters", expected=f"at most {MOST_REASON}"
        )
    return told


def _no_such(receipt: str) -> NotFoundError:
    return NotFoundError(
        "There is no report with this receipt.",
        found=cleaned(receipt, lines=False)[:40],
        expected="twenty letters and digits, as the receipt has them",
        hint="Compare it with the page that you got after sending.",
    )
