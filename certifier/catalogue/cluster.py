"""The same function over Ray Data, on as many machines as the cluster has.

Ray moves blocks of rows; each of its actors opens pack and shelf once and verifies what comes. All machines need
``certifier[cluster]``, and the file of certificates under the same path, unless a service is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import ray.data

from certifier.catalogue.batch import columns_in, result_schema, verify_batch
from certifier.catalogue.checker import CheckerPlan
from certifier.catalogue.questions import Column

ROWS = 1_000  # of a batch: as many as a service takes at once


def verify_dataset(
    dataset: ray.data.Dataset,
    plan: CheckerPlan,
    columns: Sequence[Column] | None = None,
    *,
    actors: int | None = None,
) -> ray.data.Dataset:
    """Each row with what ``verify_batch`` says of it. Nothing runs before the rows are taken or written.

    ``columns`` as for ``verify_batch``. ``actors`` is how many verify at once, at most; else all CPUs of the cluster but one,
    which is left to read. Raises ForeignInputError at once for a missing column, and what is wrong with the pack.
    """
    plan.open()
    columns_in(dataset.schema().base_schema, columns)
    return dataset.map_batches(
        RowVerifier,
        fn_constructor_args=(plan, tuple(columns) if columns else None),
        batch_format="pyarrow",
        batch_size=ROWS,
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors or max(1, _cpus() - 1)),
    )


def _cpus() -> int:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return int(resources.get("CPU", 1))


class RowVerifier:
    """What an actor of Ray keeps between batches."""

    def __init__(self, plan: CheckerPlan, columns: tuple[Column, ...] | None) -> None:
        self._checker = plan.open()
        self._columns = columns

    def __call__(self, table: pa.Table) -> pa.Table:
        batches = [verify_batch(batch, self._checker, self._columns) for batch in table.to_batches(max_chunksize=ROWS)]
        return pa.Table.from_batches(batches, result_schema(table.schema))
