"""What an operator does with an API key goes into the public log with its reason, and into the operator's record with the key."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from certifier.crypto.signing import SigningKey
from certifier.log.entry import parse_entry
from certifier.service.acts import Act, Acts
from certifier.service.certifier import Issued
from certifier.storage.rows import ActRow
from certifier.web.app import create_app
from tests.statements import signed_statement
from tests.studio import NOW, Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import LATER

HOLDER = {"holder": "Example Office"}


class Desk:
    """An installation with a certificate, and an operator's key."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.certifier = studio.certifier()
        self.client: FlaskClient = create_app(self.certifier, lambda: LATER).test_client()
        self.key = new_key(self.certifier, "ops:revoke", "ops:approve", **HOLDER)
        self._count = 0

    def issued(self) -> str:
        self._count += 1
        answer = self.certifier.certify(self.studio.examined(self._count), LATER)
        assert isinstance(answer, Issued)
        return answer.certificate.code

    def send(self, path: str, body: Any, key: str | None = None, **headers: str) -> Any:
        sent = {**bearer(key or self.key), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.post(f"/api/v1/{path}", json=body, headers=sent)

    def log(self) -> list[dict[str, Any]]:
        book = self.certifier.logbook
        return [parse_entry(raw) for raw in book.entries_between(0, book.head.size)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(Studio(tmp_path_factory.mktemp("acts")))
    yield desk
    desk.certifier.close()


def slug(answer: Any) -> str:
    return str(answer.json["type"].rpartition("/")[2])


def test_a_revocation_is_public_with_its_reason_and_recorded_with_its_key(desk: Desk) -> None:
    code = desk.issued()
    answer = desk.send("revocations", {"code": code, "reason": "misuse", "note": "Case 12 (example)"})
    assert answer.status_code == 201, answer.text
    told = answer.json
    assert (told["act"], told["state"], told["holder"]) == ("revoke", "revoked", "Example Office")
    assert told["key_id"] == desk.key.split("_")[2]
    entry = desk.log()[told["log"]["index"]]
    assert (entry["type"], entry["code"], entry["reason"], entry["at"]) == ("revoke", code, "misuse", told["at"])
    assert "Case 12" not in json.dumps(desk.log())
    assert desk.key.split("_")[2] not in json.dumps(desk.log())
    assert desk.certifier.published.lifecycle(code) == "revoked"
    page = desk.client.get(f"/v/{code}.json").text
    assert "Case 12" not in page
    assert "Example Office" not in page
    headers = bearer(desk.key)
    assert desk.client.get(answer.headers["Location"], headers=headers).json == told
    assert desk.client.get("/api/v1/operator-acts", headers=headers).json["items"][0] == told


def test_a_certificate_is_suspended_reinstated_and_revoked_in_turn(desk: Desk) -> None:
    code = desk.issued()
    states = []
    for path in ("suspensions", "reinstatements", "suspensions", "revocations"):
        answer = desk.send(path, {"code": code.lower(), "reason": "figure"})
        states.append((answer.status_code, answer.json["state"], desk.certifier.published.lifecycle(code)))
    assert states == [(201, state, state) for state in ("suspended", "active", "suspended", "revoked")]


def test_what_the_state_does_not_allow_is_a_conflict(desk: Desk) -> None:
    code = desk.issued()
    size = len(desk.log())
    early = desk.send("reinstatements", {"code": code, "reason": "figure"})
    assert (slug(early), "It is in force already." in early.json["detail"]) == ("state-conflict", True)
    assert desk.send("suspensions", {"code": code, "reason": "figure"}).status_code == 201
    assert "It is suspended already." in desk.send("suspensions", {"code": code, "reason": "figure"}).json["detail"]
    assert desk.send("reinstatements", {"code": code, "reason": "figure"}).status_code == 201
    assert desk.send("revocations", {"code": code, "reason": "figure"}).status_code == 201
    for path in ("revocations", "suspensions", "reinstatements"):
        for query in ("", "?dry_run=true"):
            answer = desk.send(f"{path}{query}", {"code": code, "reason": "figure"})
            assert (answer.status_code, slug(answer)) == (409, "state-conflict")
            told = "It is revoked already." if path == "revocations" else "It is revoked, for ever."
            assert told in answer.json["detail"]
            assert "revoked since 20" in answer.text
    assert len(desk.log()) == size + 3


def test_a_trial_does_nothing(desk: Desk) -> None:
    code, size = desk.issued(), len(desk.log())
    answer = desk.send("revocations?dry_run=true", {"code": code, "reason": "evidence"})
    assert answer.status_code == 200
    assert (answer.json["dry_run"], answer.json["state"], answer.json["id"]) == (True, "revoked", None)
    assert len(desk.log()) == size
    assert desk.certifier.published.lifecycle(code) == "active"


def test_a_repeated_request_gets_its_first_answer(desk: Desk) -> None:
    code, named = desk.issued(), {"Idempotency_Key": "one-revocation"}
    body = {"code": code, "reason": "evidence"}
    first, again = (desk.send("revocations", body, **named) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = desk.send("revocations", {**body, "reason": "figure"}, **named)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")
    next_key = new_key(desk.certifier, "ops:revoke", **HOLDER)
    assert desk.send("revocations", body, next_key, **named).json == first.json
    elsewhere = desk.send("revocations", body, new_key(desk.certifier, "ops:revoke", holder="Example Bureau"), **named)
    assert (elsewhere.status_code, slug(elsewhere)) == (409, "state-conflict")


def test_a_repeat_that_came_before_the_first_was_done_gets_its_answer_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked for an answer when there was none yet, and finds the certificate suspended already."""
    asked = ("suspensions", {"code": desk.issued(), "reason": "misuse"})
    first = desk.send(*asked, Idempotency_Key="a-repeat-in-between")
    answered, looks = Acts.answered, list[object]()

    def too_early(acts: Acts, act: Act) -> ActRow | None:
        looks.append(act)
        return answered(acts, act) if len(looks) > 1 else None

    monkeypatch.setattr(Acts, "answered", too_early)
    again = desk.send(*asked, Idempotency_Key="a-repeat-in-between")
    assert (again.status_code, again.json) == (201, first.json), again.text
    assert again.headers["Idempotent-Replayed"] == "true"
    looks.clear()
    assert desk.send(*asked, Idempotency_Key="another-request").status_code == 409


def test_one_request_sent_many_times_at_once_is_one_act(desk: Desk) -> None:
    code, answers = desk.issued(), []
    body, named = {"code": code, "reason": "evidence"}, {"Idempotency_Key": "at-once-1"}
    threads = [
        threading.Thread(target=lambda: answers.append(desk.send("revocations", body, **named))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers if answer.status_code == 201}) == 1
    assert [entry["type"] for entry in desk.log() if entry.get("code") == code] == ["issue", "revoke"]


# body of a revocation -> (status, kind of problem, where)
WRONG: dict[str, tuple[Any, int, str, str | None]] = {
    "no reason": ({"code": "CODE"}, 400, "parameter-invalid", "/reason"),
    "another reason": ({"code": "CODE", "reason": "because"}, 400, "parameter-invalid", "/reason"),
    "no code": ({"reason": "misuse"}, 400, "parameter-invalid", "/code"),
    "a mistyped code": ({"code": "0000000001", "reason": "misuse"}, 400, "code-malformed", None),
    "a code of nobody": ({"code": "0000000000", "reason": "misuse"}, 404, "certificate-not-found", None),
    "an unknown member": ({"code": "CODE", "reason": "misuse", "by": "me"}, 400, "parameter-invalid", "/by"),
    "a note of two lines": ({"code": "CODE", "reason": "misuse", "note": "a\nb"}, 400, "parameter-invalid", "/note"),
    "a note too long": ({"code": "CODE", "reason": "misuse", "note": "a" * 501}, 400, "parameter-invalid", "/note"),
    "a list": ([], 400, "json-malformed", None),
}


@pytest.mark.parametrize(("body", "status", "kind", "pointer"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_asked_for_is_named(body: Any, status: int, kind: str, pointer: str | None, desk: Desk) -> None:
    code, size = desk.issued(), len(desk.log())
    if isinstance(body, dict) and body.get("code") == "CODE":
        body = {**body, "code": code}
    answer = desk.send("revocations", body)
    assert (answer.status_code, slug(answer)) == (status, kind)
    assert pointer is None or answer.json["errors"][0]["pointer"] == pointer
    assert pointer != "/by" or answer.json["errors"][0]["expected"] == "no such member"
    assert len(desk.log()) == size


def test_while_the_log_cannot_be_written_nothing_is_recorded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    code = desk.issued()
    monkeypatch.setattr(desk.certifier, "problems", (desk.certifier._clock_problem(NOW - timedelta(days=9)),))
    answer = desk.send("revocations", {"code": code, "reason": "misuse"})
    assert (answer.status_code, slug(answer)) == (503, "read-only")
    monkeypatch.undo()
    assert code not in desk.client.get("/api/v1/operator-acts", headers=bearer(desk.key)).text.replace("-", "")


# -- approvals --------------------------------------------------------------------------------------------------------


def party(number: int, **changes: Any) -> dict[str, Any]:
    key = SigningKey.from_seed(f"party {number}".encode().ljust(32, b"."))
    return {"id": f"example-party-{number}", "name": "Example (an example)", "key": key.public.did_key, **changes}


def test_an_approved_tool_counts_at_once_and_stands_in_the_log(desk: Desk) -> None:
    tool = party(1, coverage=["system"], method=["sensor"])
    answer = desk.send("approvals", {"kind": "tool", "reason": "application", "party": tool})
    assert answer.status_code == 201, answer.text
    listed = desk.certifier.keyring.named("example-party-1")
    assert listed
    assert (listed.role, listed.capability.coverage) == ("measuring_party", ("system",))
    entry = desk.log()[answer.json["log"]["index"]]
    assert (entry["type"], entry["kind"], entry["id"]) == ("approve", "tool", "example-party-1")
    assert "an example" not in json.dumps(entry)
    assert desk.client.get(answer.headers["Location"], headers=bearer(desk.key)).json == answer.json
    desk.studio.certifier().close()  # log and register agree at the next start


def test_an_approved_verifier_has_its_scope(desk: Desk) -> None:
    verifier = party(2, standards=["LCAL-1.0.0"], conflicts=[party(1)["key"]], accreditation='ISO "17029" \\ é')
    assert desk.send("approvals", {"kind": "verifier", "reason": "renewal", "party": verifier}).status_code == 201
    listed = desk.certifier.keyring.named("example-party-2")
    assert listed
    assert (listed.role, listed.standards, listed.conflicts) == ("verifier", ("LCAL-1.0.0",), (party(1)["key"],))
    assert listed.accreditation == 'ISO "17029" \\ é'


def test_an_approved_statement_is_registered_as_it_was_signed(desk: Desk) -> None:
    statement = json.loads(signed_statement())
    trial = desk.send("approvals?dry_run=true", {"kind": "statement", "reason": "application", "statement": statement})
    assert (trial.status_code, trial.json["dry_run"]) == (200, True)
    assert not desk.certifier.keyring.statements
    answer = desk.send("approvals", {"kind": "statement", "reason": "application", "statement": statement})
    assert answer.status_code == 201, answer.text
    (named,) = desk.certifier.keyring.statements
    assert answer.json["subject"] == f"statement {named}"
    assert json.loads(desk.certifier.keyring.envelopes[named]) == statement
    assert desk.log()[answer.json["log"]["index"]]["id"] == named
    again = desk.send("approvals", {"kind": "statement", "reason": "application", "statement": statement})
    assert (again.status_code, slug(again)) == (409, "state-conflict")


# what is asked for -> (status, kind of problem)
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "another kind": ({"kind": "issuer", "party": party(9)}, 400, "parameter-invalid"),
    "no party": ({"kind": "tool"}, 400, "parameter-invalid"),
    "a party for a statement": ({"kind": "statement", "party": party(9)}, 400, "parameter-invalid"),
    "no reason": ({"kind": "tool", "party": party(9), "reason": "liked"}, 400, "parameter-invalid"),
    "a path for an id": ({"kind": "tool", "party": party(9, id="../../x")}, 400, "parameter-invalid"),
    "an id of the house": ({"kind": "tool", "party": party(9, id="key-2026")}, 409, "state-conflict"),
    "a key that is registered": ({"kind": "verifier", "party": party(1, id="other")}, 409, "state-conflict"),
    "a key that accepts forgeries": (
        {"kind": "tool", "party": party(9, key="did:key:z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP")},
        422,
        "key-malformed",
    ),
    "a name of two lines": ({"kind": "tool", "party": party(9, name='x"\n[[keys]]')}, 400, "parameter-invalid"),
    "a conflict that is no key": ({"kind": "verifier", "party": party(9, conflicts=["x"])}, 422, "key-malformed"),
    "days without end": ({"kind": "tool", "party": party(9, days=99_999)}, 400, "parameter-invalid"),
    "a statement that nobody signed": ({"kind": "statement", "statement": {}}, 422, "report-envelope-malformed"),
}


@pytest.mark.parametrize(("body", "status", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_approved_is_refused(body: dict[str, Any], status: int, kind: str, desk: Desk) -> None:
    if "registered" in kind or body.get("party", {}).get("id") == "other":
        desk.send("approvals", {"kind": "tool", "reason": "application", "party": party(1)})
    size, known = len(desk.log()), len(desk.certifier.keyring.keys)
    for query in ("", "?dry_run=true"):
        answer = desk.send(f"approvals{query}", {"reason": "application", **body})
        assert (answer.status_code, slug(answer)) == (status, kind), answer.text
    assert (len(desk.log()), len(desk.certifier.keyring.keys)) == (size, known)


def test_a_name_can_put_nothing_else_into_the_register(desk: Desk) -> None:
    name = 'x" \\ [[keys]] \u2028 id = "key-2027" \U0001f3b5 \x9f'
    answer = desk.send("approvals", {"kind": "tool", "reason": "application", "party": party(5, name=name)})
    assert answer.status_code == 201, answer.text
    listed = desk.certifier.keyring.named("example-party-5")
    assert listed
    assert listed.name == name


def test_a_change_that_a_crash_cut_in_two_is_finished_by_the_next_approval(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certifier.service.register.save_durably", _failing_for("tools/example-party-6.toml"))
    answer = desk.send("approvals", {"kind": "tool", "reason": "application", "party": party(6)})
    assert answer.status_code == 500
    monkeypatch.undo()
    assert desk.certifier.keyring.named("example-party-6") is None
    assert desk.send("approvals", {"kind": "tool", "reason": "application", "party": party(7)}).status_code == 201
    assert desk.certifier.keyring.named("example-party-6")
    approved = [entry["id"] for entry in desk.log() if entry["type"] == "approve"]
    assert approved[-2:] == ["example-party-6", "example-party-7"]


def _failing_for(ending: str) -> Any:
    from certifier.storage.files import save_durably  # noqa: PLC0415

    def save(path: Any, content: bytes) -> None:
        if str(path).endswith(ending):
            raise RuntimeError("killed")
        save_durably(path, content)

    return save
