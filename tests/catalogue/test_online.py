"""A service as a source of certificates: what it answers may be anything, and ends no run over a catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from certifier.catalogue.online import ServerSource
from certifier.errors import ForeignInputError
from tests.client.scripted import as_json, scripted

RECORD = {"credential": "{}", "proof": "x"}
LIES: dict[str, Any] = {
    "text": "x",
    "nothing": None,
    "no record": {"result": "valid", "code": "GG8W-7E5J-TV"},
    "a code that is a list": {"result": "valid", "code": ["GG8W-7E5J-TV"], "record": RECORD},
    "a code that is a number": {"result": "valid", "code": 1, "record": RECORD},
    "a mistyped code": {"result": "valid", "code": "GG8W-7E5J-TW", "record": RECORD},
    "a record of numbers": {"result": "valid", "code": "GG8W-7E5J-TV", "record": {"credential": 1, "proof": 2}},
    "a problem of a list": {"result": "problem", "problem": {"detail": ["x"]}},
}


@pytest.mark.parametrize("item", LIES.values(), ids=LIES.keys())
def test_whatever_a_service_answers_for_a_row_is_a_problem_of_that_row(item: Any) -> None:
    with scripted(lambda _: as_json({"items": [{"result": "no_certificate"}, item]})) as service:
        found = ServerSource(service.url, None).find("isrc", ["QZABC2600001", "QZABC2600002"])
    assert list(found) == ["QZABC2600002"]
    assert isinstance(found["QZABC2600002"], ForeignInputError)
