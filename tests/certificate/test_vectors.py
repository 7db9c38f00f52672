"""The certificate vectors: whatever form a certificate comes in, and whatever was done to it, the verdict is the expected one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.status import lists_by_url
from certifier.certificate.trust import parse_trust
from certifier.certificate.verdict import verdict_table
from certifier.certificate.verification import AudioDigests, Material
from certifier.certificate.verify import check_certificate
from certifier.errors import ForeignInputError
from scripts.make_vectors import FOLDER, all_cases, files_of

CASES: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_bytes())["cases"]


def files_in(name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((FOLDER / name).iterdir())}


def material_of(files: dict[str, bytes], case: dict[str, Any]) -> Material:
    audio = AudioDigests(**{"sha256": "", **case["audio"]}) if "audio" in case else None
    lists = lists_by_url({name: raw for name, raw in files.items() if name.startswith("status-")})
    return Material(parse_trust(files["trust.json"]), files.get("certificate.tlog-proof"), lists, audio)


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_on_a_vector_is_the_expected_one(name: str) -> None:
    case, files = CASES[name], files_in(name)
    now = datetime.fromisoformat(case["now"])
    if "error" in case:
        with pytest.raises(ForeignInputError) as caught:
            check_certificate(files[case["certificate"]], material_of(files, case), now)
        assert caught.value.message
        assert caught.value.expected or caught.value.found
        return
    verification = check_certificate(files[case["certificate"]], material_of(files, case), now)
    assert verification.axes == case["axes"], verification.checks
    assert (verification.verdict, verification.reason) == (case["verdict"], case["reason"])


def test_the_vectors_are_those_that_the_script_makes() -> None:
    made = files_of(all_cases())
    kept = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    kept.pop("README.md", None)
    assert sorted(made) == sorted(kept)
    assert [path for path in made if made[path] != kept[path]] == []


def test_every_verdict_and_nearly_every_reason_has_a_vector() -> None:
    rows = verdict_table()["rows"]
    told = {(case.get("verdict"), case.get("reason")) for case in CASES.values()}
    missing = {row["reason"] for row in rows if (row["verdict"], row["reason"]) not in told}
    # What no folder of files can show: no trust at all, a pack's age, a file that is no audio, a value of a later version.
    assert missing == {"integrity_unchecked", "dates_unchecked", "audio_unchecked", "status_aged", "unforeseen"}


def test_each_bad_file_has_a_message_of_its_own() -> None:
    told: dict[str, str] = {}
    for name, case in CASES.items():
        if "error" not in case:
            continue
        files = files_in(name)
        with pytest.raises(ForeignInputError) as caught:
            check_certificate(files[case["certificate"]], material_of(files, case), datetime.fromisoformat(case["now"]))
        told[name] = f"{caught.value.message} {caught.value.found}"
    assert len(set(told.values())) == len(told), told


def test_the_folder_of_the_vectors_says_what_it_holds() -> None:
    readme = (Path(FOLDER) / "README.md").read_text()
    assert "expected.json" in readme
