"""Files: private keys stay private, and nothing is written by halves."""

from pathlib import Path

import pytest

from certifier.crypto.signing import SigningKey
from certifier.errors import KeyFileExposed, NotFoundError, OperatorError
from certifier.storage.files import (
    growing_text,
    load_keyring,
    load_signing_key,
    load_standard,
    save_bytes,
    save_signing_key,
)

KEY = SigningKey.from_seed(b"x" * 32)


def test_a_saved_key_loads_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "private" / "key.pem"
    save_signing_key(path, KEY)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert load_signing_key(path).public == KEY.public


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "private" / "key.pem"
    save_signing_key(path, KEY)
    with pytest.raises(OperatorError, match="already"):
        save_signing_key(path, SigningKey.generate())
    assert load_signing_key(path).public == KEY.public


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o644, 0o700), (0o640, 0o700), (0o600, 0o755), (0o600, 0o770)])
def test_a_key_that_others_could_read_is_refused(tmp_path: Path, file_mode: int, folder_mode: int) -> None:
    path = tmp_path / "private" / "key.pem"
    save_signing_key(path, KEY)
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)
    with pytest.raises(KeyFileExposed) as error:
        load_signing_key(path)
    assert (error.value.hint or "").startswith("chmod")


def test_no_key_is_written_where_it_could_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir(mode=0o755)
    with pytest.raises(KeyFileExposed) as error:
        save_signing_key(tmp_path / "project" / "me.pem", KEY)
    assert "~/.lcal" in (error.value.hint or "")
    assert list((tmp_path / "project").iterdir()) == []


def test_a_key_behind_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    save_signing_key(tmp_path / "private" / "key.pem", KEY)
    link = tmp_path / "private" / "link.pem"
    link.symlink_to(tmp_path / "private" / "key.pem")
    with pytest.raises(KeyFileExposed):
        load_signing_key(link)


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as error:
        load_signing_key(tmp_path / "none.pem")
    assert "certifier keys new" in (error.value.hint or "")


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    save_bytes(tmp_path / "a" / "b.txt", b"one")
    save_bytes(tmp_path / "a" / "b.txt", b"two")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"two"


def test_a_growing_text_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    with growing_text(path) as file:
        file.write("one\n")
        assert not path.exists()
    assert path.read_text() == "one\n"


def test_a_growing_text_that_is_given_up_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("old\n")

    def give_up() -> None:
        with growing_text(path) as file:
            file.write("new\n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        give_up()
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("lines.csv", "old\n")]


def test_a_folder_without_a_standard_or_register_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no standard"):
        load_standard(tmp_path)
    with pytest.raises(OperatorError, match="no register"):
        load_keyring(tmp_path / "keys")
