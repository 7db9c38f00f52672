"""A catalogue verified with all cores: pieces go out to processes, answers come back in their order.

Only a few pieces are on their way at once, so that memory does not grow with the catalogue, however slow its reader is.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing.connection import wait
from typing import NamedTuple

import pyarrow as pa

from certifier.catalogue.batch import result_names, verify_batch
from certifier.catalogue.checker import Checker, CheckerPlan
from certifier.catalogue.questions import Column
from certifier.catalogue.reading import Piece, Place
from certifier.errors import OperatorError

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
    """The answers to all pieces, in order. ``processes`` is the number of cores unless it is said; 1 works here.

    Raises what the pieces raise, UnreachableError, and OperatorError when a process was ended from outside.
    """
    checker = plan.open()  # what is wrong with the pack is told before anything begins
    processes = processes or len(os.sched_getaffinity(0))
    if processes == 1:
        yield from (_verify(piece, columns, checker) for piece in pieces)
        return
    with ExitStack() as stack:
        # Not forked: a process with the threads of a reader in it is none to copy.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(plan, tuple(columns)))
        stack.callback(pool.shutdown, cancel_futures=True)
        waiting: deque[Future[Verified]] = deque()
        try:
            for piece in pieces:
                waiting.append(pool.submit(_verify_here, piece))
                if len(waiting) > AHEAD * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise OperatorError(
                "A process that verified rows was ended from outside.",
                found=str(error)[:200],
                hint="Was there too little memory? Run it again with fewer --processes: it goes on where it was.",
            ) from error


class _Here(NamedTuple):
    """What a process of the pool works with."""

    checker: Checker
    columns: tuple[Column, ...]


_here: list[_Here] = []


def _begin(plan: CheckerPlan, columns: tuple[Column, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _here[:] = [_Here(plan.open(), columns)]


def _end_with_parent() -> None:
    """A process of a pool waits for work for ever when its parent is killed; this ends it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _verify_here(piece: Piece) -> Verified:
    (here,) = _here
    return _verify(piece, here.columns, here.checker)


def _verify(piece: Piece, columns: Sequence[Column], checker: Checker) -> Verified:
    batch, names = verify_batch(piece.batch, checker, columns, piece.faults), result_names(piece.batch.schema)
    results = batch.column(names["result"]).to_pylist()
    first = results.index("problem") if "problem" in results else None
    problem = None if first is None else (first, batch.column(names["problem"])[first].as_py())
    return Verified(batch, Counter(results), problem, piece.after)
