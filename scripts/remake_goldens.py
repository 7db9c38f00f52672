"""Remake the golden files that tests compare with: ``python scripts/remake_goldens.py``.

Look at the difference before you keep it. Each group is a function that gives the text of each file by its path below the
project; add a group by adding it to GROUPS.
"""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from certifier.badge.badge import BadgeFace
from certifier.badge.qr import print_qr_text
from certifier.badge.svg import render_svg
from certifier.certificate.compact import Compact, digits_of, sign_compact
from certifier.certificate.times import time_text

PROJECT = Path(__file__).resolve().parents[1]
COMPACT_CASES = runpy.run_path(str(PROJECT / "tests" / "certificate" / "compact_cases.py"))
COMPACTS, KEY, METHOD = (COMPACT_CASES[name] for name in ("COMPACTS", "KEY", "METHOD"))

CLASS_1 = BadgeFace(
    code="7K3QZ9M2XA",
    kind="class-1",
    assessed="8.42",
    central="6.10",
    limits=("10.00", "30.00", "100.00"),
    standard="LCAL 1.0.0",
    checked_by="Example Assurance Body",
    expires=date(2029, 11, 23),
    base_url="https://label.example",
    verified=True,
    artwork=True,
)
FACES = {
    "class-1": CLASS_1,
    "class-2": replace(
        CLASS_1, kind="class-2", assessed="24.90", central="17.35", post_production="1.20 g, at most 1.60 g"
    ),
    "class-1-without-artwork": replace(CLASS_1, artwork=False, verified=False),
    "measured": replace(CLASS_1, kind="measured", assessed="100.00", central="62.50", verified=False, calculated=True),
    "statement": replace(
        CLASS_1,
        kind="statement",
        assessed="55.10",
        central="40.00",
        artwork=False,
        verified=False,
        checked_by="Example Artist",
    ),
    "dated": replace(CLASS_1, checked_month="2026-11"),
    "revoked": replace(CLASS_1, status="revoked"),
    "suspended": replace(CLASS_1, status="suspended"),
    "expired": replace(CLASS_1, status="expired"),
    "superseded": replace(CLASS_1, status="superseded"),
}


def badge_goldens() -> dict[str, str]:
    """One SVG for each kind and status of a face."""
    return {f"tests/badge/golden/{name}.svg": render_svg(face) for name, face in FACES.items()}


def compact_goldens() -> dict[str, str]:
    """The compact form of three certificates: the bytes, the digits and the QR's text, with the key that signed them."""
    return {f"tests/certificate/golden/compact-{name}.json": _compact_golden(value) for name, value in COMPACTS.items()}


def _compact_golden(compact: Compact) -> str:
    raw = sign_compact(compact, KEY, METHOD)
    digits = digits_of(raw)
    says = {name: time_text(value) if isinstance(value, datetime) else value for name, value in vars(compact).items()}
    document = {
        "says": {**says, "kid": METHOD},
        "publicKeyMultibase": KEY.public.multibase,
        "cose": raw.hex(),
        "digits": digits,
        "qr": print_qr_text("https://label.example", compact.code, digits),
    }
    return json.dumps(document, indent=1) + "\n"


def compact_vectors() -> dict[str, str]:
    """What every reader of the compact form, in whatever language, takes and refuses."""
    document = {
        "about": "COSE_Sign1 as docs/qr.md describes it. Read all of good; read none of the others.",
        "publicKeyMultibase": KEY.public.multibase,
        "good": {name: sign_compact(compact, KEY, METHOD).hex() for name, compact in COMPACTS.items()},
        "bad": {name: raw.hex() for name, (raw, _) in COMPACT_CASES["REFUSED"].items()},
        "bad_digits": {name: text for name, text in COMPACT_CASES["BAD_DIGITS"].items() if len(text) < 10_000},
    }
    return {"tests/vectors/compact.json": json.dumps(document, indent=1) + "\n"}


GROUPS = (badge_goldens, compact_goldens, compact_vectors)


def main() -> None:
    for group in GROUPS:
        for path, text in group().items():
            (PROJECT / path).parent.mkdir(exist_ok=True)
            (PROJECT / path).write_text(text, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
