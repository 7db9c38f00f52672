"""A catalogue over processes: the answers of one process in the same order, and each end of one is told."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from certifier.catalogue.checker import CheckerPlan
from certifier.catalogue.pieces import Piece, Place
from certifier.catalogue.questions import Column
from certifier.catalogue.run import verified_pieces
from certifier.errors import ForeignInputError, OperatorError
from tests.catalogue.stock import isrc_of, stock_of

NOW = datetime.now(UTC).replace(microsecond=0)
COLUMNS = [Column("isrc", "isrc")]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> CheckerPlan:
    stock = stock_of(5, NOW, revoked=[3])
    return CheckerPlan(stock.pack, certificates=stock.shelve(tmp_path_factory.mktemp("shelf") / "certificates"))


def pieces(number: int) -> Iterator[Piece]:
    """Pieces of ten rows each, larger than what a line between processes holds."""
    for start in range(0, 10 * number, 10):
        columns = {"isrc": [isrc_of(row % 8) for row in range(start, start + 10)], "more": ["x" * 30_000] * 10}
        faults = {5: ForeignInputError("bad")} if start == 20 else {}
        yield Piece(pa.record_batch(columns), faults, Place(start + 10))


def test_two_processes_answer_as_one_does_and_in_the_same_order_and_each_end_is_told(plan: CheckerPlan) -> None:
    alone = list(verified_pieces(pieces(12), COLUMNS, plan, 1))
    shared = verified_pieces(pieces(12), COLUMNS, plan, 2)
    assert [next(shared) for _ in range(12)] == alone
    assert alone[2].first_problem is not None
    assert list(shared) == []
    assert multiprocessing.active_children() == []
    killed = verified_pieces(pieces(12), COLUMNS, plan, 2)
    next(killed)
    for process in multiprocessing.active_children():
        os.kill(process.pid or 0, signal.SIGKILL)
    with pytest.raises(OperatorError, match="ended from outside"):
        list(killed)
    assert multiprocessing.active_children() == []


def test_what_is_wrong_for_all_rows_is_raised_here(plan: CheckerPlan, tmp_path: Path) -> None:
    missing = CheckerPlan(plan.pack, certificates=tmp_path / "missing")
    with pytest.raises(OperatorError, match="cannot be opened"):
        list(verified_pieces(pieces(3), COLUMNS, missing, 2))


def test_a_small_catalogue_starts_no_process(plan: CheckerPlan) -> None:
    verified = verified_pieces(pieces(1), COLUMNS, plan, 8)
    assert next(verified).results == {"valid_with_warnings": 6, "not_valid": 1, "no_certificate": 3}
    assert multiprocessing.active_children() == []
