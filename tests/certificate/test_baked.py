"""A badge with its credential inside: what is put in comes out, here and in other software, and nothing hostile is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openbadgeslib import baking

from certifier.certificate.baked import NAMESPACE, bake, unbake
from certifier.certificate.credential import payload_for
from certifier.certificate.jose import jwt_of
from certifier.certificate.opened import open_certificate
from certifier.certificate.rdfc import sign_rdfc, verify_rdfc
from certifier.crypto.canonical import to_json_text
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedCertificate
from tests.certificate.test_verify import CLAIMS, ISSUER, METHOD

PAYLOAD = payload_for(CLAIMS)
CREDENTIAL = to_json_text(sign_rdfc(PAYLOAD, ISSUER, METHOD, "2026-11-22T20:00:00Z"))
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="a &gt; b"><title>Class 2</title></svg>'
BAKED = bake(PICTURE, CREDENTIAL)
OB3: dict[str, Any] = {"element": baking.SVG_ELEMENT_OB3, "text_fallback": True}


def wrapped(inside: str, before: str = "", attributes: str = "") -> bytes:
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
    return f"{before}<svg {namespaces}>{inside}</svg>".encode()


ELEMENT = "<openbadges:credential>{}</openbadges:credential>"
LAUGHS = '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
BAD: dict[str, tuple[bytes, str]] = {
    "no credential": (PICTURE.encode(), "0 credentials"),
    "two credentials": (wrapped(ELEMENT.format("{}") * 2), "2 credentials"),
    "one in the other": (wrapped(ELEMENT.format(ELEMENT.format("{}"))), "2 credentials"),
    "an empty credential": (wrapped(ELEMENT.format(" ")), "0 texts"),
    "a token and a text": (wrapped('<openbadges:credential verify="a.b.c">{}</openbadges:credential>'), "2 texts"),
    "elements in the credential": (wrapped(ELEMENT.format("<b>{}</b>")), "elements inside"),
    "a credential of another vocabulary": (
        wrapped(ELEMENT.format("{}")).replace(b"purl.imsglobal.org", b"evil.example"),
        "0 credentials",
    ),
    "a DTD": (
        wrapped(ELEMENT.format("{}"), '<!DOCTYPE svg SYSTEM "https://evil.example/svg.dtd">'),
        "a DTD or an entity",
    ),
    "entities": (wrapped(ELEMENT.format("&b;"), LAUGHS), "a DTD or an entity"),
    "an entity that is not declared": (wrapped(ELEMENT.format("&b;")), "ParseError"),
    "a page": (b"<html><body/></html>", "html"),
    "an SVG of no namespace": (b"<svg/>", "svg"),
    "no XML": (b"%PDF-1.7", "ParseError"),
    "nothing": (b"", "ParseError"),
    "a text in no encoding": (b'<?xml version="1.0" encoding="example"?><svg/>', "rror"),
    "half a picture": (BAKED[:-20].encode(), "ParseError"),
    "a picture too large": (wrapped(" " * 1_100_000), "bytes"),
}


def test_what_was_baked_comes_out_and_verifies() -> None:
    assert unbake(BAKED.encode()) == CREDENTIAL.strip().encode()
    assert verify_rdfc(parse_object(unbake(BAKED.encode())), ISSUER.public) == PAYLOAD


def test_the_picture_stays_what_it_was() -> None:
    assert BAKED.startswith(PICTURE.partition(">")[0][:40])
    assert BAKED.endswith("<title>Class 2</title></svg>")


def test_open_badges_software_finds_the_credential() -> None:
    assert baking.has_svg(BAKED.encode(), element=baking.SVG_ELEMENT_OB3)
    assert baking.extract_svg(BAKED.encode(), **OB3) == CREDENTIAL.strip()


def test_what_open_badges_software_baked_is_read() -> None:
    baked = baking.bake_svg(
        PICTURE.encode(), CREDENTIAL, element=baking.SVG_ELEMENT_OB3, namespace=baking.SVG_NS_OB3, as_text=True
    )
    assert json.loads(unbake(baked)) == json.loads(CREDENTIAL)
    token = baking.bake_svg(PICTURE.encode(), "a.b.c", element=baking.SVG_ELEMENT_OB3, namespace=baking.SVG_NS_OB3)
    assert unbake(token) == b"a.b.c"


@pytest.mark.parametrize(
    "name", ["]]>", "<&>\"'", "a\r\nb\tc", "\ufffe\uffff\x00\x1b\x7f\x85", "é 音 🎵", "<![CDATA[ ]]> &amp;"]
)
def test_no_name_can_leave_the_credential(name: str) -> None:
    credential = json.dumps({"name": name}, ensure_ascii=False)
    baked = bake(PICTURE, credential).encode()
    assert json.loads(unbake(baked)) == {"name": name}
    extracted = baking.extract_svg(baked, **OB3)
    assert extracted is not None
    assert json.loads(extracted) == {"name": name}


@pytest.mark.parametrize(("svg", "found"), BAD.values(), ids=BAD.keys())
def test_a_picture_that_is_no_baked_badge_is_refused(svg: bytes, found: str) -> None:
    with pytest.raises(MalformedCertificate) as refused:
        unbake(svg)
    assert found in str(refused.value.found)
    assert refused.value.hint


@pytest.mark.parametrize("svg", [BAKED, "<html></html>", "<svg/>"], ids=["baked already", "a page", "nothing in it"])
def test_only_a_picture_without_a_credential_can_be_baked(svg: str) -> None:
    with pytest.raises(MalformedCertificate, match="cannot be put"):
        bake(svg, CREDENTIAL)


def nested(credential: str) -> str:
    escaped = credential.replace("&", "&amp;").replace("<", "&lt;")
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:o="{NAMESPACE}"><o:credential>{escaped}</o:credential></svg>'


NO_CREDENTIALS = {
    "another badge": nested(CREDENTIAL),
    "the text of a QR": "HTTPS://LABEL.EXAMPLE/V/0000000000#123",
    "some words": "hello",
}


@pytest.mark.parametrize("inside", NO_CREDENTIALS.values(), ids=NO_CREDENTIALS.keys())
def test_a_badge_that_holds_anything_but_a_credential_is_no_certificate(inside: str) -> None:
    """Pictures in pictures would have no end: a megabyte of them costs seconds."""
    with pytest.raises(MalformedCertificate, match="no badge holds"):
        open_certificate(nested(inside).encode())


def test_a_badge_that_holds_a_token_is_opened_as_one() -> None:
    assert open_certificate(nested(jwt_of(PAYLOAD, ISSUER, METHOD)).encode()).form == "jwt"
