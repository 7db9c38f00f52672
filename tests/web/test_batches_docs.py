"""The examples of docs/batches.md are run as they stand, against a server."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from certifier.certificate.verification import ROW_RESULTS
from certifier.web.batches import LONGEST_LINE, MOST_ITEMS, BatchAnswer, BatchSummary
from certifier.web.lines import BLOCK, MOST_OF_BLOCK
from certifier.web.site import MOST_OF_ONE, MOST_STREAMS
from tests.web.access import new_key
from tests.web.conftest import World

TEXT = (Path(__file__).parents[2] / "docs/batches.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
EXPECTED = {
    "a document": ["valid", "no_certificate", "problem"],
    "lines": ["valid", "no_certificate"],
    "packed lines": ["valid", "valid"],
    "the record beside the answer": ["valid"],
}


@pytest.mark.parametrize(("example", "results"), tuple(zip(EXAMPLES, EXPECTED.values(), strict=True)), ids=EXPECTED)
def test_an_example_gives_what_the_guide_says(world: World, address: str, example: str, results: list[str]) -> None:
    told = {
        "URL": address,
        "LCAL_KEY": new_key(world.certifier, "verify:bulk"),
        "CODE": world.code,
        "PATH": "/usr/bin:/bin",
    }
    run = subprocess.run(["bash", "-c", example], env=told, capture_output=True, text=True, check=True, timeout=30)
    assert [answer["result"] for answer in answers_in(run.stdout)] == results


def answers_in(text: str) -> list[dict[str, Any]]:
    if text.startswith('{"items"'):
        return list(json.loads(text)["items"])
    return [json.loads(line) for line in text.splitlines()]


def test_the_answer_in_the_guide_has_the_members_of_a_real_one(world: World, address: str) -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0])
    told = {
        "URL": address,
        "LCAL_KEY": new_key(world.certifier, "verify:bulk"),
        "CODE": world.code,
        "PATH": "/usr/bin:/bin",
    }
    run = subprocess.run(["bash", "-c", EXAMPLES[0]], env=told, capture_output=True, text=True, check=True, timeout=30)
    answer = answers_in(run.stdout)[0]
    assert list(shown) == list(answer)
    assert shown["axes"] == answer["axes"]


def test_the_guide_names_the_limits_as_they_are() -> None:
    assert (MOST_ITEMS, LONGEST_LINE // 1024, BLOCK // 1024, MOST_OF_BLOCK // 1024) == (1000, 256, 8, 64)
    assert (MOST_STREAMS, MOST_OF_ONE) == (4, 2)
    for said in (
        "at most 1,000 items",
        "256 KiB",
        "8 KiB at first and up to 64 KiB",
        "four streams at a time, two of one",
    ):
        assert said in TEXT
    assert all(f"`{result}`" in TEXT for result in ROW_RESULTS)


def test_what_the_description_of_a_batch_lists_are_the_results_that_there_are() -> None:
    assert get_args(BatchAnswer.model_fields["result"].annotation) == ROW_RESULTS
    assert tuple(BatchSummary.model_fields) == ROW_RESULTS
