"""Make the working draft LCAL 1.1.0-draft again from LCAL 1.0.0: one limit, one row, their words, and the cases that differ.

Run it after LCAL 1.0.0 changed, as long as that is a draft itself: python scripts/make_trial_draft.py
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from certifier.crypto.canonical import sha256_hex
from certifier.standard.version import drafted
from certifier.storage.files import load_standard_folder, save_standard_files

STANDARDS = Path(__file__).resolve().parent.parent / "standards" / "lcal"
VERSION = "1.1.0-draft"
TRAINING = "/fixtures/statements/st-1/training_g_per_minute"
LESS = "__DEC__1.147027936828"  # 0.32 g less than in case C15: 0.32 x 15 x 1.25 / 3 is 2.00 of the assessed figure

# One text for another, by file; each has to be there.
EDITS = {
    "standard.toml": [
        ("class_1 = 10.00", "class_1 = 8.00"),
        ('tables_version = "1.0.0"', f'tables_version = "{VERSION}"'),
    ],
    "rules/95-limits.toml": [("Class 1 ends at 10 g", "Class 1 ends at 8 g")],
    "rules/80-quality.toml": [("a fifth of the limit of class 1", "a quarter of the limit of class 1")],
    "data/grid_intensity.csv": [
        (
            "FRA,country,FRA,,,,44,44.179,2024,lifecycle-production,1.00,,OWID-EMBER,CC-BY-4.0",
            "FRA,country,FRA,,,,48,,2024,trial value of this draft; published by nobody,1.00,,LCAL,CC-BY-4.0 (own)",
        )
    ],
    "data/datapackage.json": [('"version": "1.0.0"', f'"version": "{VERSION}"')],
}
README_TEXT = """# Low-Carbon Audio Label 1.1.0-draft

`LCAL-1.1.0-draft`, a working draft to try a transition with. Nobody is judged by it. It changes a limit, and by section 13 of the
standard a changed limit makes a major version: `certifier standard publish` refuses it under the number 1.1.0.

It was made from [`LCAL-1.0.0`](../1.0.0/README.md), whose text holds here but for this:

| what | LCAL 1.0.0 | here |
| --- | --- | --- |
| limit of class 1, assessed, inclusive (8.1, 9) | 10.00 | 8.00 g CO2e per minute |
| electricity of France, row FRA (4.4) | 44 g/kWh | 48 g/kWh, made up for the trial |

What follows from it: class 1 ends at 8 g per minute (THR-03), and the 2.00 g per minute that defaults may carry in class 1 (8.5)
are a quarter of its limit and no longer a fifth (QLT-01 says so). No rule asks anything else, and no id is new or gone.

The cases in `cases/` are only those that come out otherwise, and the edges of the new limit. `data/README.md` tells of the row.

What the label says is as before: AI generation footprint, in g CO2e per minute of finished music; climate only, no offsets,
location-based electricity.
"""
TABLES_TEXT = """# The tables of LCAL 1.1.0-draft

The tables of [LCAL 1.0.0](../../1.0.0/data/README.md), with one row of `grid_intensity.csv` changed: FRA counts with 48 g/kWh and
not with 44. The value is made up for the trial, 9 % more than the row it replaces, and no source publishes it; its source is
therefore LCAL. What the columns mean, how rows were made and under which terms they stand is told there.
"""


def main() -> None:
    """Write the folder anew."""
    source = load_standard_folder(STANDARDS / "1.0.0")
    files = {path: raw for path, raw in drafted(source, VERSION).items() if not path.startswith("cases/")}
    for path, edits in EDITS.items():
        for old, new in edits:
            if old not in files[path].decode():
                raise SystemExit(f"{path} does not hold {old!r} any more")
            files[path] = files[path].decode().replace(old, new, 1).encode()
    files["data/datapackage.json"] = _with_digest(files["data/datapackage.json"], files["data/grid_intensity.csv"])
    files |= {"README.md": README_TEXT.encode(), "data/README.md": TABLES_TEXT.encode()}
    whole = next(case for case in json.loads(source.files["cases/cases.json"])["cases"] if case["id"] == "C15")
    files["cases/cases.json"] = (json.dumps(_cases(whole), indent=1, ensure_ascii=False) + "\n").encode()
    shutil.rmtree(STANDARDS / VERSION, ignore_errors=True)
    save_standard_files(STANDARDS / VERSION, files)
    print(f"Wrote {VERSION}: {len(files)} files.")


def _with_digest(package: bytes, table: bytes) -> bytes:
    pattern = r'("path": "grid_intensity.csv",[^}]*?"bytes": )\d+(,\s*"hash": "sha256:)[0-9a-f]{64}'
    return re.sub(pattern, rf"\g<1>{len(table)}\g<2>{sha256_hex(table)}", package.decode(), count=1).encode()


def _cases(whole: dict[str, Any]) -> dict[str, Any]:
    """The track of C15 at the old limit, at the new one, just beyond it, and by the row that changed."""
    local = {"country": "FRA", "site": "local"}
    first = {
        "id": "D01",
        "title": "At 10.00, where class 1 of LCAL 1.0.0 ended: class 2 here",
        "why": "The track of case C15 of LCAL 1.0.0. Only the limit is another one.",
        **{name: whole[name] for name in ("report", "fixtures", "arithmetic")},
        "expected": {
            "central_gco2e_per_min": "7.91",
            "assessed_gco2e_per_min": "10.00",
            "counted_minutes": "3.000000",
            "outcome": "class-2",
            "failed_must": ["THR-03"],
            "warnings": [],
        },
    }
    return {
        "standard": f"LCAL-{VERSION}",
        "tables": f"../data {VERSION}",
        "notes": [
            "Only the cases that come out otherwise than in LCAL 1.0.0, and the edges of the new limit.",
            "That folder says how a case is written.",
        ],
        "cases": [
            first,
            _like(
                "D02",
                "At 8.00, where class 1 ends now",
                "A limit belongs to its class; training per minute is 0.32 g less, which is 2.00 of the assessed figure.",
                {TRAINING: LESS},
                ("6.31", "8.00", "class-1", []),
            ),
            _like(
                "D03",
                "At 8.01, just beyond it",
                "The next printed figure is beyond the limit.",
                {TRAINING: "__DEC__1.148627936828"},
                ("6.32", "8.01", "class-2", ["THR-03"]),
            ),
            _like(
                "D04",
                "The same track at home in France, by the trial row of the grid table",
                "The row FRA counts with 48 g/kWh, and with 44 in LCAL 1.0.0; regions of data centres keep their rows.",
                {TRAINING: LESS, "/report/activities/0/location": local},
                ("6.29", "7.98", "class-1", []),
            ),
        ],
    }


def _like(
    case_id: str, title: str, why: str, change: dict[str, Any], expected: tuple[str, str, str, list[str]]
) -> dict[str, Any]:
    central, assessed, outcome, failed = expected
    return {
        "id": case_id,
        "title": title,
        "why": why,
        "like": "D01",
        "change": change,
        "expected": {
            "central_gco2e_per_min": central,
            "assessed_gco2e_per_min": assessed,
            "outcome": outcome,
            "failed_must": failed,
            "warnings": [],
        },
    }


if __name__ == "__main__":
    main()
