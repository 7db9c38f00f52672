"""A message about a release is a catalogue: each sound recording is asked for by its ISRC and its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from certifier.catalogue import pieces
from certifier.catalogue.reading import open_catalogue
from certifier.errors import ForeignInputError
from tests.test_ddex import in_41, in_43, message


def saved(folder: Path, content: bytes) -> Path:
    file = folder / "release.xml"
    file.write_bytes(content)
    return file


def test_each_recording_is_a_row_with_what_the_message_says(tmp_path: Path) -> None:
    catalogue = open_catalogue(saved(tmp_path, message(in_41(), in_43("1a" * 32, ref="A2"))), None)
    assert ([column.kind for column in catalogue.columns], catalogue.rows) == (["isrc", "sha256"], 2)
    (piece,) = catalogue.pieces()
    assert [(row["ref"], row["sha256"]) for row in piece.batch.to_pylist()] == [("A1", "3b" * 32), ("A2", "1a" * 32)]


def test_a_release_is_read_on_from_any_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifier.catalogue.release.ROWS", 2)
    recordings = [in_41(ref=f"A{number}") for number in range(5)]
    catalogue = open_catalogue(saved(tmp_path, message(*recordings)), None)
    refs = [row["ref"] for piece in catalogue.pieces(pieces.Place(3)) for row in piece.batch.to_pylist()]
    assert refs == ["A3", "A4"]


NO_RELEASES = {
    "a document type": message(in_41(), prolog="<!DOCTYPE x>"),
    "no XML": b"isrc,title",
    "no recording": message(),
}


@pytest.mark.parametrize("content", NO_RELEASES.values(), ids=NO_RELEASES)
def test_what_is_no_release_is_one_error(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ForeignInputError):
        open_catalogue(saved(tmp_path, content), None)
