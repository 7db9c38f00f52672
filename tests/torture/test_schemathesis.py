"""Twenty thousand requests that the OpenAPI document allows or forbids, against a sandbox as it runs: REQUESTS=20000."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import count

import psutil
import pytest
import requests
from schemathesis import openapi

from certifier.service.api_keys import SCOPES
from certifier.settings import Settings
from tests.fuzzing import Tally, fuzzed, rules
from tests.serving import Served, served_home
from tests.web.access import bearer, new_key

REQUESTS = int(os.environ.get("REQUESTS", "20000"))
WARMED_UP = REQUESTS // 5
ENDS_THE_KEY = "revokeApiKey"  # else it ends its own, and all the rest is refused
MAY_GROW = 32 << 20  # bytes, all processes of the service together, over the last four fifths of the requests


@pytest.fixture
def served(filled_sandbox: Settings) -> Iterator[tuple[Served, str]]:
    """The sandbox at work, and a key that may do everything in it."""
    key = new_key(filled_sandbox, *SCOPES)
    with served_home(filled_sandbox.home, LCAL_ENVIRONMENT="sandbox") as served:
        yield served, key


def memory_of(served: Served) -> int:
    parent = psutil.Process(served.process.pid)
    return sum(process.memory_info().rss for process in (parent, *parent.children(recursive=True)))


def test_no_request_is_answered_otherwise_than_described_and_memory_stays_flat(
    served: tuple[Served, str], capsys: pytest.CaptureFixture[str]
) -> None:
    service, key = served
    document = requests.get(f"{service.url}/openapi.json", timeout=60).json()
    tally, sizes = Tally(), [(0, memory_of(service))]
    for seed in count(1):
        config = rules(seed=seed, examples=40, base_url=service.url, headers=bearer(key))
        fuzzed(openapi.from_dict(document, config=config).exclude(operation_id=ENDS_THE_KEY), tally)
        sizes.append((tally.requests, memory_of(service)))
        if tally.requests >= REQUESTS:
            break
    told = [f"{tally.requests} requests; {dict(tally.statuses)}; {dict(tally.phases)}; busy {tally.busy}; memory:"]
    told += [f"{size / (1 << 20):.0f} MiB after {number}" for number, size in sizes]
    with capsys.disabled():
        sys.stdout.write("\n" + " ".join(told) + "\n")
    assert tally.faults == {}
    assert tally.statuses[200] > REQUESTS // 20
    assert requests.get(f"{service.url}/readyz", timeout=60).status_code == 200
    warm = next(size for number, size in sizes if number >= WARMED_UP)
    assert sizes[-1][1] - warm <= MAY_GROW
