"""What an operator does with an installation: check it, back it up, bring it back, and never sign behind what was published."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, update

from certifier.cli.main import main
from certifier.crypto.signing import SigningKey
from certifier.log.note import verifier_key_for
from certifier.log.proof import parse_proof, verify_proof
from certifier.service.backup import begin_restore
from certifier.service.certifier import Certifier, Issued, Refused
from certifier.service.home import register_key
from certifier.storage.files import save_signing_key
from certifier.storage.tables import certificates, entries, listings, run_shares, runs
from certifier.web.app import create_app
from tests.referee import LogView, check_growth, check_history
from tests.studio import NOW, Studio

LATER = NOW + timedelta(days=1)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


class Place:
    """An installation that has certified something, with the history of it."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.history: list[dict[str, Any]] = []
        self.issue(1, 2, 3)
        certifier = self.studio.certifier()
        certifier.change_status(self.codes[0], "suspend", "evidence", NOW)
        certifier.close()
        self.history.append({"op": "suspend", "code": self.codes[0]})

    def copied_to(self, folder: Path) -> Place:
        other = copy.copy(self)
        other.studio, other.history = self.studio.copied_to(folder), copy.deepcopy(self.history)
        return other

    @property
    def home(self) -> Path:
        return self.studio.settings.home

    @property
    def codes(self) -> list[str]:
        return [operation["code"] for operation in self.history if operation["op"] == "issue"]

    def issue(self, *numbers: int) -> None:
        certifier = self.studio.certifier()
        for number in numbers:
            answer = certifier.certify(self.studio.examined(number), NOW)
            assert isinstance(answer, Issued)
            document = (answer.certificate.document or b"").decode()
            self.history.append({"op": "issue", "code": answer.certificate.code, "document": document})
        certifier.close()

    def judged(self, history: list[dict[str, Any]] | None = None) -> LogView:
        certifier = self.studio.certifier()
        client = create_app(certifier, lambda: LATER).test_client()
        view = check_history(
            lambda path: (client.get(path).status_code, client.get(path).data),
            self.history if history is None else history,
        )
        certifier.close()
        return view


@pytest.fixture(scope="module")
def first_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Only for copying."""
    return Place(Studio(tmp_path_factory.mktemp("first")))


@pytest.fixture
def place(first_place: Place, tmp_path: Path) -> Place:
    return first_place.copied_to(tmp_path)


@pytest.fixture
def certifier(place: Place) -> Iterator[Certifier]:
    opened = place.studio.certifier()
    yield opened
    opened.close()


def test_a_whole_installation_passes_the_check(place: Place) -> None:
    found = run("log", "fsck", "--home", place.home)
    assert (found.exit_code, found.stdout) == (0, "OK  label.example/2026 at size 4; 3 certificates\n")
    told = json.loads(run("log", "fsck", "--home", place.home, "--json").stdout)
    assert (told["ok"], told["logs"]) == (True, [{"origin": "label.example/2026", "size": 4, "closed": False}])


def edit(place: Place, statement: Any) -> None:
    certifier = place.studio.certifier()
    with certifier.store.database.writing() as connection:
        connection.execute(statement)
    certifier.close()


EDITS = {
    "an entry": (update(entries).where(entries.c.idx == 1).values(entry=b"{}"), "entries-changed"),
    "what an entry is filed as": (
        update(entries).where(entries.c.idx == 3).values(type="reinstate"),
        "is filed as reinstate",
    ),
    "a certificate's payload": (update(certificates).values(payload=b"{}"), "not the one that the log holds"),
    "a certificate's document": (update(certificates).values(document=b'{"proof": 1}'), "no single proof"),
    "a place in a status list": (
        update(certificates).values(revocation_index=certificates.c.revocation_index + 1),
        "not those of its payload",
    ),
    "whether it is in force": (update(certificates).values(in_force=0), "in_force says 0"),
    "how much of a run is used": (update(runs).values(used_ppt=5), "its certificates hold"),
}


@pytest.mark.parametrize(("statement", "told"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_of_the_database_is_found(place: Place, statement: Any, told: str) -> None:
    edit(place, statement)
    found = run("log", "fsck", "--home", place.home)
    assert found.exit_code == 1
    assert told in found.stdout


def test_a_lost_certificate_is_found(place: Place) -> None:
    lost = delete(certificates).where(certificates.c.code == place.codes[1])
    for statement in (delete(run_shares), delete(listings), lost):
        edit(place, statement)
    assert "is in the log, and its row is lost" in run("log", "fsck", "--home", place.home).stdout


def test_torn_files_are_repaired_from_entries_that_are_right(place: Place) -> None:
    tile = place.home / "log/label.example-2026/tile/0/000.p/4"
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1])
    assert "tile/0/000.p/4" in run("log", "fsck", "--home", place.home).stdout
    assert run("log", "fsck", "--home", place.home, "--repair").exit_code == 0
    assert tile.read_bytes() == whole
    assert place.studio.certifier().problems == ()


@pytest.mark.parametrize("kind", ["issue", "suspend"])
def test_the_proof_of_an_entry_is_printed(place: Place, certifier: Certifier, kind: str) -> None:
    printed = run("log", "proof", place.codes[0], "--kind", kind, "--home", place.home)
    placed = certifier.store.entry_for(place.codes[0], kind)
    assert placed is not None
    key = verifier_key_for(certifier.logbook.origin, certifier.logbook.verifier_key.key)
    assert verify_proof(parse_proof(printed.stdout_bytes), placed.entry, [key]).size == 4


def test_a_proof_of_what_never_happened_is_refused(place: Place) -> None:
    assert run("log", "proof", place.codes[1], "--kind", "revoke", "--home", place.home).exit_code == 3


def test_the_status_lists_are_recomputed_from_the_log(place: Place) -> None:
    found = run("status", "recompute", "--home", place.home)
    assert found.exit_code == 0
    assert "suspension  agrees: 1 set at log size 4" in found.stdout


def test_an_edit_of_a_suspended_certificate_shows_in_the_recomputed_lists(place: Place) -> None:
    """The list is derived from the log and from payloads that the log binds; what else the database says changes nothing."""
    edit(place, update(entries).where(entries.c.idx == 3).values(type="reinstate", code=None))
    edit(place, update(certificates).values(suspension_index=certificates.c.suspension_index + 1, in_force=0))
    assert run("status", "recompute", "--home", place.home).exit_code == 0
    edit(place, update(certificates).values(payload=b'{"credentialStatus": []}'))
    found = run("status", "recompute", "--home", place.home)
    assert found.exit_code in {3, 6}


# -- backup and restore ---------------------------------------------------------------------------------------------


def destroy(place: Place) -> None:
    shutil.rmtree(place.home)


def test_a_backup_brings_everything_back(place: Place, tmp_path: Path) -> None:
    before, backup = place.judged(), tmp_path / "backup"
    assert run("backup", backup, "--home", place.home, "--with-keys").exit_code == 0
    destroy(place)
    restored = run("restore", backup, "--home", place.home, "--nothing-newer")
    assert restored.exit_code == 0, restored.output
    assert "may go on: label.example/2026 at size 4" in restored.stdout
    place.issue(4)
    check_growth(before, place.judged())
    assert run("log", "fsck", "--home", place.home).exit_code == 0


def test_a_restore_without_a_mirror_is_not_begun(place: Place, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup", "--home", place.home, "--with-keys")
    destroy(place)
    refused = run("restore", tmp_path / "backup", "--home", place.home)
    assert refused.exit_code == 2
    assert "two histories" in refused.output
    assert not place.home.exists()


def test_an_old_backup_goes_on_only_with_what_was_published_since(place: Place, tmp_path: Path) -> None:
    """What the mirror has is taken over, entry by entry; a report that was used since stays used."""
    backup, mirror = tmp_path / "backup", tmp_path / "mirror"
    run("backup", backup, "--home", place.home, "--with-keys")
    place.issue(4, 5)
    certifier = place.studio.certifier()
    certifier.change_status(place.codes[1], "revoke", "evidence", NOW)
    certifier.close()
    place.history.append({"op": "revoke", "code": place.codes[1]})
    before = place.judged()
    shutil.copytree(place.home / "log", mirror)
    destroy(place)
    restored = run("restore", backup, "--home", place.home, "--mirror", mirror)
    assert restored.exit_code == 0, restored.output
    assert "4 entries were here, 3 taken over" in restored.stdout
    assert "2 certificates are known to the log alone" in restored.stdout
    place.studio.certifier().close()
    again = place.studio.certifier()
    assert again.problems == ()
    assert again.published.lifecycle(place.codes[1]) == "revoked"
    with pytest.raises(Exception, match="whose file was lost"):
        again.certify(place.studio.examined(4), LATER)
    again.close()
    place.issue(6)
    kept = [operation for operation in place.history if operation["code"] not in place.codes[3:5]]
    check_growth(before, place.judged(kept))


def test_the_bundles_of_a_mirror_alone_rebuild_the_log(place: Place, tmp_path: Path) -> None:
    """Database and files are gone; the keys and somebody's copy of the published log are left."""
    before, mirror = place.judged(), tmp_path / "mirror"
    shutil.copytree(place.home / "log/label.example-2026/tile/entries", mirror / "tile/entries")
    shutil.copy(place.home / "log/label.example-2026/checkpoint", mirror / "checkpoint")
    shutil.rmtree(place.home / "log")
    for file in place.home.glob("service.sqlite*"):
        file.unlink()
    restored = run("restore", "--home", place.home, "--mirror", mirror)
    assert restored.exit_code == 0, restored.output
    certifier = place.studio.certifier()
    assert certifier.problems == ()
    assert certifier.logbook.head.size == 4
    assert certifier.published.lifecycle(place.codes[0]) == "suspended"
    answer = certifier.certify(place.studio.examined(7), LATER)
    assert isinstance(answer, Issued)
    client = create_app(certifier, lambda: LATER).test_client()
    assert client.get("/log/checkpoint").data.split(b"\n")[1] == b"5"
    for index, entry in enumerate(before.entries):
        assert certifier.logbook.entries_between(index, index + 1) == [entry]
    certifier.close()


def public_files(place: Place, folder: Path) -> None:
    """As a monitor keeps them that was told --certificates."""
    certifier = place.studio.certifier()
    client = create_app(certifier, lambda: LATER).test_client()
    folder.mkdir(parents=True)
    for code in place.codes:
        for suffix in ("vc", "report.json", "decision.json"):
            (folder / f"{code}.{suffix}").write_bytes(client.get(f"/v/{code}.{suffix}").data)
    certifier.close()


def lose_the_database(place: Place, tmp_path: Path) -> Path:
    """Only the keys and somebody's copy of the log are left."""
    mirror = tmp_path / "mirror"
    shutil.copytree(place.home / "log", mirror)
    shutil.rmtree(place.home / "log")
    for file in place.home.glob("service.sqlite*"):
        file.unlink()
    return mirror


def test_a_withdrawn_certificate_that_was_lost_is_never_called_valid(place: Place, tmp_path: Path) -> None:
    """Its place in the status list is not known any more, so no list is given out: nobody can tell, nobody is misled."""
    certifier = place.studio.certifier()
    row = certifier.certificate(place.codes[0])
    certifier.close()
    restored = run("restore", "--home", place.home, "--mirror", lose_the_database(place, tmp_path))
    assert restored.exit_code == 0, restored.output
    assert "1 of them are withdrawn" in restored.stdout
    certifier = place.studio.certifier()
    client = create_app(certifier, lambda: LATER).test_client()
    assert client.get("/status/suspension/1").status_code == 503
    answer = client.post("/api/v1/verifications", json={"credential": json.loads(row.document or b"")})
    assert answer.status_code == 503 or answer.json["verdict"] != "valid"
    certifier.close()


def test_a_file_whose_certificate_was_lost_earns_no_second_one(place: Place, tmp_path: Path) -> None:
    run("restore", "--home", place.home, "--mirror", lose_the_database(place, tmp_path))
    certifier = place.studio.certifier()
    again = certifier.certify(place.studio.examined(2, report_id="another report"), LATER)
    assert isinstance(again, Refused)
    certifier.close()


@pytest.mark.parametrize("given", ["--certificates", "beside the mirror"])
def test_public_files_bring_everything_back(place: Place, tmp_path: Path, given: str) -> None:
    """Certificates, reports, decisions, shares, places in the lists: nobody has to be trusted for them."""
    before = place.judged()
    kept = tmp_path / ("kept" if given == "--certificates" else "mirror/label.example-2026/certificates")
    public_files(place, tmp_path / "files")
    mirror = lose_the_database(place, tmp_path)
    shutil.copytree(tmp_path / "files", kept)
    named = ("--certificates", kept) if given == "--certificates" else ()
    restored = run("restore", "--home", place.home, "--mirror", mirror, *named)
    assert restored.exit_code == 0, restored.output
    assert "3 certificates were brought back" in restored.stdout
    assert "alone" not in restored.stdout
    place.issue(9)
    check_growth(before, place.judged())
    assert run("log", "fsck", "--home", place.home).exit_code == 0
    certifier = place.studio.certifier()
    assert certifier.store.share_used('["example-party", "run-1"]') == 1
    certifier.change_status(place.codes[1], "revoke", "evidence", LATER)
    certifier.close()


def test_files_that_are_not_those_of_the_log_bring_nothing_back(place: Place, tmp_path: Path) -> None:
    public_files(place, tmp_path / "files")
    for file in (tmp_path / "files").glob("*.vc"):
        file.write_bytes(file.read_bytes().replace(b"Track", b"Trick"))
    mirror = lose_the_database(place, tmp_path)
    restored = run("restore", "--home", place.home, "--mirror", mirror, "--certificates", tmp_path / "files")
    assert "3 certificates are known to the log alone" in restored.stdout


def test_the_witness_policy_is_part_of_a_backup(place: Place, tmp_path: Path) -> None:
    (place.home / "witnesses.policy").write_text("quorum none\n")
    run("backup", tmp_path / "backup", "--home", place.home, "--with-keys")
    assert (tmp_path / "backup/witnesses.policy").read_text() == "quorum none\n"


def test_a_mirror_that_contradicts_the_database_stops_the_restore(place: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    run("backup", backup, "--home", place.home, "--with-keys")
    place.issue(4)
    mirror = tmp_path / "mirror"
    shutil.copytree(place.home / "log", mirror)
    destroy(place)
    assert run("restore", backup, "--home", place.home, "--nothing-newer").exit_code == 0
    place.issue(5)  # what should never be done: it goes on behind what was published
    refused = run("restore", "--home", place.home, "--mirror", mirror)
    assert refused.exit_code == 1
    assert "another entry than the one that was published" in refused.output


def test_a_mirror_whose_bundles_are_gone_stops_the_restore(place: Place, tmp_path: Path) -> None:
    backup, mirror = tmp_path / "backup", tmp_path / "mirror"
    run("backup", backup, "--home", place.home, "--with-keys")
    place.issue(4)
    shutil.copytree(place.home / "log", mirror)
    shutil.rmtree(mirror / "label.example-2026/tile")
    destroy(place)
    refused = run("restore", backup, "--home", place.home, "--mirror", mirror)
    assert refused.exit_code == 1
    assert "cannot be read" in refused.output


def test_a_restore_overwrites_nothing(place: Place, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup", "--home", place.home)
    refused = run("restore", tmp_path / "backup", "--home", place.home, "--nothing-newer")
    assert refused.exit_code == 1
    assert "nothing is overwritten" in refused.output
    assert run("backup", tmp_path / "backup", "--home", place.home).exit_code == 1


def test_a_backup_holds_no_private_key_unless_asked(place: Place, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup", "--home", place.home)
    assert not [file for file in (tmp_path / "backup").rglob("*") if file.suffix == ".pem"]


def test_turning_the_log_asks_first(place: Place) -> None:
    refused = CliRunner().invoke(main, ["log", "turn", "--home", str(place.home)], input="n\n")
    assert refused.exit_code == 1
    turned = run("log", "turn", "--home", place.home, "--yes")
    assert turned.exit_code == 0, turned.output
    assert "stays at /log/2026/ for ever" in turned.stdout
    place.issue(8)
    place.judged()
    assert run("log", "fsck", "--home", place.home).exit_code == 0
    assert run("status", "recompute", "--home", place.home).exit_code == 0


BROKEN_MIRRORS = {"a folder that is not there": "nowhere", "a service that does not answer": "http://127.0.0.1:9"}


@pytest.mark.parametrize("mirror", BROKEN_MIRRORS.values(), ids=BROKEN_MIRRORS.keys())
def test_a_restore_that_fails_leaves_nothing_that_could_sign(place: Place, tmp_path: Path, mirror: str) -> None:
    backup = tmp_path / "backup"
    run("backup", backup, "--home", place.home, "--with-keys")
    place.issue(4)
    published = tmp_path / "published"
    shutil.copytree(place.home / "log", published)
    destroy(place)
    assert run("restore", backup, "--home", place.home, "--mirror", mirror).exit_code in {2, 5}
    assert not (place.home / "service.sqlite").exists()
    settings = place.studio.settings
    begin_restore(backup, settings)  # as a process that was killed between the copy and the comparison
    half = place.studio.certifier()
    assert [problem.kind for problem in half.problems] == ["restore-unfinished"]
    half.close()
    again = run("restore", backup, "--home", place.home, "--mirror", published)
    assert again.exit_code == 0, again.output
    assert "may go on" in again.stdout
    assert place.studio.certifier().problems == ()


def test_a_backup_from_before_a_turn_begins_no_second_log_of_that_name(place: Place, tmp_path: Path) -> None:
    backup, mirror = tmp_path / "backup", tmp_path / "mirror"
    run("backup", backup, "--home", place.home, "--with-keys")
    run("log", "turn", "--home", place.home, "--yes")
    shutil.copytree(place.home / "log", mirror)
    destroy(place)
    refused = run("restore", backup, "--home", place.home, "--mirror", mirror)
    assert refused.exit_code == 1
    assert "a log whose key this home does not have" in refused.output


def test_a_folder_that_is_no_backup_is_told(place: Place, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    refused = run("restore", tmp_path / "nothing", "--home", tmp_path / "new", "--nothing-newer")
    assert refused.exit_code == 1
    assert "is no backup" in refused.output
    assert not (tmp_path / "new/service.sqlite").exists()


def test_a_renewal_that_was_lost_comes_back_with_the_shares_it_took_over(place: Place, tmp_path: Path) -> None:
    certifier = place.studio.certifier()
    renewal = place.studio.examined(2, report_id="renewal", renewal_of=place.codes[1])
    answer = certifier.certify(renewal, NOW)
    assert isinstance(answer, Issued), answer
    certifier.close()
    document = (answer.certificate.document or b"").decode()
    place.history += [{"op": "issue", "code": answer.certificate.code, "document": document}]
    place.history += [{"op": "revoke", "code": place.codes[1]}]
    before = place.judged()
    public_files(place, tmp_path / "files")
    mirror = lose_the_database(place, tmp_path)
    restored = run("restore", "--home", place.home, "--mirror", mirror, "--certificates", tmp_path / "files")
    assert restored.exit_code == 0, restored.output
    assert "4 certificates were brought back" in restored.stdout
    check_growth(before, place.judged())
    assert run("log", "fsck", "--home", place.home).exit_code == 0


def test_a_changed_signature_in_a_mirror_is_not_taken_over(place: Place, tmp_path: Path) -> None:
    """Whoever keeps a mirror can withhold, and cannot put anything in."""
    public_files(place, tmp_path / "files")
    bent = tmp_path / f"files/{place.codes[2]}.vc"
    document = json.loads(bent.read_bytes())
    document["proof"]["verificationMethod"] = "did:web:label.example#another"
    bent.write_text(json.dumps(document))
    mirror = lose_the_database(place, tmp_path)
    restored = run("restore", "--home", place.home, "--mirror", mirror, "--certificates", tmp_path / "files")
    assert restored.exit_code == 0, restored.output
    assert "2 certificates were brought back" in restored.stdout
    assert "may go on; 1 certificates are still lost" in restored.stdout
    certifier = place.studio.certifier()
    assert certifier.problems == ()
    client = create_app(certifier, lambda: LATER).test_client()
    told = client.get(f"/v/{place.codes[2]}.json").json
    assert "in the log" in told["detail"]
    certifier.close()


def test_a_certificate_whose_key_was_rotated_out_comes_back_as_it_was_signed(place: Place, tmp_path: Path) -> None:
    public_files(place, tmp_path / "files")
    (place.home / "private/issuer.pem").unlink()
    key = SigningKey.generate()
    save_signing_key(place.home / "private/issuer.pem", key)
    register_key(place.studio.settings, "key-next", "issuer", "Low-Carbon Audio Label", key.public, NOW)
    mirror = lose_the_database(place, tmp_path)
    restored = run("restore", "--home", place.home, "--mirror", mirror, "--certificates", tmp_path / "files")
    assert restored.exit_code == 0, restored.output
    place.judged()
