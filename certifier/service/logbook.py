"""One log of the label: its committed tree, its checkpoints, its public files; the one door to all of them.

The order is the promise (DESIGN law 3): an entry is committed before anything is signed over it, the tree's files before its
checkpoint, the checkpoint before the certificate. Each step is a transaction of its own; ``publish`` finishes at the next
start whatever a crash left between two of them. What is found wrong at the start stands in ``problems``; then nothing is
written, and reading goes on from the source that leads to the signed root: the database, else the log's own bundles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from time import monotonic
from typing import Protocol

from certifier.certificate.times import parse_time
from certifier.crypto.signing import Signer
from certifier.errors import (
    BusyError,
    CertifierError,
    MalformedNote,
    NotFoundError,
    OperatorError,
    ReadOnlyError,
    StorageError,
)
from certifier.log.entry import parse_entry
from certifier.log.merkle import Tree, leaf_hash, root_of_peaks
from certifier.log.note import Checkpoint, VerifierKey, open_checkpoint, sign_checkpoint
from certifier.log.proof import InclusionProof, render_proof
from certifier.log.tiles import TILE_WIDTH, entry_bundle, parse_tile_path, tile_bytes, width_at
from certifier.storage.log_folder import LogFolder
from certifier.storage.rows import CheckpointRow
from certifier.storage.store import BATCH, Store

LOOK_EVERY_S = 1.0  # how long another replica's checkpoint may stay unseen
CLOCK_SKEW = timedelta(minutes=5)
WITNESS_S = 5.0  # how long witnesses may take for one checkpoint
CHUNK = 4096


@dataclass(frozen=True)
class Head:
    """The newest published checkpoint: its size and the note, byte for byte as served."""

    size: int
    note: bytes


@dataclass(frozen=True)
class Change:
    """One change of a certificate's status, as the log holds it at an index."""

    log_index: int
    kind: str
    at: str
    reason: str
    replaced_by: str | None


@dataclass(frozen=True)
class Problem:
    """Why nothing may be written: a short name for machines, and the sentence for people."""

    kind: str
    found: str
    hint: str = ""


class Cosigners(Protocol):
    """Who has to have seen a checkpoint before it is published."""

    def cosign(self, note: bytes, consistency: Callable[[int, int], list[bytes]], deadline_s: float) -> bytes:
        """The note with enough cosignatures. Raises BusyError when too few answer, OperatorError for a split view."""
        ...

    def largest_known(self, note: bytes, consistency: Callable[[int, int], list[bytes]]) -> int:
        """The largest size of this log that any of them has seen."""
        ...


class Logbook:
    """The log of one origin. Thread-safe; ``signer`` is None for a log that is closed."""

    def __init__(
        self,
        store: Store,
        origin: str,
        verifier_key: VerifierKey,
        folder: LogFolder,
        signer: Signer | None = None,
        cosigners: Cosigners | None = None,
    ) -> None:
        self.origin = origin
        self.verifier_key = verifier_key
        self.folder = folder
        self._changes: dict[str, tuple[Change, ...]] = {}
        self.problems: tuple[Problem, ...] = ()
        self.last_time: datetime | None = None
        self.is_frozen = False
        self._store = store
        self._signer = signer
        self._cosigners = cosigners
        self._lock = RLock()
        self._tree = Tree()
        self._tail: tuple[int, list[bytes]] = (0, [])  # the newest entries, from an index on; replaced as one
        self._head = Head(0, b"")
        self._entries: Callable[[int, int], Sequence[bytes]] = self._recent_entries
        self._stamp, self._looked_at = 0, monotonic()
        self._open()
        self._leads_to_head = not self.problems or self._reaches(self._head.note)

    # -- opening ------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            self.problems = tuple(self._read())
        except CertifierError as error:  # an entry that is none
            self.problems = (Problem("entries-changed", f"{error.message} {error.found or ''}".strip(), _RESTORE),)
        if self.problems:
            if not self.can_rewrite:  # else the database is right, and newer than a torn file
                self._read_from_files()
        elif self._cosigners and self._head.note and self._signer:
            self.problems = tuple(self._ask_witnesses(self._cosigners))

    def _ask_witnesses(self, cosigners: Cosigners) -> Iterator[Problem]:
        """What those outside remember of this log, and this database does not."""
        try:
            known = cosigners.largest_known(self._head.note, self._tree.consistency_proof)
        except OperatorError as error:
            yield Problem("log-inconsistent", f"{error.message} {error.found or ''}".strip(), error.hint or _RESTORE)
            return
        if known > self._tree.size:  # a checkpoint that was signed, and missed its quorum, is ours
            found = f"a witness has seen this log at size {known}; here it ends at {self._tree.size}"
            yield Problem("behind-witness", found, _RESTORE)

    def _read(self) -> Iterator[Problem]:
        """Read the log as the database has it, and say what does not fit: entries, head, checkpoint, anchor, files.

        Replicas and commands may write meanwhile. Each thing is read before what it rests on, and a log only grows, so
        that a healthy one never looks as if something were missing.
        """
        anchor, saved = self.folder.checkpoint(), self._store.last_checkpoint(self.origin)
        row = self._store.log(self.origin)
        self.is_frozen = bool(row.frozen)
        if saved and saved.published:
            self._head = Head(saved.size, saved.published)
        rows, end = self._store.entry_counts(self.origin, row.size)
        if rows != row.size or end > self._store.log(self.origin).size:
            yield Problem("entries-missing", f"{rows} of {row.size} entries, the last index + 1 is {end}", _RESTORE)
            return
        for start in range(0, row.size, CHUNK):
            self._take_in(self._stored_entries(start, min(start + CHUNK, row.size)))
        if self._tree.root() != root_of_peaks(row.peak_hashes):
            yield Problem("entries-changed", f"the {row.size} stored entries do not lead to the log's head", _RESTORE)
            return
        for name, note in (("checkpoint", saved.published if saved else None), ("anchor", anchor)):
            if note is not None and (problem := self._misfit(name, note)):
                yield problem
                return
        if anchor is not None:
            size = self._size_of(anchor)
            if size > self._head.size:  # a crash between the two, or a database that was set back: only the tree tells
                self._head = Head(size, anchor)
            if size and (difference := self.folder.first_difference(self._tree, self._stored_entries, size)):
                yield Problem("tile-torn", f"{self.origin}: {difference}", _TILES)
        self._stamp = self.folder.stamp()

    def _misfit(self, name: str, note: bytes) -> Problem | None:
        """Why a signed note does not belong to this log; None when it does."""
        try:
            checkpoint = open_checkpoint(note, [self.verifier_key])
        except MalformedNote as error:
            return Problem(f"{name}-torn", f"{error.message} {error.found or ''}".strip(), _RESTORE)
        except CertifierError as error:
            return Problem("wrong-key", f"the last {name}: {error.message} {error.found or ''}".strip(), KEY_HINT)
        if checkpoint.size > self._tree.size:
            return Problem(
                "behind-anchor",
                f"{self._tree.size} entries; a checkpoint of size {checkpoint.size} was published before",
                _RESTORE,
            )
        if self._tree.root(checkpoint.size) != checkpoint.root:
            return Problem("entries-changed", f"the stored entries do not lead to the signed {name}", _RESTORE)
        return None

    def _read_from_files(self) -> None:
        """Read the log from its own bundles, so that what was published can still be proved and its status told."""
        anchor = self.folder.checkpoint()
        try:
            checkpoint = open_checkpoint(anchor or b"", [self.verifier_key])
            tree, entries = self.folder.load_tree(checkpoint.size)
        except CertifierError:
            return
        if tree.root() == checkpoint.root and anchor:
            self._tree, self._changes, self._tail = Tree(), {}, (0, [])
            self._take_in(entries)
            self._head = Head(checkpoint.size, anchor)
            self._entries = lambda start, end: entries[start:end]

    def _reaches(self, note: bytes) -> bool:
        """Whether the tree at hand is the one that a checkpoint signs."""
        try:
            self._check_root(open_checkpoint(note, [self.verifier_key]))
        except CertifierError:
            return False
        return True

    @property
    def can_sign(self) -> bool:
        return self._signer is not None

    @property
    def is_unfinished(self) -> bool:
        """Whether entries have their places and no published checkpoint holds them yet."""
        return self._tree.size > self._head.size

    @property
    def is_trustworthy(self) -> bool:
        """Whether the entries at hand lead to the head that is served."""
        return bool(self._head.note) and self._leads_to_head

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def head(self) -> Head:
        """The newest published checkpoint, as far as it was seen a second ago."""
        if not self.problems and (self._stamp != self.folder.stamp() or monotonic() - self._looked_at > LOOK_EVERY_S):
            with suppress(
                StorageError
            ):  # its files cannot be written, or the database is away: what was shown last stays
                self.catch_up()
        return self._head

    def catch_up(self) -> None:
        """Take in what another process of this installation, a replica or an operator's command, published meanwhile.

        While this process itself publishes nobody waits for it: what was shown last is the answer.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._looked_at, self._stamp = monotonic(), self.folder.stamp()
            saved = self._store.last_checkpoint(self.origin)
            if saved is None or saved.published is None or saved.size <= self._head.size:
                return
            self._grow_to(saved.size)
            self._check_root(open_checkpoint(saved.published, [self.verifier_key]))
            self._show(saved.size, saved.published)
        finally:
            self._lock.release()

    @property
    def can_rewrite(self) -> bool:
        """Whether the entries lead to the head, so that the files may be made from them."""
        return all(problem.kind in {"tile-torn", "anchor-torn"} for problem in self.problems)

    def rewrite_files(self) -> int:
        """Write every public file of the published size anew where it differs; returns the size."""
        with self._lock:
            self.folder.save_growth(self._tree, self._stored_entries, 0, self._head.size)
            if self._head.note:
                self.folder.save_checkpoint(self._head.note)
            return self._head.size

    def changes_of(self, code: str, size: int | None = None) -> tuple[Change, ...]:
        """The changes of a certificate's status that the published checkpoint holds, or the first ``size`` entries."""
        size = self.head.size if size is None else size
        return tuple(change for change in self._changes.get(code, ()) if change.log_index < size)

    def changed_codes(self) -> list[str]:
        """The codes of all certificates whose status was ever changed."""
        return list(self._changes)

    def entries_between(self, start: int, end: int) -> list[bytes]:
        """The entries from an index up to another, as they are served."""
        return list(self._entries(start, end))

    def proof_for(self, code: str, kind: str = "issue") -> bytes:
        """The ``.tlog-proof`` file of a certificate's entry against the newest checkpoint. Raises NotFoundError."""
        placed, head = self._store.entry_for(code, kind), self.head
        if placed is None or placed.origin != self.origin or placed.index >= head.size:
            raise NotFoundError("The log does not hold this certificate yet.", found=code)
        return self.proof_at(placed.index)

    def proof_at(self, index: int) -> bytes:
        """The ``.tlog-proof`` file of an entry against the newest checkpoint."""
        head = self._head
        return render_proof(InclusionProof(index, tuple(self._tree.inclusion_proof(index, head.size)), head.note))

    def resource(self, path: str) -> bytes | None:
        """The bytes of a public path below the log's address (C2SP tlog-tiles), or None when there is nothing there."""
        tile = parse_tile_path(path)
        if tile is None or tile.width > width_at(tile.level or 0, tile.index, self.head.size):
            return None
        if not self.is_trustworthy:  # what is served once may be kept for ever
            raise StorageError("The entries at hand are not those that were signed.", found=self.origin)
        if tile.level is None:
            return self._bundle(tile.index * TILE_WIDTH, tile.width)
        return tile_bytes(self._tree, tile.level, tile.index, tile.width)

    def _bundle(self, start: int, width: int) -> bytes:
        """Entries as a bundle, seen to be those of the signed tree: what is served once may be kept for ever."""
        entries = self._entries(start, start + width)
        if b"".join(map(leaf_hash, entries)) != self._tree.hashes(0, start, width):
            raise StorageError("The stored entries are not those of the log.", found=f"{self.origin} from {start}")
        return entry_bundle(entries)

    # -- writing (B, C, anchor, witnesses) ----------------------------------------------------------------------

    def publish(self, *, blocking: bool = True) -> bool:
        """Give every waiting entry its place, sign the tree, write its files, show it. Durable when this returns True.

        False, and nothing done, when it is not to wait for another thread that publishes just now.
        Raises BusyError while too few witnesses answer: all is kept, and the next call goes on.
        """
        if self._signer is None or self.problems:
            raise ReadOnlyError(
                "The log is not written to now.",
                found="; ".join(problem.found for problem in self.problems) or "closed",
            )
        if not self._lock.acquire(blocking=blocking):
            return False
        try:
            row, placed = self._store.sequence(self.origin)
            while placed == BATCH and not row.frozen:  # a full batch: there may be more
                row, placed = self._store.sequence(self.origin)
            self.is_frozen = bool(row.frozen)
            # Only now, over committed entries that were read back: a checkpoint whose entries could be lost, or differ
            # from what was hashed, would be a split view.
            self._grow_to(row.size)
            checkpoint = Checkpoint(self.origin, row.size, root_of_peaks(row.peak_hashes))
            self._check_root(checkpoint)
            if row.size == self._head.size and self._head.note:
                self._show(self._head.size, self._head.note)  # the files that a crash may have kept from being written
                return True
            note = sign_checkpoint(checkpoint, self._signer)
            open_checkpoint(note, [self.verifier_key])
            published = None if self._cosigners else note
            self._store.save_checkpoint(CheckpointRow(self.origin, row.size, note, published))
            if self._cosigners:
                self.folder.save_growth(self._tree, self._entries, self._head.size, row.size)
                cosigned = self._cosigned(self._cosigners, note, row.size)
                published = self._store.publish_checkpoint(self.origin, row.size, cosigned)
            self._show(row.size, published or note)
            return True
        finally:
            self._lock.release()

    def _cosigned(self, cosigners: Cosigners, note: bytes, size: int) -> bytes:
        """The note with its cosignatures. Raises BusyError when a replica is ahead of this one: it asks them for more."""
        try:
            return cosigners.cosign(note, self._tree.consistency_proof, WITNESS_S)
        except OperatorError as error:
            committed = next(log.size for log in self._store.logs() if log.origin == self.origin)
            if committed > size:
                raise BusyError("Another replica publishes a larger log.", found=f"size {committed}") from error
            raise

    def _show(self, size: int, note: bytes) -> None:
        """Serve a checkpoint: its files first, then the checkpoint's own (the anchor), then every answer from here."""
        with self.folder.locked():  # two processes may show at once: the anchor never goes back
            anchored = self.folder.checkpoint()
            old = self._size_of(anchored) if anchored else 0
            if anchored != note and old <= size:
                self.folder.save_growth(self._tree, self._entries, old, size)
                self.folder.save_checkpoint(note)
        self._head = Head(size, note)
        self._stamp = self.folder.stamp()

    def _size_of(self, note: bytes) -> int:
        return open_checkpoint(note, [self.verifier_key]).size

    def _grow_to(self, size: int) -> None:
        if size > self._tree.size:
            self._take_in(self._stored_entries(self._tree.size, size))

    def _check_root(self, checkpoint: Checkpoint) -> None:
        """The root by a second path: from the entries as they are read back, not from the head's peaks."""
        if checkpoint.size > self._tree.size or self._tree.root(checkpoint.size) != checkpoint.root:
            raise OperatorError(
                "The stored log entries do not lead to the log's head.",
                found=f"{self._tree.size} entries of {self.origin}",
                expected=f"the tree of size {checkpoint.size}",
                hint=_RESTORE,
            )

    def _recent_entries(self, start: int, end: int) -> Sequence[bytes]:
        """As stored; the newest bundle's are at hand, as they were read back."""
        begin, tail = self._tail
        if begin <= start and end <= begin + len(tail):
            return tail[start - begin : end - begin]
        return self._stored_entries(start, end)

    def _stored_entries(self, start: int, end: int) -> list[bytes]:
        return [placed.entry for placed in self._store.entries_between(self.origin, start, end)]

    def _take_in(self, entries: Sequence[bytes]) -> None:
        """Append committed entries to the tree, and note what they change."""
        _, tail = self._tail
        for entry in entries:
            index = self._tree.append(leaf_hash(entry))
            if not _is_issue(entry):
                self._note_change(index, entry)
        kept = [*tail, *entries][-TILE_WIDTH - len(entries) :]
        self._tail = (self._tree.size - len(kept), kept)
        if entries:
            newest = parse_time(parse_entry(entries[-1])["at"])
            self.last_time = max(newest, self.last_time or newest)

    def _note_change(self, index: int, entry: bytes) -> None:
        members = parse_entry(entry)
        if members["type"] in STATES:
            change = Change(index, members["type"], members["at"], members["reason"], members.get("replaced_by"))
            self._changes[members["code"]] = (*self._changes.get(members["code"], ()), change)


STATES = {"revoke": "revoked", "suspend": "suspended", "reinstate": "active"}
_RESTORE = "Do not sign with this database. Run: certifier log fsck, then certifier restore."
KEY_HINT = (
    "The keys in private/ must be the ones that the register lists. "
    "Encrypted ones need LCAL_KEY_PASSPHRASE_FILE, the file with their passphrase."
)
_TILES = "Run: certifier log fsck --repair, once the entries are known to be right."


def _is_issue(entry: bytes) -> bool:
    """Most entries are; they change no status and need no parsing."""
    return b'"type":"issue"' in entry
