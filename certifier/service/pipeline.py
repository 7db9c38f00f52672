"""From accepted to delivered: two threads that take what waits and bring it through the four transactions, in batches.

    A accept    reservations and entries of every waiting job, durable        the first thread
    B, C        Logbook.publish: places, signed checkpoint, public files      the second thread
    D deliver   every payload signed, proved and stored
    answer      only now

While one batch is on its way the next one gathers, so the cost of making things durable is shared by all who wait; and while
witnesses take their time, accepting goes on. After A nobody is told a failure: what cannot be finished now is finished by a
later round, or after a restart.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from time import monotonic

import structlog

from certifier.errors import BusyError, CertifierError, ReadOnlyError, StorageError
from certifier.storage.rows import Acceptance, CertificateRow, IdempotencyRow, Job, Refusal
from certifier.storage.store import BATCH

SWEEP_EVERY_S = 1.0
A_MOMENT_S = 0.05

log = structlog.get_logger(__name__)


class Stage(Enum):
    """How far a job has come. Up to TAKEN nothing of it is durable, from ACCEPTED on it is never lost."""

    WAITING = 0
    TAKEN = 1
    ACCEPTED = 2
    DONE = 3
    FAILED = 4


class Ticket:
    """A job on its way."""

    def __init__(self, job: Job) -> None:
        self.job: Job | None = job
        self.stage = Stage.WAITING
        self.error: Exception | None = None
        self.certificate: CertificateRow | None = job.certificate if isinstance(job, Acceptance) else None
        self.needs_the_log = not isinstance(job, (Refusal, IdempotencyRow))
        self.settled = threading.Event()  # one for each, so that a batch wakes nobody but its own


class Pipeline:
    """Jobs in, stages out. Thread-safe; ``deliver`` signs and stores what the log holds and nobody has signed yet."""

    def __init__(
        self,
        accept: Callable[[Sequence[Job]], list[CertifierError | None]],
        publish: Callable[[], object],
        deliver: Callable[[Sequence[CertificateRow]], None],
        *,
        on_stop: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.stopped: str | None = None
        self._accept, self._publish, self._deliver, self._on_stop = accept, publish, deliver, on_stop
        self._waiting: deque[Ticket] = deque()
        self._accepted: deque[Ticket] = deque()  # and not finished yet
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._accepts = True
        self._sweeps = False

    def record(self, job: Job, budget_s: float) -> Stage:
        """Bring a job as far as the time allows: DONE, or ACCEPTED when it is durable but not finished.

        Raises the conflict that kept it out, BusyError when it was not even accepted in time, ReadOnlyError when the
        pipeline has stopped. Then nothing was stored, or it cannot be told: the same request may be sent again.
        """
        ticket = Ticket(job)
        with self._changed:
            self._check_running()
            self._start()
            self._waiting.append(ticket)
            self._changed.notify_all()
        if not ticket.settled.wait(budget_s):
            self._give_up(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.stage

    def _give_up(self, ticket: Ticket) -> None:
        """Over the time: what is not even begun is taken back; while A is under way, a moment tells whether it holds."""
        with self._changed:
            if ticket.stage is Stage.WAITING:
                self._waiting.remove(ticket)
                raise BusyError("The service is busy; nothing was decided.", hint="Send the same request again.")
        while ticket.stage is Stage.TAKEN and not ticket.settled.wait(A_MOMENT_S):
            pass

    def sweep(self) -> None:
        """From now on look every second for what replicas, a crash or slow witnesses left behind."""
        with self._changed:
            self._sweeps = True
            self._start()

    def close(self) -> None:
        """Finish what is on its way, a minute at most, and end the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        ends = monotonic() + 60
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, ends - monotonic()))

    def _check_running(self) -> None:
        if self.stopped is not None or self._closing:
            raise ReadOnlyError(
                "Nothing is written just now.", found=self.stopped or "the service is closing", hint="Try again later."
            )

    def _start(self) -> None:
        if not self._threads:
            works = {"accepting": self._accept_for_ever, "finishing": self._finish_for_ever}
            self._threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in works.items()]
            for thread in self._threads:
                thread.start()

    # -- the first thread: A ------------------------------------------------------------------------------------

    def _accept_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing or self.stopped)
                if self.stopped or not self._waiting:
                    self._accepts = False
                    self._changed.notify_all()
                    return
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                for ticket in batch:
                    ticket.stage = Stage.TAKEN
            try:
                self._take_in(batch)
            except Exception as error:  # noqa: BLE001 - whatever it was, this writer must not go on
                self._stop(error, batch)
                return

    def _take_in(self, batch: Sequence[Ticket]) -> None:
        """Transaction A."""
        errors = self._accept([ticket.job for ticket in batch if ticket.job])
        with self._changed:
            for ticket, error in zip(batch, errors, strict=True):
                ticket.job, ticket.error = None, error  # the files that came along are not kept any longer
                if error is None and ticket.needs_the_log:
                    ticket.stage = Stage.ACCEPTED
                    self._accepted.append(ticket)
                    if self.stopped:
                        ticket.settled.set()
                else:
                    self._settle(ticket, Stage.FAILED if error else Stage.DONE)
            self._changed.notify_all()

    # -- the second thread: B to D ------------------------------------------------------------------------------

    def _finish_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._accepted or self._closing or self.stopped, SWEEP_EVERY_S if self._sweeps else None
                )
                if self.stopped or not (self._accepted or self._accepts):
                    return
                if self._closing and not self._accepted:
                    self._changed.wait_for(lambda: self._accepted or self.stopped or not self._accepts)
                    continue
                batch = list(self._accepted)[:BATCH]
            try:
                self._finish(batch)
            except BusyError as error:  # too few witnesses answer: all is kept, the next round goes on
                log.warning("not published yet", told=error.message, found=error.found)
                if self._closing:
                    return
                threading.Event().wait(A_MOMENT_S)
            except StorageError as error:
                if batch:
                    self._stop(error, ())
                    return
                log.warning("nothing could be looked for", told=error.message, found=error.found)
            except Exception as error:  # noqa: BLE001 - whatever it was, this writer must not go on
                self._stop(error, ())
                return

    def _finish(self, batch: Sequence[Ticket]) -> None:
        self._publish()
        self._deliver([ticket.certificate for ticket in batch if ticket.certificate])
        with self._changed:
            for ticket in batch:
                self._accepted.popleft()
                self._settle(ticket, Stage.DONE)

    def _settle(self, ticket: Ticket, stage: Stage) -> None:
        ticket.stage = stage
        ticket.settled.set()

    def _stop(self, error: Exception, batch: Sequence[Ticket]) -> None:
        """Fail-stop (DESIGN 15): nothing more is written through this process; the next start checks everything first."""
        told = error.message if isinstance(error, CertifierError) else type(error).__name__
        found = (error.found or "") if isinstance(error, CertifierError) else ""
        log.error("writing stopped", kind=type(error).__name__, told=told, found=found)
        with self._changed:
            self.stopped = f"writing stopped after an error: {told}"
            for ticket in (*batch, *self._waiting):
                ticket.error = ReadOnlyError(
                    "The submission could not be stored, or it cannot be told.",
                    found=told,
                    hint="Send the same request again: it is answered once only.",
                )
                self._settle(ticket, Stage.FAILED)
            self._waiting.clear()
            for ticket in self._accepted:  # on record, and no more can be done for them here
                ticket.settled.set()
            self._changed.notify_all()
        self._on_stop(self.stopped)
