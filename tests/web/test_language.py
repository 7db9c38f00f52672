"""Pages speak the reader's language where there is a catalogue for it, and every catalogue is whole."""

from __future__ import annotations

import re
import runpy
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from certifier.web import language
from tests.web.conftest import World

PROJECT = Path(__file__).parents[2]
COLLECTED: Catalog = runpy.run_path(str(PROJECT / "scripts/catalogues.py"))["collected"]()
CATALOGUES = sorted((PROJECT / "certifier/web/catalogues").glob("*.po"))
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}|%%")


def test_what_people_read_is_collected() -> None:
    texts = {message.id for message in COLLECTED}
    assert {"To the content", "Look up", "Withdrawn", "Making the hardware"} <= texts


@pytest.mark.parametrize("file", CATALOGUES, ids=[file.stem for file in CATALOGUES])
def test_a_catalogue_translates_every_text_and_loses_no_place(file: Path) -> None:
    catalogue = read_po(BytesIO(file.read_bytes()), locale=file.stem)
    wanted = {message.id: message for message in COLLECTED if message.id}
    have = {message.id: message for message in catalogue if message.id}
    assert have.keys() == wanted.keys(), "run scripts/catalogues.py, then translate"
    for text, message in have.items():
        for source, translation in _pairs(message):
            assert translation, text
            assert sorted(set(PLACE.findall(translation))) == sorted(set(PLACE.findall(source))), text
            assert translation.count("<") == source.count("<"), text


def _pairs(message: Message) -> list[tuple[str, str]]:
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    one, many = message.id
    return list(zip((one, *[many] * len(message.string)), message.string, strict=False))


READERS = {
    "none named": ("", "en"),
    "one that there is none for": ("tlh", "en"),
    "English before all": ("en-GB, en;q=0.9, de;q=0.1", "en"),
    "not even a language": ("%%%, ;;;q=x", "en"),
}


@pytest.mark.parametrize(("accepted", "expected"), READERS.values(), ids=READERS.keys())
def test_a_page_says_which_language_it_is_in(world: World, accepted: str, expected: str) -> None:
    answer = world.client.get("/", headers={"Accept-Language": accepted})
    assert answer.headers["Content-Language"] == expected
    assert f'<html lang="{expected}">' in answer.text
    assert "Accept-Language" in answer.vary


def test_a_document_that_is_worded_for_its_reader_is_not_another_readers(world: World) -> None:
    """A shared cache would else hand a title in one language to everybody (RFC 9110 section 12.5.5)."""
    frame = world.client.get("/oembed", query_string={"url": f"https://label.example/v/{world.code}"})
    assert "Accept-Language" in frame.vary
    assert "Accept-Language" not in world.client.get(f"/v/{world.code}/shields.json").vary


def test_outside_of_a_request_texts_are_themselves() -> None:
    assert language.say("%(n)s tracks", n=3) == "3 tracks"
