"""The API under ``/vc-api``: what software that never heard of this label calls to verify, and in a sandbox to issue.

The W3C VC-API, in the form that today's test suites call: issuing answers 201 with the credential as the body, a failed
verification answers 400 with the reasons. Options that are not known are ignored, and no option makes a check easier.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, request

from certifier.certificate.integrity import CRYPTOSUITES, JCS, sign_with, statements_of
from certifier.certificate.status import LIST_LENGTH, PURPOSES, StatusEntry
from certifier.certificate.times import time_text
from certifier.certificate.vcdm import check_credential, check_time, is_url
from certifier.certificate.verification import verification_document
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import CredentialRefused, MalformedCertificate, MalformedCredential, NotFoundError
from certifier.service.sandbox import list_url
from certifier.web.problems import MediaTypeUnsupported, ParameterInvalid
from certifier.web.responses import JSON, checked_query, json_reply
from certifier.web.site import Site
from certifier.web.vc_checks import Checker, Outcome, Question, sandbox_list

LIMITS = Limits(max_bytes=128 * 1024, max_depth=32, max_nodes=4_000)
MOST_TEXT = 1_000


def issue(site: Site) -> Response:
    """Sign a credential with the sandbox's key, in the sandbox's name. Raises SandboxOnly in production."""
    checked_query()
    key = site.sandbox_key
    body = _body()
    options = _options(body)
    cryptosuite = options.get("cryptosuite") or CRYPTOSUITES[0]
    if cryptosuite not in CRYPTOSUITES:
        raise ParameterInvalid(
            "This cryptosuite is not used here.",
            found=str(cryptosuite)[:80],
            expected=" or ".join(CRYPTOSUITES),
            pointer="/options/cryptosuite",
        )
    created = options.get("created") or time_text(site.clock())
    check_time(created, "/options/created")
    credential = _credential_to_issue(site, _member(body, "credential"), options, key.public.did_key)
    try:
        if cryptosuite == JCS:  # signs what means nothing to anybody too; here it is refused like the other suite does
            statements_of(credential)
        method = f"{key.public.did_key}#{key.public.multibase}"
        issued = sign_with(credential, key, cryptosuite=cryptosuite, method=method, created=created)
    except (CredentialRefused, MalformedCertificate) as error:
        raise MalformedCredential(
            error.message, found=error.found, expected=error.expected, pointer="/credential"
        ) from error
    response = json_reply(issued, "not at all")
    response.status_code = 201
    return response


def _credential_to_issue(site: Site, given: dict[str, Any], options: dict[str, Any], did: str) -> dict[str, Any]:
    """The credential in the sandbox's name: whatever issuer was given, the key is the sandbox's, so the name must be too."""
    if "proof" in given:
        raise MalformedCredential(
            "The credential has a proof already.", found="a proof", expected="an unsigned credential", pointer="/proof"
        )
    issuer = given.get("issuer", did)
    if isinstance(issuer, dict):
        issuer = {"id": did, **issuer}
    check_credential({**given, "issuer": issuer})
    credential = {**given, "issuer": {**issuer, "id": did} if isinstance(issuer, dict) else did}
    wanted_id = options.get("credentialId")
    if wanted_id is not None and "id" not in given:
        if not is_url(wanted_id):
            raise ParameterInvalid(
                "The id cannot be used.", expected="an absolute address", pointer="/options/credentialId"
            )
        credential["id"] = wanted_id
    if options.get("credentialStatus") and "credentialStatus" not in given:
        credential["credentialStatus"] = [_status_entry(site, purpose) for purpose in PURPOSES]
    return credential


def _status_entry(site: Site, purpose: str) -> dict[str, Any]:
    return StatusEntry(list_url(site.settings, purpose), purpose, secrets.randbelow(LIST_LENGTH)).to_document()


def status_list(site: Site, purpose: str) -> Response:
    """The sandbox's status list of a purpose, on which nothing is ever set."""
    checked_query()
    if purpose not in PURPOSES:
        raise NotFoundError("There is no such status list.", found=purpose[:40], expected=" or ".join(PURPOSES))
    document = sandbox_list(site, purpose)
    response = json_reply(document, "a minute")
    response.content_type = "application/vc"
    return response


def verify_credential(site: Site) -> Response:
    """Verify a credential of anybody: 200 when it verifies, else 400, with the reasons."""
    checked_query()
    body = _body()
    options = _options(body)
    document = _member(body, "verifiableCredential")
    return _answer(Checker(site).credential(document, _question(options)), options)


def verify_presentation(site: Site) -> Response:
    """Verify a presentation and every credential in it: 200 when all verifies, else 400, with the reasons."""
    checked_query()
    body = _body()
    options = _options(body)
    document = _member(body, "verifiablePresentation")
    outcome = Checker(site).presentation(document, _question(options))
    results = [_result_of(inner) for inner in outcome.inner]
    own = {"verified": not outcome.faults, "problemDetails": [fault.to_document() for fault in outcome.faults]}
    return _answer(outcome, options, presentationResult=own, credentialResults=results)


def _body() -> dict[str, Any]:
    if request.mimetype != JSON:
        raise MediaTypeUnsupported("This is asked for in JSON.", found=request.mimetype, expected=JSON)
    request.max_content_length = LIMITS.max_bytes
    return parse_object(request.get_data(), LIMITS)


def _member(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise ParameterInvalid(
            f"The body needs the member {name}.", found=type(value).__name__, expected="an object", pointer=f"/{name}"
        )
    return value


def _options(body: dict[str, Any]) -> dict[str, Any]:
    value = body.get("options")
    if value is not None and not isinstance(value, dict):
        raise ParameterInvalid(
            "The options cannot be read.", found=type(value).__name__, expected="an object", pointer="/options"
        )
    return value or {}


def _question(options: dict[str, Any]) -> Question:
    domain = options.get("domain")
    for text in domain if isinstance(domain, list) else [domain]:
        _require_text(text, "domain")
    for name in ("challenge", "expectedProofPurpose"):
        _require_text(options.get(name), name)
    return Question(options.get("expectedProofPurpose"), domain, options.get("challenge"))


def _require_text(value: Any, name: str) -> None:
    if value is not None and not (isinstance(value, str) and len(value) <= MOST_TEXT):
        raise ParameterInvalid(
            f"The option {name} cannot be used.",
            found=type(value).__name__,
            expected="text",
            pointer=f"/options/{name}",
        )


def _answer(outcome: Outcome, options: dict[str, Any], **more: Any) -> Response:
    checks = options.get("checks")
    asked = [check[:40] for check in checks if isinstance(check, str)] if isinstance(checks, list) else []
    response = json_reply(
        {**_result_of(outcome), "checks": [{"check": sorted({*asked, "proof", "credentialStatus"})}], **more},
        "not at all",
    )
    response.status_code = 200 if outcome.verified else 400
    return response


def _result_of(outcome: Outcome) -> dict[str, Any]:
    """Both families of members that the drafts of the API have: problemDetails, and errors with warnings."""
    faults = [*outcome.faults, *(fault for inner in outcome.inner for fault in inner.faults)]
    result: dict[str, Any] = {
        "verified": outcome.verified,
        "problemDetails": [fault.to_document() for fault in faults],
        "errors": [fault.to_document()["detail"] for fault in faults],
        "warnings": list(outcome.warnings),
    }
    if outcome.verification:
        told = verification_document(outcome.verification)
        result |= {name: told[name] for name in ("verdict", "reason", "because", "axes")}
    return result
