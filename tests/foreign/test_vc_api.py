"""What `@digitalbazaar/vc` signed is verified over our VC-API, and what our sandbox issued is verified there."""

from __future__ import annotations

from typing import Any

import pytest

from certifier.certificate.times import time_text
from tests.foreign.judge import Judge
from tests.foreign.test_digitalbazaar import EXAMPLE, SEED, changed, suite, told
from tests.foreign.world import LATER, World

CHALLENGE, DOMAIN = "an example challenge", "https://example.org"


def asked(foreign: World, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    response = foreign.client.post(f"/vc-api/{path}", json=body)
    answer: dict[str, Any] = response.get_json()
    return response.status_code, answer


def presented(judge: Judge, suite: str, *credentials: dict[str, Any]) -> dict[str, Any]:
    question = {"credentials": credentials, "suite": suite, "seed": SEED.hex(), "now": time_text(LATER)}
    answer = judge.ask("present", **question, challenge=CHALLENGE, domain=DOMAIN)
    presentation: dict[str, Any] = answer["presentation"]
    return presentation


def verified(foreign: World, presentation: dict[str, Any], **options: str) -> tuple[int, list[str]]:
    wanted = {"challenge": CHALLENGE, "domain": DOMAIN, **options}
    status, answer = asked(foreign, "presentations/verify", verifiablePresentation=presentation, options=wanted)
    return status, [problem["code"] for problem in answer["problemDetails"]]


@suite
def test_a_credential_that_was_signed_there_verifies_over_our_api_until_it_is_changed(
    foreign: World, judge: Judge, suite: str
) -> None:
    theirs = judge.ask("issue", credential=EXAMPLE, suite=suite, seed=SEED.hex(), now=time_text(LATER))["credential"]
    assert asked(foreign, "credentials/verify", verifiableCredential=theirs)[0] == 200
    status, answer = asked(
        foreign, "credentials/verify", verifiableCredential=changed(theirs, lambda d: d.update(name="another"))
    )
    assert (status, answer["problemDetails"][0]["code"]) == (400, "signature")


@suite
@pytest.mark.parametrize(("state", "problems"), {"in force": [], "revoked": ["revoked"]}.items())
def test_our_certificate_in_a_presentation_that_was_signed_there(
    foreign: World, judge: Judge, suite: str, state: str, problems: list[str]
) -> None:
    presentation = presented(judge, suite, foreign.openbadge(state), foreign.openbadge("in force"))
    assert verified(foreign, presentation) == (400 if problems else 200, problems)


@suite
def test_a_presentation_for_somebody_else_or_changed_is_refused(foreign: World, judge: Judge, suite: str) -> None:
    presentation = presented(judge, suite, foreign.openbadge("in force"))
    assert verified(foreign, presentation, challenge="another") == (400, ["challenge"])
    assert verified(foreign, presentation, domain="https://shop.example") == (400, ["domain"])
    without = changed(presentation, lambda document: document.pop("verifiableCredential"))
    assert verified(foreign, without) == (400, ["signature"])


@suite
def test_what_our_sandbox_issued_verifies_there_with_its_status(foreign: World, judge: Judge, suite: str) -> None:
    options = {"cryptosuite": suite, "credentialStatus": {"type": "BitstringStatusListEntry"}}
    status, ours = asked(foreign, "credentials/issue", credential=EXAMPLE, options=options)
    assert status == 201
    urls = [entry["statusListCredential"] for entry in ours["credentialStatus"]]
    base = foreign.certifier.settings.base_url
    lists = {url: foreign.client.get(url.removeprefix(base)).get_json(force=True) for url in urls}
    assert told(judge, ours, lists) == (True, "", {"revocation": False, "suspension": False})
