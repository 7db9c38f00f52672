"""An installation whose disk becomes full, on a small real one that only this process sees; prints what happened as JSON.

    unshare -m python -m tests.faults.full_disk FOLDER '[[FREE_KIB, THREADS], …]'        (-Urm for ordinary users)

For each pair a fresh installation gets that much room, is used until nothing can be written any more, opened again on the
disk without a free block, and once more when there is room. The history is kept elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certifier.certificate.status import PURPOSES
from certifier.errors import ConflictError, OperatorError, ReadOnlyError
from certifier.service.certifier import Certifier, Issued
from certifier.service.home import open_certifier
from tests.faults.kept import issue_one, judged, lost_from
from tests.faults.load import POINTS, History
from tests.studio import Studio

DISK_KIB = 4096
MOST = 60  # requests of a thread; the disk is full long before


def free_kib(folder: Path) -> int:
    return shutil.disk_usage(folder).free // 1024


def leave_free(disk: Path, kib: int) -> None:
    """Fill the disk with ballast until no more than this is free."""
    with (disk / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while (more := free_kib(disk) - kib) > 0:
            ballast.write(bytes(1024 * more))


def note_failures(certifier: Certifier, failed: list[str]) -> None:
    """Write down the first step that fails."""
    for name, found in POINTS.items():
        place, attribute = found(certifier)
        setattr(place, attribute, _noting(getattr(place, attribute), name, failed))


def _noting(real: Callable[..., Any], name: str, failed: list[str]) -> Callable[..., Any]:
    def noting(*given: Any, **named: Any) -> Any:
        try:
            return real(*given, **named)
        except Exception as error:
            failed.append(f"{name}: {type(error).__name__}")
            raise

    return noting


def fill(certifier: Certifier, studio: Studio, history: History, askers: int) -> list[str]:
    """Issue and revoke until nothing goes any more; the kinds of answers that callers got."""
    told: set[str] = set()

    def work(number: int) -> None:
        for count in range(MOST):
            name = f"{number}-{count}"
            try:
                answer = certifier.certify(studio.examined(name), datetime.now(UTC), f"key-{name}")
                told.add(type(answer).__name__)
                if isinstance(answer, Issued):
                    history.issue(answer, f"key-{name}")
                    if count % 3 == 0:
                        certifier.change_status(answer.certificate.code, "revoke", "evidence", datetime.now(UTC))
                        history.add(op="revoke", code=answer.certificate.code)
            except Exception as error:  # noqa: BLE001 - which one is the question
                told.add(type(error).__name__)
                return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def readable(certifier: Certifier, history: History) -> list[str]:
    """What cannot be read of that which was acknowledged, or the error with which reading fails."""
    certifier.logbook._looked_at = 0  # a second later
    try:
        for purpose in PURPOSES:
            if certifier.logbook.head.size:
                certifier.published.status_list(purpose, 1, datetime.now(UTC))
        return lost_from(certifier, history.read())
    except Exception as error:  # noqa: BLE001 - which one is the question
        return [f"{type(error).__name__}: {error}"[:200]]


def notes_of(certifier: Certifier) -> dict[int, bytes]:
    return {row.size: row.note for row in certifier.store.all_checkpoints(certifier.logbook.origin)}


def opened_full(studio: Studio, history: History) -> dict[str, Any]:
    """What a start on a disk without a free block comes to: an installation that can be read, or one clear error."""
    try:
        certifier = open_certifier(studio.settings)
    except OperatorError as error:
        return {"error": type(error).__name__, "told": f"{error.message} {error.found or ''}", "unreadable": []}
    except Exception as error:  # noqa: BLE001 - which one is the question
        return {"error": f"raw {type(error).__name__}", "told": str(error)[:200], "unreadable": []}
    found = {
        "error": None,
        "told": "",
        "problems": [f"{problem.kind}: {problem.found}" for problem in certifier.problems],
        "unreadable": readable(certifier, history),
    }
    try:
        answer = certifier.certify(studio.examined("full"), datetime.now(UTC), "key-full")
        found["issuing"] = type(answer).__name__
        if isinstance(answer, Issued):
            history.issue(answer, "key-full")
    except Exception as error:  # noqa: BLE001 - which one is the question
        found["issuing"] = type(error).__name__
    certifier.close()
    return found


def one_disk(studio: Studio, disk: Path, kib: int, askers: int) -> dict[str, Any]:
    """From a fresh installation with that much room to one that goes on after all."""
    history, failed = History(studio.folder / f"history-{kib}-{askers}"), list[str]()
    certifier = studio.certifier(home=disk / "home", min_free_bytes=0)
    issue_one(certifier, studio, history, "before")
    leave_free(disk, kib)
    note_failures(certifier, failed)
    found: dict[str, Any] = {"disk": f"{kib} KiB, {askers} asking"}
    found["told"] = fill(certifier, studio, history, askers)
    found["failed"] = failed[0]
    found["stopped"] = certifier.pipeline.stopped
    found["unreadable"] = readable(certifier, history)
    found["acknowledged"] = len(history.read())
    notes = notes_of(certifier)
    certifier.close()
    found["leftovers"] = [path.name for path in (disk / "home").rglob("*.tmp")]
    leave_free(disk, 0)
    found["full_kib"] = free_kib(disk)
    found["reopened_full"] = opened_full(studio, history)
    (disk / "ballast").unlink()
    restarted = open_certifier(studio.settings)
    found["problems"] = [problem.kind for problem in restarted.problems]
    found["lost"] = lost_from(restarted, history.read())
    judged(restarted, history.read())
    issue_one(restarted, studio, history, "afterwards")
    judged(restarted, history.read())
    now = notes_of(restarted)
    found["notes_changed"] = [size for size, note in notes.items() if now.get(size) != note]
    restarted.close()
    shutil.rmtree(disk / "home")
    return found


def guarded(studio: Studio, disk: Path) -> dict[str, Any]:
    """Less is free than the installation asks for: what it answers to a submission and to a revocation."""
    history = History(studio.folder / "history-guarded")
    certifier = studio.certifier(home=disk / "home", min_free_bytes=2048 * 1024)
    issue_one(certifier, studio, history, "before")
    leave_free(disk, 1024)
    try:
        certifier.certify(studio.examined("after"), datetime.now(UTC))
        told = "Issued"
    except ReadOnlyError as error:
        told = error.found or ""
    code = history.read()[0]["code"]
    with suppress(ConflictError):
        certifier.change_status(code, "revoke", "evidence", datetime.now(UTC))
        history.add(op="revoke", code=code)
    judged(certifier, history.read())
    found: dict[str, Any] = {"told": told, "lifecycle": certifier.published.lifecycle(code)}
    (disk / "ballast").unlink()
    issue_one(certifier, studio, history, "after")
    judged(certifier, history.read())
    certifier.close()
    return found


def main(folder: Path, disks: list[tuple[int, int]]) -> None:
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", str(disk)], check=True)
    studio, out = Studio(folder), os.dup(1)
    os.dup2(2, 1)  # the log's lines go elsewhere
    found = {"disks": [one_disk(studio, disk, kib, askers) for kib, askers in disks], "guard": guarded(studio, disk)}
    os.write(out, json.dumps(found).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
