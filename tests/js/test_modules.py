"""The same vectors in Python, in Node and in Chromium: nowhere do two of them disagree."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from certifier.certificate.compact import bytes_of_digits, parse_compact, sign_compact
from certifier.certificate.credential import payload_for
from certifier.certificate.jose import jwt_of
from certifier.certificate.proof import sign_document, split_proof
from certifier.certificate.status import PURPOSES, lists_by_url, status_list_payload, status_url
from certifier.certificate.times import time_text
from certifier.certificate.trust import LastGood, parse_trust, trust_document
from certifier.certificate.verdict import verdict_of
from certifier.certificate.verification import Material, verification_document
from certifier.certificate.verify import check_certificate, check_print
from certifier.crypto.canonical import canonical_bytes, to_json_text
from certifier.crypto.keys import base58_encode
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_json
from certifier.errors import CertifierError, ForeignInputError
from certifier.log.note import VerifierKey, open_checkpoint, parse_verifier_key, verifier_key_for
from certifier.log.proof import parse_proof
from certifier.web.bundle import module_of, script_of
from tests.certificate import compact_cases, test_verify
from tests.certificate.test_verify import (
    FORGER,
    GOOD,
    ISSUER,
    MATERIAL,
    METHOD,
    NOW,
    OTHER_KEY,
    RAW,
    TRUST,
    all_axes,
    issued,
    logged,
)
from tests.crypto import test_canonical, test_strict_json
from tests.crypto.test_keys import CCTV, WYCHEPROOF, accepts
from tests.js.engines import INSECURE, ROOT, SECURE, Answers, b64, chromium, node, run_node
from tests.log import test_merkle, test_note, test_tlog_proof

VECTORS = ROOT / "tests" / "vectors" / "certificates"
EXPECTED = json.loads((VECTORS / "expected.json").read_text())["cases"]
ENGINES = {
    "Node": ["node"],
    "Node without WebCrypto": ["node", "--no-webcrypto"],
    "Chromium": ["chromium", SECURE],
    "Chromium without https": ["chromium", INSECURE],
}


@pytest.fixture(scope="module", params=ENGINES.values(), ids=ENGINES.keys())
def answers(request: pytest.FixtureRequest) -> Iterator[Answers]:
    kind, *options = request.param
    if kind == "node":
        yield node(*options)
    else:
        browser: Browser = request.getfixturevalue("browser")
        yield from chromium(browser, *options)


def refused(answer: dict[str, Any]) -> bool:
    return "refused" in answer


def signatures() -> list[dict[str, Any]]:
    tests = [(group["publicKey"]["pk"], test) for group in WYCHEPROOF["testGroups"] for test in group["tests"]]
    official = [{"key": key, "message": test["msg"], "signature": test["sig"]} for key, test in tests]
    edges = [{"key": case["key"], "message": case["msg"].encode().hex(), "signature": case["sig"]} for case in CCTV]
    return [{"kind": "signature", **case} for case in official + edges]


def test_no_signature_of_wycheproof_and_cctv_is_judged_otherwise(answers: Answers) -> None:
    cases = signatures()
    expected = [accepts(*(bytes.fromhex(case[name]) for name in ("key", "message", "signature"))) for case in cases]
    assert len(cases) == 151 + len(CCTV)
    assert [answer.get("answer", False) for answer in answers(cases)] == expected


def test_what_is_no_strict_json_is_refused(answers: Answers) -> None:
    cases = [{"kind": "read", "raw": b64(raw)} for raw, _ in test_strict_json.REFUSED.values()]
    assert [
        name for name, answer in zip(test_strict_json.REFUSED, answers(cases), strict=True) if not refused(answer)
    ] == []


def test_strict_json_is_read(answers: Answers) -> None:
    fractions = {name: text.encode() for name, (text, _) in test_strict_json.EXACT.items()}
    cases = {name: raw for name, (raw, _) in test_strict_json.READ.items()} | fractions
    answered = answers([{"kind": "read", "raw": b64(raw)} for raw in cases.values()])
    assert [name for name, answer in zip(cases, answered, strict=True) if refused(answer)] == []


BENT = [b'{"a":1,"b":[true,null,"x\\u00e9"],"c":{"d":-0}}', '{"\ufb33":1,"\U0001f600":"\\ud83d\\ude00","1":0}'.encode()]


def bent_json() -> list[bytes]:
    """Every byte of two texts replaced by each of some signs that mean something in JSON."""
    signs = b'"\\{}[]:,019-+.eEtn \t\x00\x7f\x80\xff'
    return [raw[:at] + bytes([sign]) + raw[at + 1 :] for raw in BENT for at in range(len(raw)) for sign in signs]


def canonical_or_refused(raw: bytes) -> str | None:
    try:
        return canonical_bytes(parse_json(raw)).decode()
    except CertifierError:
        return None


def test_a_bent_json_is_read_alike_or_refused_by_both(answers: Answers) -> None:
    raws = [
        *BENT,
        *bent_json(),
        b'{"__proto__":{"a":1},"constructor":2}',
        b'{"a":1e2}',
        b'{"a":1.0}',
        b"[9007199254740992]",
    ]
    answered = answers([{"kind": "json", "raw": b64(raw)} for raw in raws])
    different = [
        (raw, answer)
        for raw, answer in zip(raws, answered, strict=True)
        if answer.get("answer") != canonical_or_refused(raw)
    ]
    assert different == []


def test_the_canonical_form_is_the_same(answers: Answers) -> None:
    cases = [
        {"kind": "json", "raw": b64(json.dumps(value, ensure_ascii=False).encode())}
        for value, _ in test_canonical.WRITTEN.values()
    ]
    assert [answer["answer"] for answer in answers(cases)] == [text for _, text in test_canonical.WRITTEN.values()]


def test_base58_is_read_alike(answers: Answers) -> None:
    raws = [b"", b"\0", b"\0\0\x28\x7f\xb4\xcd", bytes(range(64)), b"\xff" * 64]
    good = [{"kind": "multibase", "text": "z" + base58_encode(raw)} for raw in raws]
    assert [answer["answer"] for answer in answers(good)] == [raw.hex() for raw in raws]
    bad = [{"kind": "multibase", "text": text} for text in ("", "2", "z0", "zI", "z l", "z" + "2" * 129, "z2\n")]
    assert [answer for answer in answers(bad) if not refused(answer)] == []


def test_the_merkle_vectors_hold(answers: Answers) -> None:
    """All but those with a hash of another length, which the readers of proofs and notes refuse before."""
    vectors = [
        vector
        for vector in test_merkle.INCLUSION.values()
        if {len(base64.b64decode(text)) for text in (vector["leafHash"], vector["root"], *(vector["proof"] or []))}
        == {32}
    ]
    assert len(vectors) > 70
    cases = [
        {
            "kind": "inclusion",
            "index": vector["leafIdx"],
            "size": vector["treeSize"],
            "leaf": base64.b64decode(vector["leafHash"]).hex(),
            "proof": [raw.hex() for raw in test_merkle.hashes_of(vector)],
            "root": base64.b64decode(vector["root"]).hex(),
        }
        for vector in vectors
    ]
    assert [refused(answer) for answer in answers(cases)] == [vector["wantErr"] for vector in vectors]


def opens(raw: bytes, keys: list[str]) -> bool:
    try:
        open_checkpoint(raw, [parse_verifier_key(key) for key in keys])
    except CertifierError:
        return False
    return True


def test_signed_notes_are_judged_alike(answers: Answers) -> None:
    """Log keys only: nobody puts a witness's key among the logs of a trust file."""
    log = [test_note.LOG_TEXT]
    notes = [test_note.NOTE, test_note.COSIGNED, *test_note.SLOPPY_NOTES.values()]
    notes += [raw for raw, _ in test_note.NOT_BY_THE_LOG.values()]
    notes += [
        bytes([*test_note.NOTE[:at], test_note.NOTE[at] ^ 1, *test_note.NOTE[at + 1 :]])
        for at in range(len(test_note.NOTE))
    ]
    cases = [{"kind": "checkpoint", "note": b64(raw), "keys": keys} for raw in notes for keys in (log, [])]
    expected = [opens(raw, keys) for raw in notes for keys in (log, [])]
    assert any(expected)
    assert [not refused(answer) for answer in answers(cases)] == expected


def test_proof_files_are_read_alike(answers: Answers) -> None:
    good = parse_proof(test_tlog_proof.FILE)
    raws = [test_tlog_proof.FILE, *test_tlog_proof.SLOPPY_PROOFS.values()]
    first, *others = answers([{"kind": "proof", "raw": b64(raw)} for raw in raws])
    assert first["answer"] == [str(good.index), *(raw.hex() for raw in good.hashes)]
    for raw, answer in zip(raws[1:], others, strict=True):
        try:
            parse_proof(raw)
        except CertifierError:
            assert refused(answer), raw[:80]
        else:
            assert not refused(answer), raw[:80]


def test_the_compact_form_is_read_alike(answers: Answers) -> None:
    raw = compact_cases.RAW
    raws = [
        raw,
        *(raw for raw, _ in compact_cases.REFUSED.values()),
        *(raw[:at] for at in range(len(raw))),
        raw + b"\0",
    ]
    raws += [bytes([*raw[:at], raw[at] ^ (1 << at % 8), *raw[at + 1 :]]) for at in range(len(raw))]
    for raw, answer in zip(raws, answers([{"kind": "compact", "raw": b64(raw)} for raw in raws]), strict=True):
        try:
            compact = parse_compact(raw)
        except CertifierError:
            assert refused(answer), raw.hex()
        else:
            told = {"method": compact.kid, "code": compact.code, "outcome": compact.outcome}
            told |= {"assessed": compact.assessed_g_per_min, "standard": compact.standard}
            assert answer["answer"] == told, raw.hex()


def test_the_digits_of_a_print_are_read_alike(answers: Answers) -> None:
    good, *bad = answers(
        [{"kind": "digits", "text": text} for text in (compact_cases.DIGITS, *compact_cases.BAD_DIGITS.values())]
    )
    assert good["answer"] == bytes_of_digits(compact_cases.DIGITS).hex()
    # Two of the bad ones are digits of other bytes, which are no certificate when they are read.
    others = {name for name, answer in zip(compact_cases.BAD_DIGITS, bad, strict=True) if not refused(answer)}
    assert others <= {"one digit more", "one digit less", "bytes beyond the limit", "the mark alone"}


def test_every_combination_of_axes_has_the_same_verdict(answers: Answers) -> None:
    digest, count = hashlib.sha256(), 0
    for axes in all_axes():
        line = json.dumps([*axes.values(), *verdict_of(axes)], ensure_ascii=False, separators=(",", ":"))
        digest.update(f"{line}\n".encode())
        count += 1
    assert answers([{"kind": "verdicts"}]) == [{"answer": {"count": count, "sha256": digest.hexdigest()}}]


def brought(raw: bytes, material: Material, now: datetime) -> dict[str, Any]:
    audio = material.audio
    return {
        "kind": "check",
        "certificate": b64(raw),
        "trust": b64(canonical_bytes(trust_document(material.trust))) if material.trust else None,
        "proof": None if material.proof is None else b64(material.proof),
        "lists": {url: b64(each) for url, each in material.status_lists.items()},
        "audio": {name: value for name, value in vars(audio).items() if value} if audio else None,
        "now": now.isoformat(),
    }


def judged(answer: dict[str, Any]) -> Any:
    if refused(answer):
        return "refused"
    told = answer["answer"]
    assert [check["axis"] for check in told["checks"]] == list(told["axes"])
    return told["axes"], told["verdict"], told["reason"], told["because"], told["checked_at"]


def judged_here(raw: bytes, material: Material, now: datetime) -> Any:
    try:
        found = check_certificate(raw, material, now)
    except ForeignInputError:
        return "refused"
    return found.axes, found.verdict, found.reason, found.because, found.checked_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_each_axis_is_told_apart_as_in_python(answers: Answers) -> None:
    cases = {
        name: (to_json_text(document).encode(), *rest[:2]) for name, (document, *rest) in test_verify.CASES.items()
    }
    cases["good"] = (RAW, MATERIAL, NOW)
    answered = answers([brought(*case) for case in cases.values()])
    for (name, case), answer in zip(cases.items(), answered, strict=True):
        assert judged(answer) == judged_here(*case), name


def list_of_another() -> dict[str, bytes]:
    """Lists under the certificate's own addresses, properly signed by another trusted issuer in its own name."""
    made = {}
    for purpose in PURPOSES:
        url = status_url(test_verify.BASE, purpose)
        unsigned = status_list_payload(url, purpose, (), issuer=OTHER_KEY.issuer, log="x at size 1", now=NOW)
        made[url] = to_json_text(sign_document(unsigned, FORGER, OTHER_KEY.id, time_text(NOW))).encode()
    return made


def signed_over(context: list[str]) -> bytes:
    """The good certificate with a proof that was made, and says so, for another @context."""
    unsigned, proof = split_proof(GOOD)
    options = {name: value for name, value in proof.items() if name != "proofValue"} | {"@context": context}
    parts = (hashlib.sha256(canonical_bytes(part)).digest() for part in (options, unsigned))
    value = "z" + base58_encode(ISSUER.sign(b"".join(parts)))
    return to_json_text({**unsigned, "proof": {**options, "proofValue": value}}).encode()


def token(**header: Any) -> bytes:
    """The good certificate as a JWT whose header says more or other things, signed all the same."""
    payload = jwt_of(split_proof(GOOD)[0], ISSUER, METHOD).split(".")[1]
    given = {"alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", "kid": METHOD} | header
    message = f"{base64.urlsafe_b64encode(canonical_bytes(given)).decode().rstrip('=')}.{payload}".encode()
    return message + b"." + base64.urlsafe_b64encode(ISSUER.sign(message)).rstrip(b"=")


STATUS_KEY = replace(OTHER_KEY, id=f"{test_verify.DID}#status", issuer=test_verify.DID, role="status")
BOTH = replace(TRUST, keys=(*TRUST.keys, OTHER_KEY))
IN_ANOTHERS_NAME = issued(key=FORGER, method=OTHER_KEY.id)
NEXT_LOG = verifier_key_for("label.example/2027", SigningKey.from_seed(b"next log".ljust(32, b".")).public)


def stolen(origin: str, index: int, logs: tuple[VerifierKey, ...]) -> Material:
    keys = (replace(TRUST.keys[0], last_good=LastGood(origin, index)), *TRUST.keys[1:], STATUS_KEY)
    lists = test_verify.lists(key=FORGER, method=STATUS_KEY.id)
    return replace(MATERIAL, trust=replace(TRUST, keys=keys, logs=logs), status_lists=lists)


FURTHER: dict[str, tuple[bytes, Material]] = {
    "lists of another issuer under our address": (RAW, replace(MATERIAL, trust=BOTH, status_lists=list_of_another())),
    "a trusted key of another issuer": (
        to_json_text(IN_ANOTHERS_NAME).encode(),
        replace(MATERIAL, trust=BOTH, proof=logged(IN_ANOTHERS_NAME, method=OTHER_KEY.id)),
    ),
    "logged in the year before the theft": (RAW, stolen(NEXT_LOG.name, -1, (*TRUST.logs, NEXT_LOG))),
    "logged in the year after the theft": (RAW, stolen(NEXT_LOG.name, 9, (NEXT_LOG, *TRUST.logs))),
    "logged just before the theft": (RAW, stolen(test_verify.ORIGIN, 2, TRUST.logs)),
    "logged just after the theft": (RAW, stolen(test_verify.ORIGIN, 1, TRUST.logs)),
    "stolen, by a log that is not known": (RAW, stolen(NEXT_LOG.name, 9, TRUST.logs)),
    "a proof for another context": (signed_over(["https://www.w3.org/ns/credentials/v2"]), MATERIAL),
    "a proof for its own context": (signed_over(GOOD["@context"]), MATERIAL),
    "a token": (token(), MATERIAL),
    "a token that brings its key": (token(jwk={"kty": "OKP"}), MATERIAL),
    "a token of another type": (token(typ="JWT"), MATERIAL),
    "a token without a key id": (token(kid=""), MATERIAL),
}


def test_what_is_signed_well_for_something_else_is_judged_alike(answers: Answers) -> None:
    answered = answers([brought(*case, NOW) for case in FURTHER.values()])
    for (name, case), answer in zip(FURTHER.items(), answered, strict=True):
        assert judged(answer) == judged_here(*case, NOW), name
    verdicts = {judged_here(*case, NOW)[1] for case in FURTHER.values() if judged_here(*case, NOW) != "refused"}
    assert verdicts == {"valid", "not_valid", "cannot_tell"}


def test_no_byte_of_a_certificate_can_be_changed_anywhere(answers: Answers) -> None:
    raws = [bytes([*RAW[:at], RAW[at] ^ 1, *RAW[at + 1 :]]) for at in range(0, len(RAW), 89)]
    answered = answers([brought(raw, MATERIAL, NOW) for raw in raws])
    for raw, answer in zip(raws, answered, strict=True):
        assert judged(answer) == judged_here(raw, MATERIAL, NOW)


JWT = jwt_of(payload_for(test_verify.CLAIMS), test_verify.ISSUER, METHOD)
QR = (VECTORS / "good-qr" / EXPECTED["good-qr"]["certificate"]).read_bytes()


def token(header: dict[str, Any] | None = None, **claims: Any) -> bytes:
    """A signed token with other members in its header or payload."""
    parts = [parse_json(base64.urlsafe_b64decode(part + "==")) for part in JWT.split(".")[:2]]
    spelled = [b64url(canonical_bytes(part | more)) for part, more in zip(parts, (header or {}, claims), strict=True)]
    message = b".".join(spelled)
    return message + b"." + b64url(test_verify.ISSUER.sign(message))


def b64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def lacking(result: str) -> bytes:
    """A signed certificate without one of its results."""
    unsigned = payload_for(test_verify.CLAIMS)
    subject = unsigned["credentialSubject"]
    kept = [each for each in subject["result"] if not each["resultDescription"].endswith(f"#{result}")]
    changed = unsigned | {"credentialSubject": subject | {"result": kept}}
    return canonical_bytes(sign_document(changed, test_verify.ISSUER, METHOD, time_text(NOW)))


def named(method: Any) -> bytes:
    return canonical_bytes(GOOD | {"proof": GOOD["proof"] | {"verificationMethod": method}})


STRANGERS = replace(MATERIAL, trust=replace(test_verify.TRUST, keys=()))
# Each was judged otherwise by one of the two once.
BENT_CERTIFICATES: dict[str, tuple[bytes, Material]] = {
    "a key name inside a list": (named([METHOD]), MATERIAL),
    "no key name": (named(None), MATERIAL),
    "a fraction under a key that nobody knows": (canonical_bytes(GOOD)[:-1] + b',"x":0.5}', STRANGERS),
    "a certificate without its data quality": (lacking("data-quality"), MATERIAL),
    "a certificate without its post-production line": (lacking("post-production"), MATERIAL),
    "a record after much white space": (b" " * 100 + RAW, MATERIAL),
    "a token": (JWT.encode(), MATERIAL),
    "a token in white space": (b" \t\v\f\r\n" + JWT.encode() + b"\n", MATERIAL),
    "a token after a byte order mark": (b"\xef\xbb\xbf" + JWT.encode(), MATERIAL),
    "a token after a space that does not break": (b"\xc2\xa0" + JWT.encode(), MATERIAL),
    "a token with a byte that is no text": (JWT.encode() + b"\xff", MATERIAL),
    "a token for an audience": (token(aud="x"), MATERIAL),
    "a token with the time it was made": (token(iat=1), MATERIAL),
    "a token that names its key in a list": (token({"kid": [METHOD]}), MATERIAL),
    "a token whose signature has spare bits": (JWT.encode()[:-1] + b"_", MATERIAL),
    "the digits of a print alone": (QR.partition(b"#")[2], MATERIAL),
    "a print": (QR, MATERIAL),
}


def test_a_certificate_that_is_spelled_otherwise_is_judged_alike(answers: Answers) -> None:
    answered = answers([brought(raw, material, NOW) for raw, material in BENT_CERTIFICATES.values()])
    for (name, (raw, material)), answer in zip(BENT_CERTIFICATES.items(), answered, strict=True):
        assert judged(answer) == judged_here(raw, material, NOW), name


def test_a_text_that_never_ends_is_refused_at_once(answers: Answers) -> None:
    raws = [b'"' + b'\\"' * 120_000, b'{"a":"' + b'\\"' * 500_000, b'"' + b"a" * 10_000_000]
    started = time.monotonic()
    assert all(map(refused, answers([{"kind": "read", "raw": b64(raw)} for raw in raws])))
    assert time.monotonic() - started < 10


def test_what_is_shown_of_a_good_certificate_is_what_python_shows(answers: Answers) -> None:
    [answer] = answers([brought(RAW, MATERIAL, NOW)])
    expected = verification_document(check_certificate(RAW, MATERIAL, NOW))
    assert answer["answer"]["certificate"] == expected["certificate"]
    assert set(answer["answer"]) == set(expected)
    assert set(answer["answer"]["checks"][0]) == set(expected["checks"][0])


def test_nothing_is_shown_of_a_certificate_that_cannot_be_believed(answers: Answers) -> None:
    [answer] = answers([brought(to_json_text(test_verify.renamed(GOOD)).encode(), MATERIAL, NOW)])
    assert answer["answer"]["certificate"] is None
    assert "Night Ferry" not in json.dumps(answer)


RDF = {"openbadge", "baked", "context"}  # signed over RDF, or inside a picture: the service's business


def vector(name: str) -> dict[str, Any]:
    case, folder = EXPECTED[name], VECTORS / name
    files = {path.name: b64(path.read_bytes()) for path in folder.iterdir()}
    return {
        "kind": "check",
        "certificate": files[case["certificate"]],
        "trust": files.get("trust.json"),
        "proof": files.get("certificate.tlog-proof"),
        "lists": {json.loads(path.read_text())["id"]: files[path.name] for path in folder.glob("status-*.json")},
        "audio": case.get("audio"),
        "now": case["now"],
    }


def test_the_certificate_vectors_hold(answers: Answers) -> None:
    for name, answer in zip(EXPECTED, answers([vector(name) for name in EXPECTED]), strict=True):
        case = EXPECTED[name]
        if RDF & set(name.split("-")):
            assert refused(answer) or answer["answer"]["verdict"] not in ("valid", "valid_with_warnings"), name
        elif "error" in case:
            assert refused(answer), name
        else:
            assert not refused(answer), (name, answer)
            told = answer["answer"]
            assert (told["axes"], told["verdict"], told["reason"]) == (case["axes"], case["verdict"], case["reason"]), (
                name
            )


def test_a_folder_of_vectors_can_be_given_to_node_alone() -> None:
    told = run_node(str(VECTORS))
    assert list(told) == list(EXPECTED)
    assert told["good"]["answer"]["verdict"] == "valid"


PRINTS = {"the certificate's own print": "good-cose", "a changed print": "tampered-cose"}


@pytest.mark.parametrize("name", PRINTS.values(), ids=PRINTS.keys())
def test_a_print_and_the_certificate_of_its_code_are_compared(answers: Answers, name: str) -> None:
    record, folder = vector("good"), VECTORS / name
    raw = (folder / EXPECTED[name]["certificate"]).read_bytes()
    [answer] = answers([record | {"kind": "print", "print": b64(raw)}])
    good = VECTORS / "good"
    lists = lists_by_url({path.name: path.read_bytes() for path in good.glob("status-*.json")})
    material = Material(
        parse_trust((good / "trust.json").read_bytes()), (good / "certificate.tlog-proof").read_bytes(), lists
    )
    now = datetime.fromisoformat(EXPECTED["good"]["now"])
    here = check_print(raw, (good / "certificate.json").read_bytes(), material, now)
    assert judged(answer) == (here.axes, here.verdict, here.reason, here.because, EXPECTED["good"]["now"])


def test_a_stolen_trust_file_is_never_half_read(answers: Answers) -> None:
    """A trust file that cannot be used as a whole is refused, and no verdict comes out."""
    for document in test_verify.WRONG_TRUST.values():
        [answer] = answers([brought(RAW, MATERIAL, NOW) | {"trust": b64(json.dumps(document).encode())}])
        assert refused(answer), document


def test_all_that_verification_loads_is_ten_kilobytes() -> None:
    """Every module and the verdict table, as they are sent; a print and a page without https need a little more."""
    sent = [script_of("web/static/check.js", whole=False)]
    sent += [module_of(f"web/static/{name}.js") for name in ("compact", "plain")]
    small, *later = (len(gzip.compress(text.encode(), 6)) for text in sent)
    assert small <= 10 * 1024
    assert max(later) <= 6 * 1024
    table = json.loads(Path(ROOT / "certifier" / "certificate" / "verdict.json").read_text())
    assert json.dumps(table, separators=(",", ":"), ensure_ascii=False) in sent[0]  # the same file, no copy


def test_a_print_that_says_anything_else_than_its_record_is_refused_by_both(answers: Answers) -> None:
    prints = [sign_compact(test_verify.PRINTED, test_verify.ISSUER, test_verify.METHOD)]
    prints += [sign_compact(compact, key, method) for compact, key, method in test_verify.PRINTS.values()]
    material = replace(test_verify.MANY_KEYS, audio=None)
    asked = [brought(RAW, material, NOW) | {"kind": "print", "print": b64(raw)} for raw in prints]
    told = [(answer["answer"]["verdict"], answer["answer"]["reason"]) for answer in answers(asked)]
    here = [check_print(raw, RAW, material, NOW) for raw in prints]
    assert told == [(verification.verdict, verification.reason) for verification in here]
    assert [verdict for verdict, _ in told] == ["valid"] + ["not_valid"] * len(test_verify.PRINTS)
