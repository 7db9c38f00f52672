"""docs/qr.md is true: its table of members, its sizes, and the lines that others would copy."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest

from certifier.badge.qr import print_qr_matrix, print_qr_text
from certifier.certificate.compact import digits_of, sign_compact
from certifier.crypto.keys import PublicKey
from tests.certificate.compact_cases import COMPACT, KEY, RAW

PROJECT = Path(__file__).resolve().parents[2]
TEXT = (PROJECT / "docs" / "qr.md").read_text("utf-8")
GOLDEN = json.loads((PROJECT / "tests/certificate/golden/compact-whole.json").read_text())
EXAMPLE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("bent", [False, True], ids=["as printed", "with another figure"])
def test_the_lines_for_pycose_tell_a_good_code_from_a_bent_one(bent: bool) -> None:
    raw = RAW.replace(b"\x04\x19\x06\x4a", b"\x04\x19\x06\x4b") if bent else RAW
    names: dict[str, Any] = {
        "qr_text": print_qr_text("https://label.example", COMPACT.code, digits_of(raw)),
        "public_key": PublicKey.from_multibase(GOLDEN["publicKeyMultibase"]).raw,
    }
    exec(EXAMPLE[0], names)
    assert names["verified"] is not bent
    assert names["says"][2] == COMPACT.code


def test_the_table_names_every_member() -> None:
    keys = [int(key) for key in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)]
    assert keys == sorted(cbor2.loads(cbor2.loads(RAW).value[2]))


SIZES = re.findall(r"^\| (with[^|]*) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) mm \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize(
    ("what", "length", "digits", "version", "modules", "side"), SIZES, ids=[row[0] for row in SIZES]
)
def test_the_sizes_are_those_of_today(
    what: str, length: str, digits: str, version: str, modules: str, side: str
) -> None:
    found = re.search(r"`https://([^`]+)`", what)
    host = found[1] if found else "label.example"
    compact = COMPACT if what.startswith("with essence") else replace(COMPACT, essence_digest=None)
    raw = sign_compact(compact, KEY, f"did:web:{host}#key-2026")
    text = print_qr_text(f"https://{host}", compact.code, digits_of(raw))
    rows = print_qr_matrix(text)
    assert (len(raw), len(rows), (len(rows) - 17) // 4) == (int(length), int(modules), int(version))
    assert int(digits) - 1 <= len(digits_of(raw)) <= int(digits)
    assert (len(rows) + 8) / 2 == float(side)


def test_there_are_sizes() -> None:
    assert len(SIZES) == 4
