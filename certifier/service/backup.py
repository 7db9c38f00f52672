"""Back up a running installation, and bring one back without ever signing behind what was published.

A restored log goes on only after it was compared with a mirror of what was published: what the mirror has and the database
lost is taken over entry by entry, and has to lead to the published root. The bundles of a mirror alone rebuild a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from certifier.certificate.credential import parse_claims
from certifier.certificate.proof import split_proof
from certifier.certificate.times import time_text
from certifier.crypto.canonical import digest_of, sha256_hex
from certifier.crypto.strict_json import parse_object
from certifier.decision import parse_decision
from certifier.errors import CertifierError, MalformedCertificate, OperatorError
from certifier.log.entry import parse_entry
from certifier.log.merkle import leaf_hash
from certifier.log.note import Checkpoint, open_checkpoint, verifier_key_for
from certifier.report.envelope import open_report
from certifier.service.draft import certificate_row, shares_ppt_of
from certifier.service.logbook import STATES
from certifier.settings import BASE_URL_FILE, POLICY_FILE, Settings
from certifier.storage.files import copy_file, copy_folder, list_files, load_bytes, load_keyring, remove_folder
from certifier.storage.log_folder import LogFolder, folder_name
from certifier.storage.rows import Acceptance, LostEntry, SubmissionRow
from certifier.storage.store import Store

DATABASE = "service.sqlite"
FOLDERS = ("keys", "log", "private")
FILES = (BASE_URL_FILE, POLICY_FILE)
CERTIFICATES = "certificates"  # below a mirror: CODE.vc, CODE.report.json and CODE.decision.json


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


def copy_backup(backup: Path, settings: Settings) -> None:
    """Lay a backup out as a home. Raises OperatorError where the home has a database already."""
    if (settings.home / DATABASE).exists():
        raise OperatorError(
            f"There is a database in {settings.home} already.",
            hint="Restore into a new --home; nothing is overwritten.",
        )
    for name in FOLDERS:
        if (backup / name).is_dir() and not (settings.home / name).exists():
            copy_folder(backup / name, settings.home / name)
    for name in (*FILES, DATABASE):
        if (backup / name).is_file():
            copy_file(backup / name, settings.home / name)


def restore_logs(settings: Settings, mirrors: Sequence[Path]) -> list[Restored]:
    """Compare every log with the mirrors, and take over what they have and the database lost.

    Raises OperatorError when a mirror contradicts the database, or when what was published cannot be had any more: then
    this log must not go on.
    """
    store = Store.open(settings.database)
    try:
        known = [log.origin for log in store.logs()]
        registered = [entry.id for entry in load_keyring(settings.register_dir).with_role("log")]
        found = [
            _restored(settings, store, origin, mirrors, begun=origin in known)
            for origin in [*known, *(name for name in registered if name not in known)]
        ]
        return [restored for restored in found if restored]
    finally:
        store.close()


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

    Nobody has to be trusted for them: the log commits to the payload, the payload to the report and the decision. What is
    missing or does not fit is left lost.
    """
    store = Store.open(settings.database)
    try:
        issued, states = _issued_by(store)
        held = {row.code for row in store.certificates_of(list(issued))}
        lost = [code for code in issued if code not in held]
        back = [code for code in lost if _adopt(store, code, issued[code], states.get(code), folders)]
        gone = [code for code in lost if code not in back]
        return Adopted(tuple(back), tuple(gone), tuple(code for code in gone if states.get(code, "active") != "active"))
    finally:
        store.close()


def _issued_by(store: Store) -> tuple[dict[str, bytes], dict[str, str]]:
    """By code the issue entry, and the state where it was ever changed, over all logs."""
    issued, states = dict[str, bytes](), dict[str, str]()
    for log in store.logs():
        for placed in store.entries_between(log.origin, 0, log.size):
            if placed.type == "issue":
                issued[str(placed.code)] = placed.entry
            elif placed.type in STATES:
                states[str(placed.code)] = STATES[placed.type]
    return issued, states


def _adopt(store: Store, code: str, entry: bytes, state: str | None, folders: Sequence[Path]) -> bool:
    for folder in folders:
        files = [load_bytes(folder / f"{code}.{suffix}") for suffix in ("vc", "report.json", "decision.json")]
        document, report, decision = files
        if document is None or report is None or decision is None:
            continue
        try:
            acceptance = _acceptance_from(entry, document, report, decision)
        except CertifierError:
            continue
        store.adopt(acceptance, in_force=state != "revoked")
        return True
    return False


def _acceptance_from(entry: bytes, document: bytes, report: bytes, decision: bytes) -> Acceptance:
    """What was accepted once, from the public files. Raises a CertifierError when they are not those of the entry."""
    payload, proof = split_proof(parse_object(document))
    claims, members = parse_claims(payload), parse_entry(entry)
    digests = (members["payload"].removeprefix("sha256:"), claims.basis.report_sha256, claims.basis.decision_sha256)
    opened = open_report(report)
    if digests != (digest_of(payload), opened.digest, sha256_hex(decision)):
        raise MalformedCertificate("These files are not those of the log's entry.", found=claims.code)
    _, evidence = parse_decision(decision)
    issued_at = time_text(claims.issued_at)
    submission = SubmissionRow(
        id=f"sub_{sha256_hex(entry)[:32]}",
        created_at=issued_at,
        state="certified",
        title=claims.subject.title,
        artist=claims.subject.artist,
        report_sha256=opened.digest,
        audio_sha256=claims.subject.audio_sha256,
        outcome=claims.outcome,
        envelope=report,
        decision=decision,
    )
    row = certificate_row(claims, submission.id, str(proof["verificationMethod"]))
    return Acceptance(submission, {}, row, shares_ppt_of(opened.report, evidence), entry)


_ANOTHER = "Name another mirror of the log."
