"""The Node process in which software of others judges: a question goes in as a line of JSON, an answer comes out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "node"


class Judge:
    """One process for many questions, since starting one takes longer than most answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, ask: str, **question: Any) -> dict[str, Any]:
        """The answer of ``judge.js``; a question that could not be answered is ``{"error": text}``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": ask, **question}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the judge ended; is something written above?"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def seated_judge() -> Iterator[Judge]:
    node = shutil.which("node")
    assert node, "no Node: run make test-deps"
    assert (FOLDER / "node_modules").is_dir(), "the packages of tests/foreign/node are missing: run make test-deps"
    command = [node, "judge.js"]
    with subprocess.Popen(
        command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        yield Judge(process)
        assert process.stdin is not None
        process.stdin.close()
