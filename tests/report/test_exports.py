"""An account export says which jobs were run; a report that says something else is found out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from certifier.errors import BadSignature, CertifierError, ForeignInputError, MalformedEnvelope, MalformedLog
from certifier.report.envelope import sign_payload
from certifier.report.exports import (
    PAYLOAD_TYPE,
    export_signatures,
    is_export,
    open_export,
    reproduced_minutes,
    sign_export,
)
from certifier.report.model import parse_report
from certifier.units import parse_time
from tests.standard.world import REMOVED
from tests.statements import (
    EXPORT,
    SERVICE,
    csv_export,
    entry,
    export,
    keyring,
    plain_export,
    service_report,
    signed_export,
    statement,
)
from tests.studio import PARTY, STRANGER, Studio, emissions_csv

NOW_US = parse_time("2026-11-01T12:00:00Z")

WAYS = {
    "JSON": plain_export(),
    "a signed envelope": signed_export(),
    "CSV": csv_export(),
    "CSV as a spreadsheet saves it": b"\xef\xbb\xbf" + csv_export(),
}


@pytest.mark.parametrize("raw", WAYS.values(), ids=WAYS.keys())
def test_an_export_says_the_same_in_each_of_its_forms(raw: bytes) -> None:
    assert is_export(raw)
    jobs = open_export(raw).export.jobs
    assert [(job.id, str(job.minutes), job.run_id) for job in jobs] == [
        (f"job-{number}", "0.4", "night-ferry") for number in range(1, 6)
    ]


def test_columns_are_found_by_name() -> None:
    rows = [row.split(",") for row in csv_export().decode().split()]
    turned = "\n".join(",".join(reversed(row)) for row in rows).encode()
    assert open_export(turned) == open_export(csv_export())


OTHERS = {
    "a log of another tool": emissions_csv(),
    "another JSON document": json.dumps(statement()).encode(),
    "no text at all": b"\x00\x01\x02",
    "nothing": b"",
}


@pytest.mark.parametrize("raw", OTHERS.values(), ids=OTHERS.keys())
def test_a_file_of_another_kind_is_left_alone(raw: bytes) -> None:
    assert not is_export(raw)


BROKEN: dict[str, bytes] = {
    "a job twice": plain_export({"jobs/1/id": "job-1"}),
    "no jobs": plain_export({"jobs": []}),
    "a job without its run": plain_export({"jobs/0/run_id": REMOVED}),
    "a field that nobody knows": plain_export({"jobs/0/price": "1"}),
    "no minutes": plain_export({"jobs/0/minutes": "0"}),
    "negative minutes": plain_export({"jobs/0/minutes": "-0.4"}),
    "endless minutes": plain_export({"jobs/0/minutes": "1e30"}),
    "a time without a zone": plain_export({"jobs/0/finished_at": "2026-10-01T08:10:00"}),
    "a job before the period": plain_export({"jobs/0/finished_at": "2026-10-01T08:00:00Z"}),
    "a job after the period": plain_export({"jobs/0/finished_at": "2026-10-01T11:00:01Z"}),
    "a job after the export": plain_export({"exported_at": "2026-10-01T08:40:00Z"}),
    "a period that ends before it begins": plain_export({"period/until": "2026-10-01T07:00:00Z"}),
    "a torn document": plain_export()[:-2],
    "a byte order mark": b"\xef\xbb\xbf" + plain_export(),
    "CSV with another column": csv_export().replace(b"account", b"customer", 1),
    "CSV of two accounts": csv_export().replace(b"example-studio", b"example-label", 1),
    "CSV without a row": csv_export().partition(b"\n")[0],
    "CSV with a short row": csv_export() + b"a,b\r\n",
    "CSV with a zero byte": csv_export().replace(b"job-1", b"job\x00", 1),
    "CSV that is no UTF-8": csv_export().replace(b"job-1", b"job\xff", 1),
    "a signed envelope around nothing": json.dumps(sign_payload(b"{}", SERVICE, PAYLOAD_TYPE)).encode(),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_calls_itself_an_export_is_read_or_refused(raw: bytes) -> None:
    assert is_export(raw)
    with pytest.raises(ForeignInputError):
        open_export(raw)


def test_a_signature_of_an_export_is_no_signature_of_a_report() -> None:
    envelope = json.loads(signed_export())
    envelope["payloadType"] = "application/vnd.in-toto+json"
    assert not is_export(json.dumps(envelope).encode())
    with pytest.raises(MalformedEnvelope):
        open_export(json.dumps(envelope).encode())


def test_a_changed_export_is_refused() -> None:
    envelope = json.loads(signed_export())
    envelope["payload"] = json.loads(signed_export({"jobs/0/minutes": "0.1"}))["payload"]
    with pytest.raises(BadSignature, match="export"):
        open_export(json.dumps(envelope).encode())


def test_a_service_cannot_sign_what_is_no_export() -> None:
    with pytest.raises(MalformedLog):
        sign_export({"form": EXPORT["form"]}, SERVICE)


SIGNERS: dict[str, tuple[bytes, dict[str, str], tuple[str, bool, bool, bool] | None]] = {
    "the service": (signed_export(), {}, ("example-service", True, True, True)),
    "nobody": (plain_export(), {}, None),
    "a stranger": (signed_export(key=STRANGER), {}, (STRANGER.public.did_key, False, False, False)),
    "another service": (
        signed_export(key=PARTY),
        {"other": entry(PARTY, "service", "example-other")},
        (PARTY.public.did_key, False, False, False),
    ),
    "a registered party that is no service": (
        signed_export(key=PARTY),
        {"other": entry(PARTY, "measuring_party", "example-service")},
        (PARTY.public.did_key, False, False, False),
    ),
    "the service with a key that began later": (
        signed_export(),
        {"service": entry(SERVICE, "service", "example-service", since="2026-10-02T00:00:00Z")},
        ("example-service", True, False, True),
    ),
    "the service with a key that has ended": (
        signed_export(),
        {"service": entry(SERVICE, "service", "example-service", until="2026-10-31T00:00:00Z")},
        ("example-service", True, True, False),
    ),
}


@pytest.mark.parametrize(("raw", "files", "expected"), SIGNERS.values(), ids=SIGNERS.keys())
def test_only_the_registered_key_of_the_service_counts(raw: bytes, files: dict[str, str], expected: Any) -> None:
    found = export_signatures([open_export(raw)], keyring(**files), NOW_US)
    told = [(s.id, s.registered, s.key_active_at_signing, s.key_active_now) for s in found]
    assert told == ([expected] if expected else [])
    assert all(signature.role == "service" for signature in found)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def read(studio: Studio, changes: dict[str, Any], *exports: dict[str, Any]) -> dict[str, str]:
    """The minutes by activity, or by the words for what fits none."""
    report = parse_report(service_report(studio, plain_export(), changes=changes))
    opened = [open_export(json.dumps(value).encode()).export for value in exports or (export(),)]
    return {name: str(found.minutes) for name, found in reproduced_minutes(opened, report).items()}


def test_the_minutes_of_a_use_are_those_of_its_jobs(studio: Studio) -> None:
    assert read(studio, {}) == {"s1": "2.0"}


def halves(first: dict[str, Any], second: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    jobs = EXPORT["jobs"]
    return export({"jobs": jobs[:2], **first}), export({"jobs": jobs[2:], **second})


def activity(**changes: Any) -> dict[str, Any]:
    """A second use beside the first."""
    base = {
        "id": "s2",
        "run_id": "other-run",
        "model": "m1",
        "stage": "inference",
        "method": "service_default",
        "started_at": "2026-10-01T08:00:00Z",
        "ended_at": "2026-10-01T11:00:00Z",
        "minutes": "1",
        "job_ids": ["other-1"],
        "allocation_share": "1",
        "allocation_method": "whole",
    }
    return base | changes


MISFITS: dict[str, tuple[dict[str, Any], tuple[dict[str, Any], ...], dict[str, str]]] = {
    "a job that the report leaves out": (
        {"activities/0/job_ids": ["job-1", "job-2", "job-3", "job-4"]},
        (),
        {"s1": "1.6", "job job-5, which the report leaves out": "0.4"},
    ),
    "a job that the export does not hold": (
        {"activities/0/job_ids/+": "job-6"},
        (),
        {"s1": "2.0", "job job-6, which no export holds": "0"},
    ),
    "another run id for the same jobs": (
        {"activities/0/run_id": "day-ferry"},
        (),
        {"s1": "0"} | {f"job job-{number}, of run night-ferry": "0.4" for number in range(1, 6)},
    ),
    "another model version": (
        {"models/0/version": "6"},
        (),
        {"s1": "0"} | {f"job job-{number}, by example-song 5": "0.4" for number in range(1, 6)},
    ),
    "another time": (
        {"activities/0/started_at": "2026-10-01T08:16:00Z"},
        (),
        {"s1": "1.6", "job job-1, finished at another time": "0.4"},
    ),
    "a job named twice counts once": ({"activities/0/job_ids/+": "job-1"}, (), {"s1": "2.0"}),
    "generation under the name of post-production": (
        {
            "activities/0/job_ids": ["job-1", "job-2", "job-3", "job-4"],
            "activities/+": activity(stage="post_production", run_id="night-ferry", job_ids=["job-5"], minutes="0.4"),
        },
        (),
        {"s1": "1.6", "s2": "0", "job job-5, generated, not post-production": "0.4"},
    ),
    "two exports of one run": ({}, halves({}, {}), {"s1": "2.0"}),
    "the same export twice": ({}, (export(), export()), {"s1": "2.0"}),
    "two exports that say different things": (
        {},
        (export(), export({"jobs/0/minutes": "0.1"})),
        {"s1": "2.0", "job job-1, of which two exports say different things": "0"},
    ),
    "two services with the same job ids": (
        {"activities/+": activity(job_ids=["job-1"])},
        (
            export(),
            export(
                {"service": "example-other", "jobs": [{**EXPORT["jobs"][0], "run_id": "other-run", "minutes": "1"}]}
            ),
        ),
        {"s1": "2.0", "s2": "1"},
    ),
    "a use of a service whose export is not read here": ({"activities/+": activity()}, (), {"s1": "2.0"}),
    "an activity that is called like a misfit": (
        {
            "activities/0/job_ids": ["job-1", "job-2", "job-3", "job-4"],
            "activities/+": activity(id="job job-5, which the report leaves out"),
        },
        (),
        {"s1": "1.6", "job job-5, which the report leaves out (2)": "0.4"},
    ),
}


@pytest.mark.parametrize(("changes", "exports", "expected"), MISFITS.values(), ids=MISFITS.keys())
def test_what_does_not_fit_stands_under_a_name_that_no_activity_has(
    studio: Studio, changes: dict[str, Any], exports: Any, expected: dict[str, str]
) -> None:
    assert read(studio, changes, *exports) == expected


def test_every_refusal_is_an_error_of_ours() -> None:
    for raw in BROKEN.values():
        with pytest.raises(CertifierError) as caught:
            open_export(raw)
        assert caught.value.message
