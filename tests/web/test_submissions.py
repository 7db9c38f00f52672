"""Submitting over HTTP: what is answered, what is kept, and what is refused by name."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from certifier.certificate.code import parse_code
from certifier.errors import BusyError, IdempotencyKeyReused
from certifier.report.envelope import sign_report, statement_for
from certifier.service.certifier import Certifier, Issued
from certifier.service.examine import MOST_IN_LINE, _place_in_line, check_line, examine
from certifier.web.app import create_app
from certifier.web.server import BLOCKING_THREADS
from tests.studio import APPLICANT, PARTY, STRANGER, VERIFIER, Studio, write_track
from tests.web.conftest import LATER, World

SUBMISSIONS = "/api/v1/submissions"


def form(
    studio: Studio,
    envelope: bytes | None = None,
    *,
    track: Path | None = None,
    logs: tuple[tuple[str, bytes], ...] | None = None,
) -> dict[str, Any]:
    sent = studio.signed(studio.report()) if envelope is None else envelope
    deposited = (("emissions.csv", studio.log),) if logs is None else logs
    return {
        "report": FileStorage(io.BytesIO(sent), "report.dsse.json"),
        "audio": FileStorage(io.BytesIO((track or studio.track).read_bytes()), "track.wav"),
        "logs": [FileStorage(io.BytesIO(content), name) for name, content in deposited],
    }


def send(client: FlaskClient, data: dict[str, Any], path: str = SUBMISSIONS, **headers: str) -> TestResponse:
    boundary, body = encode_multipart(data)  # the test client itself would leave a temporary file open
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}", headers=headers)


PRIVATE = "someone@example.org"


def test_a_contact_reaches_the_operator_and_nothing_public(
    client: FlaskClient, studio: Studio, certifier: Certifier
) -> None:
    answer = send(client, {**form(studio), "contact": f" {PRIVATE} "})
    code = parse_code(answer.json["code"])
    assert certifier.store.contact(answer.json["id"]) == PRIVATE
    pages = [answer.json["links"]["page"], answer.json["links"]["self"], "/", "/certificates", "/log/checkpoint"]
    forms = ["", ".json", ".vc", ".svg", ".txt", ".tlog-proof", ".report.json", ".decision.json"]
    for path in [*pages, *(f"/v/{code}{form}" for form in forms), "/log/tile/entries/000.p/1"]:
        shown = client.get(path)
        assert shown.status_code == 200, path
        assert PRIVATE.encode() not in shown.data, path
    assert PRIVATE.encode() not in answer.data


def test_the_contact_of_a_refused_submission_is_kept_too(
    client: FlaskClient, studio: Studio, certifier: Certifier
) -> None:
    refused = studio.signed(studio.report() | {"stages_not_performed": []})
    answer = send(client, {**form(studio, refused), "contact": PRIVATE})
    assert answer.json["state"] == "refused"
    assert certifier.store.contact(answer.json["id"]) == PRIVATE
    assert certifier.store.contact("sub_0") is None


@pytest.mark.parametrize(
    "contact",
    ["x" * 201, "two\nlines", FileStorage(io.BytesIO(b"x"), "contact.txt"), ["a@example.org", "b@example.org"]],
    ids=["too long", "two lines", "a file", "two of them"],
)
def test_a_contact_that_is_no_line_of_text_is_refused(client: FlaskClient, studio: Studio, contact: Any) -> None:
    answer = send(client, {**form(studio), "contact": contact})
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (400, "contact")


def kept(certifier: Certifier) -> tuple[int, int]:
    """How many certificates, and the size of the log."""
    return len(certifier.store.newest_certificates(99)), certifier.logbook.head.size


def test_a_report_that_passes_is_certified(client: FlaskClient, studio: Studio) -> None:
    answer = send(client, form(studio, studio.signed(studio.report(), (APPLICANT, PARTY, VERIFIER))))
    body = answer.json
    assert answer.status_code == 201
    assert (body["state"], body["outcome"], body["evidence_level"]) == ("certified", "class-2", "A2")
    assert answer.headers["Location"] == f"{SUBMISSIONS}/{body['id']}" == body["links"]["self"]
    code = parse_code(body["code"])
    assert body["links"]["certificate"]["page"] == f"/v/{code}"
    assert client.get(f"/v/{code}.vc").status_code == 200
    assert body["duplicate"] is False
    again = client.get(answer.headers["Location"]).json
    assert again == body


def test_the_decision_names_every_rule_and_every_line(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    body = send(client, form(studio)).json
    assert [finding["rule"] for finding in body["findings"]] == [rule.id for rule in certifier.shelf.newest.rules]
    for finding in body["findings"]:
        assert finding["outcome"] in {"pass", "fail", "not_applicable"}
        assert finding["reason"]
        assert finding["source"]
        assert finding["advice"]
    items = [item for stage in body["footprint"]["stages"] for item in stage["items"]]
    assert items
    assert all(item["formula"] for item in items)
    assert any(row["table"] == "grid_intensity" for item in items for row in item["rows"])


def test_the_same_report_gives_the_same_answer_again(client: FlaskClient, certifier: Certifier, studio: Studio) -> None:
    envelope = studio.signed(studio.report())
    first, second = send(client, form(studio, envelope)), send(client, form(studio, envelope))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json == first.json | {"duplicate": True}
    assert kept(certifier) == (1, 1)


def test_a_refusal_is_an_answer_with_reasons(client: FlaskClient, certifier: Certifier, studio: Studio) -> None:
    short = write_track(studio.folder / "short.wav", seconds=10)
    envelope = studio.signed(studio.report(track=short), track=short)
    answer = send(client, form(studio, envelope, track=short))
    body = answer.json
    assert (answer.status_code, body["state"], body["outcome"], body["code"]) == (201, "refused", "none", None)
    assert "BND-04" in body["failed_must"]
    assert body["links"]["certificate"] is None
    assert client.get(body["links"]["self"]).json == body
    assert kept(certifier) == (0, 0)


def test_a_trial_decides_the_same_and_keeps_nothing(client: FlaskClient, certifier: Certifier, studio: Studio) -> None:
    envelope = studio.signed(studio.report())
    trial = send(client, form(studio, envelope), f"{SUBMISSIONS}?dry_run=true")
    assert (trial.status_code, trial.json["state"], trial.json["id"], trial.json["code"]) == (
        200,
        "dry_run",
        None,
        None,
    )
    assert kept(certifier) == (0, 0)
    real = send(client, form(studio, envelope))
    assert real.status_code == 201
    for member in ("outcome", "findings", "footprint", "failed_must", "evidence_level"):
        assert trial.json[member] == real.json[member]


def test_the_form_works_without_script(client: FlaskClient, studio: Studio) -> None:
    """A browser's plain form: the log's field stays empty, the answer leads to the decision."""
    data = form(studio, logs=()) | {"logs": FileStorage(io.BytesIO(b""), "")}
    answer = send(client, data, "/submit", Accept="text/html")
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert page.status_code == 200
    assert "Self-declared statement" in page.text
    assert page.headers["X-Robots-Tag"] == "noindex"


def test_a_form_that_cannot_be_used_is_answered_by_a_page(client: FlaskClient, studio: Studio) -> None:
    """What was found is quoted, as text."""
    track = studio.report()["track"] | {"title": "<script>alert(1)</script>"}
    answer = send(client, form(studio, resigned(studio, track=track)), "/submit", Accept="text/html")
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert "The emission report does not fit its model" in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert" not in answer.text


def resigned(studio: Studio, **changes: Any) -> bytes:
    """The report with other members, honestly signed: what a careless or hostile applicant would send."""
    report = studio.report() | changes
    return json.dumps(
        sign_report(statement_for(report, file_name="track.wav", essence_sha256=None), (APPLICANT,))
    ).encode()


def with_title(title: str) -> Callable[[Studio], dict[str, Any]]:
    return lambda studio: form(studio, resigned(studio, track=studio.report()["track"] | {"title": title}))


def changed_byte(studio: Studio) -> dict[str, Any]:
    envelope = json.loads(studio.signed(studio.report()))
    envelope["signatures"][0]["sig"] = envelope["signatures"][1]["sig"]
    return form(studio, json.dumps(envelope).encode())


def other_track(studio: Studio) -> dict[str, Any]:
    return form(studio, track=write_track(studio.folder / "other.wav", pitch=333))


def text_as_wav(studio: Studio) -> dict[str, Any]:
    path = studio.folder / "text.wav"
    path.write_text("Hello, I am not a sound.")
    return form(studio, track=path)


def cut_short(studio: Studio) -> dict[str, Any]:
    path = studio.folder / "cut.wav"
    path.write_bytes(studio.track.read_bytes()[:-50_000])
    return form(studio, track=path)


def two_masters(studio: Studio) -> dict[str, Any]:
    return form(studio) | {"audio": [FileStorage(io.BytesIO(b"a"), "a.wav"), FileStorage(io.BytesIO(b"b"), "b.wav")]}


def without(field: str) -> Callable[[Studio], dict[str, Any]]:
    return lambda studio: {name: value for name, value in form(studio).items() if name != field}


BAD = {
    "50,000 nested brackets": (lambda studio: form(studio, b"[" * 50_000), 400, "json-malformed"),
    "a member twice": (lambda studio: form(studio, b'{"payload": "a", "payload": "b"}'), 400, "json-malformed"),
    "NaN": (lambda studio: form(studio, b'{"payload": NaN}'), 400, "json-malformed"),
    "no envelope": (lambda studio: form(studio, b"{}"), 422, "report-envelope-malformed"),
    "a signature of other bytes": (changed_byte, 422, "signature-invalid"),
    "a title with markup": (with_title("<script>alert(1)</script>"), 422, "report-schema-invalid"),
    "a title with control characters": (with_title("Night\u0000Ferry"), 422, "report-schema-invalid"),
    "a title that runs backwards": (with_title("Night \u202eyrreF"), 422, "report-schema-invalid"),
    "a field that has the wrong type": (
        lambda studio: form(studio, resigned(studio, models="m1")),
        422,
        "report-schema-invalid",
    ),
    "the report of another track": (other_track, 422, "audio-digest-mismatch"),
    "a text file named .wav": (text_as_wav, 422, "audio-unreadable"),
    "half a file": (cut_short, 422, "audio-truncated"),
    "a log that the report does not name": (
        lambda studio: form(studio, logs=(("other.csv", b"something else"),)),
        422,
        "log-digest-mismatch",
    ),
    "no report": (without("report"), 400, "parameter-invalid"),
    "no audio": (without("audio"), 400, "parameter-invalid"),
    "two masters": (two_masters, 400, "parameter-invalid"),
    "a field that does not exist": (lambda studio: form(studio) | {"log": "x"}, 400, "parameter-invalid"),
}


@pytest.mark.parametrize(("made", "status", "slug"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_used_is_named_and_nothing_is_kept(
    client: FlaskClient,
    certifier: Certifier,
    studio: Studio,
    made: Callable[[Studio], dict[str, Any]],
    status: int,
    slug: str,
) -> None:
    for path in (SUBMISSIONS, f"{SUBMISSIONS}?dry_run=true"):
        answer = send(client, made(studio), path)
        assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, slug), answer.text
        assert answer.json["errors"]
        assert "Traceback" not in answer.text
    assert kept(certifier) == (0, 0)


@pytest.mark.parametrize("energy", ["-1", "1e400", "Infinity"])
def test_a_number_that_is_none_never_becomes_a_certificate(
    client: FlaskClient, certifier: Certifier, studio: Studio, energy: str
) -> None:
    report = studio.report()
    report["activities"][0]["energy_kwh"] = energy
    answer = send(client, form(studio, resigned(studio, activities=report["activities"])))
    assert answer.status_code == 422 or answer.json["state"] == "refused"
    assert kept(certifier) == (0, 0)


def test_too_much_at_once_is_told_before_anything_is_read(studio: Studio, certifier: Certifier) -> None:
    """Every body is read in a place of its own, and there are fewer places than threads."""
    assert certifier.settings.max_waiting < BLOCKING_THREADS
    certifier.settings = replace(certifier.settings, max_waiting=0)
    client = create_app(certifier, lambda: LATER).test_client()
    for path in ("/api/v1/submissions", "/api/v1/verifications", "/submit", "/verify"):
        answer = client.post(path, data=b"x" * 10, content_type="application/json")
        assert (answer.status_code, path) == (503, path)
    assert kept(certifier) == (0, 0)


def test_a_busy_service_still_shows_certificates(studio: Studio, certifier: Certifier) -> None:
    certifier.settings = replace(certifier.settings, max_waiting=0)
    client = create_app(certifier, lambda: LATER).test_client()
    answer = send(client, form(studio))
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (503, "busy")
    assert answer.headers["Retry-After"]
    assert client.get("/certificates").status_code == 200


def test_an_upload_is_not_received_while_its_file_could_not_be_read(
    studio: Studio, client: FlaskClient, certifier: Certifier
) -> None:
    """Receiving a master takes longer than everything else; whoever is turned away loses no time with it."""
    body = Unread()
    with ExitStack() as line:
        for _ in range(MOST_IN_LINE):
            line.enter_context(_place_in_line())
        for path in ("/api/v1/submissions", "/api/v1/report-checks"):
            answer = client.post(path, input_stream=body, content_type="multipart/form-data; boundary=b")
            assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (503, "busy")
            assert int(answer.headers["Retry-After"]) > 0
        assert body.asked == 0
    assert send(client, form(studio)).status_code == 201


def test_whoever_looks_at_the_line_keeps_nobody_out_who_has_come_for_its_last_place() -> None:
    ended = Event()

    def look() -> None:
        while not ended.is_set():
            with suppress(BusyError):
                check_line()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that they meet
    try:
        with ThreadPoolExecutor(2) as onlookers, ExitStack() as line:
            line.callback(ended.set)
            for _ in range(MOST_IN_LINE - 1):
                line.enter_context(_place_in_line())
            for _ in range(2):
                onlookers.submit(look)
            for _ in range(200):
                with _place_in_line():
                    pass
    finally:
        sys.setswitchinterval(interval)


class Unread(io.BytesIO):
    """A body that counts how often it is asked for."""

    asked = 0

    def read(self, size: int | None = -1) -> bytes:
        self.asked += 1
        return super().read(size)


def test_a_place_is_given_back_after_a_failure(studio: Studio, certifier: Certifier) -> None:
    certifier.settings = replace(certifier.settings, max_waiting=1)
    client = create_app(certifier, lambda: LATER).test_client()
    assert send(client, form(studio, b"{}")).status_code == 422
    assert send(client, form(studio)).status_code == 201


LIMITS = {
    "a submission above the total": ({"max_upload_bytes": 1000, "max_log_bytes": 10, "max_logs": 0}, {}),
    "a log above its limit": ({"max_log_bytes": 10}, {}),
    "too many logs": ({"max_logs": 1}, {"logs": (("a.csv", b"1"), ("b.csv", b"2"), ("c.csv", b"3"))}),
}


@pytest.mark.parametrize(("changes", "sent"), LIMITS.values(), ids=LIMITS.keys())
def test_what_is_too_large_is_refused_with_its_limit(
    studio: Studio, certifier: Certifier, changes: dict[str, int], sent: dict[str, Any]
) -> None:
    certifier.settings = replace(certifier.settings, **changes)
    client = create_app(certifier, lambda: LATER).test_client()
    data = form(studio, **sent)
    if "max_upload_bytes" in changes:
        data["report"] = FileStorage(io.BytesIO(b" " * 6_000_000), "report.json")
    answer = send(client, data)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (413, "payload-too-large")
    assert "at most" in answer.json["errors"][0]["expected"]
    assert kept(certifier) == (0, 0)


def test_an_upload_that_trickles_in_is_ended(studio: Studio, certifier: Certifier) -> None:
    certifier.settings = replace(certifier.settings, upload_seconds=-1)
    answer = send(create_app(certifier, lambda: LATER).test_client(), form(studio))
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (408, "upload-too-slow")


def test_no_part_of_an_upload_is_left_behind(
    client: FlaskClient, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = studio.folder / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert send(client, form(studio)).status_code == 201
    assert send(client, form(studio, b"{}")).status_code == 422
    cut = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\nRIFF' + b"." * 1_000_000
    client.post(SUBMISSIONS, data=cut, content_type="multipart/form-data; boundary=x")
    assert list(folder.iterdir()) == []


def test_logs_of_one_name_are_told_apart(client: FlaskClient, studio: Studio) -> None:
    logs = (("emissions.csv", studio.log), ("emissions.csv", b"something else"))
    answer = send(client, form(studio, logs=logs))
    assert answer.json["type"].endswith("/log-digest-mismatch")
    assert "(log 2)" in answer.json["detail"]


def test_a_report_may_come_as_text(client: FlaskClient, studio: Studio) -> None:
    answer = send(client, form(studio) | {"report": studio.signed(studio.report()).decode()})
    assert answer.json["state"] == "certified"


def test_a_decision_is_for_those_who_know_its_address(world: World) -> None:
    for path in (f"{SUBMISSIONS}/{world.refused.submission_id}", f"/submissions/{world.refused.submission_id}"):
        answer = world.client.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
    assert world.client.get(f"{SUBMISSIONS}/sub_{'0' * 32}").status_code == 404


def test_a_report_sent_again_is_told_that_its_certificate_was_withdrawn(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    first = send(client, form(studio)).json
    assert first["certificate_state"] == "active"
    certifier.change_status(parse_code(first["code"]), "revoke", "evidence", LATER)
    again = send(client, form(studio)).json
    assert (again["duplicate"], again["certificate_state"]) == (True, "revoked")


WRONG_FORMS = {
    "a part without a name": b"Content-Disposition: form-data\r\n\r\nx",
    "a log that came as text": b'Content-Disposition: form-data; name="logs"\r\n\r\nx',
    "a track that came as text": b'Content-Disposition: form-data; name="audio"\r\n\r\nx',
    "a field that nobody knows": b'Content-Disposition: form-data; name="level"\r\n\r\nA2',
}


@pytest.mark.parametrize("part", WRONG_FORMS.values(), ids=WRONG_FORMS.keys())
def test_a_part_that_would_be_lost_is_refused(
    client: FlaskClient, certifier: Certifier, studio: Studio, part: bytes
) -> None:
    boundary, body = encode_multipart(form(studio))
    body = b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" + body
    answer = client.post(SUBMISSIONS, data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (400, "parameter-invalid")
    assert kept(certifier) == (0, 0)


# -- sent again -----------------------------------------------------------------------------------------------------

KEY = {"Idempotency-Key": "5b1c2f7e-example-key"}


def test_the_answer_brings_the_certificate_and_its_proof(client: FlaskClient, studio: Studio) -> None:
    body = send(client, form(studio)).json
    path = body["links"]["certificate"]["page"]
    assert body["bundle"]["certificate"] == json.loads(client.get(f"{path}.vc").data)
    assert body["bundle"]["proof"] == client.get(f"{path}.tlog-proof").text


def test_the_same_key_and_request_get_the_same_bytes(client: FlaskClient, certifier: Certifier, studio: Studio) -> None:
    """Whatever happened to the certificate since."""
    sent = studio.signed(studio.report())
    first = send(client, form(studio, sent), **KEY)
    certifier.change_status(parse_code(first.json["code"]), "suspend", "evidence", LATER)
    again = send(client, form(studio, sent), **KEY)
    assert (first.status_code, first.data) == (again.status_code, again.data) == (201, first.data)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert kept(certifier) == (1, 2)


def test_a_refusal_is_repeated_too(client: FlaskClient, certifier: Certifier, studio: Studio) -> None:
    short = write_track(studio.folder / "short.wav", 10.0)
    sent = studio.signed(studio.report(track=short), track=short)
    first, again = (send(client, form(studio, sent, track=short), **KEY) for _ in range(2))
    assert (first.json["state"], first.status_code) == ("refused", 201)
    assert first.data == again.data
    assert certifier.store.counts()["submissions"] == 1


def test_a_key_stands_for_one_request(client: FlaskClient, studio: Studio) -> None:
    send(client, form(studio), **KEY)
    other = studio.signed(studio.report(title="Another (example)"))
    answer = send(client, form(studio, other), **KEY)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize("key", ["short", "with a space", "x" * 256, ""])
def test_a_key_that_cannot_be_told_apart_is_refused(client: FlaskClient, studio: Studio, key: str) -> None:
    answer = send(client, form(studio), **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (400, "parameter-invalid")


def test_over_the_time_the_answer_is_accepted_and_the_certificate_follows(studio: Studio) -> None:
    """Durable, but too slow to wait for: 202 and where to ask, never a failure."""
    certifier = studio.certifier(submit_seconds=0.01)
    client = create_app(certifier, lambda: LATER).test_client()
    released, real = Event(), certifier.store.deliver
    certifier.store.deliver = lambda rows: (released.wait(30), real(rows))[1]  # type: ignore[method-assign]
    sent = studio.signed(studio.report())
    first = send(client, form(studio, sent), **KEY)
    assert (first.status_code, first.json["state"], first.json["bundle"]) == (202, "accepted", None)
    assert "Retry-After" in first.headers
    place = first.headers["Location"]
    assert client.get(place).json["state"] == "accepted"
    assert "is being signed" in client.get(first.json["links"]["page"]).text
    released.set()
    again = send(client, form(studio, sent), **KEY)
    assert (again.status_code, again.json["state"]) == (201, "certified")
    assert client.get(place).json["bundle"] == again.json["bundle"]
    certifier.close()


def test_a_hundred_parallel_submissions_of_one_file_get_one_certificate(certifier: Certifier, studio: Studio) -> None:
    """Reports of their own, the same file, and one run that is used up by any of them."""
    reports = [studio.signed(studio.report(title=f"Try {number} (example)")) for number in range(100)]
    examined = [examine(studio.upload(report)) for report in reports]
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda each: certifier.certify(each, LATER), examined))
    outcomes = Counter(type(answer).__name__ for answer in answers)
    assert outcomes == {"Issued": 1, "Refused": 99}
    assert certifier.store.share_used('["example-party", "run-1"]') == 1
    assert certifier.logbook.head.size == 1


def test_a_key_of_a_report_that_had_its_certificate_is_bound_too(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    sent = studio.signed(studio.report())
    send(client, form(studio, sent))
    first = send(client, form(studio, sent), **KEY)
    certifier.change_status(parse_code(first.json["code"]), "suspend", "evidence", LATER)
    again = send(client, form(studio, sent), **KEY)
    assert (first.status_code, first.json["duplicate"]) == (200, True)
    assert (again.status_code, again.data) == (200, first.data)
    other = studio.signed(studio.report(title="Another (example)"))
    assert send(client, form(studio, other), **KEY).status_code == 422


def test_a_key_counts_for_a_day(studio: Studio, certifier: Certifier) -> None:
    certifier.certify(studio.examined(1), LATER, "the-key-of-today")
    with pytest.raises(IdempotencyKeyReused):
        certifier.certify(studio.examined(2), LATER + timedelta(hours=20), "the-key-of-today")
    answer = certifier.certify(studio.examined(2), LATER + timedelta(hours=26), "the-key-of-today")
    assert isinstance(answer, Issued)


def test_of_the_same_request_sent_at_once_one_is_decided_and_all_get_its_answer(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    """So nobody has to be told to wait for another request with the same key."""
    sent, application = studio.signed(studio.report()), client.application
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(application.test_client(), form(studio, sent), **KEY), range(8)))
    assert {(answer.status_code, answer.json["code"]) for answer in answers} <= {
        (201, answers[0].json["code"]),
        (200, answers[0].json["code"]),
    }
    assert kept(certifier) == (1, 1)


def test_of_two_requests_with_one_key_sent_at_once_one_is_refused(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    reports = [studio.signed(studio.report(title=f"Try {number} (example)")) for number in range(2)]
    application = client.application
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda report: send(application.test_client(), form(studio, report), **KEY), reports)
        assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert certifier.store.counts()["submissions"] == 1


def test_what_was_turned_away_is_not_kept_under_its_key(studio: Studio) -> None:
    certifier = studio.certifier(max_waiting=0)
    sent = studio.signed(studio.report())
    turned_away = send(create_app(certifier, lambda: LATER).test_client(), form(studio, sent), **KEY)
    assert (turned_away.status_code, turned_away.json["type"].rpartition("/")[2]) == (503, "busy")
    assert int(turned_away.headers["Retry-After"]) > 0
    certifier.close()
    reopened = studio.certifier(max_waiting=24)
    answer = send(create_app(reopened, lambda: LATER).test_client(), form(studio, sent), **KEY)
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False), answer.text
    reopened.close()


def test_two_applicants_may_choose_the_same_key(studio: Studio, certifier: Certifier) -> None:
    stranger = {"issuer": {"id": STRANGER.public.did_key, "key_id": STRANGER.public.did_key}}
    first = certifier.certify(studio.examined(1), LATER, "00000001")
    second = certifier.certify(studio.examined(2, (STRANGER, PARTY), **stranger), LATER, "00000001")
    assert isinstance(first, Issued)
    assert isinstance(second, Issued)


def test_a_check_says_what_a_submission_would_get_and_what_would_lift_it(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    envelope = studio.signed(studio.report(), (APPLICANT,))
    before = certifier.store.counts()
    trial = send(client, form(studio, envelope), "/api/v1/report-checks")
    assert (trial.status_code, trial.json["state"], trial.json["outcome"]) == (200, "dry_run", "disclosed")
    assert trial.json["levers"]["next"] == "measured"
    assert trial.headers["Cache-Control"] == "private, no-store"
    assert certifier.store.counts() == before
    real = send(client, form(studio, envelope))
    kept = {"assessed_g_per_min", "central_g_per_min", "outcome", "findings", "footprint"}
    assert {name: trial.json[name] for name in kept} == {name: real.json[name] for name in kept}


def test_a_check_names_what_is_wrong_as_a_submission_does(client: FlaskClient, studio: Studio) -> None:
    other = write_track(studio.folder / "other.wav", pitch=330.0)
    wrong = form(studio, track=other)
    trial = send(client, wrong, "/api/v1/report-checks")
    assert trial.status_code == 422
    assert trial.json["type"].endswith("/audio-digest-mismatch")
    assert trial.json["errors"][0]["pointer"] == "/track/audio_sha256"
