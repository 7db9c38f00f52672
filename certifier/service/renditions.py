"""The other signed forms of a certificate: made when somebody first asks for one, and kept.

Each carries the claims that the log commits to and is signed by the key that the log names, so it needs no entry of its own.
Signing gives the same bytes each time; they are kept all the same, since the private key may be gone when they are asked for.
What does not verify is never given out, wherever it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import structlog

from certifier.certificate.compact import Compact, compact_of, sign_compact, verify_compact
from certifier.certificate.credential import parse_claims
from certifier.certificate.jose import jwt_of, parse_jwt, verify_jwt
from certifier.certificate.proof import sign_document, verify_document
from certifier.certificate.rdfc import sign_rdfc, verify_rdfc
from certifier.crypto.canonical import digest_of, to_json_text
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import parse_object
from certifier.errors import BusyError, ForeignInputError, NotFoundError, StorageError
from certifier.service.own_keys import OwnKeys
from certifier.storage.rows import CertificateRow
from certifier.storage.store import Store

REMEMBERED = 256
Form = Literal["openbadge", "jwt", "compact"]
AnyForm = Literal["record", "openbadge", "jwt", "compact"]
log = structlog.get_logger(__name__)


class Renditions:
    """All forms of all certificates of one installation, but the record itself. Thread-safe."""

    def __init__(self, store: Store, own_keys: OwnKeys, may_write: Callable[[], bool]) -> None:
        self._store = store
        self._own_keys = own_keys
        self._may_write = may_write

    def of(self, row: CertificateRow, form: Form) -> bytes:
        """The certificate in this form, seen to verify under the registered key; the same bytes for ever.

        Raises NotFoundError when it was not made while its private key was here.
        """
        key = self._own_keys.public_half(row.verification_method)
        kept = self._store.rendition(row.code, form)
        if key and kept is not None and is_good(form, kept, row.payload, row.verification_method, key):
            return kept
        signer = self._own_keys.signer_named(row.verification_method)
        if key is None or signer is None:
            raise NotFoundError(
                "The certificate was not made in this form, and the key that could is not here any more.",
                found=f"no private key for {row.verification_method}",
                hint=f"The signed record says the same: /v/{row.code}.vc",
            )
        # Only what this key has signed before is signed once more, whatever the database says today.
        if not is_good("record", row.document or b"", row.payload, row.verification_method, key):
            raise _unreliable(row.code)
        made = KINDS[form].make(parse_object(row.payload), signer, row.verification_method, row.issued_at)
        if not is_good(form, made, row.payload, row.verification_method, key):
            raise _unreliable(row.code)
        self._keep(row.code, form, made)
        return made

    def _keep(self, code: str, form: Form, made: bytes) -> None:
        """Keep it if that can be done now; the next one who asks gets the same bytes either way."""
        try:
            if self._may_write():
                self._store.keep_rendition(code, form, made)
        except (BusyError, StorageError) as error:
            log.warning("a form of a certificate is not kept", code=code, form=form, told=error.message)


@dataclass(frozen=True)
class Kind:
    """How a form is made from the claims, and what it says when it verifies: its content, and the key that it names."""

    make: Callable[[dict[str, Any], Signer, str, str], bytes]
    read: Callable[[bytes, PublicKey], tuple[Any, str | None]]
    content_of: Callable[[dict[str, Any]], Any]


@lru_cache(REMEMBERED)
def is_good(form: AnyForm, raw: bytes, payload: bytes, method: str, key: PublicKey) -> bool:
    """Whether the bytes verify under the key, name it, and carry exactly the payload."""
    kind = KINDS[form]
    try:
        return kind.read(raw, key) == (kind.content_of(parse_object(payload)), method)
    except ForeignInputError as error:
        log.warning("a form of a certificate does not verify", form=form, told=error.message, found=error.found)
        return False


def _unreliable(code: str) -> NotFoundError:
    return NotFoundError("The certificate cannot be believed, so it comes in no other form.", found=code)


def _make_record(unsigned: dict[str, Any], signer: Signer, method: str, issued_at: str) -> bytes:
    return to_json_text(sign_document(unsigned, signer, method, issued_at)).encode()


def _read_record(raw: bytes, key: PublicKey) -> tuple[Any, str | None]:
    document = parse_object(raw)
    return verify_document(document, key), document["proof"]["verificationMethod"]


def _make_open_badge(unsigned: dict[str, Any], signer: Signer, method: str, issued_at: str) -> bytes:
    return to_json_text(sign_rdfc(unsigned, signer, method, issued_at)).encode()


def _read_open_badge(raw: bytes, key: PublicKey) -> tuple[Any, str | None]:
    document = parse_object(raw)
    return verify_rdfc(document, key), document["proof"]["verificationMethod"]


def _make_jwt(unsigned: dict[str, Any], signer: Signer, method: str, _issued_at: str) -> bytes:
    return jwt_of(unsigned, signer, method).encode()


def _read_jwt(raw: bytes, key: PublicKey) -> tuple[Any, str | None]:
    text = raw.decode("ascii", "replace")
    return verify_jwt(text, key), parse_jwt(text).kid


def _make_compact(unsigned: dict[str, Any], signer: Signer, method: str, _issued_at: str) -> bytes:
    return sign_compact(_compact_content(unsigned), signer, method)


def _read_compact(raw: bytes, key: PublicKey) -> tuple[Any, str | None]:
    compact = verify_compact(raw, key)
    return replace(compact, kid=None), compact.kid


def _compact_content(unsigned: dict[str, Any]) -> Compact:
    return compact_of(parse_claims(unsigned), digest_of(unsigned))


KINDS: dict[AnyForm, Kind] = {
    "record": Kind(_make_record, _read_record, dict),
    "openbadge": Kind(_make_open_badge, _read_open_badge, dict),
    "jwt": Kind(_make_jwt, _read_jwt, dict),
    "compact": Kind(_make_compact, _read_compact, _compact_content),
}
