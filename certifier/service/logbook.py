"""The one door to the log: queue a leaf, give it its place, sign the checkpoint, prove it.

The order is the promise (DESIGN law 3): a leaf is committed before anything is signed over it, the tree before its
checkpoint, the checkpoint before the certificate. Each step is a transaction of its own, and a crash between two of them is
finished by ``publish`` at the next start.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import RLock

from certifier.crypto.signing import SigningKey
from certifier.errors import NotFoundError, OperatorError
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, open_checkpoint, sign_checkpoint, verifier_key_for
from certifier.log.proof import InclusionProof, render_proof
from certifier.log.tiles import entry_bundle, parse_tile_path, tile_bytes, width_at
from certifier.storage.store import Leaf, Store


@dataclass(frozen=True)
class Head:
    """The newest checkpoint: its size and the signed note, byte for byte as served."""

    size: int
    note: bytes


class Logbook:
    """The log of one origin, kept in the store; its hashes are held in memory."""

    def __init__(self, store: Store, origin: str, signer: SigningKey) -> None:
        self.origin = origin
        self.verifier_key = verifier_key_for(origin, signer.public)
        self._store = store
        self._signer = signer
        self._tree = Tree()
        self._lock = RLock()
        self._read_leaves()
        self._head = self._checked_head()
        self.publish()

    @property
    def head(self) -> Head:
        with self._lock:
            self._catch_up()
            return self._head

    def _catch_up(self) -> None:
        """Take in what another process of this installation, such as an operator's command, published meanwhile."""
        saved = self._store.last_checkpoint()
        if saved is not None and saved[0] != self._head.size:
            self._read_leaves()
            self._head = self._checked_head()

    def _read_leaves(self) -> None:
        for leaf in self._store.leaves_from(self._tree.size):
            self._append(leaf)

    def publish(self) -> None:
        """Give every queued leaf its place (B) and sign the tree (C). Durable when this returns."""
        with self._lock:
            self._store.sequence()
            self._read_leaves()
            self._catch_up()
            if self._tree.size == self._head.size and self._head.note:
                return
            # Only now, over committed entries: a checkpoint whose entries could be lost would be a split view.
            note = sign_checkpoint(Checkpoint(self.origin, self._tree.size, self._tree.root()), self._signer)
            open_checkpoint(note, [self.verifier_key])
            self._store.save_checkpoint(self._tree.size, note)
            self._head = Head(self._tree.size, note)

    def proof_for(self, code: str, kind: str = "issue") -> bytes:
        """The ``.tlog-proof`` file of a certificate's leaf against the newest checkpoint."""
        leaf = self._store.leaf_for(code, kind)
        with self._lock:
            if leaf is None or leaf.index >= self.head.size:
                raise NotFoundError("The log does not hold this certificate yet.", found=code)
            hashes = tuple(self._tree.inclusion_proof(leaf.index, self._head.size))
            return render_proof(InclusionProof(leaf.index, hashes, self._head.note))

    def resource(self, path: str) -> bytes | None:
        """The bytes of a public path below ``/log/tile/`` (C2SP tlog-tiles), or None when there is nothing there."""
        tile = parse_tile_path(path)
        with self._lock:
            if tile is None or tile.width > width_at(tile.level or 0, tile.index, self.head.size):
                return None
            if tile.level is None:
                start = tile.index * 256
                return entry_bundle([leaf.entry for leaf in self._store.leaves_between(start, start + tile.width)])
            return tile_bytes(self._tree, tile.level, tile.index, tile.width)

    def _append(self, leaf: Leaf) -> None:
        if leaf.index != self._tree.append(leaf_hash(leaf.entry)):
            raise OperatorError("The log's entries are not contiguous.", found=f"index {leaf.index}")

    def _checked_head(self) -> Head:
        """The last checkpoint, once the stored entries lead to its root."""
        saved = self._store.last_checkpoint()
        if saved is None:
            return Head(0, b"")
        checkpoint = open_checkpoint(saved[1], [self.verifier_key])
        if checkpoint.size > self._tree.size or self._tree.root(checkpoint.size) != checkpoint.root:
            raise OperatorError(
                "The stored log entries do not lead to the last signed checkpoint.",
                found=f"{self._tree.size} entries",
                expected=f"the signed tree of size {checkpoint.size}",
                hint="Restore the database from a backup; do not sign with it.",
            )
        return Head(*saved)
