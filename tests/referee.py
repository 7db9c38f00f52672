"""An independent judge of a running label: it knows the public addresses and the specifications, and none of our code.

Sources: RFC 6962 section 2.1 (trees, proofs), c2sp.org signed-note, tlog-checkpoint, tlog-tiles and tlog-proof, RFC 8785,
W3C Data Integrity ``eddsa-jcs-2022`` and Bitstring Status List 1.0. Nothing is imported from ``certifier``; where a shape
could be chosen, another one than ours was chosen, so that one mistake is not made twice.

Everything is read through ``get(path) -> (status, body)``, with paths such as ``/log/checkpoint``:

    client:  lambda path: ((answer := client.get(path)).status_code, answer.data)
    network: get_from("http://127.0.0.1:8000")

Each function returns what it has seen, or raises ``Refuted`` with the reason. A history is checked at rest: the list holds
what was acknowledged before the check began, whatever else may be in the log.

    python -m tests.referee URL [HISTORY]      HISTORY: a file with one acknowledged operation (JSON) on each line
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

Get = Callable[[str], tuple[int, bytes]]

ED25519 = 1
WIDTH = 256
LIST_BITS = 131_072
ACCEPTED, UNREADABLE, REFUTED = 0, 2, 3  # exit codes


class Refuted(Exception):
    """What was served contradicts itself, its signatures or what was acknowledged."""


# -- notes and keys ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LogKey:
    """The public key of a log under its name, from ``name+key id+base64``."""

    name: str
    key_id: bytes
    raw: bytes


@dataclass(frozen=True)
class Note:
    """A checkpoint whose signature was verified; ``raw`` is the note byte for byte."""

    origin: str
    size: int
    root: bytes
    raw: bytes


def read_key(vkey_text: str) -> LogKey:
    """The key in a verifier key's text; one line feed at its end is allowed."""
    form = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?", vkey_text)
    if form is None:
        raise Refuted(f"not a verifier key: {vkey_text[:80]!r}")
    name, packed = form[1], _base64(form[3], "the verifier key")
    if len(packed) != 33 or packed[0] != ED25519:
        raise Refuted("the verifier key is not an Ed25519 key of 32 bytes")
    key_id = hashlib.sha256(name.encode() + b"\n" + packed).digest()[:4]
    if key_id.hex() != form[2]:
        raise Refuted(f"the verifier key calls itself {form[2]} and is {key_id.hex()}")
    return LogKey(name, key_id, packed[1:])


def open_note(raw: bytes, key: LogKey) -> Note:
    """The checkpoint in a note that the log's key signed; the label's checkpoints have exactly three lines."""
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refuted("the note is not UTF-8") from None
    if any(character < " " and character != "\n" for character in whole):
        raise Refuted("the note holds a control character")
    cut = whole.rfind("\n\n")
    text, block = whole[: cut + 1], whole[cut + 2 :]
    if cut < 0 or not block.endswith("\n"):
        raise Refuted("the note is not a text, an empty line and whole signature lines")
    signatures = [_signature_line(line) for line in block[:-1].split("\n")]
    ours = [value[4:] for name, value in signatures if (name, value[:4]) == (key.name, key.key_id)]
    if not ours:
        raise Refuted(f"the note is not signed by {key.name}+{key.key_id.hex()}")
    for signature in ours:
        _check_signature(key.raw, text.encode(), signature, f"the note's signature by {key.name}")
    lines = text.split("\n")
    if len(lines) != 4:
        raise Refuted(f"the checkpoint has {len(lines) - 1} lines, not three")
    if lines[0] != key.name:
        raise Refuted(f"the checkpoint is of {lines[0]!r}, the key of {key.name!r}")
    root = _base64(lines[2], "the checkpoint's root")
    if len(root) != 32:
        raise Refuted("the checkpoint's root has not 32 bytes")
    return Note(lines[0], _decimal(lines[1], "the checkpoint's size"), root, raw)


def _signature_line(line: str) -> tuple[str, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\N{EM DASH}" or not parts[1] or "+" in parts[1] or len(parts[1].split()) != 1:
        raise Refuted(f"not a signature line: {line[:80]!r}")
    value = _base64(parts[2], "a signature line")
    if len(value) < 5:
        raise Refuted("a signature line holds no signature")
    return parts[1], value


def _check_signature(key: bytes, message: bytes, signature: bytes, what: str) -> None:
    try:
        VerifyKey(key).verify(message, signature)
    except (BadSignatureError, ValueError):
        raise Refuted(f"{what} does not fit") from None


def _decimal(text: str, what: str) -> int:
    # str(int(...)) alone would let other scripts' digits through int() first
    if not re.fullmatch("[0-9]{1,19}", text) or str(int(text)) != text or int(text) >= 2**63:
        raise Refuted(f"{what} is not a plain decimal: {text[:40]!r}")
    return int(text)


def _base64(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refuted(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Refuted(f"{what} is base64 in a second spelling")
    return data


# -- the tree, as RFC 6962 defines it ---------------------------------------------------------------------------------


def leaf_of(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def parent_of(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def split_of(size: int) -> int:
    """The largest power of two below ``size``."""
    half = 1
    while half * 2 < size:
        half *= 2
    return half


class Forest:
    """The root of any run of leaves: MTH of section 2.1, with the complete subtrees remembered."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        return self._root(0, size) if size else hashlib.sha256(b"").digest()

    def _root(self, begin: int, end: int) -> bytes:
        size = end - begin
        if size == 1:
            return self._leaves[begin]
        known = self._known.get((begin, end))
        if known is None:
            middle = begin + split_of(size)
            known = parent_of(self._root(begin, middle), self._root(middle, end))
            if size & (size - 1) == 0:
                self._known[begin, end] = known
        return known


def root_by_path(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root to which PATH of section 2.1.1 leads, taken apart from its upper end."""
    if size == 1:
        if path:
            raise Refuted("the proof has hashes left over")
        return leaf
    if not path:
        raise Refuted("the proof ends too early")
    half = split_of(size)
    if index < half:
        return parent_of(root_by_path(index, half, leaf, path[:-1]), path[-1])
    return parent_of(path[-1], root_by_path(index - half, size - half, leaf, path[:-1]))


# -- the log ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LogView:
    """A log whose every file was read and recomputed. ``notes`` are the signed notes known of it, by size.

    ``earlier`` are the logs that the label closed before it began this one, the oldest first.
    """

    origin: str
    size: int
    root: bytes
    entries: tuple[bytes, ...]
    notes: Mapping[int, bytes] = field(default_factory=dict)
    forest: Forest = field(default_factory=lambda: Forest(()), repr=False, compare=False)
    earlier: tuple[LogView, ...] = ()


def read_log(get: Get, vkey_text: str, prefix: str = "/log") -> LogView:
    """The whole log: its checkpoint, every entry bundle, every hash tile, each compared byte for byte."""
    note = open_note(_fetch(get, f"{prefix}/checkpoint"), read_key(vkey_text))
    entries: list[bytes] = []
    for path, begin, end in _files(f"{prefix}/tile/entries", note.size):
        entries += _bundle(_fetch(get, path), end - begin, path)
    leaves = [leaf_of(entry) for entry in entries]
    level, hashes = 0, leaves
    while hashes:
        for path, begin, end in _files(f"{prefix}/tile/{level}", len(hashes)):
            if _fetch(get, path) != b"".join(hashes[begin:end]):
                raise Refuted(f"{path} is not what the entries below it give")
        whole = len(hashes) // WIDTH
        hashes = [Forest(hashes[WIDTH * tile : WIDTH * (tile + 1)]).root(WIDTH) for tile in range(whole)]
        level += 1
    forest = Forest(leaves)
    if forest.root(note.size) != note.root:
        raise Refuted(f"the entries do not lead to the signed root of size {note.size}")
    return LogView(note.origin, note.size, note.root, tuple(entries), {note.size: note.raw}, forest)


def remember(view: LogView, *notes: Note) -> LogView:
    """The view with further notes of the same log, from proofs or witnesses; each must be one of its own history."""
    known = dict(view.notes)
    for note in notes:
        if note.origin != view.origin:
            raise Refuted(f"a note of {note.origin}, the log is {view.origin}")
        if note.size > view.size:
            raise Refuted(f"a note of size {note.size} was given out, the log ends at {view.size}")
        if view.forest.root(note.size) != note.root:
            raise Refuted(f"two trees of size {note.size}: a note was given out that the log does not continue")
        if known.setdefault(note.size, note.raw) != note.raw:
            raise Refuted(f"two notes of size {note.size} differ")
    return replace(view, notes=known)


def check_growth(old_view: LogView, new_view: LogView) -> LogView:
    """The new view with the old one's notes, once it continues the old one: the same entries first, the same notes.

    The old view's log may have been closed meanwhile; it must still be there, among the earlier ones of the new view.
    """
    known = {view.origin: view for view in (*old_view.earlier, old_view)}
    now = [_grown(known.pop(view.origin, None), view) for view in (*new_view.earlier, new_view)]
    if known:
        raise Refuted(f"the log {min(known)} is not shown any more, but {new_view.origin}")
    return replace(now[-1], earlier=tuple(now[:-1]))


def _grown(old: LogView | None, new: LogView) -> LogView:
    if old is None:
        return new
    if new.size < old.size:
        raise Refuted(f"the log had {old.size} entries and has {new.size}")
    for index, (before, after) in enumerate(zip(old.entries, new.entries, strict=False)):
        if before != after:
            raise Refuted(f"entry {index} was changed")
    notes = dict(old.notes)
    for size, raw in new.notes.items():
        if notes.setdefault(size, raw) != raw:
            raise Refuted(f"two notes of size {size} differ")
    return replace(new, notes=notes)


def _files(folder: str, count: int) -> Iterable[tuple[str, int, int]]:
    """Path, first and last of every file that holds ``count`` things, the last of them partial."""
    for begin in range(0, count, WIDTH):
        end = min(begin + WIDTH, count)
        partial = f".p/{end - begin}" if end - begin < WIDTH else ""
        yield f"{folder}/{_place(begin // WIDTH)}{partial}", begin, end


def _place(number: int, mark: str = "") -> str:
    upper, last = divmod(number, 1000)
    return (_place(upper, "x") + "/" if upper else "") + f"{mark}{last:03d}"


def _bundle(raw: bytes, count: int, path: str) -> list[bytes]:
    entries, rest = [], raw
    while rest:
        length = int.from_bytes(rest[:2], "big")
        if len(rest) < 2 + length:
            raise Refuted(f"{path} is cut short")
        entries.append(rest[2 : 2 + length])
        rest = rest[2 + length :]
    if len(entries) != count:
        raise Refuted(f"{path} holds {len(entries)} entries, not {count}")
    return entries


def _fetch(get: Get, path: str) -> bytes:
    status, body = get(path)
    if status != 200:
        raise Refuted(f"{path} answers {status}")
    return body


# -- proofs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proven:
    """Where an entry stands, and the verified note under which it does."""

    index: int
    note: Note


def check_proof(view_key: str, proof_text: bytes | str, entry_bytes: bytes) -> Proven:
    """A ``.tlog-proof`` file verified from scratch against the log's verifier key and the entry."""
    raw = proof_text.encode() if isinstance(proof_text, str) else proof_text
    head, blank, note_raw = raw.partition(b"\n\n")
    if not blank:
        raise Refuted("the proof has no checkpoint")
    lines = head.decode("utf-8", "replace").split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1":
        raise Refuted(f"not a proof file: {lines[0][:60]!r}")
    rest = lines[1:]
    if rest and rest[0].startswith("extra "):
        _base64(rest[0][6:], "the proof's extra data")
        rest = rest[1:]
    if not rest or not rest[0].startswith("index "):
        raise Refuted("the proof names no index")
    index = _decimal(rest[0][6:], "the proof's index")
    path = [_base64(line, "a hash of the proof") for line in rest[1:]]
    if any(len(value) != 32 for value in path):
        raise Refuted("a hash of the proof has not 32 bytes")
    note = open_note(note_raw, read_key(view_key))
    if index >= note.size:
        raise Refuted(f"the proof is of entry {index}, the tree has {note.size}")
    if root_by_path(index, note.size, leaf_of(entry_bytes), path) != note.root:
        raise Refuted(f"the log does not hold this entry at {index}")
    return Proven(index, note)


# -- documents --------------------------------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """RFC 8785 for documents without fractions."""
    try:
        return _canonical(value).encode()
    except UnicodeEncodeError:
        raise Refuted("a text holds half of a surrogate pair") from None


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        # section 3.2.3: names are sorted by their UTF-16 code units
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{_canonical(name)}:{_canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 2**53):
        raise Refuted("a signed document holds a number that is no plain integer")
    return json.dumps(value, ensure_ascii=False)


def read_object(raw: bytes, what: str) -> dict[str, Any]:
    """A JSON object in which no member stands twice and no number has a fraction."""

    def refuse(text: str) -> NoReturn:
        raise Refuted(f"{what} holds the number {text[:20]}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Refuted(f"{what} has a member twice")
        return dict(pairs)

    try:
        value = json.loads(raw.decode("utf-8"), parse_float=refuse, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Refuted(f"{what} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refuted(f"{what} is not a JSON object")
    return value


@dataclass(frozen=True)
class Document:
    """What a served certificate says: the entry that the log must hold for it, and for each purpose the number of its status
    list and its place there."""

    code: str
    entry: bytes
    places: Mapping[str, tuple[int, int]]


def read_document(raw: bytes, keys: Mapping[str, bytes], what: str) -> Document:
    """A certificate whose signature fits a key of the issuer."""
    unsigned, method = _signed_object(raw, keys, what)
    try:
        return _document(unsigned, method)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise Refuted(f"{what} is not a certificate of this label: {error!r}"[:200]) from None


def _document(unsigned: dict[str, Any], method: str) -> Document:
    subject = unsigned["credentialSubject"]
    [audio] = [it["identityHash"] for it in subject["identifier"] if it["identityType"] == "ext:audio-sha256"]
    [report] = [it["digestSRI"] for it in unsigned["evidence"] if it["genre"] == "ext:report"]
    code = re.sub(r"^.*/v/", "", unsigned["id"])
    entry = {
        "v": "lcal-log/1",
        "type": "issue",
        "at": unsigned["validFrom"],
        "code": code,
        "payload": f"sha256:{hashlib.sha256(canonical(unsigned)).hexdigest()}",
        "kid": method,
        "standard": subject["achievement"]["name"].split(":")[0],
        "report": f"sha256:{_base64(report.removeprefix('sha256-'), 'the digest of the report').hex()}",
        "audio": f"sha256:{audio}",
    }
    places = {}
    for item in unsigned["credentialStatus"]:
        purpose, address = item["statusPurpose"], item["statusListCredential"]
        number = re.search(rf"/status/{purpose}/([1-9][0-9]{{0,5}})$", address)
        if number is None:
            raise Refuted(f"{code} names another status list: {address}")
        places[purpose] = int(number[1]), _decimal(item["statusListIndex"], "a place in a status list")
    if sorted(places) != sorted(LISTS):
        raise Refuted(f"{code} does not name its two status lists")
    if max(place for _, place in places.values()) >= LIST_BITS:
        raise Refuted(f"{code} has a place beyond the end of its list")
    return Document(code, canonical(entry), places)


def _signed_object(raw: bytes, keys: Mapping[str, bytes], what: str) -> tuple[dict[str, Any], str]:
    """The document without its proof, and the name of the key that signed it (eddsa-jcs-2022, section 3.3)."""
    unsigned = read_object(raw, what)
    proof = unsigned.pop("proof", None)
    if not isinstance(proof, dict) or proof.get("cryptosuite") != "eddsa-jcs-2022":
        raise Refuted(f"{what} carries no proof of the suite eddsa-jcs-2022")
    signature = _base58(proof.pop("proofValue", None), what)
    method = str(proof.get("verificationMethod"))
    if method not in keys:
        raise Refuted(f"{what} is signed by {method[:80]}, which the issuer does not list")
    message = hashlib.sha256(canonical(proof)).digest() + hashlib.sha256(canonical(unsigned)).digest()
    _check_signature(keys[method], message, signature, f"the signature of {what}")
    return unsigned, method


def _issuer_keys(get: Get) -> dict[str, bytes]:
    document = read_object(_fetch(get, "/.well-known/did.json"), "the issuer's document")
    try:
        found = {item["id"]: item["publicKeyMultibase"] for item in document["verificationMethod"]}
    except (KeyError, TypeError) as error:
        raise Refuted(f"the issuer's document lists no keys: {error!r}") from None
    keys = {name: _base58(text, "a key of the issuer") for name, text in found.items()}
    for name, raw in keys.items():
        if raw[:2] != b"\xed\x01" or len(raw) != 34:
            raise Refuted(f"{name} is not an Ed25519 key")
    return {name: raw[2:] for name, raw in keys.items()}


def _base58(text: Any, what: str) -> bytes:
    """Multibase base58btc: ``z`` and digits."""
    if not isinstance(text, str) or not re.fullmatch("z[1-9A-HJ-NP-Za-km-z]{1,100}", text):
        raise Refuted(f"{what} holds a value that is not base58btc")
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for digit in text[1:]:
        number = number * 58 + digits.index(digit)
    zeros = len(text[1:]) - len(text[1:].lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


# -- status lists -----------------------------------------------------------------------------------------------------

# purpose of a list -> the newest change by which a certificate has its bit set in it
LISTS = {"revocation": "revoke", "suspension": "suspend"}
# change -> what the newest entry about the certificate must be; after a revocation nothing can follow
MAY_FOLLOW = {"revoke": {"issue", "suspend", "reinstate"}, "suspend": {"issue", "reinstate"}, "reinstate": {"suspend"}}
TYPES = {"issue", *MAY_FOLLOW, "key-add", "key-retire", "key-compromise", "standard-publish", "approve", "freeze"}


@dataclass(frozen=True)
class StatusList:
    """The places that are set, and the log and its size from which the list says it was computed."""

    places: frozenset[int]
    origin: str
    log_size: int


def read_status_list(raw: bytes, purpose: str, number: int, keys: Mapping[str, bytes]) -> StatusList:
    """A signed status list. The first bit of a byte is its highest."""
    what = _list_name(purpose, number)
    unsigned, _ = _signed_object(raw, keys, what)
    try:
        subject = unsigned["credentialSubject"]
        named = subject["statusPurpose"], re.sub(r"^.*(?=/status/)", "", unsigned["id"])
        text, description = subject["encodedList"], unsigned["description"]
        log = re.fullmatch(r"Computed from the log (\S+) at size ([0-9]+)\.", description)
        packed = base64.b64decode(text[1:] + "=" * (-len(text[1:]) % 4), b"-_", validate=True)
        bits = gzip.decompress(packed)
    except (KeyError, TypeError, ValueError, OSError, EOFError, zlib.error) as error:
        raise Refuted(f"{what} cannot be read: {error!r}"[:200]) from None
    if named != (purpose, f"/status/{purpose}/{number}"):
        raise Refuted(f"{what} is another one: {named}")
    if log is None:
        raise Refuted(f"{what} names no size of a log")
    if not text.startswith("u") or 8 * len(bits) != LIST_BITS:
        raise Refuted(f"{what} has {8 * len(bits)} bits, not {LIST_BITS}")
    places = (8 * at + bit for at, byte in enumerate(bits) if byte for bit in range(8) if byte >> (7 - bit) & 1)
    return StatusList(frozenset(places), log[1], int(log[2]))


def _list_name(purpose: str, number: int) -> str:
    return f"the {purpose} list" if number == 1 else f"the {purpose} list {number}"


def read_status_lists(get: Get, purpose: str, keys: Mapping[str, bytes]) -> list[StatusList]:
    """Every list of a purpose, in order: from the first one until there is no other."""
    lists = [read_status_list(_fetch(get, f"/status/{purpose}/1"), purpose, 1, keys)]
    while get(path := f"/status/{purpose}/{len(lists) + 1}")[0] != 404:
        lists.append(read_status_list(_fetch(get, path), purpose, len(lists) + 1, keys))
    return lists


# -- the history ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Register:
    """The entries of all logs by certificate: for each code (number, type) in order, ``issue`` first.

    Entries are numbered through from the oldest log to the newest; ``starts`` says where each log begins.
    """

    starts: Mapping[str, int]
    changes: Mapping[str, list[tuple[int, str]]]

    def state(self, code: str, end: int) -> str:
        """The type of the newest of the first ``end`` entries that is about a certificate."""
        return next((kind for number, kind in reversed(self.changes[code]) if number < end), "")


def read_register(logs: Sequence[LogView]) -> Register:
    """The entries as the label writes them: each change allowed by the one before it, no code issued twice.

    A ``freeze`` is the last entry of its log, and every log but the newest has one.
    """
    starts, changes, number = dict[str, int](), dict[str, list[tuple[int, str]]](), 0
    for log in logs:
        starts[log.origin], kind = number, ""
        for index, raw in enumerate(log.entries):
            if kind == "freeze":
                raise Refuted(f"entry {index} stands behind the end of {log.origin}")
            kind = _note_entry(raw, f"entry {index} of {log.origin}", number, changes)
            number += 1
        if log is not logs[-1] and kind != "freeze":
            raise Refuted(f"{log.origin} is not closed, and another log follows")
    return Register(starts, changes)


def _note_entry(raw: bytes, what: str, number: int, changes: dict[str, list[tuple[int, str]]]) -> str:
    entry = read_object(raw, what)
    if canonical(entry) != raw:
        raise Refuted(f"{what} is not canonical")
    kind, code = entry.get("type"), entry.get("code")
    if entry.get("v") != "lcal-log/1" or not isinstance(kind, str) or kind not in TYPES:
        raise Refuted(f"{what} is of no known form")
    if kind != "issue" and kind not in MAY_FOLLOW:
        return kind
    if not isinstance(code, str) or not re.fullmatch("[0-9A-HJKMNP-TV-Z]{10}", code):
        raise Refuted(f"{what} is about no certificate")
    known = changes.setdefault(code, [])
    if kind == "issue" and known:
        raise Refuted(f"{code} is issued twice: once more by {what}")
    if kind != "issue" and (not known or known[-1][1] not in MAY_FOLLOW[kind]):
        raise Refuted(f"{code}: {kind} ({what}) follows {known[-1][1] if known else 'nothing'}")
    known.append((number, kind))
    return kind


def read_logs(get: Get) -> tuple[list[LogView], dict[str, str]]:
    """All logs of the label, the oldest first and the one that is written to last, and the verifier key of each."""
    trust = read_object(_fetch(get, "/trust.json"), "the trust file")
    listed = trust.get("logs")
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise Refuted("the trust file lists no logs")
    current = _fetch(get, "/log/log.vkey").decode("utf-8", "replace").removesuffix("\n")
    if current not in listed:
        raise Refuted("the trust file does not list the key of the log")
    keys = {read_key(text).name: text for text in listed}
    closed = []
    for origin, text in keys.items():
        prefix = f"/log/{origin.rpartition('/')[2]}"
        # a key is listed before its log begins
        if text != current and get(f"{prefix}/checkpoint")[0] != 404:
            closed.append(read_log(get, text, prefix))
    closed.sort(key=_closed_at)
    return [*closed, read_log(get, current)], keys


def _closed_at(log: LogView) -> str:
    return str(read_object(log.entries[-1], "the last entry").get("at")) if log.entries else ""


def check_history(get: Get, history: Sequence[Mapping[str, Any]]) -> LogView:
    """Every acknowledged operation, and all that follows from it, over the public interface alone.

    Returns the log with the notes of all proofs, for ``check_growth`` after the next look.
    """
    issuer_keys = _issuer_keys(get)
    # the lists before the logs: a log that grows meanwhile is longer than they say, never shorter
    lists = {
        (purpose, number): status
        for purpose in LISTS
        for number, status in enumerate(read_status_lists(get, purpose, issuer_keys), start=1)
    }
    logs, log_keys = read_logs(get)
    register = read_register(logs)
    by_origin = {log.origin: log for log in logs}
    documents, proven = _check_issues(get, history, issuer_keys, log_keys, by_origin)
    ends = {name: _end_of(name, status, register, by_origin) for name, status in lists.items()}
    _check_changes(history, register, min(ends.values()))
    for purpose in LISTS:
        found = {number: (status.places, ends[of, number]) for (of, number), status in lists.items() if of == purpose}
        _check_lists(get, purpose, found, register, issuer_keys, documents)
    seen = [remember(log, *(one.note for one in proven if one.note.origin == log.origin)) for log in logs]
    return replace(seen[-1], earlier=tuple(seen[:-1]))


def _end_of(name: tuple[str, int], status: StatusList, register: Register, by_origin: Mapping[str, LogView]) -> int:
    """How many of the numbered entries a list knows of."""
    log = by_origin.get(status.origin)
    if log is None or status.log_size > log.size:
        has = f"that has {log.size}" if log else "that is not there"
        raise Refuted(f"{_list_name(*name)} was computed at {status.log_size} entries of {status.origin}, {has}")
    return register.starts[status.origin] + status.log_size


def _check_issues(
    get: Get,
    history: Sequence[Mapping[str, Any]],
    issuer_keys: Mapping[str, bytes],
    log_keys: Mapping[str, str],
    by_origin: Mapping[str, LogView],
) -> tuple[dict[str, Document], list[Proven]]:
    documents, by_request, proven = dict[str, Document](), dict[str, str](), list[Proven]()
    for operation in history:
        if operation["op"] != "issue":
            continue
        code, request = operation["code"], operation.get("idempotency_key")
        if request is not None and by_request.setdefault(request, code) != code:
            raise Refuted(f"one request was given two certificates: {by_request[request]} and {code}")
        served = _fetch(get, f"/v/{code}.vc")
        if hashlib.sha256(served).hexdigest() != _digest(operation["document"]):
            raise Refuted(f"{code} is served with other bytes than were acknowledged")
        if code in documents:
            continue
        documents[code] = document = _document_of(served, code, issuer_keys)
        file = _fetch(get, f"/v/{code}.tlog-proof")
        origin = file.partition(b"\n\n")[2].partition(b"\n")[0].decode("utf-8", "replace")
        if origin not in by_origin:
            raise Refuted(f"{code} is proven by {origin[:80]!r}, which is no log of this label")
        proof = check_proof(log_keys[origin], file, document.entry)
        log = by_origin[origin]
        if proof.index >= log.size or log.entries[proof.index] != document.entry:
            raise Refuted(f"{code}: the log holds something else at {proof.index}")
        proven.append(proof)
    return documents, proven


def _document_of(raw: bytes, code: str, keys: Mapping[str, bytes]) -> Document:
    document = read_document(raw, keys, f"the certificate {code}")
    if document.code != code:
        raise Refuted(f"under {code} the certificate {document.code[:20]} is served")
    return document


def _digest(document: str | bytes) -> str:
    """The digest itself, or the text of the document."""
    if isinstance(document, str) and re.fullmatch("[0-9a-f]{64}", document):
        return document
    return hashlib.sha256(document.encode() if isinstance(document, str) else document).hexdigest()


def _check_changes(history: Sequence[Mapping[str, Any]], register: Register, listed: int) -> None:
    """Each acknowledged change has an entry of its own, in the order of acknowledgement, and the lists know of it."""
    reached = dict[str, int]()
    for operation in history:
        kind, code = operation["op"], operation["code"]
        if kind != "issue" and kind not in MAY_FOLLOW:
            raise ValueError(f"a history knows no operation {kind!r}")
        if kind == "issue":
            continue
        fitting = (number for number, found in register.changes.get(code, []) if found == kind)
        number = next((number for number in fitting if number > reached.get(code, -1)), None)
        if number is None:
            raise Refuted(f"{code}: an acknowledged {kind} is not in the log, or not in its order")
        if number >= listed:
            raise Refuted(f"{code}: the status lists are older than the acknowledged {kind}")
        reached[code] = number


def _check_lists(
    get: Get,
    purpose: str,
    lists: Mapping[int, tuple[frozenset[int], int]],
    register: Register,
    keys: Mapping[str, bytes],
    documents: Mapping[str, Document],
) -> None:
    """The places that are set are those of the certificates whose newest change says so, one for one, in every list.

    ``lists`` gives by number the places that are set, and how many entries the list knows of.
    """
    implied = {
        end: {code for code in register.changes if register.state(code, end) == LISTS[purpose]}
        for _, end in lists.values()
    }
    # entries that nobody was told of count as well; where such a certificate stands, its document says
    told = {code for codes in implied.values() for code in codes} - set(documents)
    known = {**documents, **{code: _document_of(_fetch(get, f"/v/{code}.vc"), code, keys) for code in sorted(told)}}
    where = {code: document.places[purpose] for code, document in known.items()}
    for code in implied[min(implied)]:
        if where[code][0] not in lists:
            raise Refuted(f"{code} stands in {_list_name(purpose, where[code][0])}, which is not there")
    for number, (set_places, end) in lists.items():
        name, codes = _list_name(purpose, number), implied[end]
        here = {code: place for code, (of, place) in where.items() if of == number}
        places = {code: place for code, place in here.items() if code in codes}
        for code, place in places.items():
            if place not in set_places:
                raise Refuted(f"{code}: its place {place} in {name} is not set, the log says {LISTS[purpose]}")
        for code in documents:
            if code in here and code not in places and here[code] in set_places:
                raise Refuted(f"{code}: its place in {name} is set, the log says nothing of it")
        if extra := set_places - set(places.values()):
            raise Refuted(f"{name} has {len(extra)} places set that no entry accounts for: {min(extra)}")
        if len(set(places.values())) != len(places):
            raise Refuted(f"two certificates share a place in {name}")


# -- by hand ----------------------------------------------------------------------------------------------------------


def get_from(base_url: str) -> Get:
    """Reads from a service at a URL."""

    def get(path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(base_url.rstrip("/") + path, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    return get


def main(arguments: Sequence[str] | None = None) -> int:
    """ACCEPT with origin and size (0), or REFUTED with the reason (3); 2 when there was nothing to judge."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) not in {1, 2}:
        sys.stderr.write("usage: python -m tests.referee URL [HISTORY]\n")
        return UNREADABLE
    history = []
    if len(given) == 2:
        with open(given[1], encoding="utf-8") as lines:  # noqa: PTH123 - the referee imports as little as it can
            history = [json.loads(line) for line in lines if line.strip()]
    try:
        view = check_history(get_from(given[0]), history)
    except Refuted as error:
        sys.stdout.write(f"REFUTED {error}\n")
        return REFUTED
    except OSError as error:
        sys.stderr.write(f"{given[0]} cannot be read: {error}\n")
        return UNREADABLE
    sys.stdout.write(f"ACCEPT {view.origin} {view.size}\n")
    return ACCEPTED


if __name__ == "__main__":
    sys.exit(main())
