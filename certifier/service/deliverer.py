"""Deliver webhooks from the database: claim, sign, send through the one guarded door, note what came of it.

Every process of an installation runs one of these. A delivery is noted after it was sent, so a crash between the two sends it
again, with the same ``webhook-id``: at least once, and receivers drop what they have. An endpoint is one worker's at a time; a
slow one keeps one of eight places for one request, then the others have their turn.

Headers and signature: Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, spec of 2023), scheme ``v1``.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

import structlog

from certifier.certificate.times import parse_time, time_text
from certifier.crypto.webhook_signature import signed_headers
from certifier.egress import Egress, Limits
from certifier.errors import CertifierError, StorageError
from certifier.service.certifier import Certifier
from certifier.service.events import KEPT, Events
from certifier.service.webhooks import PING, signing_secrets
from certifier.storage.rows import DeliveryRow, EndpointRow
from certifier.storage.webhooks import WebhookStore

PLACES = 8
LIMITS = Limits(connect=5.0, read=15.0, total=15.0)
RETRIES_S = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
JITTER = 0.1  # so much later at most, so that what failed together does not come together
DISABLED_AFTER = timedelta(days=5)
GONE = 410
LEASE = timedelta(minutes=2)  # longer than any turn
TURN_S = 5.0  # after so long no further delivery of a turn begins
TURN_DELIVERIES = 200
FIRST_REST_S, LONGEST_REST_S = 5, 300  # how long an endpoint that fails is left alone
LOOK_EVERY_S = 1.0
FORGET_EVERY_S = 3600.0

log = structlog.get_logger(__name__)


def egress_for_webhooks() -> Egress:
    """The way out that deliveries take: patient, and as wide as there are places."""
    return Egress(limits=LIMITS, at_once=PLACES)


@dataclass(frozen=True)
class Attempt:
    """What came of sending once: the HTTP status, or why there is none."""

    status: int | None
    told: str | None

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Deliverer:
    """Sends what is due. Thread-safe; the clock and chance are given."""

    def __init__(
        self,
        store: WebhookStore,
        egress: Egress,
        clock: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._egress = egress
        self._clock = clock
        self._chance = chance
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(PLACES, thread_name_prefix="delivering")
        self._free = threading.Semaphore(PLACES)

    def close(self) -> None:
        """Begin no further delivery, and let those on their way end and be noted."""
        self._closing.set()
        self._pool.shutdown(wait=True)

    def begin_turns(self) -> list[Future[None]]:
        """Claim endpoints that have something due, as many as there are free places, and begin to deliver to each."""
        places = 0
        while places < PLACES and self._free.acquire(blocking=False):
            places += 1
        begun: list[Future[None]] = []
        try:
            now = self._clock()
            if places and not self._closing.is_set() and self._store.is_due(now):
                turn = secrets.token_hex(16)
                for endpoint in self._store.claim(turn, now, now + LEASE, places):
                    future = self._pool.submit(self._turn, endpoint, turn)
                    future.add_done_callback(lambda _: self._free.release())
                    begun.append(future)
        finally:
            for _ in range(places - len(begun)):
                self._free.release()
        return begun

    def _turn(self, endpoint: EndpointRow, turn: str) -> None:
        """Deliver what is due to one endpoint, one after the other, until one fails or the turn is over."""
        ends = monotonic() + TURN_S
        try:
            for delivery in self._store.due(endpoint.id, self._clock(), TURN_DELIVERIES):
                if self._closing.is_set() or monotonic() > ends:
                    break
                now = self._store.endpoint(endpoint.id)  # its holder may have changed or removed it meanwhile
                if now is None or now.status != "active" or not self._delivered(now, delivery):
                    break
            self._store.release(endpoint.id, turn, self._clock())
        except Exception as error:  # noqa: BLE001 - the endpoint's time runs out, then another worker goes on
            log.warning("a turn was not noted", endpoint=endpoint.id, kind=type(error).__name__)

    def _delivered(self, endpoint: EndpointRow, delivery: DeliveryRow) -> bool:
        """Send one delivery and note what came of it; whether the next one may follow."""
        attempt = self._sent(endpoint, delivery)
        now = self._clock()
        noted = {"attempted_at": time_text(now), "http_status": attempt.status, "told": attempt.told}
        number = delivery.attempts + 1
        log.info(
            "webhook sent",
            endpoint=endpoint.id,
            delivery=delivery.id,
            event_id=delivery.event_id,
            attempt=number,
            status=attempt.status,
            told=attempt.told,
        )
        if attempt.is_delivered:
            healthy = {"failing_since": None, "failures": 0, "rests_until": None}
            was_failing = endpoint.failures or endpoint.failing_since
            self._store.note(delivery, {**noted, "state": "delivered"}, healthy if was_failing else {})
            return True
        retries = () if delivery.type == PING else RETRIES_S
        if number <= len(retries):
            pause = timedelta(seconds=retries[number - 1] * (1 + JITTER * self._chance()))
            noted["due_at"] = time_text(now + pause + timedelta(microseconds=999_999))  # never a moment too early
        else:
            noted["state"] = "failed"
        self._store.note(delivery, noted, _failing(endpoint, attempt, now))
        return False

    def _sent(self, endpoint: EndpointRow, delivery: DeliveryRow) -> Attempt:
        body, now = delivery.body.encode(), self._clock()
        headers = signed_headers(delivery.event_id, body, signing_secrets(endpoint, now), now)
        try:
            status = self._egress.post(endpoint.url, body, headers)
        except CertifierError as error:
            return Attempt(None, error.message)  # not what was found: where a name leads inside is nobody's business
        except Exception as error:  # noqa: BLE001 - else it would be sent again for ever, and nobody told
            log.warning("sending failed", endpoint=endpoint.id, kind=type(error).__name__)
            return Attempt(None, "The delivery failed.")
        if 300 <= status < 400:
            return Attempt(status, "The receiver redirects, and redirects are not followed.")
        return Attempt(status, None if 200 <= status < 300 else f"The receiver answers with HTTP {status}.")


def _failing(endpoint: EndpointRow, attempt: Attempt, now: datetime) -> dict[str, str | int]:
    """How an endpoint stands after one more failure: it rests a while, longer each time, and is switched off in the end."""
    since = endpoint.failing_since or time_text(now)
    rest = timedelta(seconds=min(FIRST_REST_S * 2 ** min(endpoint.failures, 16), LONGEST_REST_S))
    changes: dict[str, str | int] = {
        "failures": endpoint.failures + 1,
        "failing_since": since,
        "rests_until": time_text(now + rest),
    }
    because = "gone" if attempt.status == GONE else "failing" if now - parse_time(since) >= DISABLED_AFTER else None
    return changes | ({"status": "disabled", "disabled_because": because} if because else {})


class Messenger:
    """The thread of a process that tells events and has them delivered, every second."""

    def __init__(
        self, events: Events, store: WebhookStore, deliverer: Deliverer, clock: Callable[[], datetime]
    ) -> None:
        self._events, self._store, self._deliverer, self._clock = events, store, deliverer, clock
        self._forgot_at: float | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="messenger", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Let what is on its way end, and stop."""
        self._closing.set()
        self._thread.join(LIMITS.total)  # what it was telling is told by the next process
        self._deliverer.close()

    def _work(self) -> None:
        while not self._closing.is_set():
            self.round()
            self._closing.wait(LOOK_EVERY_S)

    def round(self) -> None:
        """Tell what happened, then begin to deliver what is due. What fails is tried again in a second."""
        for step in (partial(self._events.sweep, self._clock()), self._forget, self._deliverer.begin_turns):
            try:
                step()
            except StorageError as error:
                log.warning("nothing could be told", told=error.message, found=error.found)
                return
            except Exception as error:  # noqa: BLE001 - events are derived again, deliveries wait in the database
                log.warning("telling failed", kind=type(error).__name__, told=getattr(error, "message", ""))

    def _forget(self) -> None:
        if self._forgot_at is None or monotonic() - self._forgot_at > FORGET_EVERY_S:
            self._store.forget(self._clock() - KEPT)
            self._forgot_at = monotonic()


def messenger_for(certifier: Certifier, clock: Callable[[], datetime], egress: Egress | None = None) -> Messenger:
    """The messenger of an installation; ``egress`` is its way out."""
    store = certifier.webhooks.store
    return Messenger(certifier.events, store, Deliverer(store, egress or egress_for_webhooks(), clock), clock)
