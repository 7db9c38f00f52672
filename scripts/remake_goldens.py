"""Remake the golden files that tests compare with: ``python scripts/remake_goldens.py``.

Look at the difference before you keep it. Each group is a function that gives the text of each file by its path below the
project; add a group by adding it to GROUPS.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from certifier.badge.badge import BadgeFace, bare_face
from certifier.badge.drawing import Box, Code, Drawing, Pointer, Shape, Words
from certifier.badge.label import label
from certifier.badge.qr import print_qr_text
from certifier.badge.sheet import Certificate, Stage, sheet
from certifier.badge.shield import shield
from certifier.badge.square import square
from certifier.badge.svg import render_svg
from certifier.certificate.compact import Compact, digits_of, sign_compact
from certifier.certificate.times import time_text
from certifier.cli.config import settings_as_markdown

PROJECT = Path(__file__).resolve().parents[1]
OPERATE = "docs/operate.md"
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
    issued=date(2026, 11, 23),
    evidence="A2",
)
FACES = {
    "class-1": CLASS_1,
    "class-2": replace(
        CLASS_1, kind="class-2", assessed="24.90", central="17.35", post_production="1.20 (at most 1.60)"
    ),
    "class-1-without-artwork": replace(CLASS_1, artwork=False, verified=False, evidence="A1"),
    "measured": replace(
        CLASS_1, kind="measured", assessed="100.00", central="62.50", verified=False, calculated=True, evidence="A1"
    ),
    "statement": replace(
        CLASS_1,
        kind="statement",
        assessed="55.10",
        central="40.00",
        artwork=False,
        verified=False,
        evidence="A0",
        checked_by="Example Artist",
    ),
    "dated": replace(CLASS_1, checked_month="2026-11"),
    "revoked": replace(CLASS_1, status="revoked"),
    "suspended": replace(CLASS_1, status="suspended"),
    "expired": replace(CLASS_1, status="expired"),
    "superseded": replace(CLASS_1, status="superseded"),
    "not-yet": replace(CLASS_1, status="not_yet"),
    "unreliable": bare_face("7K3QZ9M2XA", "https://label.example", "unreliable"),
    "away": bare_face("7K3QZ9M2XA", "https://label.example", "away"),
    "unknown": bare_face("7K3QZ9M2XA", "https://label.example", "unknown"),
}
STAGES = (
    Stage("Training", "2.10", 0.34, is_estimated=True),
    Stage("Generating, every take", "2.80", 0.46, is_estimated=False),
    Stage("Making the hardware", "1.20", 0.20, is_estimated=True),
)
DIGITS = digits_of(sign_compact(COMPACTS["whole"], KEY, METHOD))


def certificate_of(face: BadgeFace) -> Certificate:
    """The face with what a sheet says beyond it."""
    if not face.standard:  # nothing is known
        return Certificate(face)
    digits = DIGITS if face.is_active else ""
    return Certificate(
        face, "Night Ferry (example)", "Example Artist", "Example Office", "as evidence goes", STAGES, digits
    )


FORMATS: dict[str, Callable[[Certificate], Drawing]] = {
    "shield": lambda certificate: shield(certificate.face),
    "square": lambda certificate: square(certificate.face),
    "label": lambda certificate: label(certificate.face),
    "sheet": sheet,
}


def badge_goldens() -> dict[str, str]:
    """What stands where, for each format and kind and status of a face; and the whole SVG of one."""
    places = {
        f"tests/badge/golden/{form}-{name}.txt": _transcript(draw(certificate_of(face)))
        for form, draw in FORMATS.items()
        for name, face in FACES.items()
    }
    whole = {
        f"tests/badge/golden/{form}.svg": render_svg(draw(certificate_of(CLASS_1))) for form, draw in FORMATS.items()
    }
    return places | whole


def _transcript(drawing: Drawing) -> str:
    head = f"{drawing.width} x {drawing.height} {drawing.unit}\n{drawing.title}\n{drawing.description}\n\n"
    return head + "".join(f"{_told(shape)}\n" for shape in drawing.shapes)


def _told(shape: Shape) -> str:
    match shape:
        case Words():
            return f"{shape.x:.2f} {shape.y:.2f} size {shape.size:.2f} {shape.weight} {shape.fill}: {shape.text}"
        case Box():
            return f"{shape.x:.2f} {shape.y:.2f} box {shape.width:.2f} x {shape.height:.2f} {shape.fill} {shape.outline or ''}"
        case Pointer():
            return f"{shape.x:.2f} {shape.y:.2f} pointer {shape.width:.2f} x {shape.height:.2f}"
        case Code():
            return f"{shape.x:.2f} {shape.y:.2f} QR of {len(shape.rows)} modules of {shape.module:.2f}"


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


def settings_docs() -> dict[str, str]:
    """The page for operators, with the table of all settings as it is now."""
    before, begin, rest = (PROJECT / OPERATE).read_text("utf-8").partition("<!-- certifier config table -->\n")
    _, end, after = rest.partition("<!-- end -->")
    return {OPERATE: f"{before}{begin}{settings_as_markdown()}{end}{after}"}


GROUPS = (badge_goldens, compact_goldens, compact_vectors, settings_docs)


def main() -> None:
    for group in GROUPS:
        for path, text in group().items():
            (PROJECT / path).parent.mkdir(exist_ok=True)
            (PROJECT / path).write_text(text, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
