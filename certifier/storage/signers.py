"""Opens whoever signs: one place that turns a URI into a ``Signer``.

    file:PATH?passphrase-file=FILE | passphrase-env=NAME     a PKCS #8 file, relative to the home
    env:NAME?passphrase-env=NAME2                            PEM, or base64 of PKCS #8, in a variable
    pkcs11:…                                                 a key that never leaves its device (``hsm``)

Neither a key nor a passphrase is ever part of an error, and no more of a URI than its place: it may hold a PIN, or a key that
somebody put where a name belongs.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from certifier.crypto.signing import Signer, SigningKey
from certifier.errors import CertifierError, KeyFileExposed, OperatorError
from certifier.storage.files import list_files, load_passphrase, load_signing_key, load_text
from certifier.storage.hsm import open_token

PEM_HEAD = b"-----BEGIN "
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,63}", re.ASCII)  # in capitals, which base64 of a key is not


@dataclass(frozen=True)
class PlacedSigner:
    """A signer, and where its private half lies, in words that hold no secret."""

    place: str
    signer: Signer


@dataclass(frozen=True)
class OpenedSigners:
    """The signers at hand by their public halves, and what is wrong with those that cannot be used."""

    by_key: Mapping[bytes, PlacedSigner]
    faults: tuple[str, ...] = ()


def open_signers(
    folder: Path, listed: Path, passphrase_file: Path | None, devices: dict[str, Signer] | None = None
) -> OpenedSigners:
    """Every ``*.pem`` of the private folder, and every URI of the file ``listed`` (one a line, # begins a comment).

    ``devices`` keeps what was opened outside of files, so that a second call opens no second session.
    Raises KeyFileExposed when others could read a key.
    """
    found, faults = dict[bytes, PlacedSigner](), list[str]()
    devices = {} if devices is None else devices

    def take(place: str, opened: Callable[[], Signer]) -> None:
        try:
            signer = opened()
        except KeyFileExposed:
            raise
        except CertifierError as error:
            faults.append(f"{place}: {error.message}")
        else:
            found.setdefault(signer.public.raw, PlacedSigner(place, signer))

    for path in list_files(folder, "*.pem"):
        take(path.name, partial(load_signing_key, path, passphrase_file=passphrase_file))
    for uri in listed_uris(listed):
        take(place_of(uri), partial(_kept, uri, listed.parent, devices))
    return OpenedSigners(found, tuple(faults))


def listed_uris(listed: Path) -> list[str]:
    """The URIs in a file of signers; none where there is no such file."""
    lines = (load_text(listed) or "").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def _kept(uri: str, home: Path, devices: dict[str, Signer]) -> Signer:
    if uri.startswith("file:"):
        return open_signer(uri, home)
    if uri not in devices:
        devices[uri] = open_signer(uri, home)
    return devices[uri]


def place_of(uri: str) -> str:
    """Where a signer's private half lies, to be shown: the scheme, and the name of a file or variable."""
    scheme, colon, rest = uri.partition(":")
    name = rest.partition("?")[0]
    if not colon or scheme not in _OPENERS:
        return "a signer of no known kind"
    if scheme == "file":
        return f"file:{unquote(name)}"
    return f"env:{name}" if scheme == "env" and _NAME.fullmatch(name) else f"{scheme}:…"


def open_signer(uri: str, home: Path, environment: Mapping[str, str] | None = None) -> Signer:
    """The signer that a URI names. Raises OperatorError, KeyFileExposed when others could read a file of it."""
    scheme, _, rest = uri.partition(":")
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise OperatorError(
            "A signer is of no known kind.", expected="file:PATH, env:NAME or pkcs11:…", hint="See docs/keys.md."
        )
    return opener(rest, home, os.environ if environment is None else environment)


def _open_file(rest: str, home: Path, environment: Mapping[str, str]) -> Signer:
    path, options = _parts(rest, {"passphrase-file", "passphrase-env"})
    if len(options) > 1:
        raise OperatorError("A signer has two passphrases.", expected="passphrase-file or passphrase-env, not both")
    passphrase = None
    if "passphrase-file" in options:
        passphrase = load_passphrase(home / options["passphrase-file"])
    if "passphrase-env" in options:
        passphrase = _variable(options["passphrase-env"], environment).encode()
    return load_signing_key(home / path, passphrase)


def _open_variable(rest: str, _home: Path, environment: Mapping[str, str]) -> Signer:
    name, options = _parts(rest, {"passphrase-env"})
    content = _variable(name, environment).encode()
    passphrase = _variable(options["passphrase-env"], environment).encode() if options else None
    return SigningKey.from_pem(content if content.startswith(PEM_HEAD) else _pem_of(content, name), passphrase)


def _pem_of(content: bytes, name: str) -> bytes:
    """PEM around base64 of PKCS #8; which of the two kinds it is, the bytes say."""
    try:
        der = base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        der = b""
    if not der:
        raise OperatorError(f"The variable {name} holds no private key.", expected="PEM, or base64 of PKCS #8 bytes")
    # An encrypted one begins with the name of its cipher, a plain one with the version 0 or 1 (RFC 5958).
    label = b"PRIVATE KEY" if der[2:5] in (b"\x02\x01\x00", b"\x02\x01\x01") else b"ENCRYPTED PRIVATE KEY"
    return b"".join((PEM_HEAD, label, b"-----\n", base64.encodebytes(der), b"-----END ", label, b"-----\n"))


def _open_device(rest: str, _home: Path, environment: Mapping[str, str]) -> Signer:
    return open_token(f"pkcs11:{rest}", environment)


_OPENERS: dict[str, Callable[[str, Path, Mapping[str, str]], Signer]] = {
    "file": _open_file,
    "env": _open_variable,
    "pkcs11": _open_device,
}


def _parts(rest: str, known: set[str]) -> tuple[str, dict[str, str]]:
    name, _, query = rest.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if not name or len(options) != len(pairs) or options.keys() - known or not all(options.values()):
        raise OperatorError(
            "A signer's address cannot be read.", expected=f"a name, and behind ? only {', '.join(sorted(known))}"
        )
    return unquote(name), options


def _variable(name: str, environment: Mapping[str, str]) -> str:
    if not _NAME.fullmatch(name):
        raise OperatorError(
            "A signer names no variable.",
            expected="a name in capitals, such as LCAL_ISSUER_KEY",
            hint="The key itself belongs into the variable, never into this line.",
        )
    value = environment.get(name, "")
    if not value:
        raise OperatorError(f"The variable {name} is not set.", expected="what a signer needs from it")
    return value
