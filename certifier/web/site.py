"""One installation as the web shows it: the certifier, the clock, and what is remembered between requests.

Views get a ``Site`` and give back a response; what is decided, stored or signed is the certifier's business.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache, cached_property, lru_cache, partial
from threading import BoundedSemaphore, Lock
from typing import Any, TypeVar

from certifier.certificate.trust import Trust
from certifier.certificate.verification import AudioDigests, Material, Verification
from certifier.certificate.verify import cannot_be_read, check_certificate
from certifier.crypto.signing import Signer, SigningKey
from certifier.decision import parse_decision
from certifier.egress import Egress
from certifier.errors import BusyError, CertifierError, NotFoundError
from certifier.report.envelope import open_report
from certifier.report.model import Report
from certifier.service.certifier import Certifier
from certifier.service.key_challenges import challenge_at
from certifier.service.register import Keys
from certifier.service.sandbox import sandbox_key
from certifier.service.scheme import Scheme
from certifier.standard.evaluate import Verdict
from certifier.standard.explanation import explanation_of
from certifier.standard.levers import Levers, levers_of
from certifier.storage.rates import counter_for
from certifier.storage.rows import CertificateRow, DeliveredRow, SubmissionRow
from certifier.web.limits import Limits
from certifier.web.memory import Memory
from certifier.web.metrics import Metrics

Made = TypeVar("Made")

RETRY_AFTER_S = 5
MOST_STREAMS = 4  # with max_waiting still fewer than a worker has threads
MOST_OF_ONE = 2
MOST_ANSWERED_BYTES = 4 * 1024 * 1024  # about a thousand answers
REMEMBERED = 256
MOST_REMEMBERED_BYTES = 128 * 1024  # of the signed report behind what is remembered
# Of a report that is worked on while somebody waits: activities and lines of hardware together.
MOST_FOR_LEVERS = 200  # half a second
MOST_FOR_EXPLANATION = 4_000  # ten megabytes
# Its signature by a key is a secret of whoever holds the key: it is signed for nothing else, and RFC 8032 makes the same one
# each time. Whoever learns the secret that follows from it learns nothing of the key.
CURSOR_TEXT = b"lcal-cursor-key/1\n"


class StatusLists(Mapping[str, bytes]):
    """The status lists of one minute by URL; each is signed when it is asked for, and kept."""

    def __init__(self, certifier: Certifier, minute: datetime) -> None:
        """Raises ReadOnlyError when no status can be told."""
        self._urls = certifier.published.status_urls()
        self._signed = cache(partial(certifier.published.status_list, now=minute))

    def __getitem__(self, url: str) -> bytes:
        return self.signed(url, "record")

    def signed(self, url: str, rendition: str) -> bytes:
        """A list in one of its forms (certificate/status.RENDITIONS). Raises KeyError."""
        return self._signed(*self._urls[url], rendition=rendition)

    def __iter__(self) -> Iterator[str]:
        return iter(self._urls)

    def __len__(self) -> int:
        return len(self._urls)


class Site:
    """Thread-safe."""

    def __init__(
        self,
        certifier: Certifier,
        clock: Callable[[], datetime],
        egress: Egress | None = None,
        metrics: Metrics | None = None,
        is_draining: Callable[[], bool] = lambda: False,
    ) -> None:
        self.certifier = certifier
        self.metrics = metrics or Metrics()
        self.is_draining = is_draining
        self.places_taken = 0
        self.egress = egress or Egress()
        self.settings = certifier.settings
        self.clock = clock
        self.limits = Limits(self.settings, counter_for(certifier.store.database, self.settings.limit_store))
        self.description: Mapping[str, Any] = {}  # of the API; the application sets it
        self._places = BoundedSemaphore(self.settings.max_waiting)
        self._streams: Counter[str] = Counter()
        self._lock = Lock()
        self._counting = Lock()
        self._verdicts = lru_cache(REMEMBERED)(certifier.replayed)
        self._levers = lru_cache(REMEMBERED)(self._levers_of)
        self.ai_parts_of = lru_cache(REMEMBERED)(self._ai_parts_of)
        self.comparison_of = lru_cache(REMEMBERED)(certifier.shelf.compared)
        self._cursor_keys: dict[str, bytes] = {}
        self._made: dict[str, tuple[tuple[datetime, int, Keys], Any]] = {}

    @cached_property
    def sandbox_key(self) -> SigningKey:
        """The key that signs what is issued in a sandbox. Raises SandboxOnly elsewhere."""
        return sandbox_key(self.settings, self.certifier.keyring)

    @property
    def scheme(self) -> Scheme:
        """Who stands behind this installation, as its file says now."""
        return self.certifier.keys.now.scheme

    def minute(self) -> datetime:
        """Now, to the minute: public views are the same bytes for a minute, so that caches can work."""
        return _minute(self.clock())

    @contextmanager
    def place_in_queue(self) -> Iterator[None]:
        """Room for one request with a body. Raises BusyError at once, before a byte of it is read, when all are taken.

        There are fewer places than threads, so that slow or stalled senders never keep readers out (DESIGN 15).
        """
        if not self._places.acquire(blocking=False):
            raise BusyError("Many requests are being read just now.", hint="Send the same request again shortly.")
        self._count_places(1)
        try:
            yield
        finally:
            self._places.release()
            self._count_places(-1)

    def _count_places(self, change: int) -> None:
        with self._counting:
            self.places_taken += change
        self.metrics.places_taken.inc(change)

    def place_for_stream(self, holder: str) -> Callable[[], None]:
        """Room for one stream of lines; what is returned gives the room back. Raises BusyError when all is taken.

        Streams may last for hours, so they have places of their own: none of them keeps a request out, or a reader; and one
        holder's streams never keep out another's.
        """
        with self._lock:
            if self._streams[holder] >= MOST_OF_ONE or self._streams.total() >= MOST_STREAMS:
                raise BusyError(
                    "Other streams of lines are being answered just now.",
                    found=f"{self._streams[holder]} of this holder, {self._streams.total()} in all",
                    expected=f"at most {MOST_OF_ONE} of a holder at a time, {MOST_STREAMS} in all",
                    hint="Send the same stream again shortly, or JSON with at most 1,000 items.",
                )
            self._streams[holder] += 1
        given = ExitStack()
        given.callback(self._give_back, holder)
        return given.close  # once, however often it is called

    def _give_back(self, holder: str) -> None:
        with self._lock:
            self._streams -= Counter({holder: 1})  # what comes to nothing is forgotten

    def verdict_on(self, submission: SubmissionRow) -> Verdict:
        """The verdict on a stored submission. Those on long reports are reached anew each time: they would fill the memory."""
        is_long = len(submission.envelope) > MOST_REMEMBERED_BYTES
        return self.certifier.replayed(submission) if is_long else self._verdicts(submission)

    def levers_on(self, submission: SubmissionRow) -> Levers | None:
        """What would lift a stored decision; None for a report so long that working it out would keep a reader waiting."""
        is_long = len(submission.envelope) > MOST_REMEMBERED_BYTES
        return self._levers_of(submission) if is_long else self._levers(submission)

    def _levers_of(self, submission: SubmissionRow) -> Levers | None:
        record, evidence = parse_decision(submission.decision)
        report = open_report(submission.envelope).report
        if size_of(report) > MOST_FOR_LEVERS:
            return None
        standard = self.certifier.shelf.with_digest(record["standard"]["sha256"])
        return levers_of(standard, report, evidence, self.verdict_on(submission))

    def _ai_parts_of(self, submission_id: str) -> tuple[str, ...]:
        """Which parts of a track AI made, as the applicant says."""
        return open_report(self.certifier.store.submission(submission_id).envelope).report.track.ai_contribution

    def explanation_on(self, submission: SubmissionRow) -> dict[str, Any] | None:
        """Every line of a stored decision's figure with its origins; None where there is no figure.

        Raises NotFoundError for a report so long that its lines would fill the memory of whoever asks.
        """
        record, _ = parse_decision(submission.decision)
        standard = self.certifier.shelf.with_digest(record["standard"]["sha256"])
        report = open_report(submission.envelope).report
        if size_of(report) > MOST_FOR_EXPLANATION:
            raise NotFoundError(
                "The lines of so long a report are not worked out here.",
                found=f"{size_of(report)} activities and lines of hardware",
                expected=f"at most {MOST_FOR_EXPLANATION}",
                hint="Run: certifier explain REPORT",
            )
        return explanation_of(standard, report, self.verdict_on(submission))

    def status_lists(self, moment: datetime) -> StatusLists:
        """The signed status lists by URL. Made anew each minute, and at once when the log or the register has grown."""
        return self._remembered("lists", moment, partial(StatusLists, self.certifier))

    def challenge(self, purpose: str, moment: datetime) -> str:
        """The challenge for holders of keys, made anew as the status lists are."""
        make = partial(challenge_at, self.settings, self.certifier.own_keys, purpose)
        return self._remembered(f"challenge {purpose}", moment, lambda now: make(_minute(now)))

    def cursor_key(self, moment: datetime) -> tuple[str, bytes]:
        """The key that seals the places in lists (web/paging.py), with the verification method that it follows from.

        Raises ReadOnlyError when no key is here that it could follow from.
        """
        own = self.certifier.own_keys
        method = own.method_of(own.for_lists(moment))
        return method, self._cursor_key(method, own.signer_for(method))

    def cursor_key_of(self, method: str) -> bytes | None:
        """As ``cursor_key``, for a method of this issuer whose private half is here and may sign."""
        signer = self.certifier.own_keys.signer_named(method)
        return self._cursor_key(method, signer) if signer else None

    def _cursor_key(self, method: str, signer: Signer) -> bytes:
        if method not in self._cursor_keys:
            self._cursor_keys[method] = hashlib.sha256(signer.sign(CURSOR_TEXT)).digest()
        return self._cursor_keys[method]

    def pack(self, moment: datetime) -> bytes:
        """The pack for offline verification, made anew as the status lists are."""
        return self._remembered("pack", moment, self.certifier.published.pack)

    def suspended(self, moment: datetime) -> frozenset[str]:
        """The codes of the certificates that are suspended now, found anew as the status lists are."""
        return self._remembered("suspended", moment, lambda _: self.certifier.published.suspended_codes())

    def answers(self) -> Memory:
        """The answers about single codes that were given at this moment (``as_of``); of another one none is remembered."""
        return self._remembered("answers", self.clock(), lambda _: Memory(MOST_ANSWERED_BYTES))

    def trust(self, moment: datetime) -> Trust:
        """Whom a verifier of this installation trusts, made anew as the status lists are."""
        return self._remembered("trust", moment, self.certifier.published.trust_at)

    def as_of(self) -> tuple[datetime, int, Keys]:
        """What public views depend on: the minute, the size of the log, the register."""
        return self._as_of(self.clock())

    def _as_of(self, moment: datetime) -> tuple[datetime, int, Keys]:
        return (_minute(moment), self.certifier.logbook.head.size, self.certifier.keys.now)

    def _remembered(
        self,
        name: str,
        moment: datetime,
        make: Callable[[datetime], Made],
        as_of: tuple[datetime, int, Keys] | None = None,
    ) -> Made:
        key = as_of or self._as_of(moment)
        remembered = self._made.get(name)
        if remembered is None or remembered[0] != key:
            self._made[name] = remembered = (key, make(moment))
        made: Made = remembered[1]
        return made

    def material(self, moment: datetime, proof: bytes | None, audio: AudioDigests | None = None) -> Material:
        """What this installation knows about any certificate, with the proof of one."""
        as_of = self._as_of(moment)  # asked once: it looks at files
        trust = self._remembered("trust", moment, self.certifier.published.trust_at, as_of)
        lists = self._remembered("lists", moment, partial(StatusLists, self.certifier), as_of)
        return Material(trust, proof, lists, audio)

    def verification_of(
        self, row: CertificateRow | DeliveredRow, minute: datetime, audio: AudioDigests | None = None
    ) -> Verification:
        """The one verification, on a certificate of this installation."""
        return checked(row, self.material(minute, row.proof, audio), minute)

    def is_whole(self, row: CertificateRow) -> bool:
        """Whether the stored document is the one that was signed; asked even while no status can be told."""
        now = self.clock()
        return checked(row, Material(self.trust(now)), now).axes["integrity"] == "ok"


def checked(row: CertificateRow | DeliveredRow, material: Material, now: datetime) -> Verification:
    """The verification of what is stored; what came to harm here is broken."""
    try:
        return check_certificate(row.document or b"", material, now)
    except CertifierError as error:
        return cannot_be_read(error, now)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def size_of(report: Report) -> int:
    """Activities and lines of hardware: what the work on a report grows with."""
    return len(report.activities) + sum(len(activity.hardware or ()) for activity in report.activities)
