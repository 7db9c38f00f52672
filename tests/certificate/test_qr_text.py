"""The text of a QR is read in any case, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.badge.qr import print_qr_text, qr_text
from certifier.certificate.code import code_of
from certifier.certificate.qr_text import QrText, parse_qr_text
from certifier.errors import MalformedCode

CODE = code_of(b"qrtext")
HOST = "https://label.example"

READ = {
    "as printed on artwork": (f"HTTPS://LABEL.EXAMPLE/V/{CODE}", QrText(HOST, CODE, None)),
    "as printed with digits": (f"HTTPS://LABEL.EXAMPLE/V/{CODE}#1234567890", QrText(HOST, CODE, "1234567890")),
    "as a browser shows it": (f"https://label.example/v/{CODE}#12", QrText(HOST, CODE, "12")),
    "in small letters": (f"https://label.example/v/{CODE.lower()}", QrText(HOST, CODE, None)),
    "with a space around it": (f"  https://label.example/v/{CODE}\n", QrText(HOST, CODE, None)),
    "of a service with a port": (f"HTTP://127.0.0.1:8080/V/{CODE}", QrText("http://127.0.0.1:8080", CODE, None)),
    "of a service below a path with a dot": (
        f"https://example.org/label.v1/v/{CODE}",
        QrText("https://example.org/label.v1", CODE, None),
    ),
    "of a service below a path": (
        f"HTTPS://EXAMPLE.ORG/LABEL/V/{CODE}",
        QrText("https://example.org/label", CODE, None),
    ),
}


@pytest.mark.parametrize(("text", "parts"), READ.values(), ids=READ.keys())
def test_the_text_of_a_label_is_read(text: str, parts: QrText) -> None:
    assert parse_qr_text(text) == parts


REFUSED = {
    "nothing": "",
    "a code alone": CODE,
    "another scheme": f"javascript://label.example/v/{CODE}",
    "a file": f"file:///v/{CODE}",
    "no host": f"https:///v/{CODE}",
    "a user before the host": f"https://label.example@evil.example/v/{CODE}",
    "a backslash": f"https://label.example\\@evil.example/v/{CODE}",
    "a host beyond ASCII": f"https://läbel.example/v/{CODE}",
    "a letter that looks like another": f"https://label.example/v/{CODE[:-1]}\uff10",
    "a query": f"https://label.example/v/{CODE}?q=1",
    "a suffix": f"https://label.example/v/{CODE}.json",
    "a slash at the end": f"https://label.example/v/{CODE}/",
    "something after the digits": f"https://label.example/v/{CODE}#12x",
    "two fragments": f"https://label.example/v/{CODE}#1#2",
    "an empty fragment": f"https://label.example/v/{CODE}#",
    "digits of another script": f"https://label.example/v/{CODE}#١٢",
    "another page": f"https://label.example/c/{CODE}",
    "a code with a hyphen": f"https://label.example/v/{CODE[:4]}-{CODE[4:]}",
    "a code with a typing error": f"https://label.example/v/{'1' if CODE[0] != '1' else '2'}{CODE[1:]}",
    "a code with the letter O for zero": "https://label.example/v/OOOOOOOOOO",
    "two lines": f"https://label.example/v/{CODE}\nhttps://label.example/v/{CODE}",
    "a novel": "https://label.example/" + "v/" * 100_000 + CODE,
    "dots that climb": f"https://label.example/../v/{CODE}",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(MalformedCode) as caught:
        parse_qr_text(text)
    assert caught.value.expected
    assert len(str(caught.value.found)) < 200


@given(st.binary(min_size=6, max_size=6).map(code_of), st.none() | st.from_regex(r"\A[1-9][0-9]{0,500}\Z"))
def test_what_is_printed_is_read(code: str, digits: str | None) -> None:
    text = print_qr_text(HOST, code, digits) if digits else qr_text(HOST, code)
    assert parse_qr_text(text) == QrText(HOST, code, digits)
    assert parse_qr_text(text.lower()) == QrText(HOST, code, digits)


@given(st.text(max_size=100))
def test_no_text_makes_it_stumble(text: str) -> None:
    with pytest.raises(MalformedCode):
        parse_qr_text(text)
