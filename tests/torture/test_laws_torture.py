"""The laws of a standard (tests/standard/test_laws.py), each asked of twenty times as many applications."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[2]
TIMES = os.environ.get("LAWS", "20")


def test_the_laws_hold_on_many_more_applications():
    asked = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/standard/test_laws.py", "-q"],
        cwd=HERE,
        env={**os.environ, "LAWS": TIMES},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout[-10_000:]
