"""The referee accepts what the product writes and refuses everything that is bent, so its word is worth having."""

from __future__ import annotations

import ast
import base64
import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from certifier.certificate.code import code_of
from certifier.certificate.credential import parse_claims
from certifier.certificate.proof import sign_document
from certifier.certificate.status import LIST_LENGTH, entry_at, status_list_payload, status_url
from certifier.certificate.verify import leaf_of
from certifier.crypto.canonical import canonical_bytes, to_json_text
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.log.entry import log_entry, status_entry
from certifier.log.lines import to_base64
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, sign_checkpoint, verifier_key_for
from certifier.log.proof import InclusionProof, render_proof
from certifier.log.tiles import entry_bundle, parse_entry_bundle, paths_for, tile_bytes
from certifier.service.certifier import Issued
from certifier.service.home import turn_log
from certifier.web.app import create_app
from tests import referee
from tests.referee import Get, LogView, Refuted, check_growth, check_history, check_proof, read_log, remember
from tests.studio import NOW, Studio, emissions_csv, write_track

HERE = Path(__file__).parent
TESSERA = HERE / "vectors/log/tessera"
TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
WORKED_KEY = "log.example/2026+83cf0d7d+AfUtAVGdFKoM8LWlhA4GDM06OguVxQ0pL33oPzuJ0Ah0"
GOLDEN = HERE / "golden/0.1.0"

ORIGIN = "log.example/tests"
SIGNER = SigningKey.from_seed(b"log of the tests".ljust(32, b"."))
STRANGER = SigningKey.from_seed(b"another log".ljust(32, b"."))
VKEY = verifier_key_for(ORIGIN, SIGNER.public).to_text()
SIZES = (1, 2, 255, 256, 257, 600)

Files = dict[str, bytes]


# -- logs -------------------------------------------------------------------------------------------------------------


def numbered(count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(count)]


def tree_of(entries: Sequence[bytes]) -> Tree:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    return tree


def written_log(entries: Sequence[bytes], signer: SigningKey = SIGNER, origin: str = ORIGIN) -> Files:
    """Every file of a log as the product writes it, by its path below the log's prefix."""
    tree = tree_of(entries)
    files = {"checkpoint": sign_checkpoint(Checkpoint(origin, tree.size, tree.root()), signer)}
    for path in paths_for(tree.size):
        if path.level is None:
            start = 256 * path.index
            files[path.text] = entry_bundle(entries[start : start + path.width])
        else:
            files[path.text] = tile_bytes(tree, path.level, path.index, path.width)
    return files


def served(pages: Mapping[str, bytes], prefix: str = "") -> Get:
    return lambda path: (200, pages[path.removeprefix(prefix)]) if path.removeprefix(prefix) in pages else (404, b"")


def read(files: Files) -> LogView:
    return read_log(served(files, "/log/"), VKEY)


def signed(text: str, signer: SigningKey = SIGNER) -> bytes:
    """A note over any text, also over one that no checkpoint may have."""
    key_id = verifier_key_for(ORIGIN, signer.public).key_id
    return f"{text}\n— {ORIGIN} {to_base64(key_id + signer.sign(text.encode()))}\n".encode()


def text_of(files: Files) -> str:
    return files["checkpoint"].decode().partition("\n\n")[0] + "\n"


def flipped(raw: bytes, bit: int) -> bytes:
    bent = bytearray(raw)
    bent[bit // 8] ^= 1 << bit % 8
    return bytes(bent)


@pytest.mark.parametrize("size", SIZES)
def test_a_log_of_the_product_is_accepted(size: int) -> None:
    view = read(written_log(numbered(size)))
    assert (view.origin, view.size, view.entries) == (ORIGIN, size, tuple(numbered(size)))
    assert view.root == tree_of(numbered(size)).root()


def test_an_empty_log_is_accepted() -> None:
    assert read(written_log([])).entries == ()


@pytest.mark.parametrize("size", range(16))
def test_a_log_that_another_program_wrote_is_accepted(size: int) -> None:
    def get(path: str) -> tuple[int, bytes]:
        name = path.removeprefix("/log/")
        return 200, (TESSERA / (f"checkpoint.{size}" if name == "checkpoint" else name)).read_bytes()

    assert read_log(get, TESSERA_KEY).size == size


def test_every_file_of_a_log_is_read() -> None:
    files = written_log(numbered(600))
    asked: list[str] = []

    def get(path: str) -> tuple[int, bytes]:
        asked.append(path.removeprefix("/log/"))
        return 200, files[asked[-1]]

    read_log(get, VKEY)
    assert sorted(asked) == sorted(files)


def test_the_place_of_a_tile_is_written_in_groups_of_three_digits() -> None:
    places = {0: "000", 999: "999", 1000: "x001/000", 1234067: "x001/x234/067"}
    assert {number: referee._place(number) for number in places} == places


# -- bent logs; the foreign judge gets the same ---------------------------------------------------------------------


def _swapped(raw: bytes) -> bytes:
    entries = parse_entry_bundle(raw)
    return entry_bundle([entries[1], entries[0], *entries[2:]])


def _with_text(change: Callable[[str], str]) -> Callable[[Files], Files]:
    """The checkpoint's text changed, and signed in earnest."""
    return lambda files: {**files, "checkpoint": signed(change(text_of(files)))}


def _moved(old: str, new: str) -> Callable[[Files], Files]:
    return lambda files: {new if path == old else path: raw for path, raw in files.items()}


def _other_tree(entries: Sequence[bytes]) -> Callable[[Files], Files]:
    """All files of another log, in perfect order, under the checkpoint of the first."""
    return lambda files: {**written_log(entries), "checkpoint": files["checkpoint"]}


PARTIAL = "tile/0/002.p/88"
BENT: dict[str, Callable[[Files], Files]] = {
    "a tile cut short by a hash": lambda files: {**files, PARTIAL: files[PARTIAL][:-32]},
    "a tile cut short by a byte": lambda files: {**files, PARTIAL: files[PARTIAL][:-1]},
    "a full tile cut short": lambda files: {**files, "tile/0/000": files["tile/0/000"][:-32]},
    "a tile with a hash too many": lambda files: {**files, PARTIAL: files[PARTIAL] + bytes(32)},
    "an empty tile": lambda files: {**files, "tile/1/000.p/2": b""},
    "a tile missing": lambda files: {path: raw for path, raw in files.items() if path != "tile/0/001"},
    "a bundle missing": lambda files: {path: raw for path, raw in files.items() if path != "tile/entries/001"},
    "a partial tile of another width": _moved(PARTIAL, "tile/0/002.p/87"),
    "a partial bundle of another width": _moved("tile/entries/002.p/88", "tile/entries/002.p/89"),
    "a partial tile under the name of a full one": _moved(PARTIAL, "tile/0/002"),
    "two tiles in each other's place": lambda files: {
        **files,
        "tile/0/000": files["tile/0/001"],
        "tile/0/001": files["tile/0/000"],
    },
    "two entries swapped in a bundle": lambda files: {
        **files,
        "tile/entries/000": _swapped(files["tile/entries/000"]),
    },
    "a bundle cut short": lambda files: {**files, "tile/entries/000": files["tile/entries/000"][:-1]},
    "a bundle with an entry too many": lambda files: {
        **files,
        "tile/entries/002.p/88": files["tile/entries/002.p/88"] + b"\0\1x",
    },
    "a bundle with a byte too many": lambda files: {
        **files,
        "tile/entries/002.p/88": files["tile/entries/002.p/88"] + b"\0",
    },
    "two entries swapped everywhere": _other_tree([*numbered(600)[1::-1], *numbered(600)[2:]]),
    "an entry changed everywhere": _other_tree([*numbered(599), b"entry 600"]),
    "the root of another size": _with_text(
        lambda text: text.replace(text.split("\n")[2], to_base64(tree_of(numbered(599)).root()))
    ),
    "a smaller size under the root": _with_text(lambda text: text.replace("\n600\n", "\n599\n")),
    "a greater size under the root": _with_text(lambda text: text.replace("\n600\n", "\n601\n")),
    "a size of nothing": _with_text(lambda text: text.replace("\n600\n", "\n0\n")),
    "a size with a leading zero": _with_text(lambda text: text.replace("\n600\n", "\n0600\n")),
    "a size with a sign": _with_text(lambda text: text.replace("\n600\n", "\n+600\n")),
    "a size in other digits": _with_text(lambda text: text.replace("\n600\n", "\n٦٠٠\n")),
    "a size with an underscore": _with_text(lambda text: text.replace("\n600\n", "\n6_00\n")),
    "a negative size": _with_text(lambda text: text.replace("\n600\n", "\n-600\n")),
    "a size beyond 63 bits": _with_text(lambda text: text.replace("\n600\n", f"\n{2**63 + 600}\n")),
    "carriage returns in the note": _with_text(lambda text: text.replace("\n", "\r\n")),
    "a carriage return in the signature block": lambda files: {
        **files,
        "checkpoint": files["checkpoint"].removesuffix(b"\n") + b"\r\n",
    },
    "an extension line": _with_text(lambda text: text + "more\n"),
    "a line missing": _with_text(lambda text: text[: text.index("\n", text.index("\n") + 1) + 1]),
    "a root in a second spelling": _with_text(lambda text: text[:-3] + chr(ord(text[-3]) + 1) + text[-2:]),
    "a root of 31 bytes": _with_text(
        lambda text: text.replace(text.split("\n")[2], to_base64(tree_of(numbered(600)).root()[:31]))
    ),
    "a checkpoint of another origin": _with_text(lambda text: text.replace(ORIGIN, "log.example/other")),
    "a checkpoint signed by another key": lambda files: {**files, "checkpoint": signed(text_of(files), STRANGER)},
    "a changed checkpoint under the old signature": lambda files: {
        **files,
        "checkpoint": files["checkpoint"].replace(b"\n600\n", b"\n601\n"),
    },
    "a checkpoint without signature": lambda files: {**files, "checkpoint": text_of(files).encode() + b"\n"},
    "a checkpoint without its last line feed": lambda files: {**files, "checkpoint": files["checkpoint"][:-1]},
    "a signature of the log that does not fit before one that does": lambda files: {
        **files,
        "checkpoint": files["checkpoint"].replace(b"\n\n", b"\n\n" + signed("else\n").partition(b"\n\n")[2]),
    },
    "a note that is not UTF-8": lambda files: {**files, "checkpoint": files["checkpoint"] + b"\xff\n"},
    "a hyphen for the dash": lambda files: {
        **files,
        "checkpoint": files["checkpoint"].replace("—".encode(), b"-"),
    },
    "a control character in a signature line of somebody": lambda files: {
        **files,
        "checkpoint": files["checkpoint"] + "— wit\x01ness d2l0bmVzcw==\n".encode(),
    },
    "a signature line without a signature": lambda files: {
        **files,
        "checkpoint": files["checkpoint"] + "— witness d2l0bg==\n".encode(),
    },
    "two spaces in the signature line": lambda files: {
        **files,
        "checkpoint": files["checkpoint"].replace("— ".encode(), "—  ".encode()),
    },
    "no checkpoint": lambda files: {path: raw for path, raw in files.items() if path != "checkpoint"},
}


# Go's reader passes over a second signature by one key, and over unused bits of a signature line's base64.
BENT_FOR_THE_STRICT: dict[str, Callable[[Files], Files]] = {
    "a signature of the log that does not fit after one that does": lambda files: {
        **files,
        "checkpoint": files["checkpoint"] + signed("else\n").partition(b"\n\n")[2],
    },
    "a signature in a second spelling": lambda files: {
        **files,
        "checkpoint": files["checkpoint"][:-3] + bytes([files["checkpoint"][-3] + 1]) + files["checkpoint"][-2:],
    },
}
ALL_BENT = BENT | BENT_FOR_THE_STRICT


@pytest.mark.parametrize("bend", ALL_BENT.values(), ids=ALL_BENT.keys())
def test_a_bent_log_is_refused(bend: Callable[[Files], Files]) -> None:
    files = written_log(numbered(600))
    bent = bend(files)
    assert bent != files
    with pytest.raises(Refuted):
        read(bent)


@pytest.mark.parametrize("size", SIZES)
def test_one_bit_in_any_file_is_found(size: int) -> None:
    """The first bit, the last one, and one in the middle of each file."""
    files = written_log(numbered(size))
    for path, raw in files.items():
        for bit in (0, 4 * len(raw), 8 * len(raw) - 1):
            with pytest.raises(Refuted):
                read({**files, path: flipped(raw, bit)})


@pytest.mark.parametrize("path", ["tile/1/000.p/2", "checkpoint"])
def test_every_bit_of_the_smallest_files_counts(path: str) -> None:
    files = written_log(numbered(600))
    for bit in range(8 * len(files[path])):
        with pytest.raises(Refuted):
            read({**files, path: flipped(files[path], bit)})


def test_every_bit_of_the_smallest_log_counts() -> None:
    files = written_log(numbered(2))
    for path, raw in files.items():
        for bit in range(8 * len(raw)):
            with pytest.raises(Refuted):
                read({**files, path: flipped(raw, bit)})


def test_signatures_by_others_are_passed_over() -> None:
    files = written_log(numbered(2))
    other = signed(text_of(files), STRANGER).partition(b"\n\n")[2]
    assert read({**files, "checkpoint": files["checkpoint"] + other}).size == 2


BENT_KEYS = {
    "another id": VKEY.replace(VKEY.split("+")[1], "00000000"),
    "no name": VKEY.removeprefix(ORIGIN),
    "a space in the name": f"log {VKEY}",
    "another kind of key": "witness.example/w1+b49a8958+BIrm3NHX+yA/XzoqKZOSDwbNgUzxXDPgrpC/m95zVNYo",
    "nothing": "",
}


@pytest.mark.parametrize("text", BENT_KEYS.values(), ids=BENT_KEYS.keys())
def test_a_bent_verifier_key_opens_nothing(text: str) -> None:
    with pytest.raises(Refuted):
        read_log(served(written_log(numbered(1)), "/log/"), text)


# -- proofs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 257])
def test_a_proof_of_each_entry_is_accepted_and_of_no_other(size: int) -> None:
    entries = numbered(size)
    tree, note = tree_of(entries), written_log(entries)["checkpoint"]
    for index in range(size):
        file = render_proof(InclusionProof(index, tuple(tree.inclusion_proof(index)), note))
        assert check_proof(VKEY, file, entries[index]).index == index
        with pytest.raises(Refuted):
            check_proof(VKEY, file, b"entry of somebody else")


def test_proofs_from_elsewhere_are_accepted() -> None:
    """The worked example, and the golden certificate whose entry follows from its document."""
    worked = (HERE / "vectors/log/worked-example/two.tlog-proof").read_bytes()
    assert check_proof(WORKED_KEY, worked, b"two").note.size == 3
    trust = json.loads((GOLDEN / "trust.json").read_text())
    keys = {key["id"]: PublicKey.from_multibase(key["publicKeyMultibase"]).raw for key in trust["keys"]}
    document = referee.read_document((GOLDEN / "certificate.json").read_bytes(), keys, "the golden certificate")
    proof = (GOLDEN / "certificate.tlog-proof").read_bytes()
    assert check_proof(trust["logs"][0], proof, document.entry).index == 0


def test_every_bit_of_a_proof_counts() -> None:
    entries = numbered(3)
    note = written_log(entries)["checkpoint"]
    file = render_proof(InclusionProof(1, tuple(tree_of(entries).inclusion_proof(1)), note))
    for bit in range(8 * len(file)):
        with pytest.raises(Refuted):
            check_proof(VKEY, flipped(file, bit), entries[1])


BENT_PROOFS: dict[str, tuple[str, str]] = {
    "another first line": ("@v1", "@v2"),
    "no index": ("index 1\n", ""),
    "an index with a leading zero": ("index 1", "index 01"),
    "an index beyond the tree": ("index 1", "index 3"),
    "another index": ("index 1", "index 0"),
    "a hash too many before the others": ("index 1\n", f"index 1\n{to_base64(bytes(32))}\n"),
    "a hash too few": (f"{to_base64(leaf_hash(b'entry 0'))}\n", ""),
    "a hash too many": ("\n\n", f"\n{to_base64(bytes(32))}\n\n"),
    "a hash too short": ("\n\n", f"\n{to_base64(bytes(31))}\n\n"),
    "extra data that is no base64": ("index", "extra ?\nindex"),
    "no checkpoint": ("\n\n", "\n"),
}


@pytest.mark.parametrize(("old", "new"), BENT_PROOFS.values(), ids=BENT_PROOFS.keys())
def test_a_bent_proof_is_refused(old: str, new: str) -> None:
    entries = numbered(3)
    note = written_log(entries)["checkpoint"]
    file = render_proof(InclusionProof(1, tuple(tree_of(entries).inclusion_proof(1)), note)).decode()
    assert old in file
    with pytest.raises(Refuted):
        check_proof(VKEY, file.replace(old, new, 1), entries[1])


def test_the_only_entry_stands_at_no_other_index() -> None:
    note = written_log([b"one"])["checkpoint"]
    with pytest.raises(Refuted, match="the tree has 1"):
        check_proof(VKEY, render_proof(InclusionProof(1, (), note)), b"one")


def test_a_proof_may_carry_extra_data() -> None:
    note = written_log([b"one"])["checkpoint"]
    assert check_proof(VKEY, render_proof(InclusionProof(0, (), note, b"note to self")), b"one").index == 0


# -- growth -----------------------------------------------------------------------------------------------------------


def test_a_log_that_grows_is_accepted_with_all_its_notes() -> None:
    old, new = read(written_log(numbered(2))), read(written_log(numbered(257)))
    grown = check_growth(remember(old), new)
    assert set(grown.notes) == {2, 257}
    assert check_growth(grown, new).notes == grown.notes


COSIGNED = {**written_log(numbered(5)), "checkpoint": written_log(numbered(5))["checkpoint"] + b""}
COSIGNED["checkpoint"] += signed(text_of(COSIGNED), STRANGER).partition(b"\n\n")[2]
OTHER_PASTS = {
    "it became shorter": (written_log(numbered(4)), "had 5 entries and has 4"),
    "an entry was changed": (written_log([b"changed", *numbered(7)[1:]]), "entry 0 was changed"),
    "an entry was taken out": (written_log(numbered(8)[1:]), "entry 0 was changed"),
    "another note of the same size": (COSIGNED, "two notes of size 5"),
}


@pytest.mark.parametrize(("files", "reason"), OTHER_PASTS.values(), ids=OTHER_PASTS.keys())
def test_a_log_with_another_past_is_refused(files: Files, reason: str) -> None:
    with pytest.raises(Refuted, match=reason):
        check_growth(read(written_log(numbered(5))), read(files))


def test_a_note_is_remembered_for_ever_even_when_the_log_has_grown_past_it() -> None:
    """A second note of size 5 shows after the look at size 6 as well."""
    view = check_growth(read(written_log(numbered(5))), read(written_log(numbered(6))))
    with pytest.raises(Refuted, match="two notes of size 5"):
        remember(view, referee.open_note(COSIGNED["checkpoint"], referee.read_key(VKEY)))


def test_another_log_is_no_continuation() -> None:
    get = {"checkpoint": (TESSERA / "checkpoint.0").read_bytes()}
    other = read_log(served(get, "/log/"), TESSERA_KEY)
    with pytest.raises(Refuted, match="is not shown any more"):
        check_growth(other, read(written_log([])))
    note = referee.open_note(get["checkpoint"], referee.read_key(TESSERA_KEY))
    with pytest.raises(Refuted, match="a note of example"):
        remember(read(written_log([])), note)


FORKS = {
    "another tree of a smaller size": ([b"fork"], "two trees of size 1"),
    "a size that the log has not reached": (numbered(6), "the log ends at 5"),
}


@pytest.mark.parametrize(("entries", "reason"), FORKS.values(), ids=FORKS.keys())
def test_a_note_that_the_log_does_not_continue_is_refused(entries: list[bytes], reason: str) -> None:
    note = referee.open_note(written_log(entries)["checkpoint"], referee.read_key(VKEY))
    with pytest.raises(Refuted, match=reason):
        remember(read(written_log(numbered(5))), note)


# -- histories --------------------------------------------------------------------------------------------------------

BASE = "https://label.example"
ISSUER = "did:web:label.example"
METHOD = f"{ISSUER}#key-tests"
ISSUER_KEY = SigningKey.from_seed(b"issuer of the tests".ljust(32, b"."))
AT = "2026-11-01T12:00:00Z"
OLD = "log.example/old"
FREEZE = log_entry("freeze", AT, reason="new_year")
A, B, C, D = (code_of(bytes([number]) * 6) for number in (1, 2, 3, 4))


@dataclass
class Label:
    """A label of the product's parts without its service, so that it can be told to lie."""

    entries: list[bytes] = field(default_factory=list)
    documents: Files = field(default_factory=dict)
    proven_at: dict[str, int] = field(default_factory=dict)  # index of each certificate's entry
    places: dict[str, set[int]] = field(default_factory=lambda: {"revocation": set(), "suspension": set()})
    lists: int = 1  # of each purpose
    listed: int | None = None  # the log size that the lists name, when it is not the true one
    history: list[dict[str, Any]] = field(default_factory=list)

    def issue(
        self,
        code: str,
        place: int,
        *,
        request: str | None = None,
        acknowledged: bool = True,
        method: str = METHOD,
        bend: Callable[[dict[str, Any]], object] = lambda document: None,
    ) -> None:
        """A certificate like the golden one, bent before it is signed; its bits stand at ``place`` and just after it."""
        document = json.loads((GOLDEN / "certificate.json").read_text())
        del document["proof"]
        document["id"] = f"{BASE}/v/{code}"
        places = [(entry["statusPurpose"], place + offset) for offset, entry in enumerate(document["credentialStatus"])]
        document["credentialStatus"] = [entry_at(BASE, *each).to_document() for each in places]
        claims = parse_claims(document)
        bend(document)
        self.documents[code] = to_json_text(sign_document(document, ISSUER_KEY, method, AT)).encode()
        self.proven_at[code] = len(self.entries)
        self.entries.append(leaf_of(document, method, claims))
        if acknowledged:
            digest = hashlib.sha256(self.documents[code]).hexdigest()
            self.history.append({"op": "issue", "code": code, "document": digest, "idempotency_key": request})

    def change(self, kind: Any, code: str, *, acknowledged: bool = True) -> None:
        self.entries.append(status_entry(type=kind, code=code, reason="misuse", at=AT))
        if acknowledged:
            self.history.append({"op": kind, "code": code})

    def status_list(self, purpose: str, signer: SigningKey = ISSUER_KEY, number: int = 1) -> bytes:
        size = len(self.entries) if self.listed is None else self.listed
        url, start = status_url(BASE, purpose, number), (number - 1) * LIST_LENGTH
        positions = {place - start for place in self.places[purpose] if 0 <= place - start < LIST_LENGTH}
        payload = status_list_payload(url, purpose, positions, issuer=ISSUER, log=f"{ORIGIN} at size {size}", now=NOW)
        return canonical_bytes(sign_document(payload, signer, METHOD, AT))

    def proof(self, code: str, entries: Sequence[bytes] | None = None) -> bytes:
        """As the service keeps it: under the checkpoint that was the newest when the certificate was made."""
        index = self.proven_at[code]
        entries = self.entries[: index + 1] if entries is None else entries
        path = tuple(tree_of(entries).inclusion_proof(index))
        return render_proof(InclusionProof(index, path, written_log(entries)["checkpoint"]))

    def pages(self) -> Files:
        key = {"id": METHOD, "publicKeyMultibase": ISSUER_KEY.public.multibase}
        return {
            **{f"/log/{path}": raw for path, raw in written_log(self.entries).items()},
            "/log/log.vkey": f"{VKEY}\n".encode(),
            "/trust.json": json.dumps({"logs": [VKEY]}).encode(),
            "/.well-known/did.json": json.dumps({"id": ISSUER, "verificationMethod": [key]}).encode(),
            **{
                f"/status/{purpose}/{number}": self.status_list(purpose, number=number)
                for purpose in self.places
                for number in range(1, self.lists + 1)
            },
            **{f"/v/{code}.vc": raw for code, raw in self.documents.items()},
            **{f"/v/{code}.tlog-proof": self.proof(code) for code in self.documents},
        }


def told() -> Label:
    """A is in force again, B revoked, C revoked while suspended, D revoked before anybody was told so."""
    label = Label()
    for place, code in enumerate((A, B, C), start=1):
        label.issue(code, 1000 * place, request=f"request {place}")
    label.change("suspend", A)
    label.change("revoke", B)
    label.change("suspend", C)
    label.change("reinstate", A)
    label.change("revoke", C)
    label.issue(D, 4000, acknowledged=False)
    label.change("revoke", D, acknowledged=False)
    label.places["revocation"] = {2000, 3000, 4000}
    return label


def judged(label: Label, **changed: bytes | None) -> LogView:
    pages = label.pages()
    for name, raw in changed.items():
        if raw is None:
            del pages[name]
        else:
            assert pages.get(name) != raw
            pages[name] = raw
    return check_history(served(pages), label.history)


def test_a_true_history_is_accepted() -> None:
    label = told()
    view = judged(label)
    assert view.entries == tuple(label.entries)
    assert set(view.notes) == {1, 2, 3, len(label.entries)}  # those of the three proofs, and the newest


def test_a_suspended_certificate_has_its_other_bit_set() -> None:
    label = told()
    label.change("suspend", A)
    label.places["suspension"] = {1001}
    assert judged(label).size == len(label.entries)


def in_the_second_list() -> Label:
    """As ``told``, and one more certificate whose bits stand in the second list; it is revoked."""
    label = told()
    label.lists = 2
    label.issue(code_of(b"second"), LIST_LENGTH + 2000)
    label.change("revoke", code_of(b"second"))
    label.places["revocation"].add(LIST_LENGTH + 2000)
    return label


def test_every_status_list_that_there_is_is_read() -> None:
    assert judged(in_the_second_list()).size == len(in_the_second_list().entries)


SECOND_LISTS: dict[str, tuple[Callable[[Label], object], str]] = {
    "is not there": (lambda label: setattr(label, "lists", 1), "which is not there"),
    "lacks the bit": (lambda label: label.places["revocation"].remove(LIST_LENGTH + 2000), "list 2 is not set"),
    "has a bit too many": (lambda label: label.places["revocation"].add(LIST_LENGTH + 9), "list 2 has 1 places set"),
    "has the other's bit": (lambda label: label.places["suspension"].add(LIST_LENGTH + 2001), "list 2 is set"),
}


@pytest.mark.parametrize(("lie", "reason"), SECOND_LISTS.values(), ids=SECOND_LISTS.keys())
def test_a_second_list_that_tells_something_else_is_refused(lie: Callable[[Label], object], reason: str) -> None:
    label = in_the_second_list()
    lie(label)
    with pytest.raises(Refuted, match=reason):
        judged(label)


def test_a_history_may_hold_the_document_itself_and_an_answer_twice() -> None:
    label = told()
    label.history[0]["document"] = label.documents[A].decode()
    label.history.append(label.history[0])
    assert judged(label)


def test_the_history_of_a_newer_look_continues_the_older() -> None:
    label = told()
    before = judged(label)
    label.change("suspend", A)
    label.places["suspension"] = {1001}
    assert set(before.notes) < set(check_growth(before, judged(label)).notes)


def test_an_earlier_log_of_the_label_is_read_as_well() -> None:
    view = judged(told(), **_after(FREEZE)(told()))
    assert [log.origin for log in view.earlier] == [OLD]
    assert check_growth(judged(told()), view).earlier == view.earlier
    with pytest.raises(Refuted, match=f"{OLD} is not shown any more"):
        check_growth(view, judged(told()))


def test_the_key_of_a_log_may_be_listed_before_the_log_begins() -> None:
    assert judged(told(), **{"/trust.json": _after()(told())["/trust.json"]}).earlier == ()


def _without(kind: str, code: str) -> Callable[[Label], Files]:
    def lie(label: Label) -> Files:
        label.entries = [raw for raw in label.entries if not (f'"{kind}"'.encode() in raw and code.encode() in raw)]
        return {}

    return lie


def _set(purpose: str, *places: int) -> Callable[[Label], Files]:
    def lie(label: Label) -> Files:
        label.places[purpose] = set(places)
        return {}

    return lie


def _then(*changes: tuple[str, str], acknowledged: bool = False) -> Callable[[Label], Files]:
    def lie(label: Label) -> Files:
        for kind, code in changes:
            label.change(kind, code, acknowledged=acknowledged)
        return {}

    return lie


def _entry(raw: bytes) -> Callable[[Label], Files]:
    def lie(label: Label) -> Files:
        label.entries.append(raw)
        return {}

    return lie


def _issued_again(label: Label) -> Files:
    label.entries.append(label.entries[0])
    return {}


def _issued_again_as_another(label: Label) -> Files:
    label.entries.append(label.entries[0].replace(b"2026-11-01", b"2026-11-02"))
    return {}


def _one_request_for_two(label: Label) -> Files:
    label.history[1]["idempotency_key"] = label.history[0]["idempotency_key"]
    return {}


def _never_logged(label: Label) -> Files:
    """The log forgot the entry, and the certificate is proven under a tree of its own."""
    proof, index = label.proof(C), label.proven_at[C]
    label.entries[index] = label.entries[index].replace(b"2026-11-01", b"2026-11-02")
    return {f"/v/{C}.tlog-proof": proof}


def _proven_under_a_fork(label: Label) -> Files:
    """The entry stands where the log has it, and another entry beside it does not."""
    return {f"/v/{B}.tlog-proof": label.proof(B, [b"fork", label.entries[1]])}


def _proven_under_a_longer_log(label: Label) -> Files:
    return {f"/v/{B}.tlog-proof": label.proof(B, [*label.entries, b"an entry that was taken back"])}


def _proven_elsewhere(label: Label) -> Files:
    return {f"/v/{B}.tlog-proof": label.proof(B).replace(ORIGIN.encode(), b"log.example/other")}


def _behind_the_end(label: Label) -> Files:
    label.entries.append(FREEZE)
    label.change("suspend", A, acknowledged=False)
    return {}


def _after(*entries: bytes) -> Callable[[Label], Files]:
    """The label had another log before this one, with these entries."""
    files = written_log(entries, STRANGER, OLD)
    trust = json.dumps({"logs": [VKEY, verifier_key_for(OLD, STRANGER.public).to_text()]}).encode()
    return lambda label: {"/trust.json": trust, **{f"/log/old/{path}": raw for path, raw in files.items()}}


def _proven_as_another(label: Label) -> Files:
    return {f"/v/{A}.tlog-proof": label.proof(B)}


def _acknowledged_without_a_trace(label: Label) -> Files:
    label.history.append({"op": "issue", "code": code_of(b"ghosts"), "document": "0" * 64})
    return {}


def _served_otherwise(label: Label) -> Files:
    return {f"/v/{A}.vc": label.documents[A] + b"\n"}


def _served_as_another(label: Label) -> Files:
    label.history[0]["document"] = label.documents[B].decode()
    return {f"/v/{A}.vc": label.documents[B], f"/v/{A}.tlog-proof": label.proof(B)}


def _changed_and_acknowledged(label: Label) -> Files:
    bent = label.documents[A].replace(b"Night Ferry", b"Night Fairy")
    label.history[0]["document"] = hashlib.sha256(bent).hexdigest()
    return {f"/v/{A}.vc": bent}


def _signed_otherwise(label: Label) -> Files:
    """The issuer signs other words than those that the log holds."""
    document = json.loads(label.documents[A])
    del document["proof"]
    document["credentialSubject"]["narrative"] = "another track"
    bent = to_json_text(sign_document(document, ISSUER_KEY, METHOD, AT))
    label.history[0]["document"] = bent
    return {f"/v/{A}.vc": bent.encode()}


def _order_turned(label: Label) -> Files:
    changes = [operation for operation in label.history if operation["op"] != "issue"]
    label.history = [operation for operation in label.history if operation["op"] == "issue"] + changes[::-1]
    return {}


def _older_lists(label: Label) -> Files:
    label.listed = 7  # before C was revoked
    label.places = {"revocation": {2000}, "suspension": {3001}}
    return {}


def _lists_from_the_future(label: Label) -> Files:
    label.listed = len(label.entries) + 1
    return {}


def _lists_exchanged(label: Label) -> Files:
    return {"/status/suspension/1": label.status_list("revocation")}


def _list_of_a_stranger(label: Label) -> Files:
    return {"/status/revocation/1": label.status_list("revocation", STRANGER)}


def _shared_place(label: Label) -> Files:
    code = code_of(b"shares")
    label.issue(code, 2000)
    label.change("revoke", code)
    return {}


def _one_more(
    bend: Callable[[dict[str, Any]], object] = lambda document: None, method: str = METHOD
) -> Callable[[Label], Files]:
    """The label issues one more certificate, bent before it is signed and logged."""

    def lie(label: Label) -> Files:
        label.issue(code_of(b"another"), 5000, bend=bend, method=method)
        return {}

    return lie


def _with_proof(name: str, value: object) -> Callable[[Label], Files]:
    """The proof of a certificate with another member."""

    def lie(label: Label) -> Files:
        document = json.loads(label.documents[A])
        document["proof"][name] = value
        label.history[0]["document"] = json.dumps(document)
        return {f"/v/{A}.vc": json.dumps(document).encode()}

    return lie


def _with_issuer(document: object) -> Callable[[Label], Files]:
    return lambda label: {"/.well-known/did.json": json.dumps(document).encode()}


def _with_list(change: Callable[[dict[str, Any]], object]) -> Callable[[Label], Files]:
    """A revocation list changed before it is signed."""

    def lie(label: Label) -> Files:
        document = json.loads(label.status_list("revocation"))
        del document["proof"]
        change(document)
        return {"/status/revocation/1": canonical_bytes(sign_document(document, ISSUER_KEY, METHOD, AT))}

    return lie


def _encoded(bits: bytes, first: str = "u") -> Callable[[Label], Files]:
    text = first + base64.urlsafe_b64encode(gzip.compress(bits)).decode().rstrip("=")
    return _with_list(lambda document: document["credentialSubject"].update(encodedList=text))


def _withdrawn_and_hidden(label: Label) -> Files:
    del label.documents[D]
    return {}


def _bent_tile(label: Label) -> Files:
    path, raw = next(item for item in written_log(label.entries).items() if item[0].startswith("tile/0/"))
    return {f"/log/{path}": flipped(raw, 77)}


LIES: dict[str, tuple[Callable[[Label], Files], str]] = {
    "an acknowledged certificate is not there": (_acknowledged_without_a_trace, "answers 404"),
    "it is served with a byte more": (_served_otherwise, "other bytes than were acknowledged"),
    "another one is served in its place": (_served_as_another, "is served"),
    "its words were changed after signing": (_changed_and_acknowledged, "signature of the certificate"),
    "other words were signed than logged": (_signed_otherwise, "does not hold this entry"),
    "its proof is another one's": (_proven_as_another, "does not hold this entry"),
    "its proof is of a tree that forked": (_proven_under_a_fork, "two trees of size 2"),
    "its proof is of a log that was longer": (_proven_under_a_longer_log, "was given out, the log ends at"),
    "its entry was exchanged in the log": (_never_logged, "the log holds something else"),
    "one request has two certificates": (_one_request_for_two, "one request was given two"),
    "a code is issued twice in the same words": (_issued_again, "issued twice"),
    "a code is issued twice in other words": (_issued_again_as_another, "issued twice"),
    "an acknowledged revocation is not in the log": (_without("revoke", B), "acknowledged revoke is not in the log"),
    "an acknowledged suspension is not in the log": (_without("suspend", C), "acknowledged suspend is not in the log"),
    "the last of two changes is not in the log": (_without("reinstate", A), "reinstate is not in the log"),
    "changes were logged in another order": (_order_turned, "not in its order"),
    "a revoked certificate comes back": (_then(("reinstate", B)), "reinstate .* follows revoke"),
    "a certificate is revoked twice": (_then(("revoke", B)), "revoke .* follows revoke"),
    "a change of what was never issued": (_then(("revoke", code_of(b"nobody"))), "follows nothing"),
    "a revocation that the list does not show": (_set("revocation", 3000, 4000), "2000 .* is not set"),
    "a revocation nobody was told of is left out": (_set("revocation", 2000, 3000), "4000 .* is not set"),
    "a quiet revocation": (_set("revocation", 1000, 2000, 3000, 4000), "the log says nothing of it"),
    "a quiet suspension": (_set("suspension", 2001), "the log says nothing of it"),
    "a bit that belongs to nobody": (_set("suspension", 77), "no entry accounts for"),
    "a suspension that the list does not show": (_then(("suspend", A)), "1001 .* is not set"),
    "lists older than what was acknowledged": (_older_lists, "lists are older"),
    "lists of a log that is longer": (_lists_from_the_future, "was computed at .*, that has"),
    "a list of a log that is not there": (
        _with_list(lambda it: it.update(description="Computed from the log log.example/other at size 3.")),
        "that is not there",
    ),
    "a log whose key is not listed": (lambda label: {"/trust.json": b'{"logs":[]}'}, "does not list the key"),
    "a trust file without logs": (lambda label: {"/trust.json": b"{}"}, "lists no logs"),
    "a proof by a log that is not the label's": (_proven_elsewhere, "is no log of this label"),
    "an earlier log that was never closed": (_after(FREEZE.replace(b"freeze", b"key-add")), "is not closed"),
    "a change of a certificate in an earlier log": (
        _after(status_entry(type="revoke", code=A, reason="misuse", at=AT), FREEZE),
        "follows nothing",
    ),
    "a code that was issued in an earlier log": (
        lambda label: _after(label.entries[0], FREEZE)(label),
        "issued twice",
    ),
    "an entry behind the end of the log": (_behind_the_end, "stands behind the end"),
    "the lists exchanged": (_lists_exchanged, "is another one"),
    "a list signed by a stranger": (_list_of_a_stranger, "signature of the revocation list"),
    "two certificates in one place": (_shared_place, "share a place"),
    "a withdrawn certificate is hidden": (_withdrawn_and_hidden, f"/v/{D}.vc answers 404"),
    "a place in a list of somebody else": (
        _one_more(lambda it: it["credentialStatus"][0].update(statusListCredential="https://other.example/list/1")),
        "names another status list",
    ),
    "no place in one of the lists": (_one_more(lambda it: it["credentialStatus"].pop()), "its two status lists"),
    "a place beyond the end": (
        _one_more(lambda it: it["credentialStatus"][1].update(statusListIndex="131072")),
        "a place beyond the end",
    ),
    "a certificate without evidence": (_one_more(lambda it: it.pop("evidence")), "not a certificate of this label"),
    "a certificate by a key that is not listed": (_one_more(method=f"{ISSUER}#key-other"), "does not list"),
    "a proof of another suite": (_with_proof("cryptosuite", "eddsa-rdfc-2022"), "no proof of the suite"),
    "a proof value that is none": (_with_proof("proofValue", "z0OIl"), "not base58btc"),
    "an issuer without keys": (_with_issuer({"id": ISSUER}), "lists no keys"),
    "an issuer with a key of another kind": (
        _with_issuer({"verificationMethod": [{"id": METHOD, "publicKeyMultibase": "zQ3s"}]}),
        "is not an Ed25519 key",
    ),
    "a list that names no size": (_with_list(lambda it: it.update(description="A list.")), "names no size"),
    "a list that is too short": (_encoded(bytes(16383)), "131064 bits"),
    "a list that is too long": (_encoded(bytes(16385)), "131080 bits"),
    "a list in another base": (_encoded(bytes(16384), "m"), "bits"),
    "a list that cannot be unpacked": (
        _with_list(lambda it: it["credentialSubject"].update(encodedList="uH4sI")),
        "cannot be read",
    ),
    "an entry that is no object": (_entry(b"[]"), "not a JSON object"),
    "an entry that is not canonical": (_entry(b'{"v": "lcal-log/1"}'), "not canonical"),
    "an entry that is not JSON": (_entry(b"entry"), "not JSON"),
    "an entry with a fraction": (_entry(b'{"v":1.5}'), "holds the number"),
    "an entry with a member twice": (_entry(b'{"v":"x","v":"lcal-log/1"}'), "a member twice"),
    "an entry of another form": (_entry(b'{"type":"issue","v":"lcal-log/2"}'), "no known form"),
    "an entry of no known type": (_entry(b'{"type":"pardon","v":"lcal-log/1"}'), "no known form"),
    "an entry about no certificate": (_entry(b'{"code":"?","type":"issue","v":"lcal-log/1"}'), "about no certificate"),
    "a bent tile": (_bent_tile, "is not what the entries below it give"),
}


@pytest.mark.parametrize(("lie", "reason"), LIES.values(), ids=LIES.keys())
def test_a_label_that_lies_is_refuted(lie: Callable[[Label], Files], reason: str) -> None:
    label = told()
    changed = lie(label)
    with pytest.raises(Refuted, match=reason):
        judged(label, **changed)


def test_a_history_with_an_unknown_operation_is_an_error_of_the_test() -> None:
    label = told()
    label.history.append({"op": "pardon", "code": B})
    with pytest.raises(ValueError, match="pardon"):
        judged(label)


# -- canonical JSON ---------------------------------------------------------------------------------------------------

VALUES = {
    "names are sorted by UTF-16 code units": {"\U0001f600": 1, "\ufb33": 2, "é": 3, "a": 4, "B": 5, "": 6},
    "what must be escaped": '\x00\x08\t\n\x0b\x0c\r\x1f"\\/\x7f\u2028é😀',
    "nothing, true, false": [None, True, False, {}, []],
    "the outermost integers": [0, -1, 2**53 - 1, 1 - 2**53],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_both_spellings_of_canonical_json_agree(value: Any) -> None:
    assert referee.canonical(value) == canonical_bytes(value)


@pytest.mark.parametrize("value", [1.5, 2**53, "\ud800"], ids=["a fraction", "too large", "half a pair"])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(Refuted):
        referee.canonical([value])


# -- the whole product, and by hand -------------------------------------------------------------------------------------


def test_the_referee_knows_nothing_of_the_product() -> None:
    tree = ast.parse((HERE / "referee.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    plain = {"__future__", "base64", "collections", "dataclasses", "gzip", "hashlib", "json", "nacl", "re", "sys"}
    assert {name.partition(".")[0] for name in names} <= plain | {"typing", "urllib", "zlib"}


def answers_of(client: FlaskClient) -> Get:
    return lambda path: ((answer := client.get(path)).status_code, answer.data)


def test_a_real_service_is_accepted_after_each_operation(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    certifier = studio.certifier()
    client = create_app(certifier, lambda: NOW + timedelta(days=2)).test_client()
    history: list[dict[str, Any]] = []

    get = answers_of(client)

    def issue(number: int) -> str:
        track = write_track(tmp_path / f"track-{number}.wav", pitch=200.0 + 20 * number)
        log = emissions_csv(f"run-{number}")
        report = studio.report(title=f"Track {number}", run_id=f"run-{number}", track=track)
        report["raw_log_sha256"] = [hashlib.sha256(log).hexdigest()]
        upload = studio.upload(studio.signed(report, track=track), track=track, logs={"emissions.csv": log})
        issued = certifier.submit(upload, NOW)
        assert isinstance(issued, Issued)
        document = (issued.certificate.document or b"").decode()
        history.append({"op": "issue", "code": issued.certificate.code, "document": document})
        return issued.certificate.code

    def change(kind: Any, code: str) -> None:
        certifier.change_status(code, kind, "misuse", NOW + timedelta(days=1))
        history.append({"op": kind, "code": code})

    view = check_history(get, history)
    assert view.size == 0
    one, two = issue(1), issue(2)
    for step in (("suspend", one), ("revoke", two), ("reinstate", one), ("suspend", one), ("revoke", one)):
        change(*step)
        view = check_growth(view, check_history(get, history))
    assert view.size == len(history) == 7
    with pytest.raises(Refuted, match="acknowledged reinstate is not in the log"):
        check_history(get, [*history, {"op": "reinstate", "code": one}])
    certifier.close()


def test_a_real_service_may_close_its_log_and_begin_another(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    history: list[dict[str, Any]] = []
    views: list[LogView] = []

    def look(number: int, *changes: str) -> None:
        """Open the installation, issue a certificate, change the first one, and judge."""
        with closing(studio.certifier()) as certifier:
            issued = certifier.certify(studio.examined(number), NOW)
            assert isinstance(issued, Issued)
            document = (issued.certificate.document or b"").decode()
            history.append({"op": "issue", "code": issued.certificate.code, "document": document})
            for kind in changes:
                certifier.change_status(history[0]["code"], kind, "misuse", NOW)  # type: ignore[arg-type]
                history.append({"op": kind, "code": history[0]["code"]})
            views.append(check_history(answers_of(create_app(certifier, lambda: NOW).test_client()), history))

    look(1, "suspend")
    old, new = turn_log(studio.settings, NOW)
    look(2, "reinstate", "revoke")
    grown = check_growth(*views)
    assert ([log.origin for log in grown.earlier], grown.origin) == ([old], new)
    assert [log.size for log in (*grown.earlier, grown)] == [3, 3]


@contextmanager
def serving(pages: Mapping[str, bytes]) -> Iterator[str]:
    """The pages on a port of their own; the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_by_hand_it_says_accept_with_the_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = told()
    history = tmp_path / "history.jsonl"
    history.write_text("".join(f"{json.dumps(operation)}\n" for operation in label.history))
    with serving(label.pages()) as url:
        assert referee.main([url]) == 0
        assert referee.main([f"{url}/", str(history)]) == 0
    assert capsys.readouterr().out == f"ACCEPT {ORIGIN} {len(label.entries)}\n" * 2


def test_by_hand_it_says_refuted_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with serving({**told().pages(), "/log/checkpoint": b""}) as url:
        assert referee.main([url]) == 3
    assert capsys.readouterr().out.startswith("REFUTED the note is not")
    with serving({}) as url:
        assert referee.main([url]) == 3
    assert capsys.readouterr().out == "REFUTED /.well-known/did.json answers 404\n"


def test_by_hand_it_judges_nothing_that_it_cannot_reach(capsys: pytest.CaptureFixture[str]) -> None:
    with serving({}) as url:
        pass
    assert referee.main([url]) == 2
    assert referee.main([]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "cannot be read" in output.err
    assert "usage" in output.err
