"""The manifest that Impact Framework writes when it has run, as evidence: bytes in, each output out.

Each output of a component is an observation with its own time, duration and energy. Carbon, SCI and embodied carbon are never
taken: release 1.1.0 ignores the device's own figures and puts 1000 kg over four years in their place. A manifest that works
with a PUE is refused, since only its author knows whether the energy holds it.

Source: IMP manifests of Impact Framework 1.1.0; ``energy`` is in kWh, ``duration`` in seconds, ``timestamp`` is the start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from certifier.errors import MalformedLog
from certifier.report.rawlogs.text import is_time, plain, quantity_of, refuse_repeated, run_id_of
from certifier.report.rawlogs.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

HEADER_BYTES = 512 * 1024
MARK = b"if-version"
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}", re.ASCII)
GRID = "grid/carbon-intensity"
WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Output:
    """One observation of a component. ``started_at`` is in UTC; the manifest writes the zone."""

    run_id: str
    component: str
    tool_version: str
    started_at: datetime
    duration_s: Decimal
    energy_kwh: Decimal
    grid_gco2e_per_kwh: Decimal | None


def is_manifest(raw: bytes) -> bool:
    """Whether Impact Framework wrote it after a run: then it has to be read, or refused."""
    return MARK in raw[:HEADER_BYTES].replace(b"\x00", b"")


def parse_manifest(raw: bytes) -> tuple[Output, ...]:
    """The outputs of all components, in file order. Raises MalformedLog."""
    manifest = _mapping(parse_yaml(raw), "the manifest")
    execution = _mapping(manifest.get("execution"), "execution")
    if execution.get("status") != "success":
        raise MalformedLog("the manifest is of no successful run", found=str(execution.get("status"))[:60])
    version = _mapping(execution.get("environment"), "execution.environment").get("if-version")
    if not (isinstance(version, str) and VERSION.fullmatch(version)):
        raise MalformedLog("the manifest does not name the release of Impact Framework", expected="an if-version")
    _refuse_pue([manifest.get("initialize"), manifest.get("tree")])
    outputs = tuple(
        _output_of(output, component, version) for component, output in _outputs_in(manifest.get("tree"), "tree")
    )
    if not outputs:
        raise MalformedLog("the manifest has no outputs", hint="deposit the file that if-run wrote with -o")
    refuse_repeated(
        "observation", [output.run_id for output in outputs], hint="run it again without the repeated input"
    )
    return outputs


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedLog(f"{what} is missing or no mapping", hint="deposit the file that if-run wrote with -o")
    return value


def _outputs_in(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each output of each component; those of a group only sum up its children's."""
    node = _mapping(node, path)
    if "children" in node:
        for name, child in _mapping(node["children"], f"{path}.children").items():
            yield from _outputs_in(child, f"{path}.{name}")
        return
    outputs = node.get("outputs")
    if not isinstance(outputs, list) or not outputs:
        raise MalformedLog(f"the component {path[:60]} has no outputs", hint="no component may be left out of a run")
    for output in outputs:
        yield path, output


def _output_of(output: Any, component: str, version: str) -> Output:
    cells = _mapping(output, f"an output of {component[:60]}")
    text = {name: _text(cells, name, component) for name in ("timestamp", "duration", "energy")}
    if not (TIME.fullmatch(text["timestamp"]) and is_time(text["timestamp"])):
        raise MalformedLog(
            "a timestamp is no time with its zone", found=text["timestamp"][:60], expected="as 2026-05-01T10:00:00.000Z"
        )
    try:
        started_at = datetime.fromisoformat(text["timestamp"]).astimezone(UTC)
    except OverflowError as error:
        raise MalformedLog("a timestamp is outside of any calendar", found=text["timestamp"]) from error
    duration_s, energy_kwh = quantity_of(text["duration"], "a duration"), quantity_of(text["energy"], "an energy")
    return Output(
        run_id=run_id_of(
            "impact-framework", component, started_at.isoformat(), duration_s.normalize(), energy_kwh.normalize()
        ),
        component=component,
        tool_version=version,
        started_at=started_at,
        duration_s=duration_s,
        energy_kwh=energy_kwh,
        grid_gco2e_per_kwh=plain(quantity_of(_text(cells, GRID, component), GRID)) if GRID in cells else None,
    )


def _text(cells: dict[str, Any], name: str, component: str) -> str:
    value = cells.get(name)
    if not isinstance(value, str):
        raise MalformedLog(
            f"an output of {component[:60]} has no {name}", hint="no observation may be left out of a run"
        )
    return value


def _refuse_pue(parts: list[Any]) -> None:
    """Raises MalformedLog if any key or text has the word: then energy may hold a PUE, or not."""
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, str) and "pue" in WORD.findall(part.lower()):
            raise MalformedLog(
                "the manifest works with a PUE, and does not say whether its energy holds it",
                found=part[:60],
                hint="take the PUE out of the manifest and run it again; the label puts in its own (LCAL 4.3)",
            )
