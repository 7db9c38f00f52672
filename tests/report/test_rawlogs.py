"""The logs of CarbonTracker, EcoLogits and Impact Framework are read exactly, or refused by name."""

import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certifier.errors import MalformedLog
from certifier.report.rawlogs import read_logs
from certifier.report.rawlogs.carbontracker import parse_epoch_log, runs_of_pairs
from certifier.report.rawlogs.ecologits import parse_impacts
from certifier.report.rawlogs.impact_framework import parse_manifest
from certifier.report.rawlogs.yaml_text import MAX_BYTES, parse_yaml

SAMPLES = Path(__file__).parents[1] / "vectors" / "importers"
EPOCHS = next(SAMPLES.glob("carbontracker/*_carbontracker.log")).read_bytes()
TOTAL = next(SAMPLES.glob("carbontracker/*_output.log")).read_bytes()
IMPACTS = (SAMPLES / "ecologits" / "impacts_fra_pol.json").read_bytes()
MANIFEST = (SAMPLES / "impact-framework" / "lofi-out.yaml").read_bytes()
SOURCE = (SAMPLES / "impact-framework" / "lofi.yml").read_bytes()
EMISSIONS = (SAMPLES.parent / "codecarbon" / "emissions.csv").read_bytes()


def changed(raw: bytes, old: bytes, new: bytes) -> bytes:
    assert old in raw
    return raw.replace(old, new, 1)


def without(raw: bytes, *marks: bytes) -> bytes:
    """The text without the lines that hold one of the marks."""
    kept = [line for line in raw.splitlines(keepends=True) if not any(mark in line for mark in marks)]
    assert len(kept) < len(raw.splitlines())
    return b"".join(kept)


def test_every_log_of_a_deposit_is_known_by_its_content():
    files = {"a": EPOCHS, "b": TOTAL, "c": MANIFEST, "d": IMPACTS, "e": EMISSIONS, "f": SOURCE, "g": b"%PDF-1.7"}
    read = read_logs(files)
    assert {name: (log.format, len(log.runs)) for name, log in read.items()} == {
        "a": ("carbontracker", 1),
        "b": ("carbontracker", 0),
        "c": ("impact-framework", 2),
        "e": ("codecarbon", 2),
    }


def test_a_run_that_its_tool_leaves_without_a_name_is_named_after_what_was_read():
    (tracked,) = (run for _, run in runs_of_pairs([EPOCHS, TOTAL]))
    windows = [raw.replace(b"\n", b"\r\n") for raw in (TOTAL, EPOCHS)]
    assert runs_of_pairs(windows)[0][1].run_id == tracked.run_id
    dearer = [changed(TOTAL, b"0.000175849864", b"0.000175849865"), EPOCHS]
    assert runs_of_pairs(dearer)[0][1].run_id != tracked.run_id
    first, second = parse_manifest(MANIFEST)
    spelled = parse_manifest(
        changed(
            MANIFEST,
            b"outputs:\n        - timestamp: 2026-05-01T10:00:00.000Z",
            b"""outputs:
        - timestamp: 2026-05-01T12:00:00+02:00""",
        )
    )
    assert [output.run_id for output in spelled] == [first.run_id, second.run_id]


def test_several_devices_and_lines_that_numpy_broke_are_one_power():
    many = EPOCHS.replace(b"for cpu: 50.0", b"for gpu: [12.\n 8. 30.]")
    assert runs_of_pairs([many, TOTAL])[0][1].energy_kwh == Decimal("0.000175849864")


PREDICTED = TOTAL.replace(
    b"2026-11-22 20:48:53 - CarbonTracker: Finished",
    b"2026-11-22 20:48:49 - CarbonTracker: \nPredicted consumption for 9 epoch(s):\n\tTime:\t0:00:36\n\tEnergy:\t0.1 kWh\n"
    b"2026-11-22 20:48:53 - CarbonTracker: Finished",
)
SHIFTED = [raw.replace(b" 20:", b" 21:") for raw in (EPOCHS, TOTAL)]

PAIRS = {
    "epochs without their total": [EPOCHS],
    "a total without its epochs": [TOTAL],
    "a total of another hour": [EPOCHS, SHIFTED[1]],
    "a total of other devices": [EPOCHS, changed(TOTAL, b"Intel Xeon", b"AMD EPYC")],
    "a total that is lower than its epochs": [EPOCHS, changed(TOTAL, b"0.000175849864", b"0.000111297000")],
    "a total that is longer than its epochs": [EPOCHS, changed(TOTAL, b"0:00:08", b"0:00:18")],
    "the same run twice": [EPOCHS, TOTAL, EPOCHS, TOTAL],
    "one total for two runs": [EPOCHS, EPOCHS, TOTAL, SHIFTED[1]],
    "an epoch cut out": [without(EPOCHS, b"Epoch 1:"), TOTAL],
    "the last epoch cut out": [without(EPOCHS, b"20:48:53 - Epoch", b"20:48:53 - Dur", b"20:48:53 - Average p"), TOTAL],
    "epochs cut off": [EPOCHS[:400], TOTAL],
    "a total cut off": [EPOCHS, without(TOTAL, b"Finished")],
    "no release": [without(EPOCHS, b"PUE coefficient"), TOTAL],
    "a PUE below one": [EPOCHS.replace(b"of 1.58", b"of 0.58"), TOTAL],
    "two totals in one log": [EPOCHS, TOTAL + TOTAL],
    "an epoch without power": [without(EPOCHS, b"48:49 - Average power"), TOTAL],
    "an epoch too short for a reading": [changed(EPOCHS, b"cpu: 50.0", b"cpu: None"), TOTAL],
    "a power that is no number": [changed(EPOCHS, b"cpu: 50.0", b"cpu: nan"), TOTAL],
    "a run that was predicted in part": [EPOCHS, PREDICTED],
    "a log that is no text": [EPOCHS + b"\xff", TOTAL],
    "a log that begins in the middle": [b"Epoch 1:\n" + EPOCHS, TOTAL],
}


@pytest.mark.parametrize("logs", PAIRS.values(), ids=PAIRS.keys())
def test_logs_of_carbontracker_that_do_not_tell_one_run_are_refused(logs):
    with pytest.raises(MalformedLog):
        read_logs({str(place): raw for place, raw in enumerate(logs)})


def test_two_runs_pair_off_by_their_times_in_any_order():
    runs = runs_of_pairs([SHIFTED[1], EPOCHS, SHIFTED[0], TOTAL])
    assert [(place, run.ended_at_local.hour) for place, run in runs] == [(1, 20), (2, 21)]


def test_a_run_that_was_interrupted_was_not_predicted_in_vain():
    stopped = EPOCHS.replace(
        b"2026-11-22 20:48:53 - Monitoring",
        b"2026-11-22 20:48:53 - Training was interrupted before all 9 epochs were monitored.\n2026-11-22 20:48:53 - Monitoring",
    )
    assert runs_of_pairs([stopped, PREDICTED])[0][1].interrupted


def impact(value: str, *, unit: str = "kWh", gwp: str = "1e-6") -> bytes:
    energy = f'{{"value": {value}, "unit": "{unit}"}}'
    return f'{{"energy": {energy}, "usage": {{"gwp": {{"value": {gwp}, "unit": "kgCO2eq"}}}}}}'.encode()


def test_of_a_range_the_highest_value_counts():
    (request,) = parse_impacts(impact('{"min": 1e-5, "max": 4e-5}', gwp='{"min": 1e-6, "max": 2e-6}'))
    assert (request.energy_kwh, request.usage_kg) == (Decimal("4e-5"), Decimal("2e-6"))
    (turned,) = parse_impacts(impact('{"min": 4e-5, "max": 1e-5}'))
    assert turned.energy_kwh == Decimal("4e-5")
    assert parse_impacts(impact("0"))[0].grid_gco2e_per_kwh is None


IMPACTS_BROKEN = {
    "no JSON": b"energy: 1",
    "a list": b"[]",
    "no request": b"{}",
    "a request without impacts": b'{"FRA": null}',
    "energy in another unit": impact("1", unit="Wh"),
    "a negative energy": impact("-1"),
    "an energy that is text": impact('"1"'),
    "an energy that is true": impact("true"),
    "an energy that is nothing": impact("null"),
    "half a range": impact('{"max": 1}'),
    "an absurd energy": impact("1e13"),
    "not a number": impact("NaN"),
    "no use": b'{"energy": {"value": 1, "unit": "kWh"}}',
    "a member twice": b'{"energy": 1, "energy": 2}',
}


@pytest.mark.parametrize("raw", IMPACTS_BROKEN.values(), ids=IMPACTS_BROKEN.keys())
def test_impacts_that_ecologits_does_not_write_are_refused(raw):
    with pytest.raises(MalformedLog):
        parse_impacts(raw)


OUTPUT = (
    b"      outputs:\n        - timestamp: 2026-05-01T10:00:00.000Z\n          duration: 18\n          energy: 0.0018\n"
)
MANIFESTS = {
    "a manifest that was not run": SOURCE,
    "a run that failed": changed(MANIFEST, b"status: success", b"status: fail"),
    "no release": changed(MANIFEST, b"if-version: 1.1.0", b"if-version: latest"),
    "no tree": MANIFEST[: MANIFEST.index(b"tree:")],
    "a component without outputs": changed(MANIFEST, b"      outputs:", b"      notes:"),
    "an output without energy": changed(MANIFEST, OUTPUT, OUTPUT.replace(b"energy:", b"power:")),
    "an output without a duration": changed(MANIFEST, OUTPUT, OUTPUT.replace(b"duration:", b"length:")),
    "a negative energy": changed(MANIFEST, OUTPUT, OUTPUT.replace(b"0.0018", b"-0.0018")),
    "an energy that is no number": changed(MANIFEST, OUTPUT, OUTPUT.replace(b"0.0018", b".nan")),
    "an energy that is a list": changed(MANIFEST, OUTPUT, OUTPUT.replace(b"0.0018", b"[0.0018]")),
    "a time without a zone": changed(MANIFEST, OUTPUT, OUTPUT.replace(b".000Z", b".000")),
    "a time before any calendar": changed(
        MANIFEST, OUTPUT, OUTPUT.replace(b"2026-05-01T10:00:00.000Z", b"0001-01-01T00:00:00+14:00")
    ),
    "one observation twice": changed(MANIFEST, OUTPUT, OUTPUT + OUTPUT[OUTPUT.index(b"        -") :]),
    "a PUE in the pipeline": changed(MANIFEST, b"          - energy\n", b"          - energy\n          - pue\n"),
    "a PUE in an output": changed(MANIFEST, b"vCPUs: 1", b"datacenter/pue: 1.5"),
    "a key twice": changed(
        MANIFEST, b"          energy: 0.0018\n", b"          energy: 0.0018\n          energy: 0.0001\n"
    ),
    "an alias": changed(changed(MANIFEST, b"vCPUs: 1", b"vCPUs: &one 1"), b"vCPUs: 1", b"vCPUs: *one"),
    "a merge key": changed(MANIFEST, b"vCPUs: 1", b"<<: {energy: 0}"),
    "a tag": changed(MANIFEST, b"vCPUs: 1", b"vCPUs: !!python/object/apply:os.getcwd []"),
    "a second document": MANIFEST + b"---\na: 1\n",
    "no YAML": MANIFEST + b"\t{",
    "an escape beyond Unicode": changed(MANIFEST, b"vCPUs: 1", b'vCPUs: "\\UFFFFFFFF"'),
    "a version of many digits": b"%YAML " + b"9" * 5000 + b".1\n---\n" + MANIFEST,
    "a tree that is too deep": changed(MANIFEST, b"vCPUs: 1", b"vCPUs: " + b"[" * 40 + b"]" * 40),
    "a file that is too long": MANIFEST + b"#" * MAX_BYTES,
}


@pytest.mark.parametrize("raw", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_manifest_that_leaves_something_open_is_refused(raw):
    with pytest.raises(MalformedLog):
        parse_manifest(raw)


def test_a_group_sums_up_its_components_and_is_not_counted_again():
    lines = MANIFEST[MANIFEST.index(b"    inference:") : MANIFEST.index(b"  outputs:\n    - carbon")]
    nested = b"".join(b"    " + line for line in lines.splitlines(keepends=True))
    grouped = changed(MANIFEST, lines, b"    studio:\n      children:\n" + nested + OUTPUT)
    assert [output.component for output in parse_manifest(grouped)] == ["tree.studio.inference"] * 2


LINE = b"2026-11-22 20:48:49 - "
HOSTILE = {
    "brackets in brackets": (parse_yaml, b"[" * 100_000),
    "one message without an end": (parse_epoch_log, EPOCHS + b"\n" * 2_000_000),
    "a message that a pattern could get lost in": (
        parse_epoch_log,
        EPOCHS + LINE + b"Carbon intensities (gCO2eq/kWh) fetched every 900 s at detected location" + b": [" * 500_000,
    ),
    "many epochs": (
        parse_epoch_log,
        EPOCHS[: EPOCHS.index(LINE)]
        + b"".join(
            LINE
            + b"Epoch %d:\n" % number
            + LINE
            + b"Duration: 0:00:04.01\n"
            + LINE
            + b"Average power usage (W) for cpu: 5\n"
            for number in range(1, 40_000)
        )
        + LINE
        + b"Epoch 7:\n"  # out of its turn
        + LINE
        + b"Monitoring thread ended.\n",
    ),
}


@pytest.mark.parametrize(("read", "raw"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_log_costs_little_time(read, raw):
    start = time.process_time()
    with pytest.raises(MalformedLog):
        read(raw)
    assert time.process_time() - start < 10


CUTS = st.tuples(
    st.sampled_from([EPOCHS, TOTAL, IMPACTS, MANIFEST]), st.floats(0, 1), st.binary(max_size=6), st.floats(0, 1)
)


@settings(max_examples=60, deadline=None)
@given(CUTS)
def test_no_damage_ends_in_another_error(cut):
    raw, begin, put, end = cut
    damaged = raw[: int(len(raw) * begin)] + put + raw[int(len(raw) * end) :]
    for read in (
        lambda: read_logs({"a": damaged, "b": TOTAL}),
        lambda: parse_impacts(damaged),
        lambda: parse_manifest(damaged),
    ):
        try:
            found = read()
        except MalformedLog:
            continue
        assert found is not None
