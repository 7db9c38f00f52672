"""Check a whole installation against itself: every entry, tile, checkpoint, certificate and reservation.

Nothing is written. The start-up check looks at the head and the right edge; this looks at everything, so run it each night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from certifier.certificate.proof import verify_document
from certifier.certificate.status import PURPOSES, status_entries_of
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keyring import Keyring
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError
from certifier.log.entry import parse_entry
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import open_checkpoint
from certifier.log.proof import parse_proof, verify_proof
from certifier.service.logbook import STATES, Logbook
from certifier.service.renditions import KINDS, is_good
from certifier.storage.rows import CertificateRow, PlacedEntry
from certifier.storage.store import Store

CHUNK = 1000


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be: where, and what."""

    place: str
    found: str


@dataclass
class Known:
    """What the logs say, gathered while they are read: by code the issue entry, and the last state.

    ``sizes`` is how far each log was read; an installation at work goes on meanwhile, and what is newer is no fault.
    """

    issued: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def has_read(self, placed: PlacedEntry | None) -> bool:
        return placed is not None and placed.index < self.sizes.get(placed.origin, 0)


Progress = Callable[[str, int, int], None]  # what, how far, of how many


def check_installation(
    store: Store, logbooks: list[Logbook], keyring: Keyring, did: str, progress: Progress = lambda *_: None
) -> Iterator[Finding]:
    """Everything that is wrong, in the order of its weight."""
    if damage := store.damage():
        yield Finding("database", damage)
    known = Known()
    for book in logbooks:
        yield from _check_log(store, book, known, progress)
    yield from _check_certificates(store, logbooks, known, keyring, did, progress)
    for run, used, held in store.wrong_runs():
        yield Finding(f"run {run}", f"{used} parts per trillion are taken, its certificates hold {held}")


def _check_log(store: Store, book: Logbook, known: Known, progress: Progress) -> Iterator[Finding]:
    for problem in book.problems:
        yield Finding(book.origin, f"{problem.kind}: {problem.found}")
    anchor = book.folder.checkpoint()  # before the head, which only grows
    head = store.log(book.origin)
    known.sizes[book.origin] = head.size
    tree, entries = Tree(), list[bytes]()
    for start in range(0, head.size, CHUNK):
        for placed in store.entries_between(book.origin, start, min(start + CHUNK, head.size)):
            yield from _check_entry(placed, known)
            tree.append(leaf_hash(placed.entry))
            entries.append(placed.entry)
        progress(f"entries of {book.origin}", tree.size, head.size)
    for row in [row for row in store.all_checkpoints(book.origin) if row.size <= head.size]:
        for name, note in (("note", row.note), ("published note", row.published)):
            if note is not None and (misfit := _misfit_of(book, tree, row.size, note)):
                yield Finding(f"{book.origin} checkpoint {row.size}", f"{name}: {misfit}")
    if anchor is None:
        yield Finding(str(book.folder.path), "there is no checkpoint file")
        return
    try:
        size = open_checkpoint(anchor, [book.verifier_key]).size
    except CertifierError as error:
        yield Finding(str(book.folder.path / "checkpoint"), error.message)
        return
    if size > tree.size:
        yield Finding(book.origin, f"size {size} was published, {tree.size} entries are here")
    elif difference := book.folder.first_difference(tree, lambda a, b: entries[a:b], size, whole=True):
        yield Finding(str(book.folder.path), difference)


def _check_entry(placed: PlacedEntry, known: Known) -> Iterator[Finding]:
    place = f"{placed.origin} entry {placed.index}"
    try:
        members = parse_entry(placed.entry)
    except CertifierError as error:
        yield Finding(place, error.message)
        return
    if (members["type"], members.get("code")) != (placed.type, placed.code):
        found = f"is filed as {placed.type} {placed.code}, and says {members['type']} {members.get('code')}"
        yield Finding(place, found)
    code = members.get("code")
    if members["type"] == "issue":
        if code in known.issued:
            yield Finding(place, f"the code {code} was issued before")
        known.issued[str(code)] = placed.entry
    elif members["type"] in STATES:
        if code not in known.issued:
            yield Finding(place, f"{members['type']} of {code}, which no log issued")
        known.states[str(code)] = STATES[members["type"]]


def _misfit_of(book: Logbook, tree: Tree, size: int, note: bytes) -> str | None:
    try:
        checkpoint = open_checkpoint(note, [book.verifier_key])
    except CertifierError as error:
        return error.message
    if checkpoint.size != size or size > tree.size or tree.root(size) != checkpoint.root:
        return "the entries do not lead to it"
    return None


def _check_certificates(
    store: Store, logbooks: list[Logbook], known: Known, keyring: Keyring, did: str, progress: Progress
) -> Iterator[Finding]:
    seen = Counter[str]()
    total = store.counts()["certificates"]
    for row in store.all_certificates():
        seen[row.code] += 1
        progress("certificates", len(seen), total)
        faults = _faults_of(store, row, known, logbooks, keyring, did)
        yield from (Finding(f"certificate {row.code}", found) for found in faults)
    for code in known.issued:
        if not seen[code]:
            yield Finding(f"certificate {code}", "is in the log, and its row is lost")


def _faults_of(
    store: Store, row: CertificateRow, known: Known, logbooks: list[Logbook], keyring: Keyring, did: str
) -> Iterator[str]:
    if row.code not in known.issued:
        placed = store.entry_for(row.code, "issue")
        if row.document is not None and (placed is None or known.has_read(placed)):
            yield "is delivered, and no log holds it"
        return
    entry = known.issued[row.code]
    if parse_entry(entry)["payload"] != f"sha256:{sha256_hex(row.payload)}":
        yield "its payload is not the one that the log holds"
        return
    places = {status.purpose: status.place for status in status_entries_of(parse_object(row.payload))}
    if {purpose: getattr(row, f"{purpose}_index") for purpose in PURPOSES} != places:
        yield "its places in the status lists are not those of its payload"
    state = known.states.get(row.code, "active")
    if bool(row.in_force) == (state == "revoked") and not _was_changed_since(store, row.code, known):
        yield f"is {state} by the log, and in_force says {row.in_force}"
    if row.document is not None:
        yield from _document_faults(row, entry, logbooks, keyring, did)
        yield from _rendition_faults(store, row, keyring, did)


def _was_changed_since(store: Store, code: str, known: Known) -> bool:
    """Whether its newest change is newer than what was read of the log."""
    last = store.last_change(code)
    return last in STATES and not known.has_read(store.entry_for(code, last))


def _document_faults(
    row: CertificateRow, entry: bytes, logbooks: list[Logbook], keyring: Keyring, did: str
) -> Iterator[str]:
    key = keyring.named(row.verification_method.removeprefix(f"{did}#"))
    if key is None:
        yield f"is signed by {row.verification_method}, which the register does not list"
        return
    try:
        if verify_document(parse_object(row.document or b""), key.public) != parse_object(row.payload):
            yield "its document is not its payload"
        verify_proof(parse_proof(row.proof or b""), entry, [book.verifier_key for book in logbooks])
    except CertifierError as error:
        yield error.message


def _rendition_faults(store: Store, row: CertificateRow, keyring: Keyring, did: str) -> Iterator[str]:
    key = keyring.named(row.verification_method.removeprefix(f"{did}#"))
    if key is None:
        return  # that is said of the document already
    for form, kept in store.renditions_of(row.code).items():
        if form not in KINDS or not is_good(form, kept, row.payload, row.verification_method, key.public):
            yield f"its form {form} does not verify, or does not carry its payload"


def repair_files(logbooks: list[Logbook]) -> Mapping[str, int]:
    """Write the public files anew from entries that lead to the signed head; returns the size of each log that was."""
    return {book.origin: book.rewrite_files() for book in logbooks if book.can_rewrite}
