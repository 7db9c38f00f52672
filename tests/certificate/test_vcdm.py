"""Times and addresses of the W3C's data model. The rules for whole documents are tested through the API that applies them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from certifier.certificate.vcdm import check_time, is_url, moment_of
from certifier.errors import MalformedCredential

TIMES = {
    "2026-11-22T20:00:00Z": datetime(2026, 11, 22, 20, tzinfo=UTC),
    "2026-11-22T20:00:00.5Z": datetime(2026, 11, 22, 20, 0, 0, 500_000, tzinfo=UTC),
    "2026-11-22T20:00:00.123456789Z": datetime(2026, 11, 22, 20, 0, 0, 123_456, tzinfo=UTC),
    "2026-11-22T20:00:00+02:00": datetime(2026, 11, 22, 18, tzinfo=UTC),
    "2026-11-22T20:00:00-14:00": datetime(2026, 11, 23, 10, tzinfo=UTC),
    "2026-12-31T24:00:00Z": datetime(2027, 1, 1, tzinfo=UTC),
    "2024-02-29T00:00:00Z": datetime(2024, 2, 29, tzinfo=UTC),
    "0000-01-01T00:00:00Z": datetime.min.replace(tzinfo=UTC),
    "-0044-03-15T00:00:00Z": datetime.min.replace(tzinfo=UTC),
    "12026-01-01T00:00:00Z": datetime.max.replace(tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "moment"), TIMES.items(), ids=TIMES.keys())
def test_a_time_stamp_is_read_in_every_form_that_xml_schema_has(text: str, moment: datetime) -> None:
    check_time(text, "/validFrom")
    assert moment_of(text) == moment


NO_TIMES: list[Any] = [
    "2026-11-22",
    "2026-11-22T20:00:00",
    "2026-11-22 20:00:00Z",
    "2026-11-22T20:00Z",
    "2026-11-22t20:00:00z",
    "2026-13-22T20:00:00Z",
    "2026-02-29T20:00:00Z",
    "2026-11-31T20:00:00Z",
    "2026-11-22T24:00:01Z",
    "2026-11-22T20:60:00Z",
    "2026-11-22T20:00:60Z",
    "2026-11-22T20:00:00+15:00",
    "2026-11-22T20:00:00+0200",
    "26-11-22T20:00:00Z",
    "02026-11-22T20:00:00Z",
    "2026-11-22T20:00:00Z\n",
    "2026-11-22T20:00:00." + "0" * 60 + "Z",
    "",
    None,
    0,
    ["2026-11-22T20:00:00Z"],
]


@pytest.mark.parametrize("value", NO_TIMES, ids=repr)
def test_anything_else_is_no_time_stamp(value: Any) -> None:
    with pytest.raises(MalformedCredential) as raised:
        check_time(value, "/validFrom")
    assert raised.value.pointer == "/validFrom"


URLS = {
    "https://example.org/": True,
    "urn:uuid:86294362-4254-4f36-854f-3952fe42555d": True,
    "did:key:z6Mk#z6Mk": True,
    "data:application/vc+jwt,ey.J.x": True,
    "https://example.org/a?b=c&d=%20#e": True,
    "https://[2001:db8::1]/": True,
    "example.org": False,
    "/path": False,
    "https ://example.org": False,
    "https://example.org/a b": False,
    'https://example.org/"': False,
    "https://example.org/<x>": False,
    "https://example.org/\u00e4": False,
    "https://example.org/\n": False,
    "https:": False,
    "1a:b": False,
    "": False,
}


@pytest.mark.parametrize("text", URLS, ids=repr)
def test_an_address_is_absolute_and_holds_nothing_that_addresses_cannot(text: str) -> None:
    assert is_url(text) is URLS[text]


@pytest.mark.parametrize("value", [None, 7, ["https://example.org/"], {"id": "https://example.org/"}], ids=repr)
def test_only_text_is_an_address(value: Any) -> None:
    assert is_url(value) is False
