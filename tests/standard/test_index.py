"""The index of published standards: signed, and whatever it lists cannot be changed unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, CertifierError, ConflictError, MalformedJson, MalformedKey, StandardError
from certifier.standard.folder import open_folder
from certifier.standard.index import changed_files, check_unchanged, entry_for, is_index, parse_index, sign_index
from certifier.standard.version import drafted
from certifier.storage.files import load_standard, load_standard_folder, save_standard_files
from tests.standard.editors import HEAD, RULES, edited, small, small_files, write

KEY = SigningKey.from_seed(b"e" * 32)
OTHER = SigningKey.from_seed(b"o" * 32)
ENTRY = entry_for(small(), "lcal/1.0.0")
INDEX = sign_index([ENTRY], KEY)
STANDARDS = Path(__file__).parents[2] / "standards"


def test_the_index_says_what_was_published_and_who_says_so():
    index = parse_index(INDEX, KEY.public)
    entry = index.entry("LCAL-1.0.0")
    assert entry is not None
    assert (index.key, entry.sha256, entry.tables_sha256) == (
        KEY.public,
        small().standard.digest,
        small().standard.tables_digest,
    )
    assert set(entry.files) == set(small_files())
    assert index.entry("LCAL-9.0.0") is None


def test_the_same_entries_and_key_give_the_same_bytes():
    assert sign_index([ENTRY], KEY) == INDEX
    assert sign_index([ENTRY], OTHER) != INDEX


def with_value(change):
    document = json.loads(INDEX)
    change(document)
    return json.dumps(document).encode()


FORGED = {
    "another day": (lambda d: d["entries"][0].update(published_on="2020-01-02"), BadSignature),
    "an entry less": (lambda d: d["entries"].clear(), BadSignature),
    "another signer": (lambda d: d.update(verificationMethod=OTHER.public.did_key), BadSignature),
    "a signature that is none": (lambda d: d.update(signature="no"), BadSignature),
    "a signer that is none": (lambda d: d.update(verificationMethod="me"), MalformedKey),
    "another digest of the whole": (lambda d: d["entries"][0].update(sha256="0" * 64), MalformedJson),
    "another digest of a file": (lambda d: d["entries"][0]["files"].update({RULES: "0" * 64}), MalformedJson),
    "an id twice": (lambda d: d["entries"].append(d["entries"][0]), MalformedJson),
    "a member that nobody knows": (lambda d: d.update(note="x"), MalformedJson),
    "another form": (lambda d: d.update(form="lcal-standards-index/2"), MalformedJson),
    "a folder outside": (lambda d: d["entries"][0].update(folder="../lcal"), MalformedJson),
    "a file outside": (lambda d: d["entries"][0]["files"].update({"/etc/x": "0" * 64}), MalformedJson),
}


@pytest.mark.parametrize(("change", "error"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_index_is_refused(change, error):
    with pytest.raises(error):
        parse_index(with_value(change))


def test_an_index_of_another_key_is_refused_when_the_key_is_known():
    assert parse_index(INDEX).key == KEY.public
    with pytest.raises(BadSignature, match="another key"):
        parse_index(INDEX, OTHER.public)


def test_a_draft_has_no_place_in_an_index():
    draft = open_folder(drafted(small(), "1.1.0-draft"))
    with pytest.raises(MalformedJson):
        entry_for(draft, "lcal/1.1.0-draft")


FILES = {
    "nothing": ({}, []),
    "a rule": ({RULES: b"x"}, [RULES]),
    "a file more": ({"cases/more.json": b"{}"}, ["cases/more.json (added)"]),
    "a file less": ({"README.md": None}, ["README.md (gone)"]),
    "several, in order": ({RULES: b"x", HEAD: b"y", "a.txt": b""}, ["a.txt (added)", RULES, HEAD]),
}


@pytest.mark.parametrize(("changes", "expected"), FILES.values(), ids=FILES.keys())
def test_every_file_that_changed_is_named(changes, expected):
    files = {path: raw for path, raw in {**small_files(), **changes}.items() if raw is not None}
    assert changed_files(ENTRY, files) == expected
    if expected:
        with pytest.raises(ConflictError, match="is published, and changed since"):
            check_unchanged(ENTRY, files)
    else:
        check_unchanged(ENTRY, files)


def test_a_new_version_follows_the_greatest_published_one_below_it():
    versions = ("1.0.0", "1.2.0", "1.10.0", "2.0.0")
    entries = [ENTRY.model_copy(update={"id": f"LCAL-{version}", "version": version}) for version in versions]
    index = parse_index(sign_index(entries, KEY))
    found = {version: index.forerunner(version) for version in ("1.3.0", "2.0.0", "2.0.1", "1.0.0", "1.10.1")}
    assert {version: entry.version if entry else None for version, entry in found.items()} == {
        "1.3.0": "1.2.0",
        "2.0.0": "1.10.0",
        "2.0.1": "2.0.0",
        "1.0.0": None,
        "1.10.1": "1.10.0",
    }


# --- folders on disk ---


@pytest.fixture
def standards(tmp_path: Path) -> Path:
    write(tmp_path / "lcal" / "1.0.0", small_files())
    (tmp_path / "index.json").write_bytes(INDEX)
    return tmp_path


def test_a_published_folder_loads_as_long_as_nobody_touches_it(standards: Path):
    assert load_standard(standards / "lcal" / "1.0.0").digest == ENTRY.sha256
    write(standards / "lcal" / "1.0.0", edited({RULES: ("limit.class_1_cg", "limit.class_2_cg")}))
    with pytest.raises(StandardError, match=f"is published, and changed since: {RULES}"):
        load_standard(standards / "lcal" / "1.0.0")
    assert load_standard_folder(standards / "lcal" / "1.0.0", frozen=False).standard.id == "LCAL-1.0.0"


def test_a_published_folder_that_takes_another_id_is_changed_too(standards: Path):
    write(standards / "lcal" / "1.0.0", edited({HEAD: ('id = "LCAL-1.0.0"', 'id = "LCAL-1.0.1"')}))
    with pytest.raises(StandardError, match=f"is published, and changed since: {HEAD}"):
        load_standard(standards / "lcal" / "1.0.0")


OTHER_FILES = {
    "an index of something else": (b'{"form": "songs"}', None),
    "no index": (None, None),
    "an index of a later form": (b'{"form": "lcal-standards-index/2"}', "no index of standards"),
    "an index that was edited": (INDEX.replace(b"2020-01-01", b"2020-01-02"), "signature"),
    "half an index": (INDEX[:900], "JSON"),
}


@pytest.mark.parametrize(("raw", "problem"), OTHER_FILES.values(), ids=OTHER_FILES.keys())
def test_an_index_beside_a_folder_counts_only_if_it_is_one(standards: Path, raw: bytes | None, problem: str | None):
    write(standards / "lcal" / "1.0.0", edited({RULES: ("Name it.", "Name it now.")}))
    (standards / "index.json").unlink()
    if raw is not None:
        (standards / "index.json").write_bytes(raw)
    if problem is None:
        assert load_standard(standards / "lcal" / "1.0.0").id == "LCAL-1.0.0"
    else:
        with pytest.raises(StandardError, match=problem):
            load_standard(standards / "lcal" / "1.0.0")


def test_a_folder_is_written_whole_and_never_over_another(tmp_path: Path):
    save_standard_files(tmp_path / "new", small_files())
    assert load_standard(tmp_path / "new").digest == ENTRY.sha256
    with pytest.raises(CertifierError, match="already"):
        save_standard_files(tmp_path / "new", small_files())
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


FOLDERS = sorted(path.parent for path in STANDARDS.rglob("standard.toml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(STANDARDS).as_posix())
def test_what_this_repository_calls_published_is_in_its_index_unchanged(folder: Path):
    loaded = load_standard_folder(folder)
    index = STANDARDS / "index.json"
    entry = parse_index(index.read_bytes()).entry(loaded.standard.id) if index.is_file() else None
    assert (loaded.standard.status == "published") == (entry is not None)
    if entry is not None:
        assert changed_files(entry, loaded.files) == []


def test_every_version_in_the_index_of_this_repository_is_there():
    index = STANDARDS / "index.json"
    if index.is_file():
        assert is_index(index.read_bytes())
        for entry in parse_index(index.read_bytes()).entries:
            assert load_standard(STANDARDS / entry.folder).digest == entry.sha256
    assert STANDARDS / "lcal" / "1.0.0" in FOLDERS


# --- a new version from an old one ---


def test_a_new_version_is_a_draft_with_names_of_its_own_and_nothing_else_changed():
    files = drafted(small(), "1.1.0")
    made = open_folder(files)
    assert (made.standard.id, made.standard.version, made.standard.status, made.standard.published_on) == (
        "LCAL-1.1.0",
        "1.1.0",
        "draft",
        "",
    )
    assert made.head["based_on"] == "LCAL-1.0.0"
    assert {path for path, raw in files.items() if raw != small_files()[path]} == {
        HEAD,
        "README.md",
        "cases/cases.json",
    }
    assert made.text("README.md").startswith(
        "# Label 1.1.0\n\n`LCAL-1.1.0`, a working draft made from `LCAL-1.0.0`. AI generation footprint"
    )


def test_a_draft_of_a_draft_names_its_nearest_forerunner():
    second = open_folder(drafted(open_folder(drafted(small(), "1.1.0-draft")), "1.1.0"))
    assert second.head["based_on"] == "LCAL-1.1.0-draft"
    assert second.text(HEAD).count("based_on") == 1


@pytest.mark.parametrize("version", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-beta", "1.0.0 ", "١.0.0"])
def test_a_version_that_is_none_is_refused(version: str):
    with pytest.raises(StandardError, match="is no version"):
        drafted(small(), version)
