"""A signer is opened by its URI in one place; whatever is wrong with it is told without a word of the secret."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from certifier.crypto.keys import verify_signature
from certifier.crypto.signing import SigningKey
from certifier.errors import CertifierError, KeyFileExposed, OperatorError
from certifier.storage import files
from certifier.storage.files import load_passphrase, load_signing_key, make_passphrase, save_signing_key
from certifier.storage.signers import open_signer, open_signers, place_of

SEED = bytes(range(32))
KEY = SigningKey.from_seed(SEED)
PASSPHRASE = "a-random-passphrase-of-a-test"
SECRETS = (PASSPHRASE, SEED.hex(), base64.b64encode(SEED).decode()[:-4])


def der(passphrase: str | None) -> str:
    private = load_pem_private_key(KEY.to_pem(None), None)
    how = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return base64.b64encode(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, how)).decode()


ENVIRONMENT = {
    "PLAIN_PEM": KEY.to_pem(None).decode(),
    "LOCKED_PEM": KEY.to_pem(PASSPHRASE.encode()).decode(),
    "PLAIN_DER": der(None),
    "LOCKED_DER": der(PASSPHRASE),
    "WRAPPED_DER": "\n".join((der(None)[:30], der(None)[30:])),
    "PHRASE": PASSPHRASE,
    "WRONG_PHRASE": "another one",
    "EMPTY": "",
    "NO_KEY": "certainly no key",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    save_signing_key(folder / "private" / "plain.pem", KEY)
    save_signing_key(folder / "private" / "locked key.pem", KEY, PASSPHRASE.encode())
    (folder / "phrase").write_text(PASSPHRASE + "\n")
    (folder / "phrase").chmod(0o600)
    return folder


GOOD = {
    "a plain file": "file:private/plain.pem",
    "an encrypted file, with its passphrase in a file": "file:private/locked%20key.pem?passphrase-file=phrase",
    "an encrypted file, with its passphrase in a variable": "file:private/locked%20key.pem?passphrase-env=PHRASE",
    "PEM in a variable": "env:PLAIN_PEM",
    "encrypted PEM in a variable": "env:LOCKED_PEM?passphrase-env=PHRASE",
    "base64 in a variable": "env:PLAIN_DER",
    "base64 over two lines": "env:WRAPPED_DER",
    "base64 of an encrypted key": "env:LOCKED_DER?passphrase-env=PHRASE",
}


@pytest.mark.parametrize("uri", GOOD.values(), ids=GOOD.keys())
def test_a_uri_opens_a_signer(home: Path, uri: str) -> None:
    signer = open_signer(uri, home, ENVIRONMENT)
    verify_signature(KEY.public, b"message", signer.sign(b"message"))


BAD = {
    "no scheme": "private/plain.pem",
    "an unknown scheme": "vault:issuer",
    "no file there": "file:private/none.pem",
    "no name": "file:",
    "a wrong passphrase": "file:private/locked%20key.pem?passphrase-env=WRONG_PHRASE",
    "no passphrase for an encrypted key": "env:LOCKED_PEM",
    "a passphrase for a plain key": "env:PLAIN_PEM?passphrase-env=PHRASE",
    "a passphrase variable that is not set": "env:LOCKED_PEM?passphrase-env=NOT_SET",
    "two passphrases": "file:private/plain.pem?passphrase-env=PHRASE&passphrase-file=phrase",
    "one option twice": "env:LOCKED_PEM?passphrase-env=PHRASE&passphrase-env=PHRASE",
    "an empty option": "env:LOCKED_PEM?passphrase-env=",
    "an unknown option": "env:PLAIN_PEM?passphrase=a-random-passphrase-of-a-test",
    "a variable that is not set": "env:NOT_SET",
    "an empty variable": "env:EMPTY",
    "a variable that holds no key": "env:NO_KEY",
    "the key itself in place of a name": f"env:{der(None)}",
    "an encrypted key in base64 without its passphrase": "env:LOCKED_DER",
}


@pytest.mark.parametrize("uri", BAD.values(), ids=BAD.keys())
def test_a_signer_that_cannot_be_opened_says_why_and_tells_no_secret(home: Path, uri: str) -> None:
    with pytest.raises(OperatorError) as caught:
        open_signer(uri, home, ENVIRONMENT)
    error = caught.value
    told = " ".join(map(str, (error, error.found, error.expected, error.hint, repr(error), place_of(uri))))
    assert not [secret for secret in (*SECRETS, der(None)) if secret in told]


def test_an_installation_has_the_keys_of_its_folder_and_those_it_lists(home: Path) -> None:
    other = SigningKey.generate()
    save_signing_key(home / "elsewhere" / "other.pem", other)
    (home / "private" / "locked key.pem").unlink()
    (home / "signers").write_text("# our keys\n\nfile:elsewhere/other.pem\nenv:LCAL_NOT_SET\n")
    opened = open_signers(home / "private", home / "signers", None)
    assert {raw: placed.place for raw, placed in opened.by_key.items()} == {
        KEY.public.raw: "plain.pem",
        other.public.raw: "file:elsewhere/other.pem",
    }
    assert opened.faults == ("env:LCAL_NOT_SET: The variable LCAL_NOT_SET is not set.",)


def test_a_key_that_others_could_read_stops_everything(home: Path) -> None:
    (home / "private" / "plain.pem").chmod(0o640)
    with pytest.raises(KeyFileExposed):
        open_signers(home / "private", home / "signers", None)


AT_HAND = {
    "LCAL_KEY_PASSPHRASE_FILE": "phrase",
    "LCAL_KEY_PASSPHRASE": PASSPHRASE,
}


@pytest.mark.parametrize("variable", AT_HAND)
def test_an_encrypted_key_is_opened_with_the_passphrase_at_run_time(
    home: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv(variable, AT_HAND[variable])
    assert load_signing_key(home / "private" / "locked key.pem").public == KEY.public
    assert load_signing_key(home / "private" / "plain.pem").public == KEY.public  # one that is not encrypted needs none


def test_an_encrypted_key_without_a_passphrase_says_which_setting_it_wants(home: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        load_signing_key(home / "private" / "locked key.pem")
    assert "LCAL_KEY_PASSPHRASE_FILE" in (caught.value.expected or "")


def test_a_passphrase_is_made_once_of_256_bits_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "secret" / "passphrase"
    made = make_passphrase(path)
    assert make_passphrase(path) == load_passphrase(path) == made
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(base64.urlsafe_b64decode(made + b"=")) == 32
    assert make_passphrase(tmp_path / "secret" / "other") != made


def laxer_mode(path: Path) -> None:
    path.chmod(0o604)


def link_instead(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


def empty(path: Path) -> None:
    path.write_text("\n")


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "open to others": (laxer_mode, "is open to others"),
    "a link": (link_instead, "is open to others"),
    "empty": (empty, "is empty"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT.keys())
def test_a_passphrase_that_others_could_know_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / "secret" / "passphrase"
    make_passphrase(path)
    spoil(path)
    with pytest.raises(OperatorError, match=words):
        load_passphrase(path)


def test_a_key_of_another_owner_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4242)  # only root can give a file away; anybody can be another one
    with pytest.raises(KeyFileExposed) as caught:
        load_signing_key(home / "private" / "plain.pem")
    assert "4242" in (caught.value.found or "")


def test_a_private_key_never_lies_in_the_projects_own_tree() -> None:
    project = Path(__file__).resolve().parents[2]
    for place in (project / "private" / "issuer.pem", project / "tests" / ".." / "keys" / "me" / "issuer.pem"):
        with pytest.raises(CertifierError, match="project's own tree"):
            save_signing_key(place, KEY)
        with pytest.raises(CertifierError, match="project's own tree"):
            make_passphrase(place)
        assert not place.parent.exists()


def test_a_private_key_in_the_projects_own_tree_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However closed its file is: a copy that was made by hand is one careless commit away from everybody."""
    path = tmp_path / "keys" / "issuer.pem"
    save_signing_key(path, KEY)
    monkeypatch.setattr(files, "_PROJECT", tmp_path)
    with pytest.raises(KeyFileExposed, match="project's own tree"):
        load_signing_key(path)
