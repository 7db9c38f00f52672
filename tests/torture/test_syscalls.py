"""Every system call with which an installation changes its home is killed, fails with EIO, fails with ENOSPC: once each.

``strace`` watches a small use of the installation and takes the n-th call of a kind; first a run without faults shows which
calls there are. After each fault the installation is opened again: it finds nothing wrong, has all that was acknowledged, and
goes on. SYSCALLS_STEP=10 takes every tenth call only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest

from certifier.service.certifier import Accepted, Certifier
from certifier.service.home import make_home, open_certifier
from tests.faults.kept import issue_one, judged, lost_from
from tests.faults.load import ROOT, History
from tests.studio import NOW, Studio

STEP = int(os.environ.get("SYSCALLS_STEP", "1"))
JUDGED_EVERY = 20
CALLS = (
    *("write", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync", "openat", "mkdir", "mkdirat"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat"),
)
# kind -> what strace does to the call; a kill comes in its place
FAULTS = {"a kill": "signal=SIGKILL", "an input/output error": "error=EIO", "a full disk": "error=ENOSPC"}
OURS = {"Accepted", "ReadOnlyError", "StorageError", "OperatorError", "BusyError", "KeyFileExposed"}


def nothing_yet(studio: Studio) -> None:
    """As `certifier init` leaves it, so that the log begins while it is watched."""
    shutil.rmtree(studio.settings.home)
    make_home(studio.settings, NOW)


def two_certificates(studio: Studio) -> None:
    certifier = open_certifier(studio.settings)
    for number in range(2):
        issue_one(certifier, studio, History(studio.folder / "history"), f"before {number}")
    certifier.close()


def accepted_and_left(studio: Studio) -> None:
    """As a crash leaves it right after it accepted a submission: the start has all the rest to do."""
    two_certificates(studio)
    certifier = open_certifier(studio.settings)
    certifier.pipeline._publish = _fail
    assert isinstance(certifier.certify(studio.examined("left"), datetime.now(UTC)), Accepted)
    certifier.close()


def _fail() -> None:
    raise OSError(5, "left here")


# what is watched -> the home that it starts from, and what the child does
USES: dict[str, tuple[Callable[[Studio], None], str]] = {
    "the first start": (nothing_yet, "open"),
    "a start after a crash": (accepted_and_left, "open"),
    "two certificates and a revocation": (two_certificates, "work"),
}


class Watched:
    """Runs a use of a home under strace."""

    def __init__(self, strace: str) -> None:
        self._strace = strace

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.torture.child"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def run(self, use: Mapping[str, str], trace: Path, *options: str) -> int:
        """The exit status, as ``os.waitpid`` gives it; the trace is written."""
        process = self._ask({"start": use})
        command = [
            self._strace,
            "-f",
            "-y",
            "-s",
            "0",
            "-o",
            str(trace),
            "-e",
            "signal=none",
            *options,
            "-p",
            f"{process}",
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr
            said = strace.stderr.readline()
            assert "attached" in said, f"strace cannot watch a process here: {said}"
            status = self._ask({"go": True})
            strace.stderr.read()
        return status

    def _ask(self, question: Mapping[str, Any]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    strace = shutil.which("strace")
    assert strace, "System calls are made to fail with strace, and there is none: apt-get install strace."
    with Watched(strace) as watched:
        yield watched


@dataclass
class Bench:
    """One use, repeated from the same home as often as there are calls."""

    studio: Studio
    watched: Watched
    use: str
    base: Path
    runs: int = 0

    def run(self, *options: str) -> tuple[int, Path, History, str]:
        """Exit status, trace, history and what the child told, after a use of a fresh copy of the home."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.base, self.home)
        history, told, trace = (self.studio.folder / f"run-{name}" for name in ("history", "told", "trace"))
        for path in (history, told, trace):
            path.unlink(missing_ok=True)
        if (before := self.studio.folder / "history").exists():
            shutil.copy(before, history)
        use = {"use": self.use, "home": str(self.home), "history": str(history), "told": str(told)}
        status = self.watched.run(use, trace, *options)
        self.runs += 1
        return status, trace, History(history), told.read_text() if told.exists() else ""

    @property
    def home(self) -> Path:
        return self.studio.folder / "run-home"

    def opened(self) -> Certifier:
        return open_certifier(replace(self.studio.settings, home=self.home))

    def calls(self) -> dict[str, list[int]]:
        """Which calls of each kind change or open something of the home; each thread counts its own, as strace does."""
        status, trace, _, told = self.run("-e", "trace=" + ",".join(f"?{call}" for call in CALLS))
        assert (status, told) == (0, "")
        counts, found = Counter[tuple[str, str]](), defaultdict[str, set[int]](set)
        for line in trace.read_text().splitlines():
            if begun := re.match(r"(\d+) +(\w+)\((.*)", line):
                thread, call, rest = begun.groups()
                counts[thread, call] += 1
                if str(self.home) in rest:
                    found[call].add(counts[thread, call])
        return {call: sorted(numbers) for call, numbers in found.items()}


@pytest.fixture(params=USES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, watched: Watched) -> Bench:
    prepare, use = USES[request.param]
    studio = Studio(tmp_path)
    studio.certifier().close()
    prepare(studio)
    return Bench(studio, watched, use, studio.settings.home)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_system_call_that_fails_or_is_the_last_one_costs_nothing(
    bench: Bench, fault: str, record_property: Callable[[str, object], None]
) -> None:
    found, taken = list[str](), Counter[str]()
    for call, numbers in bench.calls().items():
        for number in numbers[::STEP]:
            status, trace, history, told = bench.run(
                "-e", f"trace={call}", "-e", f"inject={call}:{FAULTS[fault]}:when={number}"
            )
            if not _was_hit(fault, status, trace):
                taken[f"{call}, not reached"] += 1
                continue
            taken[call] += 1
            where = f"{call} {number} ({_place(trace, bench.home)})"
            found += [f"{where}: {what}" for what in (*_misfits(fault, status, told), *_look(bench, history))]
    record_property("injections", dict(taken))
    sys.stderr.write(f"{fault}: {sum(taken.values())} calls taken {dict(taken)}, {len(found)} findings\n")
    sys.stderr.writelines(f"    {finding}\n" for finding in found)
    assert taken
    assert found == []


def _was_hit(fault: str, status: int, trace: Path) -> bool:
    return bool(status) if FAULTS[fault].startswith("signal") else "(INJECTED)" in trace.read_text()


def _place(trace: Path, home: Path) -> str:
    """The file that was concerned, for people."""
    lines = trace.read_text().splitlines()
    hit = next((line for line in lines if "(INJECTED)" in line), next((x for x in lines[::-1] if str(home) in x), ""))
    path = re.search(re.escape(str(home)) + r"([^\">]*)", hit)
    return f"HOME{path[1]}" if path else hit[:100]


def _misfits(fault: str, status: int, told: str) -> Iterator[str]:
    """What the child should not have ended with, or told its caller."""
    if status and not FAULTS[fault].startswith("signal"):
        yield f"the process ended with {status}"
    kind = told.removeprefix("opening: ").partition(":")[0]
    if told and kind not in OURS and not told.startswith("problems: "):
        yield f"told: {told[:100]}"


def _look(bench: Bench, history: History) -> Iterator[str]:
    """What the start after the fault finds wrong."""
    anchor = next(iter(bench.home.glob("log/*/checkpoint")), None)
    note = anchor.read_bytes() if anchor else b""
    try:
        certifier = bench.opened()
    except Exception as error:  # noqa: BLE001 - any is a finding
        yield f"cannot be opened again: {type(error).__name__}: {error}"
        return
    try:
        yield from (f"{problem.kind}: {problem.found}" for problem in certifier.problems)
        yield from (f"lost: {what}" for what in lost_from(certifier, history.read()))
        if certifier.problems:
            return
        issue_one(certifier, bench.studio, history, "afterwards")
        notes = {row.note for row in certifier.store.all_checkpoints(certifier.logbook.origin)}
        if note and note not in notes:
            yield "a note that was published is not the log's own any more"
        if bench.runs % JUDGED_EVERY == 0:
            judged(certifier, history.read())
    finally:
        certifier.close()


def test_control_the_sweep_finds_an_installation_that_acknowledges_too_early(bench: Bench) -> None:
    """An acknowledgement that nothing stands behind is found by the same look."""
    _, _, history, _ = bench.run("-e", "trace=fsync")
    assert list(_look(bench, history)) == []
    history.add(op="issue", code="0123456789", document="00" * 32)
    assert [what for what in _look(bench, history) if what.startswith("lost: ")]
