"""Pack the RFC 6962 vectors of transparency-dev/merkle into the one file that our tests read.

    python scripts/pack_merkle_vectors.py PATH-TO-THEIR-testdata > tests/vectors/log/merkle/vectors.json

One case on each line, named by its path there; nothing else is changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def packed(testdata: Path) -> str:
    files = sorted(testdata.glob("inclusion/**/*.json")) + sorted(testdata.glob("consistency/**/*.json"))
    cases = [{"case": str(file.relative_to(testdata)), **json.loads(file.read_text())} for file in files]
    return "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]"


if __name__ == "__main__":
    print(packed(Path(sys.argv[1])))
