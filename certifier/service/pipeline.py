"""From accepted to delivered: one thread that takes what waits and brings it through the four transactions, in batches.

    A accept    reservations and entries of every waiting job, durable
    B, C        Logbook.publish: places, signed checkpoint, public files
    D deliver   every payload of the batch signed, proved and stored
    answer      only now

While one batch is on its way the next one gathers, so the cost of making things durable is shared by all who wait. After A
nobody is told a failure: what cannot be finished now is finished by the next batch, or after a restart.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum

import structlog

from certifier.errors import BusyError, CertifierError, ReadOnlyError
from certifier.storage.rows import Acceptance, CertificateRow, Job, Refusal
from certifier.storage.store import BATCH

SWEEP_EVERY_S = 1.0
A_MOMENT_S = 0.05

log = structlog.get_logger(__name__)


class Stage(Enum):
    """How far a job has come. Up to ACCEPTED nothing of it is durable, from then on it is never lost."""

    WAITING = 0
    TAKEN = 1
    ACCEPTED = 2
    DONE = 3
    FAILED = 4


class Ticket:
    """A job on its way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stage = Stage.WAITING
        self.error: Exception | None = None
        self.settled = threading.Event()  # one for each, so that a batch wakes nobody but its own


class Pipeline:
    """Jobs in, stages out. Thread-safe; ``deliver`` signs and stores whatever the log holds and nobody has signed yet."""

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
        self._pending: list[Ticket] = []  # accepted, and not finished yet
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
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
            self._changed.notify()
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
        """Start the thread now; every second it also looks for what replicas or a crash left behind."""
        with self._changed:
            self._sweeps = True
            self._start()

    def close(self) -> None:
        """Finish the batch that is on its way, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(timeout=30)

    def _check_running(self) -> None:
        if self.stopped is not None or self._closing:
            raise ReadOnlyError(
                "Nothing is written just now.", found=self.stopped or "the service is closing", hint="Try again later."
            )

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._closing:
                    self._changed.wait(SWEEP_EVERY_S if self._sweeps or self._pending else None)
                if self._closing and not self._waiting:
                    return
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                self._move(batch, Stage.TAKEN)
            try:
                self._bring_through(batch)
            except Exception as error:  # noqa: BLE001 - whatever it was, this writer must not go on
                self._stop(error, batch)
                return

    def _bring_through(self, batch: list[Ticket]) -> None:
        self._pending += self._take_in(batch) if batch else []
        if batch and not self._pending:
            return
        try:
            self._publish()
        except BusyError as error:  # too few witnesses answer: all is kept, the next round goes on
            log.warning("not published yet", told=error.message, found=error.found)
            return
        self._deliver([ticket.job.certificate for ticket in self._pending if isinstance(ticket.job, Acceptance)])
        self._move(self._pending, Stage.DONE)
        self._pending = []

    def _take_in(self, batch: list[Ticket]) -> list[Ticket]:
        """Transaction A. The tickets that were accepted and are not finished by it."""
        for ticket, error in zip(batch, self._accept([ticket.job for ticket in batch]), strict=True):
            ticket.error = error
        self._move([ticket for ticket in batch if ticket.error], Stage.FAILED)
        self._move([ticket for ticket in batch if not ticket.error], Stage.ACCEPTED)
        # A refusal has no entry in the log: it is complete.
        self._move([ticket for ticket in batch if not ticket.error and isinstance(ticket.job, Refusal)], Stage.DONE)
        return [ticket for ticket in batch if ticket.stage is Stage.ACCEPTED]

    def _move(self, tickets: Sequence[Ticket], stage: Stage) -> None:
        for ticket in tickets:
            ticket.stage = stage
            if stage in {Stage.DONE, Stage.FAILED}:
                ticket.settled.set()

    def _stop(self, error: Exception, batch: Sequence[Ticket]) -> None:
        """Fail-stop (DESIGN 15): nothing more is written through this process; the next start checks everything first."""
        told = error.message if isinstance(error, CertifierError) else type(error).__name__
        found = (error.found or "") if isinstance(error, CertifierError) else ""
        log.error("writing stopped", kind=type(error).__name__, told=told, found=found)
        with self._changed:
            self.stopped = f"writing stopped after an error: {told}"
            unknown = [ticket for ticket in (*batch, *self._waiting) if ticket.stage in {Stage.WAITING, Stage.TAKEN}]
            for ticket in unknown:
                ticket.error = ReadOnlyError(
                    "The submission could not be stored, or it cannot be told.",
                    found=told,
                    hint="Send the same request again: it is answered once only.",
                )
            self._waiting.clear()
            self._move(unknown, Stage.FAILED)
            for ticket in self._pending:  # on record, and no more can be done for them here
                ticket.settled.set()
        self._on_stop(self.stopped)
