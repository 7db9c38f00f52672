"""Our certificate vectors before `@digitalbazaar/vc`: it knows no log, no standard and no audio, and agrees on the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.times import parse_time
from certifier.certificate.trust import did_document, parse_trust
from tests.foreign.judge import Judge

FOLDER = Path(__file__).parent.parent / "vectors" / "certificates"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())["cases"]
CASES = {name: case for name, case in EXPECTED.items() if "axes" in case and case["certificate"].endswith(".json")}

# case -> what they say instead, where they know less or ask otherwise
DIFFERENT = {
    "good-before-the-theft": "refused",  # a DID document has no past: a stolen key asserts nothing, whatever came before
    "signed-after-retirement": "good",  # nor has it an end: a retired key that stays listed may sign on
    "backdated-signature": "good",  # nor do they compare the time of the proof with that of the credential
    "revoked-in-an-expired-list": "refused",  # we know that no revocation is taken back
    "suspended-other-list-missing": "refused",  # we believe the one list that was had
    "status-list-too-short": "good",  # they read what there is; a short list hides nobody
    "status-list-zip-bomb": "good",  # they unpack whatever comes
}


def documents_of(folder: Path, now: str) -> dict[str, Any]:
    lists = [json.loads(path.read_text()) for path in folder.glob("status-*.json")]
    trust = parse_trust((folder / "trust.json").read_bytes())
    issuers = {key.issuer for key in trust.keys}
    return {document["id"]: document for document in lists} | {
        issuer: did_document(trust, issuer, parse_time(now)) for issuer in issuers
    }


def opinion_of(answer: dict[str, Any]) -> str:
    assert "error" not in answer, answer
    bits = [purpose for purpose, bit in answer["statuses"].items() if bit]
    return ",".join(bits) or "good" if answer["verified"] else "refused"


def expected_there(axes: dict[str, str]) -> str:
    if (axes["integrity"], axes["issuer_trust"]) != ("ok", "trusted") or axes["validity"] not in {"current", "ending"}:
        return "refused"
    return {"active": "good", "revoked": "revocation", "suspended": "suspension"}.get(axes["lifecycle"], "refused")


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=CASES.keys())
def test_they_agree(judge: Judge, name: str, case: dict[str, Any]) -> None:
    folder, now = FOLDER / name, case["now"]
    credential = json.loads((folder / case["certificate"]).read_text())
    answer = judge.ask("verify", credential=credential, documents=documents_of(folder, now), now=now)
    ours = expected_there(case["axes"])
    assert opinion_of(answer) == DIFFERENT.get(name, ours), answer
    assert DIFFERENT.get(name) != ours, "this is no difference"
