"""Bad input over HTTP: each kind ends in one named problem, nothing is stored, nothing internal is told."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from certifier.report.envelope import PAYLOAD_TYPE, add_signature, statement_for
from certifier.service.certifier import Certifier
from certifier.web.app import create_app
from tests.studio import APPLICANT, NOW, PARTY, Studio, emissions_csv, write_track

Parts = dict[str, Any]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def certifier(studio: Studio) -> Certifier:
    return studio.certifier()


def parts_of(studio: Studio, **changes: bytes) -> Parts:
    """The three parts of a good submission, with some of them changed."""
    return {"report": studio.signed(studio.report()), "audio": studio.track.read_bytes(), "logs": studio.log, **changes}


def send(certifier: Certifier, parts: Parts) -> TestResponse:
    files = {field: FileStorage(io.BytesIO(body), field) for field, body in parts.items()}
    boundary, body = encode_multipart(files)  # the test client itself would leave a temporary file open
    client = create_app(certifier, clock=lambda: NOW).test_client()
    return client.post("/api/v1/submissions", data=body, content_type=f"multipart/form-data; boundary={boundary}")


def with_report(change: Callable[[dict[str, Any]], Any]) -> Callable[[Studio], Parts]:
    """A report that was changed and then signed properly."""

    def parts(studio: Studio) -> Parts:
        report = studio.report()
        change(report)
        return parts_of(studio, report=studio.signed(report))

    return parts


def with_envelope(change: Callable[[dict[str, Any]], Any]) -> Callable[[Studio], Parts]:
    def parts(studio: Studio) -> Parts:
        envelope = json.loads(studio.signed(studio.report()))
        change(envelope)
        return parts_of(studio, report=json.dumps(envelope).encode())

    return parts


def swap_signatures(envelope: dict[str, Any]) -> None:
    first, second = envelope["signatures"]
    first["sig"], second["sig"] = second["sig"], first["sig"]


def raw(body: bytes) -> Callable[[Studio], Parts]:
    return lambda studio: parts_of(studio, report=body)


def other_track(studio: Studio) -> Parts:
    return parts_of(studio, audio=write_track(studio.folder / "other.wav", pitch=330).read_bytes())


def nan_inside(studio: Studio) -> Parts:
    """A statement that says NaN and was signed as it is."""
    statement = statement_for(studio.report(), file_name="track.wav", essence_sha256=None)
    statement["predicate"]["activities"][0]["energy_kwh"] = float("nan")
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    envelope = add_signature({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": []}, APPLICANT)
    return parts_of(studio, report=json.dumps(envelope).encode())


CASES: dict[str, tuple[Callable[[Studio], Parts], int, str]] = {
    "a bad signature": (with_envelope(swap_signatures), 422, "signature-invalid"),
    "a changed byte": (with_envelope(lambda e: e.update(payload="A" + e["payload"][1:])), 422, "signature-invalid"),
    "a replayed report for another track": (other_track, 422, "audio-digest-mismatch"),
    "NaN": (nan_inside, 400, "json-malformed"),
    "a negative number": (
        with_report(lambda r: r["activities"][0].update(energy_kwh="-0.006")),
        422,
        "report-schema-invalid",
    ),
    "50,000 nested brackets": (raw(b"[" * 50_000), 400, "json-malformed"),
    "duplicate members": (raw(b'{"payload": "", "payload": ""}'), 400, "json-malformed"),
    "a title with <script>": (
        with_report(lambda r: r["track"].update(title="<script>x</script>")),
        422,
        "report-schema-invalid",
    ),
    "a title with control characters": (
        with_report(lambda r: r["track"].update(title="a\x1b[31mb")),
        422,
        "report-schema-invalid",
    ),
    "a text file named .wav": (lambda studio: parts_of(studio, audio=b"Hello, I am a text."), 422, "audio-unreadable"),
    "a truncated track": (
        lambda studio: parts_of(studio, audio=studio.track.read_bytes()[:-4000]),
        422,
        "audio-truncated",
    ),
    "an empty track": (lambda studio: parts_of(studio, audio=b""), 422, "audio-unreadable"),
    "a log that the report does not name": (
        lambda studio: parts_of(studio, logs=emissions_csv(energy_kwh="9")),
        422,
        "log-digest-mismatch",
    ),
    "an unsigned report": (
        lambda studio: parts_of(studio, report=json.dumps(studio.report()).encode()),
        422,
        "report-envelope-malformed",
    ),
    "an unknown field": (with_report(lambda r: r.update(evidence_level="A2")), 422, "report-schema-invalid"),
    "a missing field": (with_report(lambda r: r["track"].pop("artist")), 422, "report-schema-invalid"),
    "a number that is no number": (
        with_report(lambda r: r["generation"].update(takes="many")),
        422,
        "report-schema-invalid",
    ),
    "an absurd number": (
        with_report(lambda r: r["activities"][0].update(energy_kwh="1e300")),
        422,
        "report-schema-invalid",
    ),
}


@pytest.mark.parametrize(("parts", "status", "slug"), CASES.values(), ids=CASES.keys())
def test_bad_input_is_a_named_problem_and_nothing_is_stored(
    certifier: Certifier, studio: Studio, parts: Callable[[Studio], Parts], status: int, slug: str
) -> None:
    answer = send(certifier, parts(studio))
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), problem
    assert problem["type"].rsplit("/", 1)[1] == slug
    assert problem["detail"]
    assert all("code" in error for error in problem["errors"])
    assert not any(
        word in answer.get_data(as_text=True) for word in ("Traceback", 'File "', "certifier/", "site-packages")
    )
    assert certifier.store.counts() == {"submissions": 0, "certificates": 0, "entries": 0}
    assert certifier.logbook.head.size == 0
    assert create_app(certifier).test_client().get(f"/problems/{slug}").status_code == 200


def test_a_missing_measuring_party_is_no_error_and_is_said(certifier: Certifier, studio: Studio) -> None:
    """A0: a statement, and the decision names the rule that asks for more."""
    answer = send(certifier, parts_of(studio, report=studio.signed(studio.report(), keys=(APPLICANT,)))).get_json()
    assert (answer["state"], answer["outcome"], answer["evidence_level"]) == ("certified", "disclosed", "A0")
    assert "ASR-01" in answer["failed_must"]
    advice = next(finding["advice"] for finding in answer["findings"] if finding["rule"] == "ASR-01")
    assert "measuring party" in advice


def test_the_good_submission_that_all_others_are_bent_from_is_certified(certifier: Certifier, studio: Studio) -> None:
    answer = send(certifier, parts_of(studio))
    assert (answer.status_code, answer.get_json()["outcome"]) == (201, "class-2")
    assert PARTY.public.did_key in certifier.store.submission(answer.get_json()["id"]).envelope.decode()
