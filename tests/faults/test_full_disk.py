"""A disk that is really full, at many different steps: callers are told so in our words, and nothing acknowledged is lost.

The disk is a small one in memory that lives in a mount namespace of the child which fills it (full_disk.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.faults.load import ROOT

# KiB that are free, and how many ask at once. One after the other a page more, through a whole certificate, so that each
# step is once the first to fail; then several at once.
DISKS = [(0, 1), *((kib, 1) for kib in range(100, 220, 4)), *((kib, 3) for kib in range(60, 420, 24))]
OURS = {"Issued", "Accepted", "ReadOnlyError", "StorageError"}

Found = dict[str, Any]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    unshare = shutil.which("unshare")
    assert unshare, "A small disk needs a namespace of its own, and there is no unshare: install util-linux."
    spaces = "-m" if os.geteuid() == 0 else "-Urm"
    folder = tmp_path_factory.mktemp("full")
    program = [sys.executable, "-m", "tests.faults.full_disk", str(folder), json.dumps(DISKS)]
    done = subprocess.run([unshare, spaces, *program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"unshare {spaces} or the program in it failed:\n{done.stderr[-4000:]}"
    answer: Found = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def disks(found: Found) -> list[Found]:
    disks: list[Found] = found["disks"]
    return disks


def test_the_disk_was_full_at_every_step_that_writes(disks: list[Found]) -> None:
    """Else the others would prove less than they say."""
    steps = {"accept", "sequence", "save the checkpoint", "write the tiles", "write the anchor", "deliver"}
    assert {disk["failed"].split(":")[0] for disk in disks} >= steps
    assert all(disk["stopped"] for disk in disks)
    assert all(disk["full_kib"] == 0 for disk in disks)


def test_whoever_asks_while_the_disk_fills_up_gets_an_answer_in_our_words(disks: list[Found]) -> None:
    assert {kind for disk in disks for kind in disk["told"]} <= OURS


def test_everything_acknowledged_can_be_read_while_the_disk_is_full(disks: list[Found]) -> None:
    """By the process that has stopped writing."""
    assert {disk["disk"]: disk["unreadable"] for disk in disks if disk["unreadable"]} == {}


def test_a_start_on_a_full_disk_can_be_read_from_or_says_in_one_error_what_is_wrong(disks: list[Found]) -> None:
    starts = {disk["disk"]: disk["reopened_full"] for disk in disks}
    assert {disk: start["told"] for disk, start in starts.items() if (start["error"] or "").startswith("raw")} == {}
    assert {disk: start["unreadable"] for disk, start in starts.items() if start["unreadable"]} == {}
    assert {start["issuing"] for start in starts.values() if not start["error"]} <= OURS


def test_a_full_disk_is_not_told_as_a_log_that_contradicts_itself(disks: list[Found]) -> None:
    problems = {problem for disk in disks for problem in disk["reopened_full"].get("problems", ())}
    assert not [problem for problem in problems if problem.startswith("log-inconsistent")]


def test_a_write_that_failed_leaves_no_temporary_file_behind(disks: list[Found]) -> None:
    assert {disk["disk"]: disk["leftovers"] for disk in disks if disk["leftovers"]} == {}


def test_once_there_is_room_again_the_start_finds_nothing_wrong_and_issuing_goes_on(disks: list[Found]) -> None:
    """The referee has accepted the whole history in the child, before and after one more certificate."""
    assert [disk for disk in disks if disk["problems"] or disk["lost"] or disk["notes_changed"]] == []
    assert max(disk["acknowledged"] for disk in disks) > 1


def test_below_the_reserve_nothing_is_issued_and_revoking_works(found: Found) -> None:
    assert found["guard"]["told"].startswith("disk-full: ")
    assert found["guard"]["lifecycle"] == "revoked"
