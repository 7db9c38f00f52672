"""The life of an installation's keys: made, in force beside each other, retired, stolen; in the log, in the register, at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.jose import parse_jwt
from certifier.certificate.trust import LastGood, did_document
from certifier.certificate.verify import check_certificate
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import BusyError, ConflictError, NotFoundError, OperatorError, ReadOnlyError
from certifier.log.entry import parse_entry
from certifier.service import key_changes, register
from certifier.service.certifier import Certifier, Issued
from certifier.service.home import make_home, open_certifier, turn_log
from certifier.service.key_changes import TAKEN_UP, add_key, compromise_key, keys_view, retire_key
from certifier.service.logbook import Logbook
from certifier.settings import Settings
from certifier.storage.files import load_keyring, make_passphrase
from certifier.storage.rows import NewEntry
from certifier.storage.store import Store
from certifier.web.app import create_app
from tests.studio import NOW, Studio

DID = "did:web:label.example"
FIRST = "key-2026"
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(studio: Studio) -> Settings:
    """An installation that nobody has open."""
    studio.certifier().close()
    return studio.settings


@pytest.fixture
def running(studio: Studio, settings: Settings) -> Iterator[Certifier]:
    """The same, at work while commands change its keys."""
    certifier = open_certifier(settings)
    yield certifier
    certifier.close()


def issue(certifier: Certifier, studio: Studio, number: int, now: datetime = NOW) -> Issued:
    answer = certifier.certify(studio.examined(number), now)
    assert isinstance(answer, Issued)
    return answer


def method_of(answer: Issued) -> str:
    document = parse_object(answer.certificate.document or b"")
    return str(document["proof"]["verificationMethod"])


def verdict_on(certifier: Certifier, code: str, now: datetime) -> str:
    row = certifier.certificate(code)
    return check_certificate(row.document or b"", certifier.published.material(row, now), now).verdict


def logged(settings: Settings) -> list[dict[str, Any]]:
    """What the log says of keys."""
    certifier = open_certifier(settings)
    try:
        entries = certifier.logbook.entries_between(0, certifier.logbook.head.size)
    finally:
        certifier.close()
    return [entry for entry in map(parse_entry, entries) if entry["type"].startswith("key-")]


def state_of(settings: Settings, key_id: str, now: datetime = NOW) -> str:
    return next(view.state for view in keys_view(settings, now).keys if view.entry.id == key_id)


# -- rotate -----------------------------------------------------------------------------------------------------


def test_a_new_key_signs_at_once_under_a_running_service_and_the_old_certificates_stay_valid(
    running: Certifier, studio: Studio, settings: Settings
) -> None:
    before = issue(running, studio, 1)
    added = add_key(settings, "issuer", NOW)
    running.keys.look()
    after = issue(running, studio, 2, NOW + HOUR)
    assert (method_of(before), method_of(after)) == (f"{DID}#{FIRST}", f"{DID}#{added.entry.id}")
    assert added.forerunners == (FIRST,)
    for answer in (before, after):
        assert verdict_on(running, answer.certificate.code, NOW + HOUR) == "valid"
    assert [view.certificates for view in keys_view(settings, NOW + HOUR).keys[:2]] == [1, 1]


def test_the_log_announces_a_key_before_it_signs(settings: Settings) -> None:
    later = NOW + timedelta(days=7)
    added = add_key(settings, "issuer", NOW, begins=later)
    assert logged(settings) == [
        {
            "v": "lcal-log/1",
            "type": "key-add",
            "at": "2026-11-01T12:00:00Z",
            "kid": f"{DID}#{added.entry.id}",
            "key": added.entry.public.multibase,
        }
    ]
    assert (state_of(settings, added.entry.id), state_of(settings, added.entry.id, later)) == ("not_yet", "in_force")


def test_a_running_service_looks_at_the_register_by_itself(
    running: Certifier, studio: Studio, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "LOOK_EVERY_S", 3600.0)
    added = add_key(settings, "issuer", NOW)
    assert running.keyring.named(added.entry.id) is None
    monkeypatch.setattr(register, "LOOK_EVERY_S", -1.0)
    assert method_of(issue(running, studio, 1)) == f"{DID}#{added.entry.id}"
    client = create_app(running, lambda: NOW).test_client()
    for path in ("/.well-known/did.json", "/trust.json"):
        assert added.entry.public.multibase in client.get(path).text


def test_a_key_signs_the_status_lists_of_the_minute_in_which_it_was_made(tmp_path: Path) -> None:
    settings, moment = Settings(home=tmp_path / "home"), NOW + timedelta(seconds=40)
    make_home(settings, moment)
    certifier = open_certifier(settings)
    client = create_app(certifier, lambda: moment).test_client()
    assert client.get("/readyz").status_code == 200
    compromise_key(settings, FIRST, moment, last_good=-1)
    add_key(settings, "issuer", moment)
    certifier.keys.look()
    assert client.get("/readyz").status_code == 200
    certifier.close()


def test_each_key_has_an_id_and_a_file_of_its_own(settings: Settings) -> None:
    ids = [add_key(settings, "issuer", NOW).entry.id for _ in range(2)] + [add_key(settings, "status", NOW).entry.id]
    assert ids == ["key-2026-2", "key-2026-3", "status-2026"]
    assert {path.name for path in settings.private_dir.iterdir()} == {
        "issuer.pem", "log.pem", "issuer-key-2026-2.pem", "issuer-key-2026-3.pem", "status-2026.pem",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in settings.private_dir.iterdir()} == {0o600}


def test_a_status_key_signs_the_lists_and_no_certificate(
    running: Certifier, studio: Studio, settings: Settings
) -> None:
    answer = issue(running, studio, 1)
    added = add_key(settings, "status", NOW)
    running.keys.look()
    lists = running.published.material(answer.certificate, NOW).status_lists
    signers = {parse_object(raw)["proof"]["verificationMethod"] for raw in lists.values()}
    assert signers == {f"{DID}#{added.entry.id}"}
    assert method_of(issue(running, studio, 2)) == f"{DID}#{FIRST}"
    assert verdict_on(running, answer.certificate.code, NOW) == "valid"
    retire_key(settings, added.entry.id, NOW)
    running.keys.look()
    lists = running.published.material(answer.certificate, NOW).status_lists
    assert {parse_object(raw)["proof"]["verificationMethod"] for raw in lists.values()} == {f"{DID}#{FIRST}"}


def test_a_list_that_was_made_between_log_and_register_is_made_anew(
    running: Certifier, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a stolen key's list would be served to the end of the minute."""
    monkeypatch.setattr(register, "LOOK_EVERY_S", 3600.0)
    client = create_app(running, lambda: NOW).test_client()
    added = add_key(settings, "status", NOW)
    signers = []
    for _ in range(2):
        document = parse_object(client.get("/status/revocation/1").data)
        signers.append(document["proof"]["verificationMethod"])
        running.keys.look()
    assert signers == [f"{DID}#{FIRST}", f"{DID}#{added.entry.id}"]


def test_a_log_key_that_was_prepared_is_the_next_logs(settings: Settings, studio: Studio) -> None:
    added = add_key(settings, "log", NOW)
    assert logged(settings)[0]["kid"] == added.entry.id == "label.example/2026-2"
    assert turn_log(settings, NOW) == ("label.example/2026", added.entry.id)
    certifier = open_certifier(settings)
    try:
        assert certifier.logbook.verifier_key.key == added.entry.public
        assert not certifier.problems
        assert [log.name for log in certifier.published.trust_at(NOW).logs] == [
            "label.example/2026",
            "label.example/2026-2",
        ]
    finally:
        certifier.close()


def test_a_signer_elsewhere_is_taken_up_by_its_uri(
    running: Certifier, studio: Studio, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = SigningKey.generate()
    monkeypatch.setenv("EXAMPLE_ISSUER", key.to_pem(None).decode())
    added = add_key(settings, "issuer", NOW, uri="env:EXAMPLE_ISSUER")
    assert (added.private, added.entry.public) == ("env:EXAMPLE_ISSUER", key.public)
    running.keys.look()
    assert method_of(issue(running, studio, 1)) == f"{DID}#{added.entry.id}"
    with pytest.raises(ConflictError, match="already"):
        add_key(settings, "status", NOW, uri="env:EXAMPLE_ISSUER")
    assert settings.signers_file.read_text() == "env:EXAMPLE_ISSUER\n"


# -- retire -----------------------------------------------------------------------------------------------------


def test_a_retired_key_signs_nothing_new_and_what_it_signed_is_valid(
    running: Certifier, studio: Studio, settings: Settings
) -> None:
    before = issue(running, studio, 1)
    add_key(settings, "issuer", NOW, begins=NOW - HOUR)
    retired = retire_key(settings, FIRST, NOW)
    running.keys.look()
    assert retired.valid_until == NOW + TAKEN_UP
    assert method_of(issue(running, studio, 2)) == f"{DID}#key-2026-2"
    assert verdict_on(running, before.certificate.code, NOW + HOUR) == "valid"
    assert logged(settings)[-1]["type"] == "key-retire"
    assert state_of(settings, FIRST) == "retired"
    assert f"{DID}#{FIRST}" in did_document(running.published.trust_at(NOW), DID, NOW)["assertionMethod"]


def test_what_was_accepted_under_a_key_is_delivered_after_its_retirement(
    studio: Studio, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    certifier = open_certifier(settings)
    add_key(settings, "issuer", NOW, begins=NOW + HOUR)
    with monkeypatch.context() as crash:
        crash.setattr(Store, "deliver", lambda *_: (_ for _ in ()).throw(BusyError("crash")))
        certifier.certify(studio.examined(1), NOW)
        certifier.close()
    add_key(settings, "issuer", NOW)
    retire_key(settings, FIRST, NOW)
    reopened = open_certifier(settings)
    try:
        (row,) = [row for row, _ in reopened.store.newest_certificates(5)]
        assert row.verification_method == f"{DID}#{FIRST}"
        assert verdict_on(reopened, row.code, NOW + HOUR) == "valid"
    finally:
        reopened.close()


def test_the_only_key_that_could_sign_is_not_retired(settings: Settings) -> None:
    add_key(settings, "issuer", NOW, begins=NOW + HOUR)  # not in force yet
    with pytest.raises(ConflictError, match="only one"):
        retire_key(settings, FIRST, NOW)
    (settings.private_dir / "issuer-key-2026-2.pem").unlink()
    with pytest.raises(ConflictError, match="only one"):  # its private half is not here
        retire_key(settings, FIRST, NOW + HOUR * 2)
    assert state_of(settings, FIRST) == "in_force"


REFUSED: dict[str, tuple[Callable[[Settings], Any], type[Exception], str]] = {
    "a key that nobody listed": (lambda s: retire_key(s, "key-1999", NOW), NotFoundError, "no such key"),
    "the key of a log": (lambda s: retire_key(s, "label.example/2026", NOW), ConflictError, "a log keeps its key"),
    "a key of a party": (lambda s: retire_key(s, "example-party", NOW), ConflictError, "not of this installation"),
    "the theft of a log's key": (
        lambda s: compromise_key(s, "label.example/2026", NOW, last_good=0),
        ConflictError,
        "a log keeps its key",
    ),
    "an index that is not in the log": (
        lambda s: compromise_key(s, FIRST, NOW, last_good=7),
        OperatorError,
        "no entry of this index",
    ),
    "a log that is none of ours": (
        lambda s: compromise_key(s, FIRST, NOW, last_good=0, origin="other.example/2026"),
        OperatorError,
        "no log of this origin",
    ),
}


@pytest.mark.parametrize(("act", "kind", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_changes_nothing(
    settings: Settings, act: Callable[[Settings], Any], kind: type[Exception], told: str
) -> None:
    before = sorted(settings.register_dir.rglob("*"))
    with pytest.raises(kind, match=told):
        act(settings)
    assert (sorted(settings.register_dir.rglob("*")), logged(settings)) == (before, [])
    assert not settings.key_change_file.exists()


# -- theft ------------------------------------------------------------------------------------------------------


def test_after_a_theft_later_places_in_the_log_are_bad_and_earlier_ones_good(
    running: Certifier, studio: Studio, settings: Settings
) -> None:
    good, forged = issue(running, studio, 1), issue(running, studio, 2)
    add_key(settings, "issuer", NOW)
    theft = compromise_key(settings, FIRST, NOW + HOUR, last_good=0)
    assert [(bad.code, bad.log_index, bad.revoked) for bad in theft.bad] == [(forged.certificate.code, 1, False)]
    assert (theft.good, theft.can_issue, theft.private) == (1, True, "issuer.pem")
    assert logged(settings)[-1] == {
        "v": "lcal-log/1", "type": "key-compromise", "at": "2026-11-01T13:00:00Z", "kid": f"{DID}#{FIRST}", "last_good_index": 0,
    }  # fmt: skip
    running.keys.look()
    trust = running.published.trust_at(NOW + HOUR)
    key = trust.key_for(f"{DID}#{FIRST}")
    assert key is not None
    assert (key.last_good, key.valid_until) == (LastGood("label.example/2026", 0), NOW + HOUR)
    document = did_document(trust, DID, NOW + HOUR)
    assert f"{DID}#{FIRST}" not in document["assertionMethod"]
    assert document["verificationMethod"][0]["revoked"] == "2026-11-01T13:00:00Z"
    assert running.certificate(good.certificate.code).document  # what was published stays public


FORGOTTEN = {"a theft": "compromised", "a retirement": "retired", "a new key": ""}


@pytest.mark.parametrize("what", FORGOTTEN.values(), ids=FORGOTTEN.keys())
def test_a_register_that_forgot_what_the_log_says_of_a_key_is_not_started_with(settings: Settings, what: str) -> None:
    """An old backup of the register would make a stolen key good again."""
    added = add_key(settings, "issuer", NOW)
    retire_key(settings, FIRST, NOW)
    compromise_key(settings, FIRST, NOW + HOUR, last_good=0)
    file = settings.register_dir / "issuer" / (f"{FIRST}.{what}.toml" if what else f"{added.entry.id}.toml")
    text = file.read_bytes()
    file.unlink()
    with pytest.raises(OperatorError, match="The log says something of the key"):
        open_certifier(settings)
    file.write_bytes(text)
    open_certifier(settings).close()


MOVED = {
    "to a later entry": ("last_good_index = 0", "last_good_index = 900"),
    "to another log": ('log = "label.example/2026"', 'log = "label.example/2027"'),
}


@pytest.mark.parametrize(("was", "becomes"), MOVED.values(), ids=MOVED.keys())
def test_the_place_of_a_theft_cannot_be_moved_in_the_register(settings: Settings, was: str, becomes: str) -> None:
    add_key(settings, "issuer", NOW)
    compromise_key(settings, FIRST, NOW, last_good=0)
    file = settings.register_dir / "issuer" / f"{FIRST}.compromised.toml"
    assert was in file.read_text()
    file.write_text(file.read_text().replace(was, becomes))
    with pytest.raises(OperatorError, match="The log says something of the key"):
        open_certifier(settings)


def test_a_theft_can_be_told_while_another_private_half_cannot_be_read(
    running: Certifier, studio: Studio, settings: Settings
) -> None:
    issue(running, studio, 1)
    torn = settings.private_dir / "issuer-torn.pem"
    torn.write_bytes(b"half a file")
    torn.chmod(0o600)
    with pytest.raises(ReadOnlyError, match="Nothing is issued"):
        retire_key(settings, FIRST, NOW)
    assert compromise_key(settings, FIRST, NOW, last_good=0).good == 1


def test_a_stolen_key_signs_nothing_again(running: Certifier, studio: Studio, settings: Settings) -> None:
    issue(running, studio, 1)
    theft = compromise_key(settings, FIRST, NOW, last_good=0)
    assert not theft.can_issue
    running.keys.look()
    client = create_app(running, lambda: NOW).test_client()
    with pytest.raises(ReadOnlyError) as caught:
        running.certify(studio.examined(2), NOW)
    assert "no-issuer-key" in (caught.value.found or "")
    with pytest.raises(ReadOnlyError):
        running.published.status_list("revocation", 1, NOW)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["parts"]["writing"].split(":")[0]) == (503, "no-issuer-key")
    # the way out of it
    add_key(settings, "issuer", NOW)
    running.keys.look()
    assert method_of(issue(running, studio, 2)) == f"{DID}#key-2026-2"
    assert client.get("/readyz").status_code == 200


def test_further_forms_are_signed_by_a_retired_key_and_never_by_a_stolen_one(
    running: Certifier, studio: Studio, settings: Settings
) -> None:
    row = issue(running, studio, 1).certificate
    add_key(settings, "issuer", NOW)
    retire_key(settings, FIRST, NOW)
    running.keys.look()
    kept = running.rendition(row, "jwt")
    assert parse_jwt(kept.decode()).kid == f"{DID}#{FIRST}"
    compromise_key(settings, FIRST, NOW, last_good=0)
    running.keys.look()
    assert running.rendition(row, "jwt") == kept  # made before; it is as good as its place in the log
    with pytest.raises(NotFoundError):
        running.rendition(row, "openbadge")


def test_a_stolen_status_key_signs_no_list_and_no_pack(running: Certifier, studio: Studio, settings: Settings) -> None:
    row = issue(running, studio, 1).certificate
    status = add_key(settings, "status", NOW).entry.id
    running.keys.look()
    old = running.published.material(row, NOW).status_lists
    compromise_key(settings, status, NOW, last_good=0)
    running.keys.look()
    material = running.published.material(row, NOW)
    assert {parse_object(raw)["proof"]["verificationMethod"] for raw in material.status_lists.values()} == {
        f"{DID}#{FIRST}"
    }
    assert check_certificate(row.document or b"", material, NOW).verdict == "valid"
    # what the thief, or the service before the theft, signed counts no more
    stale = check_certificate(row.document or b"", replace(material, status_lists=old), NOW)
    assert (stale.axes["lifecycle"], stale.verdict) == ("unchecked", "cannot_tell")
    assert running.published.pack(NOW)


def test_a_new_key_can_be_made_when_the_stolen_ones_private_half_was_taken_away(settings: Settings) -> None:
    compromise_key(settings, FIRST, NOW, last_good=-1)
    (settings.private_dir / "issuer.pem").unlink()
    assert add_key(settings, "issuer", NOW).entry.id == "key-2026-2"


def test_a_lost_private_half_can_be_followed_by_a_new_key(settings: Settings) -> None:
    (settings.private_dir / "issuer.pem").unlink()
    added = add_key(settings, "issuer", NOW)
    certifier = open_certifier(settings)
    assert not certifier.problems
    certifier.close()
    assert state_of(settings, added.entry.id) == "in_force"


SINCE = {
    "before everything: nothing is good": (timedelta(hours=-1), ("label.example/2026", -1)),
    "at an entry's own time, it is bad": (timedelta(hours=1), ("label.example/2026", 0)),
    "between two entries": (timedelta(minutes=90), ("label.example/2026", 1)),
    "after everything: all is good": (timedelta(hours=9), ("label.example/2026", 2)),
}


@pytest.mark.parametrize(("since", "place"), SINCE.values(), ids=SINCE.keys())
def test_a_time_of_theft_is_turned_into_a_place_in_the_log(
    studio: Studio, settings: Settings, since: timedelta, place: tuple[str, int]
) -> None:
    certifier = open_certifier(settings)
    for number in range(3):
        issue(certifier, studio, number, NOW + number * HOUR)
    certifier.close()
    theft = compromise_key(settings, FIRST, NOW + 10 * HOUR, since=NOW + since)
    assert (theft.compromise.log, theft.compromise.last_good_index) == place
    assert (theft.good, len(theft.bad)) == (place[1] + 1, 2 - place[1])


def test_a_theft_may_lie_in_an_older_log(studio: Studio, settings: Settings) -> None:
    certifier = open_certifier(settings)
    issue(certifier, studio, 1)
    old_bad = issue(certifier, studio, 2)
    certifier.close()
    turn_log(settings, NOW + HOUR)
    certifier = open_certifier(settings)
    new_bad = issue(certifier, studio, 3, NOW + HOUR)
    certifier.close()
    theft = compromise_key(settings, FIRST, NOW + HOUR, last_good=0, origin="label.example/2026")
    assert [bad.code for bad in theft.bad] == [old_bad.certificate.code, new_bad.certificate.code]
    assert logged(settings)[-1]["last_good_log"] == "label.example/2026"


def test_a_theft_is_told_once_and_a_retired_key_may_be_stolen(settings: Settings) -> None:
    add_key(settings, "issuer", NOW)
    retire_key(settings, FIRST, NOW)
    compromise_key(settings, FIRST, NOW, last_good=0)
    assert state_of(settings, FIRST) == "compromised"
    for again in (lambda: compromise_key(settings, FIRST, NOW, last_good=1), lambda: retire_key(settings, FIRST, NOW)):
        with pytest.raises(ConflictError, match="already"):
            again()


def test_a_theft_can_be_told_while_nothing_is_issued_for_want_of_disk(studio: Studio, settings: Settings) -> None:
    full = replace(settings, min_free_bytes=2**62)
    assert not compromise_key(full, FIRST, NOW, last_good=-1).can_issue
    with pytest.raises(ReadOnlyError):
        open_certifier(full).certify(studio.examined(1), NOW)


# -- crashes ----------------------------------------------------------------------------------------------------


class Crash(Exception):
    pass


def crash(*_: Any, **__: Any) -> Any:
    raise Crash


POINTS = {
    "before the log has it": (Store, "accept"),
    "before the log shows it": (Logbook, "publish"),
    "before the register has it": (register, "save_durably"),
    "before it is forgotten": (register, "remove_file"),
}
CHANGES: dict[str, tuple[Callable[[Settings], Any], str, str]] = {
    "a new key": (lambda s: add_key(s, "issuer", NOW), "key-2026-2", "in_force"),
    "a retirement": (lambda s: retire_key(s, FIRST, NOW), FIRST, "retired"),
    "a theft": (lambda s: compromise_key(s, FIRST, NOW, last_good=-1), FIRST, "compromised"),
}


@pytest.mark.parametrize(("owner", "name"), POINTS.values(), ids=POINTS.keys())
@pytest.mark.parametrize(("change", "key_id", "state"), CHANGES.values(), ids=CHANGES.keys())
def test_a_crash_between_log_and_register_is_finished_at_the_next_start(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Settings], Any],
    key_id: str,
    state: str,
    owner: Any,
    name: str,
) -> None:
    if state == "retired":
        add_key(settings, "issuer", NOW)
    before = logged(settings)
    real = getattr(owner, name)
    with monkeypatch.context() as fault:
        if name == "save_durably":  # the note of what is to be done is kept; the register's own file is not
            fault.setattr(owner, name, lambda path, raw: crash() if path.suffix == ".toml" else real(path, raw))
        elif name == "publish":  # the opening publishes too
            fault.setattr(register, "_carry_out", lambda s, store, book, c: _accept_only(store, c))
        else:
            fault.setattr(owner, name, crash)
        with pytest.raises(Crash):
            change(settings)
    assert keys_view(settings, NOW).unfinished
    open_certifier(settings).close()
    view = keys_view(settings, NOW)
    assert not view.unfinished
    assert state_of(settings, key_id) == state
    assert len(logged(settings)) == len(before) + 1  # once, whatever was there before
    open_certifier(settings).close()
    assert len(logged(settings)) == len(before) + 1


def _accept_only(store: Store, change: Any) -> None:
    store.accept([NewEntry(parse_entry(change.entry)["type"], change.entry)])
    raise Crash


def test_a_key_that_a_crash_left_unregistered_is_taken_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as fault:
        fault.setattr(key_changes, "make_change", crash)
        with pytest.raises(Crash):
            add_key(settings, "issuer", NOW)
    ((place, left),) = keys_view(settings, NOW).strangers
    assert place == "issuer-key-2026-2.pem"
    assert add_key(settings, "issuer", NOW).entry.public == left


def test_a_note_of_a_change_that_cannot_be_read_is_told_and_stops_no_reading(settings: Settings) -> None:
    settings.key_change_file.write_text("{")
    certifier = open_certifier(settings)
    assert not certifier.problems
    certifier.close()
    assert keys_view(settings, NOW).unfinished
    with pytest.raises(OperatorError, match="not finished"):
        add_key(settings, "issuer", NOW)


# -- a register that is broken while the service runs -----------------------------------------------------------


def torn(settings: Settings) -> None:
    (settings.register_dir / "issuer" / "key-2026.toml").write_text("[[keys]\n")


def lost(settings: Settings) -> None:
    (settings.register_dir / "issuer" / "key-2026.toml").unlink()


def exposed(settings: Settings) -> None:
    (settings.private_dir / "issuer.pem").chmod(0o644)
    (settings.private_dir / "log.pem").touch()


def torn_key(settings: Settings) -> None:
    (settings.private_dir / "issuer.pem").write_bytes(b"")


def forgiven(settings: Settings) -> None:
    (settings.register_dir / "issuer" / "key-2026-2.retired.toml").unlink()


def forgotten(settings: Settings) -> None:
    (settings.register_dir / "issuer" / "key-2026-3.compromised.toml").unlink()


@pytest.mark.parametrize("fault", [torn, lost, exposed, torn_key, forgiven, forgotten])
def test_a_broken_register_leaves_the_old_one_in_force_and_is_told(
    running: Certifier, studio: Studio, settings: Settings, fault: Callable[[Settings], None]
) -> None:
    add_key(settings, "issuer", NOW, begins=NOW - HOUR)
    retire_key(settings, "key-2026-2", NOW)
    add_key(settings, "issuer", NOW)
    compromise_key(settings, "key-2026-3", NOW, last_good=-1)
    running.keys.look()
    kept = {path: path.read_bytes() for path in settings.home.rglob("*") if path.suffix in {".toml", ".pem"}}
    fault(settings)
    running.keys.look()
    assert method_of(issue(running, studio, 1)) == f"{DID}#{FIRST}"
    client = create_app(running, lambda: NOW).test_client()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["ready"]) == (503, False)
    assert ready.json["parts"]["register"] != "ok"
    for path, raw in kept.items():
        path.write_bytes(raw)
        path.chmod(0o600)
    running.keys.look()
    assert client.get("/readyz").json["parts"]["register"] == "ok"


def test_a_theft_counts_even_where_the_rest_of_the_register_cannot_be_taken_up(
    running: Certifier, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's shell has the variable with the next key, and the service that runs has not."""
    with monkeypatch.context() as shell:
        shell.setenv("LCAL_NEXT_KEY", SigningKey.generate().to_pem(None).decode())
        add_key(settings, "issuer", NOW, uri="env:LCAL_NEXT_KEY")
        compromise_key(settings, FIRST, NOW, last_good=-1)
    assert running.own_keys.signer_named(f"{DID}#{FIRST}") is not None
    running.keys.look()
    assert "LCAL_NEXT_KEY" in running.keys.fault
    assert running.own_keys.signer_named(f"{DID}#{FIRST}") is None
    with pytest.raises(ReadOnlyError):
        running.check_writable(NOW)


# -- passphrases ------------------------------------------------------------------------------------------------


def test_an_encrypted_installation_works_with_its_passphrase_and_is_read_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home")
    passphrase = make_passphrase(tmp_path / "secret" / "passphrase")
    make_home(settings, NOW - HOUR, passphrase)
    assert all(b"ENCRYPTED" in path.read_bytes() for path in settings.private_dir.iterdir())
    with pytest.raises(OperatorError, match="no log key") as caught:
        open_certifier(settings)
    assert "LCAL_KEY_PASSPHRASE_FILE" in (caught.value.found or "")
    with monkeypatch.context() as known:
        known.setenv("LCAL_KEY_PASSPHRASE", passphrase.decode())
        certifier = open_certifier(settings)
        assert not certifier.problems
        certifier.close()
        add_key(settings, "issuer", NOW, passphrase=passphrase)
    certifier = open_certifier(settings)
    assert {problem.kind for problem in certifier.problems} == {"wrong-key"}
    assert "LCAL_KEY_PASSPHRASE_FILE" in certifier.problems[0].found
    assert certifier.logbook.is_trustworthy
    certifier.close()
    assert b"ENCRYPTED" in (settings.private_dir / "issuer-key-2026-2.pem").read_bytes()
    assert load_keyring(settings.register_dir).named("key-2026-2") is not None
