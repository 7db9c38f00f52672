"""Remake the golden files that tests compare with: ``python scripts/remake_goldens.py``.

Look at the difference before you keep it. Each group is a function that gives the text of each file by its path below the
project; add a group by adding it to GROUPS.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from certifier.badge.badge import BadgeFace
from certifier.badge.qr import print_qr_text
from certifier.badge.svg import render_svg
from certifier.certificate.compact import Compact, digits_of, sign_compact
from certifier.certificate.times import time_text
from certifier.crypto.signing import SigningKey

PROJECT = Path(__file__).resolve().parents[1]

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


COMPACT_KEY = SigningKey.from_seed(b"golden compact".ljust(32, b"."))
COMPACT_METHOD = "did:web:label.example#key-2026"
COMPACT = Compact(
    code="EBS86PXD70",
    outcome="class-2",
    assessed_g_per_min="16.10",
    evidence_level="A2",
    standard="LCAL-1.0.0",
    issued_at=datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC),
    expires_at=datetime(2029, 11, 22, 20, 0, 0, tzinfo=UTC),
    payload_digest="0123456789abcdef" * 2,
    audio_digest="aa" * 16,
    essence_digest="ee" * 16,
    revocation=81_806,
    suspension=131_072 + 75_188,
)
COMPACTS = {
    "whole": COMPACT,
    "without-essence": replace(COMPACT, essence_digest=None),
    "smallest": replace(
        COMPACT,
        code="0000000000",
        outcome="disclosed",
        assessed_g_per_min="0.00",
        evidence_level="A0",
        essence_digest=None,
        revocation=0,
        suspension=0,
    ),
}


def compact_goldens() -> dict[str, str]:
    """The compact form of three certificates: the bytes, the digits and the QR's text, with the key that signed them."""
    return {f"tests/certificate/golden/compact-{name}.json": _compact_golden(value) for name, value in COMPACTS.items()}


def _compact_golden(compact: Compact) -> str:
    raw = sign_compact(compact, COMPACT_KEY, COMPACT_METHOD)
    digits = digits_of(raw)
    says = {name: time_text(value) if isinstance(value, datetime) else value for name, value in vars(compact).items()}
    document = {
        "says": {**says, "kid": COMPACT_METHOD},
        "publicKeyMultibase": COMPACT_KEY.public.multibase,
        "cose": raw.hex(),
        "digits": digits,
        "qr": print_qr_text("https://label.example", compact.code, digits),
    }
    return json.dumps(document, indent=1) + "\n"


GROUPS = (badge_goldens, compact_goldens)


def main() -> None:
    for group in GROUPS:
        for path, text in group().items():
            (PROJECT / path).parent.mkdir(exist_ok=True)
            (PROJECT / path).write_text(text, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
