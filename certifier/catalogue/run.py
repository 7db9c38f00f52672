"""A catalogue verified with all cores: pieces go out to processes in turn, answers come back in their order.

Only a few pieces are on their way at once, so that memory does not grow with the catalogue, however slow its reader is. Each
process has a line of its own to who started it, and ends when that line ends: nothing is left behind by a run that was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

import pyarrow as pa

from certifier.catalogue.batch import result_names, verify_batch
from certifier.catalogue.checker import Checker, CheckerPlan
from certifier.catalogue.pieces import Piece, Place
from certifier.catalogue.questions import Column
from certifier.errors import CertifierError, OperatorError

AHEAD = 2  # pieces on their way for each process


class Verified(NamedTuple):
    """The answers to a piece, how many there are of each result, and the place in the catalogue behind it.

    ``first_problem`` is a row that could not be read, by its number from 0, with the JSON that says why.
    """

    batch: pa.RecordBatch
    results: Counter[str]
    first_problem: tuple[int, str] | None
    after: Place


def verified_pieces(
    pieces: Iterable[Piece], columns: Sequence[Column], plan: CheckerPlan, processes: int | None = None
) -> Iterator[Verified]:
    """The answers to all pieces, in order. ``processes`` is the number of cores unless it is said.

    One process, or one piece, is worked on here. Raises what the pieces raise, UnreachableError, and OperatorError when a process
    was ended from outside.
    """
    checker = plan.open()  # what is wrong with the pack is told before anything begins
    processes = processes or len(os.sched_getaffinity(0))
    following = iter(pieces)
    first = list(islice(following, 2))
    if processes == 1 or len(first) < 2:
        yield from (_verify(piece, columns, checker) for piece in chain(first, following))
        return
    helpers: list[_Helper] = []
    sent = taken = 0
    try:
        for piece in chain(first, following):
            if len(helpers) < processes:
                helpers.append(_Helper(plan, tuple(columns)))
            helpers[sent % processes].give(piece)
            sent += 1
            if sent - taken > AHEAD * processes:
                yield helpers[taken % processes].take()
                taken += 1
        while taken < sent:
            yield helpers[taken % processes].take()
            taken += 1
    finally:
        for helper in helpers:
            helper.end()


class _Helper:
    """A process that verifies what it is given, in order."""

    def __init__(self, plan: CheckerPlan, columns: tuple[Column, ...]) -> None:
        # Not forked: a process with the threads of a reader in it is none to copy.
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_help, args=(theirs, plan, columns), daemon=True)
        # An interrupt from the keyboard is for whoever asked, who then ends this process: it inherits what is blocked here.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def give(self, piece: Piece) -> None:
        try:
            self._line.send(piece)
        except OSError:
            self.take()  # says why it ended
            raise

    def take(self) -> Verified:
        """The answer to the oldest piece without one. Raises what was raised there, or OperatorError."""
        try:
            answer: Verified | CertifierError = self._line.recv()
        except (EOFError, OSError) as error:
            raise OperatorError(
                "A process that verified rows was ended from outside.",
                found=f"exit code {self._process.exitcode}",
                hint="Was there too little memory? Run it again with fewer --processes: it goes on where it was.",
            ) from error
        if isinstance(answer, CertifierError):
            raise answer
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._line.close()


def _help(line: Connection, plan: CheckerPlan, columns: tuple[Column, ...]) -> None:
    """What a helper does until its line ends."""
    pieces: SimpleQueue[Piece] = SimpleQueue()
    Thread(target=_receive, args=(line, pieces), daemon=True).start()
    try:
        checker = plan.open()
        while True:
            line.send(_verify(pieces.get(), columns, checker))
    except CertifierError as error:
        line.send(error)


def _receive(line: Connection, pieces: SimpleQueue[Piece]) -> None:
    """Take what comes at once, so that whoever sends never waits for an answer to be taken first."""
    try:
        while True:
            pieces.put(line.recv())
    except (EOFError, OSError):
        os._exit(0)  # nobody is there any more


def _verify(piece: Piece, columns: Sequence[Column], checker: Checker) -> Verified:
    batch, names = verify_batch(piece.batch, checker, columns, piece.faults), result_names(piece.batch.schema)
    results = batch.column(names["result"]).to_pylist()
    first = results.index("problem") if "problem" in results else None
    problem = None if first is None else (first, batch.column(names["problem"])[first].as_py())
    return Verified(batch, Counter(results), problem, piece.after)
