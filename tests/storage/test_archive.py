"""The archive of standards: what is damaged is named, and never in the way of what is whole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from certifier.errors import StorageError
from certifier.standard.model import folder_digest
from certifier.storage.archive import StandardArchive, zip_of

FILES = {"standard.toml": b'id = "LCAL-9.0.0"\n' + b"".join(b"# %d %d\n" % (n, n * n * 7919) for n in range(400))}
DIGEST = folder_digest(FILES)

# Where a bit is turned.
DAMAGE = {
    "a broken stream": range(60, 1000, 7),
    "the list of files": range(-90, 0),
}


@pytest.mark.parametrize("places", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_turned_bit_anywhere_is_named_and_stops_no_start(tmp_path: Path, places: range) -> None:
    archive, whole = StandardArchive(tmp_path), zip_of(FILES)
    other = {"standard.toml": b'id = "LCAL-9.1.0"\n'}
    archive.keep(folder_digest(other), other)
    for place in places:
        for bit in range(8):
            turned = bytearray(whole)
            turned[place] ^= 1 << bit
            (tmp_path / f"{DIGEST}.zip").write_bytes(turned)
            found = None
            with suppress(StorageError):
                found = archive.files(DIGEST)
            assert found in (None, FILES)
            assert archive.ids()[folder_digest(other)] == "LCAL-9.1.0"


def test_a_damaged_version_is_mended_where_its_files_are_at_hand(tmp_path: Path) -> None:
    archive = StandardArchive(tmp_path)
    archive.keep(DIGEST, FILES)
    kept = tmp_path / f"{DIGEST}.zip"
    whole = kept.read_bytes()
    kept.write_bytes(whole[:100])
    archive.keep(DIGEST, FILES)
    assert kept.read_bytes() == whole
