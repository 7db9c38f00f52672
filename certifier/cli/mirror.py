"""The log as a service publishes it, and a copy of it that only ever grows: what a monitor keeps.

Every byte is checked before it is kept: a copy holds what an honest log showed, and nothing after the first fault. A folder of
``STATE/<name of the log>`` is laid out as ``storage.log_folder`` says, with the log's key as ``log.vkey`` beside it, so that
``certifier restore --mirror`` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from certifier.client import Client
from certifier.crypto.canonical import sha256_hex
from certifier.errors import CertifierError, ForeignInputError, NotFoundError, OperatorError, UnreachableError
from certifier.log.entry import parse_entry
from certifier.log.growth import LogMisbehaves, SplitView, grow
from certifier.log.merkle import HASH_BYTES, Tree, leaf_hash
from certifier.log.note import (
    ED25519,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
    verify_signatures,
)
from certifier.log.tiles import TILE_WIDTH, TilePath, entry_bundle, parse_entry_bundle
from certifier.storage.files import list_files, load_text, save_bytes, save_durably
from certifier.storage.log_folder import PUBLIC_FILES, LogFolder, folder_name

ADDRESS = "/log"  # of the log that is written to; each log also has an address of its own, for ever
KEY_FILE = "log.vkey"

Read = Callable[[TilePath], bytes]
Watched = Callable[[Read, int], AbstractContextManager[Read]]  # shows how far ``Read`` has come, of how many files

_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+", re.ASCII)


class PublishedLog:
    """One log over HTTP, below an address such as ``/log`` or ``/log/2026``."""

    def __init__(self, client: Client, address: str = ADDRESS) -> None:
        self.address = address
        self._client = client

    def checkpoint(self) -> bytes | None:
        """The newest signed checkpoint, not verified; None where there is no log."""
        return self._get_optional("checkpoint")

    def checkpoint_of_service(self) -> bytes:
        """As ``checkpoint``, where there has to be one. Raises UnreachableError."""
        note = self.checkpoint()
        if note is None:
            raise UnreachableError(
                f"There is no log at {self._client.server}{self.address}.",
                found="HTTP 404",
                hint="Give the address of the service itself, without /log.",
            )
        return note

    def key_text(self) -> str:
        """The key that the log itself names, for which nobody vouches; empty where it names none."""
        return (self._get_optional(KEY_FILE) or b"").decode("utf-8", "replace").strip()

    def read(self, tile: TilePath) -> bytes:
        """The bytes of a bundle or hash tile of a size that was published. Raises LogMisbehaves when there is none."""
        try:
            return self._file(tile.text)
        except NotFoundError:
            pass
        # tlog-tiles: a partial one may be gone as soon as the full one is there.
        try:
            full = self._file(TilePath(tile.level, tile.index).text)
        except NotFoundError as error:
            raise LogMisbehaves(
                f"The log does not serve {tile.text}.",
                found="HTTP 404",
                expected="every file of a size that it signed",
                hint="Look again in a moment. If it stays like this, tell the operator.",
            ) from error
        return _cut(full, tile)

    def _file(self, name: str) -> bytes:
        try:
            return self._client.get(f"{self.address}/{name}")
        except ForeignInputError as error:
            # Some other refusal, such as too many requests: it says nothing about the log.
            raise UnreachableError(
                f"{self._client.server} does not give {self.address}/{name}.",
                found=error.message[:200],
                hint="Try again later.",
            ) from error

    def _get_optional(self, name: str) -> bytes | None:
        try:
            return self._file(name)
        except NotFoundError:
            return None


def _cut(full: bytes, tile: TilePath) -> bytes:
    """The partial file that a full one began as."""
    if tile.level is not None:
        return full[: HASH_BYTES * tile.width]
    return entry_bundle(parse_entry_bundle(full)[: tile.width])


def copy_certificate(client: Client, code: str, folder: Path) -> bool:
    """Save the public files of a certificate that the folder does not have yet; whether it has them all now.

    They are not verified here: the log's entry binds them, and `certifier restore` takes no other.
    """
    for suffix in PUBLIC_FILES:
        file = folder / f"{code}.{suffix}"
        content = None if file.is_file() else client.get_optional(f"/v/{code}.{suffix}")
        if content is not None:
            save_bytes(file, content)
    return all((folder / f"{code}.{suffix}").is_file() for suffix in PUBLIC_FILES)


def last_name(origin: str) -> str:
    """The part of an origin that its address has: ``2026`` of ``label.example/2026``."""
    return origin.rpartition("/")[2]


@dataclass(frozen=True)
class Growth:
    """What one look at a log has shown: every entry from ``old`` up to the checkpoint's size, checked.

    ``follows`` names the closed logs that were followed before, when this one is seen for the first time.
    """

    checkpoint: Checkpoint
    old: int
    entries: Sequence[bytes]
    is_closed: bool
    folder: Path
    follows: tuple[str, ...] = ()

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        return enumerate(self.entries, start=self.old)


class Mirror:
    """The copy of one log, as far as it was followed. ``tail`` holds the entries of the last bundle."""

    def __init__(self, folder: LogFolder) -> None:
        self.folder = folder
        self.key: VerifierKey | None = None
        self.known: Checkpoint | None = None
        self.tree = Tree()
        self.tail: list[bytes] = []

    @classmethod
    def load(cls, path: Path) -> Mirror:
        """The copy in a folder; an empty one where there is none. Raises OperatorError when it is not whole."""
        mirror = cls(LogFolder(path))
        note, key_text = mirror.folder.checkpoint(), load_text(path / KEY_FILE)
        try:
            mirror.key = parse_verifier_key(key_text) if key_text is not None else None
            if note is not None:
                mirror.known = open_checkpoint(note, [mirror.key] if mirror.key else [])
        except CertifierError as error:
            raise _torn(path, error.found or error.message) from error
        if mirror.known is not None:
            mirror._take_in(mirror.folder.load_entries(mirror.known.size))
            if mirror.tree.root() != mirror.known.root:
                raise _torn(path, "its entries do not lead to its checkpoint")
        return mirror

    @property
    def is_closed(self) -> bool:
        return bool(self.tail) and is_freeze(self.tail[-1])

    def keep(self, entries: Sequence[bytes], checkpoint: Checkpoint, note: bytes, key: VerifierKey) -> None:
        """Save what ``grow`` has checked and added to the tree: the key, the files, and last the checkpoint."""
        old = self.known.size if self.known else 0
        start = old - len(self.tail)
        held = [*self.tail, *entries]
        try:
            if self.key is None:
                save_durably(self.folder.path / KEY_FILE, f"{key.to_text()}\n".encode())
            self.folder.save_growth(self.tree, lambda a, b: held[a - start : b - start], old, checkpoint.size)
            self.folder.save_checkpoint(note)
        except OSError as error:
            raise OperatorError(
                f"The log cannot be kept in {self.folder.path}.", found=str(error), hint="Choose another --state."
            ) from error
        self.key, self.known = key, checkpoint
        self.tail = _last_bundle(held, start)

    def keep_evidence(self, note: bytes) -> Path:
        """Save a signed checkpoint that does not go with this copy, beside it."""
        path = self.folder.path / "refused" / f"checkpoint-{sha256_hex(note)[:16]}"
        save_durably(path, note)
        return path

    def _take_in(self, entries: Iterator[bytes]) -> None:
        for entry in entries:
            if self.tree.append(leaf_hash(entry)) % TILE_WIDTH == 0:
                self.tail.clear()
            self.tail.append(entry)


def _last_bundle(held: list[bytes], start: int) -> list[bytes]:
    """The entries of the last bundle, of those from index ``start``."""
    last = start + len(held) - 1
    return held[max(0, last // TILE_WIDTH * TILE_WIDTH - start) :]


def is_freeze(entry: bytes) -> bool:
    try:
        return bool(parse_entry(entry)["type"] == "freeze")
    except CertifierError:
        return False


class Watch:
    """Follows the log of one service, and the one after it when it is closed.

    ``pinned`` are the keys of the logs that this person trusts; None to trust a log's own word at the first look, of which
    ``warn`` is told.
    """

    def __init__(
        self,
        client: Client,
        state: Path,
        pinned: Sequence[VerifierKey] | None,
        warn: Callable[[str], None],
        watched: Watched = lambda read, _: nullcontext(read),
    ) -> None:
        self._client = client
        self._state = state
        self._pinned = pinned
        self._warn = warn
        self._watched = watched
        self._mirrors = {file.parent: Mirror.load(file.parent) for file in list_files(state, "*/checkpoint")}

    def look(self) -> Iterator[Growth]:
        """What is new: of logs that were followed before first, up to their end, then of the one that is written to.

        Each is kept when the caller comes back for the next, so that a crash shows an entry twice rather than never.
        Raises LogMisbehaves, or BadSignature for a checkpoint by another key, and keeps nothing of it.
        """
        current = PublishedLog(self._client)
        note = current.checkpoint_of_service()
        path = self._path_for(parse_checkpoint(parse_note(note).text).origin)
        for older in [mirror for at, mirror in self._mirrors.items() if at != path and not mirror.is_closed]:
            yield from self._follow_to_the_end(older)
        mirror = self._mirrors.get(path) or Mirror.load(path)
        yield from self._follow(mirror, current, note)
        self._mirrors[path] = mirror

    def copy(self, origin: str) -> None:
        """Bring the copy of one log, closed or not, up to what is served of it now; nothing where it is not served."""
        log = PublishedLog(self._client, f"{ADDRESS}/{last_name(origin)}")
        note = log.checkpoint()
        if note is not None:
            for _ in self._follow(Mirror.load(self._path_for(origin)), log, note):
                pass  # kept when the next one is asked for

    def _path_for(self, origin: str) -> Path:
        # A foreign name becomes a folder: nothing that leads elsewhere.
        if not _ORIGIN.fullmatch(origin) or len(origin) > 200:
            raise LogMisbehaves(
                "The log's origin is no address.", found=repr(origin)[:80], expected="such as label.example/2026"
            )
        return self._state / folder_name(origin)

    def _follow_to_the_end(self, mirror: Mirror) -> Iterator[Growth]:
        """What a log that was left behind has had since. Raises LogMisbehaves unless its last entry closes it."""
        origin = mirror.known.origin if mirror.known else ""
        log = PublishedLog(self._client, f"{ADDRESS}/{last_name(origin)}")
        note = log.checkpoint()
        if note is None:
            raise _unclosed(origin, "is not served any more")
        yield from self._follow(mirror, log, note)
        if not mirror.is_closed:
            raise _unclosed(origin, "was not closed by a freeze entry")

    def _follow(self, mirror: Mirror, log: PublishedLog, note: bytes) -> Iterator[Growth]:
        key = self._key_for(mirror, log, note)
        new = open_checkpoint(note, [key])
        known = mirror.known
        old = known.size if known else 0
        try:
            if mirror.is_closed and new.size > old:
                raise LogMisbehaves(
                    "A closed log goes on.", found=f"{new.origin} at size {new.size}", expected=f"closed at size {old}"
                )
            bundles = -(-new.size // TILE_WIDTH) - old // TILE_WIDTH
            with self._watched(log.read, 2 * bundles) as read:  # each with its hash tile; the few above do not count
                entries = grow(mirror.tree, known, new, read)
        except SplitView:
            with suppress(OSError):  # the news matters more than its proof
                mirror.keep_evidence(note)
            raise
        is_closed = is_freeze(entries[-1]) if entries else mirror.is_closed
        closed = [each.known.origin for each in self._mirrors.values() if each.is_closed and each.known]
        yield Growth(new, old, entries, is_closed, mirror.folder.path, tuple(closed) if known is None else ())
        if new != known:
            mirror.keep(entries, new, note, key)

    def _key_for(self, mirror: Mirror, log: PublishedLog, note: bytes) -> VerifierKey:
        """The key that signed the checkpoint as the log: the one of the state, a pinned one, or the log's own word."""
        if mirror.key:
            self._check_pinned(mirror.key)
            return _signer(note, [mirror.key])
        if self._pinned is not None:
            return _signer(note, self._pinned)
        key = parse_verifier_key(log.key_text())
        signer = _signer(note, [key])
        self._warn(
            f"The key of {key.name} was taken from the log itself and not checked: {key.to_text()} Compare it with the one"
            " that the label publishes elsewhere; from now on only this key is believed."
        )
        return signer

    def _check_pinned(self, kept: VerifierKey) -> None:
        named = [key for key in self._pinned or () if key.name == kept.name]
        if named and kept not in named:
            raise LogMisbehaves(
                "The pinned key of this log is not the one that it was followed with.",
                found=named[0].to_text(),
                expected=kept.to_text(),
                hint="A log keeps its key for life. Find out which is right; another --state begins anew.",
            )


def _signer(note: bytes, keys: Sequence[VerifierKey]) -> VerifierKey:
    """The key by which the checkpoint's own log signed it. Raises MalformedNote or BadSignature."""
    origin = open_checkpoint(note, keys).origin
    signers = verify_signatures(parse_note(note), keys)
    return next(key for key in signers if key.type == ED25519 and key.name == origin)


def _unclosed(origin: str, found: str) -> LogMisbehaves:
    return LogMisbehaves(
        "Another log took the place of the one that was followed.",
        found=f"{origin} {found}",
        expected="a freeze entry as its last one",
        hint="Keep this state: its checkpoint is the proof of what was signed. Ask the operator in public.",
    )


def _torn(path: Path, found: str) -> OperatorError:
    return OperatorError(
        f"The copy of the log in {path} is not whole.",
        found=found,
        hint="Bring the folder back from a backup, or move it away to begin anew with what is served now.",
    )
