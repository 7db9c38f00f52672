"""A client that has read our OpenAPI document and tries what it allows and what it forbids: schemathesis, by its Python API.

    tally = fuzzed(openapi.from_url(…, config=rules(seed=1, examples=10)))
    assert tally.faults == {}

A fault is an answer of 500 and above, a status, content type, header or body that the document does not describe, or a method
that is not answered with 405 and Allow. A busy service may say 503 with Retry-After: that is counted, and no fault.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema

NDJSON = "application/x-ndjson"
CHECKS = (
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
PHASES = ("examples", "coverage", "fuzzing", "stateful")
BUSY = 503


@schemathesis.serializer(NDJSON)
def lines_of(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """The schema describes one line: it is sent twice, and what is no value is sent as it is."""
    if isinstance(value, str | bytes):
        return value.encode(errors="surrogatepass") if isinstance(value, str) else value
    return f"{json.dumps(value)}\n".encode() * 2


@schemathesis.deserializer(NDJSON)
def first_line_of(_: schemathesis.DeserializationContext, response: Response) -> Any:
    return json.loads(response.content.partition(b"\n")[0])


@dataclass
class Tally:
    """How often each status came, in each phase, and one example of each fault as a curl command."""

    statuses: Counter[int] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return self.statuses.total()

    def count(self, phase: str, response: Response | None) -> str | None:
        """What is wrong with the answer by its status alone."""
        self.phases[phase] += 1
        if response is None:
            return "no answer"
        self.statuses[response.status_code] += 1
        if response.status_code == BUSY and "retry-after" in response.headers:
            self.busy += 1
        elif response.status_code >= 500:
            return f"status {response.status_code}"
        return None


def rules(*, seed: int, examples: int, phases: tuple[str, ...] = PHASES, **more: Any) -> schemathesis.Config:
    """What is checked and how often. ``more`` as in a schemathesis.toml, with _ for -."""
    return schemathesis.Config.from_dict(
        {
            "seed": seed,
            "warnings": False,
            "continue-on-failure": True,
            "checks": {"enabled": False, **{check: {"enabled": True} for check in CHECKS}},
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            "phases": {phase: {"enabled": phase in phases} for phase in PHASES},
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
    )


def fuzzed(schema: Any, tally: Tally | None = None) -> Tally:
    """The schema's operations, each tried as its configuration says. ``tally`` goes on where one is given."""
    tally = tally or Tally()
    for event in from_schema(schema).execute():
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            tally.faults.setdefault(f"{event.label}: {event.value!r}"[:400], "")
        if isinstance(event, events.ScenarioFinished):
            _tell(event, tally)
    return tally


def _tell(event: events.ScenarioFinished, tally: Tally) -> None:
    for case_id, interaction in event.recorder.interactions.items():
        if fault := tally.count(event.phase.value, interaction.response):
            request = interaction.request
            tally.faults.setdefault(f"{event.recorder.label}: {fault}", f"{request.method} {request.uri}")
        if interaction.response is not None and _is_empty_list(interaction.response):
            continue
        for check in event.recorder.checks.get(case_id, ()):
            if (failed := check.failure_info) is not None:
                told = f"{event.recorder.label}: {check.name}: {failed.failure.title} {failed.failure.message}"
                tally.faults.setdefault(told[:400], failed.code_sample[:2000])


def _is_empty_list(response: Response) -> bool:
    """No lines, each of which would be what the schema describes."""
    return response.status_code == 200 and response.headers.get("content-type") == [NDJSON] and not response.content
