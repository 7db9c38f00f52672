"""The same function over Ray Data: two workers on this machine say row by row what one process says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from certifier.catalogue.batch import verify_batch
from certifier.catalogue.checker import CheckerPlan
from certifier.catalogue.questions import Column
from certifier.errors import ForeignInputError
from tests.catalogue.stock import isrc_of, stock_of

NOW = datetime.now(UTC).replace(microsecond=0)
ROWS = 3_000
# Of its own settings some are on their way out, and it warns itself of them.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\..*")
# Ray sends no report of its use to anybody, and says nothing of changes to come, and leaves no token in the home.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def ray() -> Iterator[ModuleType]:
    """A cluster of two workers on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        import ray  # noqa: PLC0415 - reads its environment when it is imported
        import ray.data  # noqa: PLC0415

        ray.init(
            num_cpus=3,  # two verify, one reads
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            object_store_memory=100 * 1024 * 1024,
            _node_ip_address="127.0.0.1",
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield ray
        ray.shutdown()


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> CheckerPlan:
    stock = stock_of(30, NOW, revoked=[3], suspended=[4])
    return CheckerPlan(stock.pack, certificates=stock.shelve(tmp_path_factory.mktemp("shelf") / "certificates"))


def test_a_cluster_says_of_each_row_what_one_process_says(ray: ModuleType, plan: CheckerPlan) -> None:
    from certifier.catalogue.cluster import verify_dataset  # noqa: PLC0415 - after Ray's environment is set

    isrcs = [None if number % 7 == 0 else "bad" if number % 11 == 0 else isrc_of(number % 60) for number in range(ROWS)]
    table = pa.table({"recording": isrcs, "place": range(ROWS), "code": ["taken"] * ROWS})
    blocks = [table.slice(start, 500) for start in range(0, ROWS, 500)]
    columns = [Column("isrc", "recording")]
    dataset = verify_dataset(ray.data.from_arrow(blocks), plan, columns, actors=2)
    found = pa.concat_tables(dataset.iter_batches(batch_format="pyarrow", batch_size=None)).sort_by("place")
    checker = plan.open()
    expected = pa.Table.from_batches([verify_batch(batch, checker, columns) for batch in table.to_batches()])
    assert found.schema.names == expected.schema.names
    assert found.to_pylist() == expected.to_pylist()
    assert set(found.column("result").to_pylist()) == {"valid_with_warnings", "not_valid", "no_certificate", "problem"}
    with pytest.raises(ForeignInputError, match="There is no column 'isrc'"):
        verify_dataset(ray.data.from_arrow(blocks), plan, [Column("isrc", "isrc")])
