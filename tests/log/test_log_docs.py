"""docs/log.md is true: its example computes the leaf that the proof of a certificate proves."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from certifier.errors import CertifierError
from certifier.log.merkle import verify_inclusion
from certifier.log.note import open_checkpoint, parse_verifier_key
from certifier.log.proof import parse_proof

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors" / "certificates"
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "log.md").read_text("utf-8"), re.DOTALL)


def leaf_by_the_example(folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLE, names)
    leaf: bytes = names["leaf"]
    return leaf


def look_up(leaf: bytes, folder: Path) -> None:
    proof = parse_proof((folder / "certificate.tlog-proof").read_bytes())
    keys = [parse_verifier_key(text) for text in json.loads((folder / "trust.json").read_text("utf-8"))["logs"]]
    checkpoint = open_checkpoint(proof.checkpoint, keys)
    verify_inclusion(proof.index, checkpoint.size, leaf, proof.hashes, checkpoint.root)


@pytest.mark.parametrize("case", ["good", "good-retired-key", "good-other-standard-version", "expired"])
def test_the_example_computes_the_leaf_in_the_log(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up(leaf_by_the_example(VECTORS / case, monkeypatch), VECTORS / case)


def test_a_changed_certificate_has_another_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = leaf_by_the_example(VECTORS / "tampered", monkeypatch)
    with pytest.raises(CertifierError):
        look_up(leaf, VECTORS / "good")
