"""A mixed load on an installation, in a process of its own that may be killed at any moment.

What was acknowledged is written to a history file, one line for each, in one write: a killed process takes none of it along.
``Launcher`` starts such processes quickly: it forks them from one that has everything imported.

    with Launcher() as launcher:
        process = launcher.start(settings, history, seed="a", threads=4)
        os.kill(process, signal.SIGKILL); launcher.wait(process)
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from certifier.errors import ConflictError, ReadOnlyError, StorageError
from certifier.service import logbook
from certifier.service.certifier import Certifier, Issued
from certifier.service.home import open_certifier
from certifier.settings import Settings
from tests.studio import Studio

ROOT = Path(__file__).resolve().parents[2]

# Every step with an effect, by name: where it is found.
POINTS: dict[str, Callable[[Certifier], tuple[Any, str]]] = {
    "accept": lambda certifier: (certifier.pipeline, "_accept"),
    "sequence": lambda certifier: (certifier.store, "sequence"),
    "sign the checkpoint": lambda _: (logbook, "sign_checkpoint"),
    "save the checkpoint": lambda certifier: (certifier.store, "save_checkpoint"),
    "write the tiles": lambda certifier: (certifier.logbook.folder, "save_growth"),
    "write the anchor": lambda certifier: (certifier.logbook.folder, "save_checkpoint"),
    "sign the certificate": lambda certifier: (certifier, "_signed"),
    "deliver": lambda certifier: (certifier.store, "deliver"),
}


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise OSError(5, "an injected fault")


KINDS: dict[str, tuple[Callable[[], None], bool]] = {
    "fails before it has an effect": (fail, False),
    "fails after it had its effect": (fail, True),
    "is killed before it has an effect": (kill, False),
    "is killed after it had its effect": (kill, True),
}


def inject(certifier: Certifier, point: str, kind: str, passes: int = 0) -> Callable[[], None]:
    """Let a step fail once, after it has passed a number of times; returns what takes the fault out again."""
    place, name = POINTS[point](certifier)
    real, left = getattr(place, name), [passes]
    act, after = KINDS[kind]

    def faulty(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] != -1:
            return real(*given, **named)
        if after:
            real(*given, **named)
        return act()

    setattr(place, name, faulty)
    return lambda: setattr(place, name, real)


class History:
    """The acknowledged operations of one or more processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, **operation: Any) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, json.dumps(operation).encode() + b"\n")
        finally:
            os.close(handle)

    def issue(self, answer: Issued, key: str | None = None) -> None:
        digest = hashlib.sha256(answer.certificate.document or b"").hexdigest()
        self.add(op="issue", code=answer.certificate.code, document=digest, idempotency_key=key)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_bytes().splitlines()] if self.path.exists() else []


def run_load(
    studio: Studio,
    history: History,
    seed: str,
    threads: int,
    fault: tuple[str, str, int] | None = None,
    limit: int = 100_000,
) -> None:
    """Issue, suspend, reinstate and revoke from several threads until killed, stopped, or ``limit`` issues a thread."""
    certifier = open_certifier(studio.settings)
    if fault:
        inject(certifier, *fault)

    def work(number: int) -> None:
        chance, own = random.Random(f"{seed} {number}"), dict[str, str]()
        for count in range(limit):
            key = f"key-{seed}-{number}-{count}"
            try:
                answer = certifier.certify(studio.examined(key), datetime.now(UTC), key)
                if isinstance(answer, Issued):
                    history.issue(answer, key)
                    own[answer.certificate.code] = "active"
                if own and chance.random() < 0.4:
                    _change_one(certifier, history, own, chance)
            except (ReadOnlyError, StorageError):
                return

    workers = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    certifier.close()


def _change_one(certifier: Certifier, history: History, own: dict[str, str], chance: random.Random) -> None:
    code = chance.choice(sorted(own))
    change = {"active": chance.choice(["revoke", "suspend"]), "suspended": chance.choice(["reinstate", "revoke"])}[
        own[code]
    ]
    try:
        certifier.change_status(code, change, "evidence", datetime.now(UTC))  # type: ignore[arg-type]
    except ConflictError:
        return
    history.add(op=change, code=code)
    own[code] = {"suspend": "suspended", "reinstate": "active", "revoke": "revoked"}[change]
    if change == "revoke":
        del own[code]


class Launcher:
    """Starts loads, each as a process of its own forked from one that has imported all of it."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.faults.load"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)
        assert self._process.stdout
        self._process.stdout.close()

    def start(
        self,
        settings: Settings,
        history: Path,
        *,
        seed: str,
        threads: int = 4,
        fault: tuple[str, str, int] | None = None,
        limit: int = 100_000,
    ) -> int:
        """The process id of a new load."""
        given = {
            "home": str(settings.home),
            "database_url": settings.database_url,
            "history": str(history),
            "seed": seed,
            "threads": threads,
            "fault": fault,
            "limit": limit,
        }
        return int(self._ask({"start": given}))

    def wait(self, process: int) -> int:
        """The exit status as ``os.waitpid`` gives it, once the load has ended."""
        return int(self._ask({"wait": process}))

    def _ask(self, question: dict[str, Any]) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder))
        studio.facts()
        for line in sys.stdin:
            question = json.loads(line)
            if "wait" in question:
                answer = os.waitpid(question["wait"], 0)[1]
            else:
                answer = os.fork()
                if answer == 0:
                    _run_child(studio, question["start"])
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()


def _run_child(studio: Studio, given: dict[str, Any]) -> None:
    os.dup2(2, 1)  # stdout is the parent's line to the tests
    try:
        studio.settings = replace(studio.settings, home=Path(given["home"]), database_url=given["database_url"])
        fault = tuple(given["fault"]) if given["fault"] else None
        run_load(studio, History(Path(given["history"])), given["seed"], given["threads"], fault, given["limit"])  # type: ignore[arg-type]
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - a child must never run on in the parent's loop
        sys.stderr.write(f"load {given['seed']}: {error!r}\n")
        os._exit(1)


if __name__ == "__main__":
    main()
