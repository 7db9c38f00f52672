"""Numbers for operators, in the text form of Prometheus.

Each worker counts for itself; where a server has several they count in files of one folder, so that any of them answers for
all. Labels are route patterns, classes of status and outcomes: never a code, a key or an address.
"""

from __future__ import annotations

import os
from collections import Counter as Counted
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call] # when a counter began is what the server's start tells

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
TURNED_AWAY = (429, 503)


class Metrics:
    """What one worker counts. Thread-safe."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder`` is where the workers of one server count together; each makes this before it answers anybody."""
        self._folder = folder
        if folder:
            # The library chooses how values are kept when it is imported, by this variable; here it is known later.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
            _forget_the_dead(folder)
        own = self._own = CollectorRegistry()
        self._requests = Counter(
            "lcal_http_requests", "Requests answered.", ["method", "route", "status"], registry=own
        )
        self._seconds = Histogram(
            "lcal_http_request_seconds",
            "Time to an answer that was not ready in memory.",
            ["method", "route"],
            buckets=SECONDS,
            registry=own,
        )
        self._turned_away = Counter(
            "lcal_http_turned_away", "Requests told to come again later (429, 503).", ["route", "status"], registry=own
        )
        self.decisions = Counter(
            "lcal_decisions", "Decisions on submissions: an outcome, refused, repeated.", ["outcome"], registry=own
        )
        self.batch_rows = Counter("lcal_batch_rows", "Rows of verification batches.", ["result"], registry=own)
        self.places_taken = Gauge(
            "lcal_queue_places_taken", "Requests with a body now.", registry=own, multiprocess_mode="livesum"
        )
        self._children: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[tuple[str, str], Histogram] = {}

    def answered(self, method: str, route: str, status: int) -> None:
        """Count an answer. This is on the path of what is answered from memory: one look-up and one addition."""
        key = (method, route, status // 100)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(method, route, f"{status // 100}xx")
        child.inc()

    def worked(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer that had to be made, and how long that took."""
        self.answered(method, route, status)
        timed = self._timed.get((method, route))
        if timed is None:
            timed = self._timed[method, route] = self._seconds.labels(method, route)
        timed.observe(seconds)
        if status in TURNED_AWAY:
            self._turned_away.labels(route, str(status)).inc()

    def rows_counted(self, answers: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The answers of a batch, passed on as they come, and counted by their results when they end."""
        results: Counted[str] = Counted()
        try:
            for answer in answers:
                results[answer["result"]] += 1
                yield answer
        finally:
            for result, amount in results.items():
                self.batch_rows.labels(result).inc(amount)

    def text(self, state: Iterable[Metric]) -> bytes:
        """All numbers of this server, with those of the moment."""
        registry = CollectorRegistry()
        if self._folder:
            MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        else:
            registry.register(self._own)  # a registry collects as a collector does
        registry.register(_Given([*state, _build_info()]))
        return generate_latest(registry)


class _Given(Collector):
    """A collector of metrics that are at hand."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def gauge(name: str, says: str, value: float) -> Metric:
    """One number of the moment."""
    return GaugeMetricFamily(f"lcal_{name}", says, value=value)


def gauges(name: str, says: str, label: str, given: Mapping[str, float]) -> Metric:
    """Numbers of the moment, told apart by a label."""
    family = GaugeMetricFamily(f"lcal_{name}", says, labels=[label])
    for value, number in given.items():
        family.add_metric([value], number)
    return family


def _build_info() -> Metric:
    info = GaugeMetricFamily("lcal_build_info", "What runs here.", labels=["version", "python"])
    info.add_metric([version("certifier"), python_version()], 1)
    return info


def _forget_the_dead(folder: Path) -> None:
    """A worker that was killed has no place in the queue any more; what it counted stays."""
    for file in folder.glob("gauge_livesum_*.db"):
        number = int(file.stem.rpartition("_")[2])
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            mark_process_dead(number, str(folder))  # type: ignore[no-untyped-call]
