"""What the database holds and takes, as frozen values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from certifier.log.merkle import HASH_BYTES


@dataclass(frozen=True)
class SubmissionRow:
    """A submission as stored. ``state`` is certified, refused or accepted (its certificate is being made)."""

    id: str
    created_at: str
    state: str
    title: str
    artist: str
    report_sha256: str
    audio_sha256: str
    outcome: str
    envelope: bytes
    decision: bytes
    applicant: str | None = None


@dataclass(frozen=True)
class CertificateRow:
    """A certificate as stored; ``document`` and ``proof`` are None until it is delivered."""

    code: str
    submission_id: str
    report_sha256: str
    audio_sha256: str
    outcome: str
    issued_at: str
    expires_at: str
    payload: bytes
    verification_method: str
    revocation_index: int
    suspension_index: int
    in_force: int
    document: bytes | None = None
    proof: bytes | None = None


class DeliveredRow(NamedTuple):
    """What of a delivered certificate is verified: the signed document, and the text of its ``.tlog-proof``."""

    code: str
    document: bytes
    proof: bytes | None


@dataclass(frozen=True)
class StoredDecision:
    """A submission with what was decided on it; ``code`` of its certificate, if it has one, and whether that is in force."""

    id: str
    code: str | None
    in_force: bool
    envelope: bytes
    decision: bytes


@dataclass(frozen=True)
class PlacedEntry:
    """One entry of a log, in its place."""

    origin: str
    index: int
    type: str
    code: str | None
    entry: bytes


@dataclass(frozen=True)
class IssuedCertificate:
    """A delivered certificate by the place of its ``issue`` entry: the number of the log and the index in it."""

    log: int
    index: int
    code: str
    isrc: str
    audio_sha256: str
    essence_sha256: str
    document: bytes
    proof: bytes


@dataclass(frozen=True)
class LogRow:
    """A log and the head of its committed tree; ``peaks`` from the right to the left, joined."""

    origin: str
    number: int
    size: int
    peaks: bytes
    frozen: int

    @property
    def peak_hashes(self) -> list[bytes]:
        return [self.peaks[start : start + HASH_BYTES] for start in range(0, len(self.peaks), HASH_BYTES)]


@dataclass(frozen=True)
class CheckpointRow:
    """A signed checkpoint; ``published`` is None until the witnesses' quorum is reached."""

    origin: str
    size: int
    note: bytes
    published: bytes | None


@dataclass(frozen=True)
class IdempotencyRow:
    """An idempotency key that was used, as digests: of the key, and of the request that it stood for.

    ``told_state`` is how the certificate stood, where the report had it before; None for a report's first answer.
    """

    key_sha256: str
    request_sha256: str
    submission_id: str
    created_at: str
    told_state: str | None = None


@dataclass(frozen=True)
class ComplaintRow:
    """A complaint or a report of misuse. ``place``, ``text`` and ``contact`` are the operator's alone.

    ``reason`` is what whoever has the receipt is told.
    """

    receipt: str
    kind: str
    code: str | None
    place: str
    text: str
    contact: str = field(repr=False)
    state: str
    received_at: str
    reviewed_at: str | None = None
    closed_at: str | None = None
    outcome: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class ApiKeyRow:
    """An API key as stored, without its secret. ``scopes`` and ``networks`` are words with a space between."""

    id: str
    holder: str
    secret_sha256: str
    scopes: str
    networks: str
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None


@dataclass(frozen=True)
class NewEntry:
    """An entry that waits for its place."""

    type: str
    entry: bytes
    code: str | None = None


@dataclass(frozen=True)
class LostEntry:
    """An entry that was published and that the database lost; an ``issue`` with the digests of its report and audio."""

    type: str
    code: str | None
    entry: bytes
    report_sha256: str | None = None
    audio_sha256: str | None = None


@dataclass(frozen=True)
class ActRow:
    """What an operator did with an API key: ``reason`` is public in the log, ``note`` and key are the operator's own.

    The digests are those of the request's Idempotency-Key and of what was asked with it.
    """

    id: str
    at: str
    act: str
    subject: str
    reason: str
    note: str
    key_id: str
    holder: str
    log_origin: str | None = None
    log_index: int | None = None
    key_sha256: str | None = None
    request_sha256: str | None = None


@dataclass(frozen=True)
class StatusChange:
    """A change of a certificate's status, allowed if its last entry is one of ``after``; kept together with its act."""

    code: str
    type: str
    entry: bytes
    after: Collection[str]
    act: ActRow | None = None


@dataclass(frozen=True)
class Acceptance:
    """A submission that passed, with everything that its acceptance reserves.

    ``shares_ppt`` in parts per trillion by run; ``replaced`` revokes the certificate that this one replaces. ``contact`` is
    the operator's alone.
    """

    submission: SubmissionRow
    logs: Mapping[str, bytes]
    certificate: CertificateRow
    shares_ppt: Mapping[str, int]
    entry: bytes
    replaced: StatusChange | None = None
    idempotency: IdempotencyRow | None = None
    contact: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A submission that was refused, kept with its reasons."""

    submission: SubmissionRow
    logs: Mapping[str, bytes] = field(default_factory=dict)
    idempotency: IdempotencyRow | None = None
    contact: str | None = None


Job = Acceptance | Refusal | StatusChange | NewEntry | IdempotencyRow | ActRow


@dataclass(frozen=True)
class NewEvent:
    """Something that happened. ``body`` is the JSON text that receivers get, byte for byte."""

    id: str
    type: str
    body: str


@dataclass(frozen=True)
class EventRow(NewEvent):
    """An event in its place in the feed."""

    number: int
    recorded_at: str


@dataclass(frozen=True)
class EndpointRow:
    """Where a holder of keys wants to hear of events; ``types`` empty for all of them.

    ``secret`` signs; ``old_secret`` signs too until its time is over.
    """

    id: str
    holder: str
    url: str
    description: str
    types: tuple[str, ...]
    secret: str = field(repr=False)
    created_at: str
    status: str = "active"
    disabled_because: str | None = None
    version: int = 1
    old_secret: str | None = field(default=None, repr=False)
    old_secret_until: str | None = None
    failing_since: str | None = None
    failures: int = 0
    rests_until: str | None = None


@dataclass(frozen=True)
class DeliveryRow:
    """One event on its way to one endpoint. ``state`` is waiting, delivered or failed (given up)."""

    number: int
    id: str
    endpoint_id: str
    event_id: str
    type: str
    body: str
    state: str
    created_at: str
    due_at: str
    attempts: int
    attempted_at: str | None
    http_status: int | None
    told: str | None
