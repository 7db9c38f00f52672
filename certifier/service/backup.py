"""Back up a running installation, and bring one back without ever signing behind what was published.

A restored log goes on only after it was compared with a mirror of what was published: what the mirror has and the database
lost is taken over entry by entry, and has to lead to the published root. The bundles of a mirror alone rebuild a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from certifier.certificate.credential import parse_claims
from certifier.certificate.proof import split_proof, verify_document
from certifier.certificate.times import time_text
from certifier.crypto.canonical import digest_of, sha256_hex
from certifier.crypto.keyring import Keyring
from certifier.crypto.strict_json import parse_object
from certifier.decision import parse_decision
from certifier.errors import CertifierError, MalformedCertificate, OperatorError
from certifier.log.entry import parse_entry
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, open_checkpoint, verifier_key_for
from certifier.log.proof import InclusionProof, render_proof
from certifier.report.envelope import open_report
from certifier.service.draft import certificate_row, shares_ppt_of
from certifier.service.logbook import STATES
from certifier.settings import BASE_URL_FILE, POLICY_FILE, RESTORE_MARKER, SIGNERS_FILE, Settings
from certifier.storage.files import (
    copy_file,
    copy_folder,
    list_files,
    load_bytes,
    load_keyring,
    remove_file,
    remove_folder,
    save_durably,
)
from certifier.storage.log_folder import PUBLIC_FILES, LogFolder, folder_name
from certifier.storage.rows import Acceptance, LostEntry, SubmissionRow
from certifier.storage.store import Store

DATABASE = "service.sqlite"
FOLDERS = ("keys", "log", "private", "standards")
FILES = (BASE_URL_FILE, POLICY_FILE, SIGNERS_FILE)


@dataclass(frozen=True)
class Restored:
    """One log after a restore: how many entries it had and has."""

    origin: str
    before: int
    after: int


@dataclass(frozen=True)
class Adopted:
    """After certificates were looked for: the codes that were brought back, and those that only the log still knows.

    ``withdrawn`` are those among the lost that are revoked or suspended: until they are back, no status can be told.
    """

    back: tuple[str, ...]
    lost: tuple[str, ...]
    withdrawn: tuple[str, ...]

    def followed_by(self, later: Adopted) -> Adopted:
        """Both looks taken together."""
        return Adopted((*self.back, *later.back), later.lost, later.withdrawn)


def make_backup(settings: Settings, target: Path, *, with_keys: bool, with_database: bool = True) -> None:
    """Copy the installation to a new folder while it runs: register, log, database; private keys only on request.

    The database is copied last, so that it is never behind the log's files beside it. Raises OperatorError.
    """
    if target.exists():
        raise OperatorError(f"There is something at {target} already.", hint="Name a folder that does not exist yet.")
    try:
        _copy_home(settings, target, with_keys=with_keys, with_database=with_database)
    except OSError as error:
        remove_folder(target)
        raise OperatorError("The backup cannot be made.", found=str(error)[:200], hint="Is the disk full?") from error


def _copy_home(settings: Settings, target: Path, *, with_keys: bool, with_database: bool) -> None:
    copy_folder(settings.register_dir, target / "keys")
    if settings.archive_dir.is_dir():
        copy_folder(settings.archive_dir, target / "standards")
    for folder in list_files(settings.log_dir, "*"):  # the checkpoint before the tiles: those only become more
        if (folder / "checkpoint").is_file():
            copy_file(folder / "checkpoint", target / "log" / folder.name / "checkpoint")
        if (folder / "tile").is_dir():
            copy_folder(folder / "tile", target / "log" / folder.name / "tile")
    for name in FILES:
        if (settings.home / name).is_file():
            copy_file(settings.home / name, target / name)
    if with_keys:
        copy_folder(settings.private_dir, target / "private")
    if with_database:
        store = Store.open(settings.database)
        try:
            store.backup(target / DATABASE)
        finally:
            store.close()


def begin_restore(backup: Path | None, settings: Settings) -> None:
    """Lay a backup out as a home that may only be read from until ``end_restore``; without one, mark the home that is there.

    Raises OperatorError where the home has a database of its own already, or where the backup is none.
    """
    marker = settings.home / RESTORE_MARKER
    is_begun = marker.is_file()
    if backup and not (backup / "keys").is_dir():
        raise OperatorError(
            f"{backup} is no backup of an installation.", expected="a folder that 'certifier backup' made"
        )
    if backup and not is_begun and (settings.home / DATABASE).exists():
        raise OperatorError(
            f"There is a database in {settings.home} already.",
            hint="Restore into a new --home; nothing is overwritten.",
        )
    if backup is None and not settings.register_dir.is_dir():
        raise OperatorError(f"There is no installation in {settings.home}.", hint="Name a BACKUP, or the right --home.")
    save_durably(marker, b"Compare this home with what was published: certifier restore --home HOME --mirror ...\n")
    if backup is None:
        return
    for name in FOLDERS:
        if (backup / name).is_dir() and not (settings.home / name).exists():
            copy_folder(backup / name, settings.home / name)
    for name in (*FILES, DATABASE):
        if (backup / name).is_file() and not (settings.home / name).exists():
            copy_file(backup / name, settings.home / name)


def end_restore(settings: Settings) -> None:
    """The home was compared with what was published: it may be written to again."""
    remove_file(settings.home / RESTORE_MARKER)


def restore_logs(settings: Settings, mirrors: Sequence[Path]) -> list[Restored]:
    """Compare every log with the mirrors, and take over what they have and the database lost.

    Raises OperatorError when a mirror contradicts the database, or when what was published cannot be had any more: then
    this log must not go on.
    """
    registered = [entry.id for entry in load_keyring(settings.register_dir).with_role("log")]
    for mirror in mirrors:
        _refuse_unknown_logs(mirror, registered)
    store = Store.open(settings.database)
    try:
        known = [log.origin for log in store.logs()]
        found = [
            _restored(settings, store, origin, mirrors, begun=origin in known)
            for origin in [*known, *(name for name in registered if name not in known)]
        ]
        return [restored for restored in found if restored]
    finally:
        store.close()


def _refuse_unknown_logs(mirror: Path, registered: Sequence[str]) -> None:
    """A log that was begun after the backup would be begun a second time, under the same name and another key."""
    for checkpoint in list_files(mirror, "*/checkpoint"):
        origin = load_bytes(checkpoint).partition(b"\n")[0].decode("utf-8", "replace")  # type: ignore[union-attr]
        if origin not in registered:
            raise OperatorError(
                "The mirror holds a log whose key this home does not have.",
                found=f"{origin[:200]} in {checkpoint.parent}",
                hint="It was begun after this backup. Bring back its entry in keys/ and its private key.",
            )


def _restored(
    settings: Settings, store: Store, origin: str, mirrors: Sequence[Path], *, begun: bool
) -> Restored | None:
    places = [_folder_in(place, origin) for place in (settings.log_dir, *mirrors)]
    seen = _published(settings, origin, places)
    if not begun:
        if not seen:
            return None
        store.open_log(origin)
    size = _size(store, origin)
    held = [placed.entry for placed in store.entries_between(origin, 0, size)]
    if not seen:
        return Restored(origin, size, size)
    newest = max(seen, key=lambda each: each.checkpoint.size)
    tree, published = newest.folder.load_tree(newest.checkpoint.size)
    whole = published if len(published) >= size else held
    for index, (ours, theirs) in enumerate(zip(held, published, strict=False)):
        if ours != theirs:
            raise _contradiction(f"{origin} entry {index}")
    for entry in whole[tree.size :]:
        tree.append(leaf_hash(entry))
    for each in seen:  # also of the same size: two histories may be equally long
        if tree.root(each.checkpoint.size) != each.checkpoint.root:
            raise _contradiction(f"{origin} at size {each.checkpoint.size}, as published in {each.folder.path}")
    if len(whole) > size:
        store.restore_entries(origin, [_row_of(entry) for entry in whole[size:]])
    own = LogFolder(settings.log_dir / folder_name(origin))
    own.save_growth(tree, lambda start, end: whole[start:end], 0, newest.checkpoint.size)
    own.save_checkpoint(newest.note)
    store.adopt_checkpoint(origin, newest.checkpoint.size, newest.note)
    return Restored(origin, size, len(whole))


def _contradiction(found: str) -> OperatorError:
    return OperatorError(
        "The database holds another entry than the one that was published.",
        found=found,
        hint="This database must not go on. Restore an older backup, or rebuild from the bundles alone.",
    )


@dataclass(frozen=True)
class _Seen:
    """A checkpoint that was published, and the folder that has it."""

    folder: LogFolder
    checkpoint: Checkpoint
    note: bytes


def _published(settings: Settings, origin: str, folders: Sequence[LogFolder]) -> list[_Seen]:
    """The checkpoints of this log that the folders hold, their signatures verified."""
    entry = load_keyring(settings.register_dir).named(origin)
    if entry is None:
        raise OperatorError(f"The register does not list the key of the log {origin}.", hint="Old keys stay listed.")
    found = list[_Seen]()
    for folder in folders:
        note = folder.checkpoint()
        if note is not None:
            try:
                found.append(_Seen(folder, open_checkpoint(note, [verifier_key_for(origin, entry.public)]), note))
            except CertifierError as error:
                if folder is folders[0] and len(folders) > 1:  # the home's own may be torn; the mirrors tell
                    continue
                raise OperatorError(
                    f"The checkpoint in {folder.path} is not one of {origin}.", found=error.found, hint=_ANOTHER
                ) from error
    return found


def _folder_in(place: Path, origin: str) -> LogFolder:
    """A mirror is a log's own folder, or one that holds each log below its name."""
    below = place / folder_name(origin)
    return LogFolder(below if below.is_dir() or not LogFolder(place).checkpoint() else place)


def _size(store: Store, origin: str) -> int:
    return next(log.size for log in store.logs() if log.origin == origin)


def _row_of(entry: bytes) -> LostEntry:
    members = parse_entry(entry)
    issued = members if members["type"] == "issue" else {}
    digests = {name: issued[name].removeprefix("sha256:") for name in ("report", "audio") if name in issued}
    return LostEntry(members["type"], members.get("code"), entry, digests.get("report"), digests.get("audio"))


def adopt_certificates(settings: Settings, folders: Sequence[Path]) -> Adopted:
    """Bring back certificates that only the log still knows, from their public files in any of the folders.

    Nobody has to be trusted for them: the log commits to the payload, the payload to the report and the decision, and the
    signature has to be the registered key's. What is missing or does not fit is left lost.
    """
    keyring = load_keyring(settings.register_dir)
    store = Store.open(settings.database)
    try:
        record = _record_of(store)
        held = {row.code for row in store.certificates_of(list(record.issued))}
        lost = [code for code in record.issued if code not in held]  # in the order of the log, forerunners first
        back = [code for code in lost if _adopt(store, code, record, keyring, settings.did, folders)]
        gone = [code for code in lost if code not in set(back)]
        withdrawn = [code for code in gone if record.states.get(code, "active") != "active"]
        return Adopted(tuple(back), tuple(gone), tuple(withdrawn))
    finally:
        store.close()


@dataclass
class _Record:
    """What all logs say: by code the issue entry and the proof of it, the state where it changed, whom it replaced."""

    issued: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    forerunners: dict[str, str] = field(default_factory=dict)


def _record_of(store: Store) -> _Record:
    record = _Record()
    for log in store.logs():
        placed = store.entries_between(log.origin, 0, log.size)
        published = store.last_checkpoint(log.origin)
        tree = Tree()
        for row in placed:
            tree.append(leaf_hash(row.entry))
        for row in placed:
            code = str(row.code)
            if row.type == "issue" and published and published.published and row.index < published.size:
                path = tuple(tree.inclusion_proof(row.index, published.size))
                record.issued[code] = row.entry, render_proof(InclusionProof(row.index, path, published.published))
            elif row.type in STATES:
                record.states[code] = STATES[row.type]
                record.forerunners[str(parse_entry(row.entry).get("replaced_by"))] = code
    return record


def _adopt(store: Store, code: str, record: _Record, keyring: Keyring, did: str, folders: Sequence[Path]) -> bool:
    entry, proof = record.issued[code]
    for folder in folders:
        document, report, decision = (load_bytes(folder / f"{code}.{suffix}") for suffix in PUBLIC_FILES)
        if document is None or report is None or decision is None:
            continue
        try:
            job = _acceptance_from(entry, proof, PublicFiles(document, report, decision), keyring, did)
            in_force = record.states.get(code) != "revoked"
            store.adopt(job, in_force=in_force, forerunner=record.forerunners.get(code))
        except CertifierError:
            continue
        return True
    return False


@dataclass(frozen=True)
class PublicFiles:
    document: bytes
    report: bytes
    decision: bytes


def _acceptance_from(entry: bytes, proof: bytes, files: PublicFiles, keyring: Keyring, did: str) -> Acceptance:
    """What was accepted once, from the public files. Raises a CertifierError when they are not those of the entry."""
    members = parse_entry(entry)
    key = keyring.named(members["kid"].removeprefix(f"{did}#"))
    if key is None:
        raise MalformedCertificate("The register does not list the key of this certificate.", found=members["kid"])
    document = parse_object(files.document)
    payload = verify_document(document, key.public)
    claims, opened = parse_claims(payload), open_report(files.report)
    digests = (members["payload"].removeprefix("sha256:"), claims.basis.report_sha256, claims.basis.decision_sha256)
    if digests != (digest_of(payload), opened.digest, sha256_hex(files.decision)):
        raise MalformedCertificate("These files are not those of the log's entry.", found=claims.code)
    if split_proof(document)[1].get("verificationMethod") != members["kid"]:
        raise MalformedCertificate("The certificate names another key than the log.", found=claims.code)
    _, evidence = parse_decision(files.decision)
    submission = SubmissionRow(
        id=f"sub_{sha256_hex(entry)[:32]}",
        created_at=time_text(claims.issued_at),
        state="certified",
        title=claims.subject.title,
        artist=claims.subject.artist,
        report_sha256=opened.digest,
        audio_sha256=claims.subject.audio_sha256,
        outcome=claims.outcome,
        envelope=files.report,
        decision=files.decision,
        applicant=opened.applicant.did_key,
    )
    row = certificate_row(claims, submission.id, members["kid"])
    row = replace(row, document=files.document, proof=proof)
    return Acceptance(submission, {}, row, shares_ppt_of(opened.report, evidence), entry)


_ANOTHER = "Name another mirror of the log."
