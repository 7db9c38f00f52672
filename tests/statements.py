"""Builds the world of a closed service for tests: its statement, its register, its account export, a report that uses it."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from certifier.crypto.keyring import Keyring, parse_keyring
from certifier.crypto.signing import SigningKey
from certifier.report.envelope import sign_report
from certifier.report.exports import CSV_COLUMNS, sign_export
from certifier.report.statements import unsigned_statement
from tests.standard.world import changed
from tests.studio import VERIFIER, Studio

SERVICE = SigningKey.from_seed(b"service".ljust(32, b"."))
FROM, UNTIL = "2026-01-06T00:00:00Z", "2027-01-06T00:00:00Z"
STATEMENT: dict[str, Any] = {
    "form": "lcal-model-statement/1",
    "id": "example-song-5",
    "model": "example-song",
    "version": "5",
    "maker": {"id": "example-service", "key": SERVICE.public.did_key},
    "verifier": {"id": "example-verifier", "key": VERIFIER.public.did_key, "conflict": False},
    "issued_on": "2026-06-01",
    "training_g_per_minute": "0.02",
    "includes_data": True,
    "location_based": True,
    "service": {
        "wh_per_minute": "0.6",
        "pue": "1.15",
        "places": [{"key": "US-VA", "weight": "0.5"}, {"key": "FRA", "weight": "0.5"}],
        "hardware": [{"name": "NVIDIA H100 SXM5 80GB", "seconds_per_minute": "3"}],
    },
    "evidence": "https://example.org/statement",
}
EXPORT: dict[str, Any] = {
    "form": "lcal-service-export/1",
    "service": "example-service",
    "account": "example-studio",
    "exported_at": "2026-10-01T12:00:00Z",
    "period": {"from": "2026-10-01T08:00:00Z", "until": "2026-10-01T11:00:00Z"},
    "jobs": [
        {
            "id": f"job-{number}",
            "run_id": "night-ferry",
            "minutes": "0.4",
            "finished_at": f"2026-10-01T08:{number}0:00Z",
            "model": "example-song",
            "version": "5",
        }
        for number in range(1, 6)
    ],
}


def statement(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    value: dict[str, Any] = changed(STATEMENT, changes or {})
    return value


def signed_statement(
    changes: dict[str, Any] | None = None, keys: tuple[SigningKey, ...] = (SERVICE, VERIFIER)
) -> bytes:
    return json.dumps(sign_report(unsigned_statement(statement(changes)), keys)).encode()


def entry(key: SigningKey, role: str, owner: str, extra: str = "", since: str = FROM, until: str = UNTIL) -> str:
    return (
        f'[[keys]]\nid = "{owner}-{role}"\nowner = "{owner}"\nname = "{owner.title()}"\nrole = "{role}"\n'
        f'key = "{key.public.did_key}"\nfrom = {since}\nuntil = {until}\n{extra}\n'
    )


SCOPE = 'standards = ["LCAL-1.0.0"]'


def keyring(**files: str) -> Keyring:
    """The service and the verifier are registered; ``files`` replace or add TOML texts."""
    known = {
        "service": entry(SERVICE, "service", "example-service"),
        "verifier": entry(VERIFIER, "verifier", "example-verifier", SCOPE),
    }
    return parse_keyring({f"{name}.toml": text for name, text in (known | files).items()})


def export(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    value: dict[str, Any] = changed(EXPORT, changes or {})
    return value


def plain_export(changes: dict[str, Any] | None = None) -> bytes:
    return json.dumps(export(changes)).encode()


def signed_export(changes: dict[str, Any] | None = None, key: SigningKey = SERVICE) -> bytes:
    return json.dumps(sign_export(export(changes), key)).encode()


def csv_export(changes: dict[str, Any] | None = None) -> bytes:
    """The same export as a CSV file."""
    value = export(changes)
    head = [value["service"], value["account"], value["period"]["from"], value["period"]["until"]]
    rows = [[*head, job["id"], *(job[name] for name in CSV_COLUMNS[5:])] for job in value["jobs"]]
    return "".join(",".join(row) + "\r\n" for row in ([*CSV_COLUMNS], *rows)).encode()


def service_report(
    studio: Studio,
    deposit: bytes,
    *,
    statement_id: str | None = "example-song-5",
    track: Any = None,
    changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A report about five takes of a closed service, by its statement or by default."""
    report = studio.report(track=track)
    report["raw_log_sha256"] = [hashlib.sha256(deposit).hexdigest()]
    source = {"source": "statement", "statement": statement_id} if statement_id else {"source": "default"}
    report["models"][0] |= {"name": "example-song", "version": "5", "training": source}
    del report["models"][0]["parameters_b"]
    report["generation"] = {"takes": 5, "generated_minutes": "2"}
    report["activities"] = [
        {
            "id": "s1",
            "run_id": "night-ferry",
            "model": "m1",
            "stage": "inference",
            "method": "service_statement" if statement_id else "service_default",
            "started_at": "2026-10-01T08:00:00Z",
            "ended_at": "2026-10-01T11:00:00Z",
            "minutes": "2",
            "job_ids": [f"job-{number}" for number in range(1, 6)],
            "allocation_share": "1",
            "allocation_method": "whole",
        }
    ]
    value: dict[str, Any] = changed(copy.deepcopy(report), changes or {})
    return value


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
