"""A signer whose private key never leaves its device: Ed25519 over PKCS #11, named by a URI.

    pkcs11:token=Example%20issuer;object=issuer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=env:LCAL_PIN

Needs the extra ``hsm`` (python-pkcs11), which is loaded at the first use. A PIN comes from a file or a variable, never from the
URI, and is part of no error.

Sources: RFC 7512 (the URI), PKCS #11 3.0 section 2.3 (mechanism EDDSA), RFC 8410 section 3 (the curve's name).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from certifier.crypto.keys import KEY_BYTES, PublicKey, verify_signature
from certifier.crypto.signing import Signer
from certifier.errors import BadSignature, MalformedKey, OperatorError
from certifier.storage.files import load_passphrase

SCHEME = "pkcs11:"
_PATH = {"token", "serial", "object", "id", "type"}
_QUERY = {"module-path", "pin-source"}
_WRAPPED = b"\x04\x20"  # DER OCTET STRING of 32 bytes: most devices store the point so, some the 32 bytes alone
# Signed once at the opening. It can stand for nothing else: no document, checkpoint or COSE structure begins like this.
_PROBE = b"certifier: does this key sign?"
# what the library says -> (what it means, what to do)
_FAULTS = {
    "NoSuchToken": ("There is no such token: {}.", "Check token= and serial=, and that the device is connected."),
    "MultipleTokensReturned": ("Several tokens fit: {}.", "Name one with serial=."),
    "NoSuchKey": ("There is no private {}.", "Check object= and id=. Both must fit where both are given."),
    "MultipleObjectsReturned": ("Several keys fit: {}.", "Name one with id= besides object=."),
    "PinIncorrect": ("The PIN for the {} is wrong.", "Mend the PIN, then start again. It was tried once."),
    "PinLocked": ("The PIN for the {} is locked.", "The device's security officer can set a new one."),
    "UserPinNotInitialized": ("The token has no PIN yet: {}.", "The device's security officer can set one."),
    "MechanismInvalid": ("The device of the {} cannot sign with Ed25519.", "It needs the mechanism CKM_EDDSA."),
}
_FAULT = ("The device does not answer as it should: {}.", "Look into the device's own log.")
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True)
class TokenAddress:
    """Where a key lies, as a URI says it. ``pin_source`` is ``file:PATH``, a path, ``env:NAME`` or empty."""

    module: Path
    token: str | None
    serial: str | None
    label: str | None
    id: bytes | None
    pin_source: str

    def __str__(self) -> str:
        key = f"key {self.label!r}" if self.label is not None else f"key with id {(self.id or b'').hex()}"
        return f"{key} on token {self.token or self.serial!r}"


def open_token(uri: str, environment: Mapping[str, str] = os.environ) -> Signer:
    """The signer that a ``pkcs11:`` URI names. Raises OperatorError (KeyFileExposed for the file of a PIN)."""
    address = parse_address(uri)
    return TokenSigner(address, _pin_of(address.pin_source, environment))


def parse_address(uri: str) -> TokenAddress:
    """The parts of a URI (RFC 7512 section 2.3). Raises OperatorError; nothing of the URI's values is in it."""
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    if not uri.startswith(SCHEME):
        raise OperatorError("The address of a key on a device begins otherwise.", expected=SCHEME)
    where, how = _attributes(path, ";", _PATH), _attributes(query, "&", _QUERY)
    if where.get("type", "private") != "private":
        raise OperatorError("The address names no private key.", expected="type=private, or no type")
    if not (where.get("token") or where.get("serial")) or not (where.get("object") or where.get("id")):
        raise OperatorError(
            "The address of a key on a device is not complete.",
            found=", ".join(sorted(where)) or "nothing",
            expected="token=NAME or serial=NUMBER, and object=NAME or id=BYTES",
        )
    module = Path(unquote(how.get("module-path", "")))
    if not module.is_absolute():
        raise OperatorError(
            "The address names no library of its device.",
            expected="module-path= and the whole path of a PKCS #11 library",
            hint="SoftHSM on Debian: module-path=/usr/lib/softhsm/libsofthsm2.so",
        )
    return TokenAddress(
        module,
        unquote(where["token"]) if where.get("token") else None,
        unquote(where["serial"]) if where.get("serial") else None,
        unquote(where["object"]) if where.get("object") else None,
        unquote_to_bytes(where["id"]) if where.get("id") else None,
        unquote(how.get("pin-source", "")),
    )


def _attributes(text: str, separator: str, known: set[str]) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(separator) if part]
    names = [name for name, _, _ in pairs]
    if "pin-value" in names:
        raise OperatorError(
            "A PIN stands in the address of a key.",
            expected="pin-source=file:/PATH or pin-source=env:NAME",
            hint="Take the PIN out: addresses are shown and logged. If it was shown already, change it.",
        )
    strange = [name for name in names if name not in known]
    if strange or len(set(names)) != len(names):
        raise OperatorError(
            "The address of a key on a device cannot be read.",
            found=f"{len(strange)} parts of unknown name" if strange else "a part twice",
            expected=f"each once: {', '.join(sorted(known))}",
            hint="Parts before ? are divided by ; and parts after it by &. Write a space as %20.",
        )
    return {name: value for name, _, value in pairs}


def _pin_of(source: str, environment: Mapping[str, str]) -> str:
    name = source.removeprefix("env:")
    if source.startswith("env:") and _NAME.fullmatch(name):
        if not environment.get(name):
            raise OperatorError(f"The variable {name} is not set.", expected="the PIN of a device")
        return environment[name]
    path = Path(source.removeprefix("file:"))
    if source.startswith("env:") or not path.is_absolute():
        raise OperatorError(
            "The address of a key does not say where its PIN is.",
            expected="pin-source=file:/PATH with its whole path, or pin-source=env:NAME in capitals",
        )
    try:
        return load_passphrase(path).decode()
    except UnicodeDecodeError as error:
        raise OperatorError(f"The PIN in {path} is no text.", expected="UTF-8") from error


class TokenSigner:
    """One key on one device. Thread-safe. A session that the device has dropped is opened again, once for each signature."""

    public: PublicKey

    def __init__(self, address: TokenAddress, pin: str) -> None:
        self._address, self._pin = address, pin
        self._lock = Lock()
        self._refusal: OperatorError | None = None
        self._library = _library()
        self._session, self._key, raw = self._opened()
        try:
            self.public = PublicKey.from_raw(raw)
            verify_signature(self.public, _PROBE, self.sign(_PROBE))
        except (MalformedKey, BadSignature) as error:
            raise OperatorError(
                f"The {address} does not sign as Ed25519.",
                found=error.message,
                expected="a key of the curve edwards25519",
            ) from error

    def __repr__(self) -> str:
        return f"TokenSigner({self._address})"

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of ``message``. Raises OperatorError when the device does not sign."""
        with self._lock:
            try:
                return self._signed(message)
            except self._library.PKCS11Error:
                self._open_again()
            with self._told():
                return self._signed(message)

    def _signed(self, message: bytes) -> bytes:
        return bytes(self._key.sign(message, mechanism=self._library.Mechanism.EDDSA))

    def _open_again(self) -> None:
        if self._refusal:
            raise self._refusal
        session, key, raw = self._opened()
        if raw != self.public.raw:
            raise OperatorError(f"The {self._address} is another key than before.", hint="Restart the service.")
        self._session, self._key = session, key

    def _opened(self) -> tuple[Any, Any, bytes]:
        """A session, the private key in it, and the public half's bytes."""
        p11, address = self._library, self._address
        if not address.module.is_file():
            raise OperatorError(f"There is no PKCS #11 library at {address.module}.", hint="Check module-path.")
        with self._told():
            names = {"token_label": address.token, "token_serial": address.serial and address.serial.encode()}
            token = p11.lib(str(address.module)).get_token(**{name: value for name, value in names.items() if value})
            try:
                session = token.open(user_pin=self._pin)
            except p11.UserAlreadyLoggedIn:  # by another key of this token: a login counts for the whole process
                session = token.open()
            which = {name: value for name, value in (("label", address.label), ("id", address.id)) if value is not None}
            key = session.get_key(object_class=p11.ObjectClass.PRIVATE_KEY, **which)
            if key.key_type != p11.KeyType.EC_EDWARDS:
                raise OperatorError(
                    f"The {address} is of the wrong kind.", found=str(key.key_type), expected="an Ed25519 key"
                )
            try:
                public = session.get_key(object_class=p11.ObjectClass.PUBLIC_KEY, **which)
            except p11.NoSuchKey as error:
                raise OperatorError(
                    f"The {address} has no public half beside it.",
                    hint="Store the public key under the same name and id.",
                ) from error
            point = bytes(public[p11.Attribute.EC_POINT])
        return session, key, point[len(_WRAPPED) :] if _is_wrapped(point) else point

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The library's errors as ours. A PIN that was refused is not tried again: devices lock after a few."""
        try:
            yield
        except self._library.PKCS11Error as error:
            name = type(error).__name__
            message, hint = _FAULTS.get(name, _FAULT)
            told = OperatorError(message.format(self._address), found=name, hint=hint)
            if name.startswith("Pin"):
                self._refusal = told
            raise told from error


def _is_wrapped(point: bytes) -> bool:
    return len(point) == len(_WRAPPED) + KEY_BYTES and point.startswith(_WRAPPED)


def _library() -> Any:
    try:
        return import_module("pkcs11")
    except ImportError as error:
        raise OperatorError(
            "Keys on a device need a package that is not installed.",
            found="no python-pkcs11",
            hint="pip install 'certifier[hsm]'",
        ) from error
