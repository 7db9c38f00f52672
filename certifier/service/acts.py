"""The operator's own record: who did, with which API key, what the public log tells without a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from certifier.certificate.times import time_text
from certifier.crypto.canonical import digest_of, sha256_hex
from certifier.errors import ForeignInputError, IdempotencyKeyReused, NotFoundError
from certifier.log.entry import log_entry
from certifier.storage.acts import ActStore
from certifier.storage.rows import ActRow

MOST_NOTE = 500
MOST_LISTED = 200


@dataclass(frozen=True)
class Act:
    """What is asked for, by whom. ``what`` is all of the request that makes it this one and no other."""

    act: str
    subject: str
    reason: str
    note: str
    key_id: str
    holder: str
    what: str
    idempotency_key: str | None = None

    @property
    def key_sha256(self) -> str | None:
        """A holder's keys share their idempotency keys, as they share everything."""
        key = self.idempotency_key
        return None if key is None else sha256_hex(f"acts\n{self.holder}\n{key}".encode())

    @property
    def request_sha256(self) -> str:
        return digest_of({"act": self.act, "subject": self.subject, "reason": self.reason, "what": self.what})


class Acts:
    """Thread-safe."""

    def __init__(self, store: ActStore, randomness: Callable[[int], bytes]) -> None:
        self._store = store
        self._randomness = randomness

    def row_of(self, asked: Act, now: datetime) -> ActRow:
        """The record of an act, to be kept with what it does. Raises ForeignInputError for a note that is none."""
        if len(asked.note) > MOST_NOTE or not (asked.note.isprintable() or not asked.note):
            raise ForeignInputError("A note is one line.", expected=f"at most {MOST_NOTE} characters", pointer="/note")
        return ActRow(
            id=f"act_{self._randomness(12).hex()}",
            at=time_text(now),
            act=asked.act,
            subject=asked.subject,
            reason=asked.reason,
            note=asked.note,
            key_id=asked.key_id,
            holder=asked.holder,
            key_sha256=asked.key_sha256,
            request_sha256=asked.request_sha256,
        )

    def answered(self, asked: Act) -> ActRow | None:
        """The act that this very request led to before. Raises IdempotencyKeyReused where its key stands for another."""
        row = self._store.answered(asked.key_sha256) if asked.key_sha256 else None
        if row is not None and row.request_sha256 != asked.request_sha256:
            raise IdempotencyKeyReused(
                "This idempotency key was used for another act.", hint="Take a new key for each act."
            )
        return row

    def place_of(self, row: ActRow) -> tuple[str, int] | None:
        """Where the public log tells an act; None while its entry waits for its place."""
        if row.act == "approve":
            return (row.log_origin, row.log_index) if row.log_origin and row.log_index is not None else None
        entry = log_entry(row.act, row.at, code=row.subject, reason=row.reason)
        return self._store.place_of(row.subject, row.act, entry)

    def one(self, act_id: str) -> ActRow:
        """Raises NotFoundError."""
        row = self._store.one(act_id)
        if row is None:
            raise NotFoundError("There is no such act.", found=act_id[:40])
        return row

    def newest(self) -> list[ActRow]:
        """The newest acts first, so many as a page holds."""
        return self._store.newest(MOST_LISTED)
