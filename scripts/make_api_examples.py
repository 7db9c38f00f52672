"""Remake the answers that the API's description shows: ``python scripts/make_api_examples.py``.

Each is what a sandbox, made for this, answers to the example of an operation. Look at the difference before you keep it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from certifier.service.home import make_home  # noqa: E402 - the tree has to be found first
from certifier.service.sandbox_fill import fill_sandbox  # noqa: E402
from certifier.settings import Settings  # noqa: E402
from tests.web.api_examples import examples_in, fresh_examples, sandbox_of, sent, shortened  # noqa: E402

FILE = ROOT / "certifier" / "web" / "openapi" / "examples.json"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings, now = Settings(home=Path(folder) / "home"), datetime.now(UTC)
        make_home(settings, now)
        fill_sandbox(settings, now)
        with sandbox_of(settings, Path(folder) / "copy") as sandbox:
            document = sandbox.document
            operations = {each["operationId"]: each for item in document["paths"].values() for each in item.values()}
            recorded: dict[str, Any] = {}
            for example in [*examples_in(document, sandbox.values), *fresh_examples(sandbox)]:
                answer = sent(sandbox, example, operations[example.operation])
                if answer.mimetype == "application/json":
                    recorded.setdefault(f"{example.operation} {answer.status_code}", shortened(answer.json))
    FILE.write_text(json.dumps(recorded, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
