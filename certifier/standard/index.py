"""The index of published standards: which versions there are, and the SHA-256 of every file of each, signed.

A published folder is never edited again, and the index is how anyone sees that. It is a JSON document of the form
``lcal-standards-index/1`` that lies at the top of the folders it lists. Its signature is Ed25519 over the canonical bytes
(RFC 8785) of all members but ``signature``; ``verificationMethod`` is the did:key that made it. `parse_index` holds the
signature against that key; whether the key is the right one is for the caller to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from certifier.crypto.canonical import canonical_bytes, digest_of, sha256_hex, to_json_text
from certifier.crypto.keys import PublicKey, base58_decode, base58_encode, verify_signature
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import BadSignature, ConflictError, MalformedJson
from certifier.standard.version import parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from certifier.crypto.signing import Signer
    from certifier.standard.folder import Folder

FORM = "lcal-standards-index/1"
INDEX_FILE = "index.json"
_LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=8, max_nodes=200_000)

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
# Names below the index and nowhere else: no empty step, no way up, no other root.
_Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$", max_length=200)]


class Entry(BaseModel):
    """One published version. `folder` is where it lies below the index, `files` the SHA-256 of each of its files."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[str, Field(pattern=r"^[A-Z]+-[0-9.]+$", max_length=40)]
    version: str
    folder: _Path
    sha256: _Digest
    tables_sha256: _Digest
    published_on: _Day
    files: Annotated[dict[_Path, _Digest], Field(min_length=1)]

    @model_validator(mode="after")
    def _digests_agree(self) -> Self:
        tables = {path: digest for path, digest in self.files.items() if path.startswith("data/")}
        if (self.sha256, self.tables_sha256) != (digest_of(self.files), digest_of(tables)):
            raise ValueError("the digest of the whole is not that of the files")
        return self


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    form: Literal["lcal-standards-index/1"]
    verificationMethod: str  # noqa: N815 - the member's name in Data Integrity
    entries: list[Entry]
    signature: str

    @model_validator(mode="after")
    def _no_id_twice(self) -> Self:
        if len({entry.id for entry in self.entries}) != len(self.entries):
            raise ValueError("an id stands twice")
        return self


@dataclass(frozen=True)
class Index:
    """What `key` says is published, the earliest publication first."""

    key: PublicKey
    entries: tuple[Entry, ...]

    def entry(self, standard_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == standard_id), None)

    def forerunner(self, version: str) -> Entry | None:
        """The published version that a new one follows: the greatest below it."""
        order = parse_version(version).order
        earlier = [entry for entry in self.entries if parse_version(entry.version).order < order]
        return max(earlier, key=lambda entry: parse_version(entry.version).order, default=None)


def entry_for(folder: Folder, place: str) -> Entry:
    """What the index says of a folder that lies at `place` below it. Raises MalformedJson for a name it cannot hold."""
    standard = folder.standard
    try:
        return Entry(
            id=standard.id,
            version=standard.version,
            folder=place,
            sha256=standard.digest,
            tables_sha256=standard.tables_digest,
            published_on=standard.published_on,
            files={path: sha256_hex(raw) for path, raw in sorted(folder.files.items())},
        )
    except ValidationError as error:
        raise _misfit(error) from error


def sign_index(entries: Sequence[Entry], key: Signer) -> bytes:
    """The index file. The same entries and key give the same bytes."""
    document: dict[str, Any] = {
        "form": FORM,
        "verificationMethod": key.public.did_key,
        "entries": [entry.model_dump() for entry in entries],
    }
    message = canonical_bytes(document)
    signature = key.sign(message)
    verify_signature(key.public, message, signature)  # a signature that a fault has bent must never leave the house
    return to_json_text({**document, "signature": "z" + base58_encode(signature)}).encode()


def is_index(raw: bytes) -> bool:
    """Whether a file says that it is such an index, of whatever version. Raises MalformedJson if it is no JSON object."""
    return str(parse_object(raw, _LIMITS).get("form", "")).startswith("lcal-standards-index/")


def parse_index(raw: bytes, key: PublicKey | None = None) -> Index:
    """The index in a file, signed by the key that it names, and by `key` where one is given.

    Raises MalformedJson for what is no index, MalformedKey, or BadSignature.
    """
    value = parse_object(raw, _LIMITS)
    try:
        document = _Document.model_validate(value)
    except ValidationError as error:
        raise _misfit(error) from error
    signer = PublicKey.from_did_key(document.verificationMethod)
    if key is not None and signer != key:
        raise BadSignature(
            "The index is signed by another key.", found=signer.did_key, expected=key.did_key, hint="Ask the editors."
        )
    message = canonical_bytes({name: member for name, member in value.items() if name != "signature"})
    verify_signature(signer, message, _signature_of(document.signature))
    return Index(signer, tuple(document.entries))


def _signature_of(text: str) -> bytes:
    if not text.startswith("z") or len(text) > 100:
        raise BadSignature(
            "The signature of the index is no base58btc multibase text.", expected="z and 86 to 88 symbols"
        )
    return base58_decode(text[1:])


def _misfit(error: ValidationError) -> MalformedJson:
    first = error.errors(include_url=False)[0]
    return MalformedJson(
        "this is no index of standards",
        found=first["msg"],
        expected=f"the form {FORM}",
        pointer="/" + "/".join(map(str, first["loc"])),
    )


def changed_files(entry: Entry, files: Mapping[str, bytes]) -> list[str]:
    """The files of a folder that are not as published, in order, each with what happened to it."""
    digests = {path: sha256_hex(raw) for path, raw in files.items()}
    found = []
    for path in sorted({*digests, *entry.files}):
        if path not in digests:
            found.append(f"{path} (gone)")
        elif path not in entry.files:
            found.append(f"{path} (added)")
        elif digests[path] != entry.files[path]:
            found.append(path)
    return found


def check_unchanged(entry: Entry, files: Mapping[str, bytes]) -> None:
    """Raises ConflictError that names the first file of a published folder that is not as published."""
    if changed := changed_files(entry, files):
        raise ConflictError(
            f"{entry.id} is published, and changed since: {changed[0]}",
            found=f"{len(changed)} of its files differ",
            expected=f"the files of {entry.published_on}, as the index lists them",
            hint="Bring the old files back, and put the change into a new version: certifier standard new",
        )
