"""Small uses of an installation, each in a process of its own that somebody watches; forked from one that has imported all.

Reads questions as JSON lines and answers each with one line:

    {"start": {"use": "work", "home": …, "history": …, "told": …}}    the process id, once it is ready to be watched
    {"go": true}                                                      it goes on; the answer is its exit status
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certifier.service.certifier import Issued
from certifier.service.home import open_certifier
from tests.faults.load import History
from tests.studio import Studio

PR_SET_PTRACER, ANYBODY = 0x59616D61, -1  # Yama else lets only a parent watch


class Told(History):
    """Writes with a call that no fault is put into, to a file that was opened before."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, **operation: Any) -> None:
        self.say(json.dumps(operation) + "\n")

    def say(self, text: str) -> None:
        os.writev(self._handle, [text.encode()])


def use(given: dict[str, Any], studio: Studio, ready: int, go: int) -> None:
    """Open and close; for ``work`` open, and then, watched, issue two and revoke the first."""
    settings = replace(studio.settings, home=Path(given["home"]), min_free_bytes=0, submit_seconds=60.0)
    history, told = Told(Path(given["history"])), Told(Path(given["told"]))
    examined = [studio.examined(f"watched {number}") for number in range(2)]
    opened = open_certifier(settings) if given["use"] == "work" else None
    os.write(ready, b".")
    os.read(go, 1)
    try:
        certifier = opened or open_certifier(settings)
    except Exception as error:  # noqa: BLE001 - which one is the question
        told.say(f"opening: {type(error).__name__}: {error}")
        return
    try:
        if opened:
            codes = []
            for number, one in enumerate(examined):
                answer = certifier.certify(one, datetime.now(UTC), f"key-watched {number}")
                if not isinstance(answer, Issued):
                    told.say(type(answer).__name__)
                    return
                history.issue(answer, f"key-watched {number}")
                codes.append(answer.certificate.code)
            certifier.change_status(codes[0], "revoke", "evidence", datetime.now(UTC))
            history.add(op="revoke", code=codes[0])
        problems = "; ".join(f"{problem.kind}: {problem.found}" for problem in certifier.problems)
        told.say(problems and f"problems: {problems}")
    except Exception as error:  # noqa: BLE001 - which one is the question
        told.say(f"{type(error).__name__}: {error}")
    finally:
        certifier.close()


def start(given: dict[str, Any], studio: Studio) -> tuple[int, int]:
    """The process, ready to be watched, and the pipe's end that lets it go on."""
    is_ready, ready = os.pipe()
    may_go, go = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(2, 1)  # stdout is the parent's line to the tests
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(ANYBODY), 0, 0, 0)
        status = 1
        try:
            use(given, studio, ready, may_go)
            status = 0
        finally:
            os._exit(status)  # a child must never run on in the parent's loop
    for end in (ready, may_go):
        os.close(end)
    os.read(is_ready, 1)
    os.close(is_ready)
    return process, go


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder))
        studio.facts()
        process, go = 0, 0
        for line in sys.stdin:
            question = json.loads(line)
            if "start" in question:
                process, go = start(question["start"], studio)
                answer = process
            else:
                os.write(go, b".")
                answer = os.waitpid(process, 0)[1]
                os.close(go)
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
