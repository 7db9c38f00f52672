"""docs/certificates.md is true: its examples run on files as the service gives them, and refuse what was changed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openbadgeslib.ob3.verifier import OB3VerificationError
from openvc.errors import OpenvcError

from certifier.certificate.baked import bake
from certifier.certificate.compact import compact_of, sign_compact
from certifier.certificate.credential import payload_for
from certifier.certificate.jose import jwt_of
from certifier.certificate.model import months_later
from certifier.certificate.proof import sign_document
from certifier.certificate.rdfc import CONTEXT_FILES, sign_rdfc
from certifier.certificate.status import PURPOSES, status_list_payload, status_url
from certifier.certificate.times import time_text
from certifier.certificate.trust import did_document
from certifier.crypto.canonical import digest_of, to_json_text
from tests.certificate.test_verify import BASE, CLAIMS, DID, ISSUER, METHOD, TRUST
from tests.foreign.judge import FOLDER

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "certificates.md").read_text("utf-8")
BINDING, OPENVC, OPENBADGESLIB = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
DIGITALBAZAAR, JOSE = re.findall(r"```js\n(.*?)```", TEXT, re.DOTALL)
REFUSALS = (AssertionError, OpenvcError, OB3VerificationError)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate of yesterday in all its forms, with what others need; these packages ask the clock of the machine."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    issued = now - timedelta(days=1)
    claims = CLAIMS._replace(issued_at=issued, expires_at=months_later(issued, 36))
    payload, created = payload_for(claims), time_text(issued)
    badge = to_json_text(sign_rdfc(payload, ISSUER, METHOD, created))
    compact = compact_of(claims, digest_of(payload))
    trust = replace(TRUST, keys=(replace(TRUST.keys[0], valid_until=now + timedelta(days=900)),))
    files: dict[str, str | bytes] = {
        "certificate.json": to_json_text(sign_document(payload, ISSUER, METHOD, created)),
        "certificate.openbadge.json": badge,
        "certificate.jwt": jwt_of(payload, ISSUER, METHOD),
        "certificate.cose": sign_compact(compact, ISSUER, METHOD),
        "badge.baked.svg": bake('<svg xmlns="http://www.w3.org/2000/svg"></svg>', badge),
        "did.json": to_json_text(did_document(trust, DID, now)),
    }
    for purpose in PURPOSES:
        url = status_url(BASE, purpose)
        unsigned = status_list_payload(url, purpose, [], issuer=DID, log="label.example/2026 at size 6", now=now)
        files[f"status-{purpose}.json"] = to_json_text(sign_document(unsigned, ISSUER, METHOD, time_text(now)))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(example: str) -> None:
    exec(example, {"__name__": "example"})


EXAMPLES = {"binding": BINDING, "openvc-core": OPENVC, "openbadgeslib": OPENBADGESLIB}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_an_example_runs_on_good_files(folder: Path, example: str) -> None:
    run(example)


BENT: dict[str, tuple[str, str]] = {
    "binding": (BINDING, "certificate.json"),
    "openvc-core, the record": (OPENVC, "certificate.json"),
    "openvc-core, the Open Badge": (OPENVC, "certificate.openbadge.json"),
    "openbadgeslib": (OPENBADGESLIB, "badge.baked.svg"),
}


@pytest.mark.parametrize(("example", "name"), BENT.values(), ids=BENT.keys())
def test_an_example_refuses_another_figure(folder: Path, example: str, name: str) -> None:
    good = (folder / name).read_bytes()
    (folder / name).write_bytes(good.replace(b'"16.10"', b'"06.10"'))
    assert (folder / name).read_bytes() != good
    with pytest.raises(REFUSALS):
        run(example)


def told_by_node(folder: Path, example: str) -> str:
    """What the example prints, or its error."""
    node = shutil.which("node")
    assert node, "no Node: run make test-deps"
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    command = [node, "--input-type=module"]
    done = subprocess.run(command, cwd=folder, input=example, capture_output=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


NODE = {
    "@digitalbazaar/vc": (DIGITALBAZAAR, "certificate.openbadge.json", b'"16.10"', b'"06.10"', "true", "false"),
    "jose": (JOSE, "certificate.jwt", b".", b".e", "Low-Carbon Audio, class 2", "JWSSignatureVerificationFailed"),
}


@pytest.mark.parametrize(("example", "name", "was", "becomes", "good", "bad"), NODE.values(), ids=NODE.keys())
@pytest.mark.parametrize("is_bent", [False, True], ids=["good", "changed"])
def test_an_example_for_node_tells_good_from_changed(
    folder: Path, example: str, name: str, was: bytes, becomes: bytes, good: str, bad: str, *, is_bent: bool
) -> None:
    if is_bent:
        (folder / name).write_bytes((folder / name).read_bytes().replace(was, becomes, 1))
    said = told_by_node(folder, example)
    assert (bad if is_bent else good) in said
    assert (good in said) is not is_bent


def test_every_context_and_registered_claim_is_named_as_it_is(folder: Path) -> None:
    named = [line.strip() for line in TEXT.splitlines() if line.startswith("    https://")]
    document: dict[str, Any] = json.loads((folder / "certificate.json").read_bytes())
    assert named == document["@context"] == list(CONTEXT_FILES)
