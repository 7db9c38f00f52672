"""Names of keys and where documents of issuers lie. What a document must hold is tested through the API that asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from certifier.certificate.did import did_web_url, key_of_did_key, parse_method
from certifier.crypto.signing import SigningKey
from certifier.errors import CredentialRefused

KEY = SigningKey.from_seed(b"example".ljust(32, b".")).public
URLS = {
    "did:web:studio.example.org": "https://studio.example.org/.well-known/did.json",
    "did:web:studio.example.org:artists:alice": "https://studio.example.org/artists/alice/did.json",
    "did:web:studio.example.org:a.b_c-d": "https://studio.example.org/a.b_c-d/did.json",
}


@pytest.mark.parametrize(("did", "url"), URLS.items(), ids=URLS.keys())
def test_a_did_web_has_its_document_at_one_address(did: str, url: str) -> None:
    assert did_web_url(did) == url


NO_URLS = [
    "studio%3A8443",
    "studio.example.org%2Fx",
    "a@b",
    "",
    "a:",
    "a:..",
    "a:.",
    "a::b",
    "A.org",
    "a.org:x%2F..",
    "a/b",
]


@pytest.mark.parametrize("name", NO_URLS)
def test_no_other_spelling_of_a_did_web_has_an_address(name: str) -> None:
    with pytest.raises(CredentialRefused) as raised:
        did_web_url(f"did:web:{name}")
    assert raised.value.step == "did_resolution"


def test_a_did_key_is_its_own_document() -> None:
    method = parse_method(f"{KEY.did_key}#{KEY.multibase}")
    assert (method.did, method.kind, key_of_did_key(method)) == (KEY.did_key, "did:key", KEY)


BAD_METHODS: dict[str, tuple[Any, str]] = {
    "nothing": (None, "verification_method"),
    "a number": (7, "verification_method"),
    "a list": ([f"{KEY.did_key}#{KEY.multibase}"], "verification_method"),
    "no fragment": (KEY.did_key, "verification_method"),
    "an empty fragment": (f"{KEY.did_key}#", "verification_method"),
    "an address": ("https://example.org/keys/1", "verification_method"),
    "a query": (f"{KEY.did_key}?versionId=1#{KEY.multibase}", "verification_method"),
    "a line break": (f"{KEY.did_key}#{KEY.multibase}\n", "verification_method"),
    "very long": (f"{KEY.did_key}#{'a' * 600}", "verification_method"),
    "did:example": ("did:example:acme#key-1", "did_method"),
    "did:jwk": ("did:jwk:eyJ#0", "did_method"),
    "did:webs": ("did:webs:example.org#key-1", "did_method"),
}


@pytest.mark.parametrize(("text", "step"), BAD_METHODS.values(), ids=BAD_METHODS.keys())
def test_anything_else_is_no_method_or_none_that_is_supported(text: Any, step: str) -> None:
    with pytest.raises(CredentialRefused) as raised:
        parse_method(text)
    assert raised.value.step == step


P256 = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
BAD_KEYS = {
    "another fragment": f"{KEY.did_key}#key-1",
    "of another curve": f"did:key:{P256}#{P256}",
    "no base58": "did:key:z6Mk0OIl#z6Mk0OIl",
}


@pytest.mark.parametrize("text", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_did_key_that_is_no_ed25519_key_is_refused(text: str) -> None:
    with pytest.raises(CredentialRefused) as raised:
        key_of_did_key(parse_method(text))
    assert raised.value.step == "verification_method"
