"""A key on a device signs as a key in a file does, and whatever is wrong is said without the PIN. The device is SoftHSM."""

from __future__ import annotations

import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass

from certifier.certificate.compact import sign_compact, verify_compact
from certifier.certificate.proof import sign_document, verify_document
from certifier.crypto.keys import verify_signature
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, KeyFileExposed, OperatorError
from certifier.service.certifier import Issued
from certifier.service.key_changes import add_key
from certifier.storage.hsm import TokenSigner, open_token, parse_address
from tests.certificate.compact_cases import COMPACT
from tests.studio import NOW, Studio

LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
WRONG = "another-pin-that-nobody-may-see"
PIN = "a-pin-that-nobody-may-see"
METHOD = "did:web:label.example#key-2026"
ED25519 = bytes.fromhex("06032b6570")  # RFC 8410 section 3
IN_FILE = SigningKey.from_seed(b"on a device".ljust(32, b"."))


# Each test that closes a session or refuses a PIN has a token of its own: a login counts for the whole process.
TOKENS = (
    "Example issuer",
    "Example import",
    "Example point True",
    "Example point False",
    "Example dropped",
    "Example changed PIN",
    "Example swapped",
    "Example locked",
    "Example half",
)


class Device:
    """A SoftHSM in a folder of its own. Its library looks for tokens once in a process, so all are made beforehand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.module = next(path for path in LIBRARIES if Path(path).exists())

    def tool(self, *arguments: str) -> None:
        tool = shutil.which("softhsm2-util")
        assert tool, "no SoftHSM: run make test-deps"
        subprocess.run([tool, "--module", self.module, *arguments], check=True, capture_output=True, timeout=60)

    def uri(self, token: str, pin_source: str = "env:LCAL_PIN", **parts: str) -> str:
        where = ";".join(
            f"{name}={value}" for name, value in {"token": quote(token), "object": "issuer", **parts}.items()
        )
        return f"pkcs11:{where}?module-path={self.module}&pin-source={pin_source}"

    def session(self, token: str) -> Any:
        return pkcs11.lib(self.module).get_token(token_label=token).open(rw=True, user_pin=PIN)


def open_here(uri: str, pin: str = PIN) -> Any:
    return open_token(uri, {"LCAL_PIN": pin})


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    folder = tmp_path_factory.mktemp("device")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOFTHSM2_CONF", str(configuration))
        device = Device(folder)
        for name in TOKENS:
            device.tool("--init-token", "--free", "--label", name, "--so-pin", "12345678", "--pin", PIN)
        with device.session("Example issuer") as session:
            for label, number in (("issuer", b"\x01"), ("log", b"\x02"), ("twin", b"\x03"), ("twin", b"\x04")):
                parameters = session.create_domain_parameters(
                    KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: ED25519}, local=True
                )
                parameters.generate_keypair(store=True, label=label, id=number)
            session.generate_keypair(KeyType.RSA, 2048, store=True, label="rsa", id=b"\x05")
        yield device


def test_a_certificate_signed_on_the_device_verifies(device: Device) -> None:
    signer = open_here(device.uri("Example issuer"))
    document = sign_document({"type": "example"}, signer, METHOD, "2026-11-22T20:00:00Z")
    assert verify_document(document, signer.public) == {"type": "example"}
    raw = sign_compact(COMPACT, signer, METHOD)
    assert verify_compact(raw, signer.public).code == COMPACT.code


def test_one_key_signs_the_same_on_the_device_and_in_a_file(device: Device, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(IN_FILE.to_pem(None))
    token = "Example import"
    device.tool(
        "--import", str(tmp_path / "key.pem"), "--token", token, "--label", "issuer", "--id", "a1b2", "--pin", PIN
    )
    signer = open_here(device.uri(token, id="%A1%B2"))
    assert signer.public == IN_FILE.public
    assert signer.sign(b"message") == IN_FILE.sign(b"message")


def test_the_private_half_cannot_be_had(device: Device) -> None:
    signer = open_here(device.uri("Example issuer"))
    with pytest.raises(pkcs11.PKCS11Error):
        signer._key[Attribute.VALUE]
    assert PIN not in repr(signer)


@pytest.mark.parametrize("wrapped", [True, False], ids=["in an octet string", "alone"])
def test_a_public_point_is_read_in_both_forms_that_devices_store(device: Device, wrapped: bool) -> None:
    token = f"Example point {wrapped}"
    raw = SigningKey.generate()
    seed = raw._private.private_bytes_raw()
    with device.session(token) as session:
        point = (b"\x04\x20" if wrapped else b"") + raw.public.raw
        common = {Attribute.KEY_TYPE: KeyType.EC_EDWARDS, Attribute.EC_PARAMS: ED25519, Attribute.TOKEN: True}
        common |= {Attribute.LABEL: "issuer", Attribute.ID: b"\x01"}
        session.create_object({**common, Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.EC_POINT: point})
        session.create_object(
            {**common, Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.VALUE: seed, Attribute.SIGN: True}
        )
    assert open_here(device.uri(token)).public == raw.public


def test_two_keys_of_one_token_sign_in_one_process(device: Device) -> None:
    issuer, log = (open_here(device.uri("Example issuer", object=name)) for name in ("issuer", "log"))
    assert issuer.public != log.public
    for signer in (issuer, log):
        verify_signature(signer.public, b"message", signer.sign(b"message"))


def test_many_threads_sign_at_once(device: Device) -> None:
    signer = open_here(device.uri("Example issuer"))
    messages = [f"message {number}".encode() for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        for message, signature in zip(messages, pool.map(signer.sign, messages), strict=True):
            verify_signature(signer.public, message, signature)


def test_an_installation_issues_with_a_key_on_a_device(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is taken up by its address, written into the log, and signs the next certificate in every form."""
    monkeypatch.setenv("LCAL_PIN", PIN)
    studio = Studio(tmp_path)
    studio.certifier().close()
    uri = device.uri("Example issuer")
    added = add_key(studio.settings, "issuer", NOW - timedelta(days=1), uri=uri)
    assert added.entry.public == open_here(uri).public
    certifier = studio.certifier()
    issued = certifier.submit(studio.upload(studio.signed(studio.report())), NOW)
    assert isinstance(issued, Issued)
    row = issued.certificate
    assert row.verification_method.endswith(f"#{added.entry.id}")
    verify_document(parse_object(row.document or b""), added.entry.public)
    assert verify_compact(certifier.rendition(row, "compact"), added.entry.public).code == row.code
    certifier.close()


def with_a_key(device: Device, token: str) -> str:
    with device.session(token) as session:
        parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: ED25519}, local=True)
        parameters.generate_keypair(store=True, label="issuer", id=b"\x01")
    return token


def test_a_session_that_the_device_dropped_is_opened_again(device: Device) -> None:
    signer = open_here(device.uri(with_a_key(device, "Example dropped")))
    signer._session.close()
    verify_signature(signer.public, b"message", signer.sign(b"message"))


def test_a_pin_that_was_refused_is_not_tried_again(device: Device) -> None:
    """Devices lock after a few wrong ones, and a service signs many times."""
    signer = open_here(device.uri(with_a_key(device, "Example changed PIN")))
    signer._session.close()
    signer._pin = "wrong"
    for _ in range(2):
        with pytest.raises(OperatorError, match="PIN"):
            signer.sign(b"message")
        signer._pin = PIN


def test_another_key_under_the_same_name_does_not_sign(device: Device) -> None:
    token = with_a_key(device, "Example swapped")
    signer = open_here(device.uri(token))
    signer._session.close()
    with device.session(token) as session:
        for found in list(session.get_objects({Attribute.LABEL: "issuer"})):
            found.destroy()
        parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: ED25519}, local=True)
        parameters.generate_keypair(store=True, label="issuer", id=b"\x01")
    for _ in range(2):
        with pytest.raises(OperatorError, match="another key than before"):
            signer.sign(b"message")


# --- what is wrong ----------------------------------------------------------------------------------------------------


def told(error: CertifierError) -> str:
    return " ".join(filter(None, (error.message, error.found, error.expected, error.hint)))


# what is wrong -> (token, what differs in its address, a word of the error)
FAULTS: dict[str, tuple[str, dict[str, str], str]] = {
    "no such token": ("Example nothing", {}, "no such token"),
    "no such key": ("Example issuer", {"object": "other"}, "no private key"),
    "a name and an id of two keys": ("Example issuer", {"id": "%02"}, "no private key"),
    "a key of another kind": ("Example issuer", {"object": "rsa"}, "Ed25519"),
    "two keys of one name": ("Example issuer", {"object": "twin"}, "id="),
}


@pytest.mark.parametrize(("token", "parts", "word"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_wrong_on_the_device_is_said(device: Device, token: str, parts: dict[str, str], word: str) -> None:
    with pytest.raises(OperatorError) as caught:
        open_here(device.uri(token, **parts))
    assert word in told(caught.value)
    assert token in told(caught.value)
    assert PIN not in told(caught.value) + "".join(traceback.format_exception(caught.value))


def test_one_of_two_keys_of_one_name_is_found_by_its_id(device: Device) -> None:
    signers = {open_here(device.uri("Example issuer", object="twin", id=number)).public for number in ("%03", "%04")}
    assert len(signers) == 2


def test_a_token_is_found_by_its_serial_number(device: Device) -> None:
    serial = pkcs11.lib(device.module).get_token(token_label="Example issuer").serial.decode()
    by_serial = device.uri("Example issuer").replace("token=Example%20issuer", f"serial={serial}")
    assert open_here(by_serial).public == open_here(device.uri("Example issuer")).public
    with pytest.raises(OperatorError, match="no such token"):
        open_here(device.uri("Example issuer", serial="0000"))


def test_a_wrong_pin_is_said_without_the_pin(device: Device) -> None:
    with pytest.raises(OperatorError) as caught:
        open_here(device.uri("Example locked"), WRONG)
    assert "PIN for the key 'issuer' on token 'Example locked' is wrong" in caught.value.message
    assert WRONG not in told(caught.value) + "".join(traceback.format_exception(caught.value))


def test_a_key_without_its_public_half_is_said(device: Device) -> None:
    token = with_a_key(device, "Example half")
    with device.session(token) as session:
        session.get_key(object_class=ObjectClass.PUBLIC_KEY, label="issuer").destroy()
    with pytest.raises(OperatorError, match="public half"):
        open_here(device.uri(token))


def test_a_library_that_is_none_is_said(device: Device, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    for module, word in ((tmp_path / "text.so", "does not answer"), (tmp_path / "nothing.so", "no PKCS #11 library")):
        with pytest.raises(OperatorError, match=word):
            open_here(f"pkcs11:token=t;object=k?module-path={module}&pin-source=env:LCAL_PIN")


def test_without_the_package_it_says_how_to_install_it(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(OperatorError) as caught:
        open_here(device.uri("Example issuer"))
    assert caught.value.hint == "pip install 'certifier[hsm]'"


# --- the PIN ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["file:{}", "{}"])
def test_a_pin_comes_from_a_file_that_nobody_else_reads(device: Device, tmp_path: Path, source: str) -> None:
    file = tmp_path / "pin of the token"
    file.write_text(f"{PIN}\n")
    file.chmod(0o600)
    tmp_path.chmod(0o700)
    uri = device.uri("Example issuer", source.format(quote(str(file))))
    assert isinstance(open_token(uri), TokenSigner)
    file.chmod(0o644)
    with pytest.raises(KeyFileExposed):
        open_token(uri)


def test_a_pin_comes_from_a_variable(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = device.uri("Example issuer", "env:LCAL_PIN_OF_TEST")
    with pytest.raises(OperatorError, match="LCAL_PIN_OF_TEST is not set"):
        open_token(uri)
    monkeypatch.setenv("LCAL_PIN_OF_TEST", PIN)
    assert isinstance(open_token(uri), TokenSigner)


GOOD = "pkcs11:token=t;object=k?module-path=/lib/x.so&pin-source=env:LCAL_PIN"
BAD_ADDRESSES = {
    "a PIN in the address": ("pkcs11:token=t;object=k?module-path=/lib/x.so&pin-value=SECRET", "PIN"),
    "a PIN before the question mark": ("pkcs11:token=t;object=k;pin-value=SECRET?module-path=/lib/x.so", "PIN"),
    "another scheme": ("file:SECRET", "pkcs11:"),
    "nothing": ("pkcs11:", "not complete"),
    "no token": ("pkcs11:object=SECRET?module-path=/lib/x.so", "not complete"),
    "no key": ("pkcs11:token=SECRET?module-path=/lib/x.so", "not complete"),
    "an empty name": ("pkcs11:token=;object=SECRET?module-path=/lib/x.so", "not complete"),
    "no library": ("pkcs11:token=t;object=SECRET", "module-path"),
    "a library of a short path": ("pkcs11:token=t;object=k?module-path=SECRET.so", "module-path"),
    "a public key": ("pkcs11:token=t;object=k;type=public?module-path=/lib/x.so", "private"),
    "a part that is not known": ("pkcs11:token=t;object=k;SECRET=1?module-path=/lib/x.so", "unknown name"),
    "a part twice": ("pkcs11:token=t;token=SECRET;object=k?module-path=/lib/x.so", "twice"),
    "no place of the PIN": ("pkcs11:token=t;object=k?module-path=/lib/x.so", "pin-source"),
    "a PIN as the place of the PIN": (GOOD.replace("env:LCAL_PIN", "SECRET"), "pin-source"),
    "a PIN as the name of a variable": (GOOD.replace("env:LCAL_PIN", "env:SECRET-1"), "pin-source"),
    "a command as the place of the PIN": (GOOD.replace("env:LCAL_PIN", "%7Ccat"), "pin-source"),
}


@pytest.mark.parametrize(("uri", "word"), BAD_ADDRESSES.values(), ids=BAD_ADDRESSES.keys())
def test_an_address_that_cannot_be_read_is_said_without_what_may_be_secret(uri: str, word: str) -> None:
    with pytest.raises(OperatorError) as caught:
        open_here(uri)
    assert word in told(caught.value)
    assert "SECRET" not in told(caught.value)


def test_the_parts_of_an_address_are_read_as_rfc_7512_writes_them() -> None:
    address = parse_address(
        "pkcs11:token=The%20Token;serial=0a1b;object=my%3Bkey;id=%00%FF;type=private?module-path=/lib/a%20b.so&pin-source=file:/run/pin"
    )
    assert (address.token, address.serial, address.label) == ("The Token", "0a1b", "my;key")
    assert (address.id, address.module, address.pin_source) == (b"\x00\xff", Path("/lib/a b.so"), "file:/run/pin")
