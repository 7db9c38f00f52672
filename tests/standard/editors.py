"""A small standard that lacks nothing, to try what editors do: six rules, the real tables, a case for every edge."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from certifier.standard.folder import Folder, open_folder
from certifier.standard.text import render_rules_table
from tests.standard.world import standard_files

HEAD = "standard.toml"
RULES = "rules/all.toml"
CASES = "cases/cases.json"
TRAINING = "/fixtures/statements/st-1/training_g_per_minute"

_BOUNDS = "[bounds]\ntrack_us = 15000000\n"
_RULES = """
[[rules]]
id = "INT-01"
title = "The report names this standard"
level = "must"
gates = "all"
stage = "all"
source = "1"
reason = "Somebody has to know what is asked."
advice = "Name it."
before_figure = true
require = "report.standard.startsWith('LCAL-1.')"

[[rules]]
id = "BND-04"
title = "The track is long enough"
level = "must"
gates = "all"
stage = "all"
source = "1"
reason = "Files under 15 s are not covered."
advice = "Certify the whole track."
require = "audio.duration_us >= limit.track_us"

[[rules]]
id = "PLS-13"
title = "There was more than one take"
level = "info"
stage = "inference"
source = "1.1"
reason = "Most tracks take more."
advice = "Fine if it is true."
require = "report.takes > 1"

[[rules]]
id = "THR-01"
title = "Within 100 g per minute"
level = "must"
gates = "all"
stage = "all"
source = "2"
reason = "Above it, nothing is said."
advice = "Look at the largest line first."
require = "footprint.assessed_cg <= limit.measured_cg"

[[rules]]
id = "THR-02"
title = "Within class 2"
level = "must"
gates = "class-2"
stage = "all"
source = "2"
reason = "Class 2 ends at 30 g per minute."
advice = "A faster model."
require = "footprint.assessed_cg <= limit.class_2_cg"

[[rules]]
id = "THR-03"
title = "Within class 1"
level = "must"
gates = "class-1"
stage = "all"
source = "2"
reason = "Class 1 ends at 10 g per minute."
advice = "A faster model."
require = "footprint.assessed_cg <= limit.class_1_cg"
"""
_TEXT = """# Label 1.0.0

`LCAL-1.0.0`, published on 2020-01-01. AI generation footprint: at most N g CO2e per minute of finished music (best estimate C);
data to storage, with hardware; listening, buildings, and post-production unless its line is printed; the class and its
limit; the body that checked; the day it ends; climate only, no offsets, location-based electricity. It is no
multi-criteria ecolabel. A complaint is heard.

## 1. Scope

**1.1** Every take counts.

## 2. Limits

measured 100.00, class 2 30.00, class 1 10.00

<!-- rules -->

TABLE
<!-- /rules -->
"""


def _case(case_id: str, outcome: str, failed: list[str], change: dict[str, Any], infos: list[str]) -> dict[str, Any]:
    expected = {"outcome": outcome, "failed_must": failed, "infos": infos}
    return {"id": case_id, "title": case_id, "like": "C15", "change": change, "expected": expected}


def _cases() -> bytes:
    own = json.loads(standard_files()[CASES])["cases"]
    whole = copy.deepcopy(next(case for case in own if case["id"] == "C15"))
    whole["expected"] = {"assessed_gco2e_per_min": "10.00", "outcome": "class-1", "failed_must": []}
    whole["reference_set"] = True
    # Each gram of the assessed figure takes 3 / (15 * 1.25) = 0.16 g of training per generated minute.
    cases = [
        whole,
        _case("E01", "class-2", ["THR-03"], {TRAINING: "__DEC__4.667027936828"}, []),
        _case("E02", "measured", ["THR-02", "THR-03"], {TRAINING: "__DEC__15.867027936828"}, []),
        _case("E03", "none", ["THR-01", "THR-02", "THR-03"], {TRAINING: "__DEC__15.868627936828"}, []),
        _case("E04", "none", ["INT-01"], {"/report/standard": "LCAL-2.0.0"}, []),
        _case("E05", "class-1", [], {"/report/generation/takes": 1}, ["PLS-13"]),
        _case("E06", "none", ["THR-01", "THR-02", "THR-03"], {"/fixtures/audio/duration_s": 15}, []),
        _case(
            "E07", "none", ["BND-04", "THR-01", "THR-02", "THR-03"], {"/fixtures/audio/duration_s": "__DEC__14.9"}, []
        ),
    ]
    return json.dumps({"standard": "LCAL-1.0.0", "cases": cases}, indent=1).encode()


def small_files() -> dict[str, bytes]:
    """The files of the small standard, published, with no finding."""
    files = {path: raw for path, raw in standard_files().items() if path.startswith("data/")}
    head = standard_files()[HEAD].decode()
    head = head[: head.index("[bounds]")] + _BOUNDS
    # A day that every clock has seen.
    head = head.replace('published_on = "2026-11-22"', 'published_on = "2020-01-01"')
    files[HEAD] = head.replace('status = "draft"', 'status = "published"').encode()
    files[RULES] = _RULES.encode()
    files[CASES] = _cases()
    return with_table(files | {"README.md": _TEXT.encode()})


def with_table(files: dict[str, bytes]) -> dict[str, bytes]:
    """With the table of rules that belongs to them in the text."""
    text = files["README.md"].decode()
    before, _, rest = text.partition("<!-- rules -->")
    after = rest.partition("<!-- /rules -->")[2]
    table = render_rules_table(open_folder(files).standard)
    return files | {"README.md": f"{before}<!-- rules -->\n\n{table}\n<!-- /rules -->{after}".encode()}


def edited(changes: dict[str, tuple[str, str]], files: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The small standard with one text for another, by file; the text has to be there."""
    result = dict(files or small_files())
    for path, (old, new) in changes.items():
        assert old in result[path].decode(), (path, old)
        result[path] = result[path].decode().replace(old, new, 1).encode()
    return result


def small(changes: dict[str, tuple[str, str]] | None = None) -> Folder:
    return open_folder(edited(changes or {}))


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for path, raw in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(raw)
    return folder
