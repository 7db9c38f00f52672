"""Submitting from a phone: in three steps with script, in one form without, and what goes wrong on the way."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Iterator
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, Route, expect

from certifier.certificate.code import parse_code
from certifier.cli.main import main
from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.signing import SigningKey
from certifier.report.envelope import open_report, statement_for
from certifier.service.certifier import Certifier
from certifier.service.examine import Upload, examine
from certifier.web.app import create_app
from tests.studio import Studio, write_track
from tests.web.browsing import opened, served
from tests.web.conftest import LATER

WIDTH = 360
SUBMISSIONS, CHECKS = "**/api/v1/submissions", "**/api/v1/report-checks"
# What somebody answers who made 40 s of music at a service, with two takes.
LINES = {
    "title": "Sea Wall (example)",
    "artist": "Example Artist",
    "finished": "2026-10-30",
    "model": "example-song",
    "takes": "2",
    "minutes": "1,5",
}
CHOICES = ("parts-vocals", "audible-all", "kind-neural-audio", "trained-other")
SERVICE = {"first-day": "2026-10-29", "last-day": "2026-10-30"}
MACHINE = {"started": "2026-10-29T20:00", "hours": "0", "run-min": "3"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("wizard"))


@pytest.fixture(scope="module")
def certifier(studio: Studio) -> Iterator[Certifier]:
    certifier = studio.certifier()
    yield certifier
    certifier.close()


@pytest.fixture(scope="module")
def address(certifier: Certifier) -> Iterator[str]:
    yield from served(create_app(certifier, lambda: LATER))


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = opened(browser, address, WIDTH, timezone_id="Europe/Paris")
    page.goto("/submit")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def declaring(browser: Browser, address: str, studio: Studio) -> Iterator[Page]:
    """One page at its second step, for reports that are made and not sent."""
    page = opened(browser, address, WIDTH, timezone_id="Europe/Paris")
    page.goto("/submit")
    to_report(page, studio.track)
    yield page
    page.context.close()


@pytest.fixture
def rough_page(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose requests may fail, which browsers write to their console."""
    context = browser.new_context(viewport={"width": WIDTH, "height": 800}, base_url=address)
    page = context.new_page()
    page.clock.set_fixed_time(LATER)
    page.goto("/submit")
    yield page
    context.close()


@pytest.fixture
def track(studio: Studio, tmp_path: Path) -> Path:
    """A track of one's own: a file gets one certificate."""
    return write_track(tmp_path / "sea wall.wav", 40.0, 200 + len(list(studio.folder.parent.iterdir())) % 97)


def to_report(page: Page, track: Path) -> None:
    page.set_input_files("#audio", track)
    page.wait_for_selector("#track-facts:not([hidden])")
    page.click("#step-track [data-next]")
    page.wait_for_selector("#step-report:not([hidden])")


def answer(page: Page, where: str = "service", **changed: str) -> None:
    for name in (*CHOICES, f"where-{where}"):
        page.check(f"#q-{name}")
    for name, text in (LINES | (SERVICE if where == "service" else MACHINE) | changed).items():
        page.fill(f"#q-{name}", text)


def to_send(page: Page) -> None:
    page.click("#step-report [data-next]")
    page.wait_for_selector("#step-send:not([hidden])")


def saved(page: Page, button: str) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    return Path(download.value.path()).read_bytes()


def ready_report(page: Page, track: Path, report: bytes, logs: dict[str, bytes]) -> None:
    to_report(page, track)
    page.check("#q-how-ready")
    folder = track.parent
    (folder / "report.dsse.json").write_bytes(report)
    page.set_input_files("#report", folder / "report.dsse.json")
    for name, content in logs.items():
        (folder / name).write_bytes(content)
    page.set_input_files("#logs", [folder / name for name in logs])
    to_send(page)


def test_a_musician_declares_checks_and_submits_from_a_phone(
    page: Page, track: Path, certifier: Certifier, tmp_path: Path
) -> None:
    to_report(page, track)
    answer(page)
    to_send(page)
    before = certifier.store.counts()

    page.click("#check")
    told = page.locator("#told")
    expect(told.locator("h2")).to_have_text("It would become a statement")
    expect(told).to_be_focused()
    figure = told.locator(".figure b").inner_text()
    assert "no class, and no badge" in told.inner_text()
    assert "registered measuring party" in told.inner_text()
    assert "independent verifier" in told.inner_text()
    assert certifier.store.counts() == before

    report, pem = saved(page, "#save-report"), saved(page, "#save-key")
    examined = examine(Upload(report, track, {}))  # the very door of the service
    verdict = certifier.decide(examined, LATER).verdict
    assert (verdict.outcome, str(verdict.footprint.assessed)) == ("disclosed", figure)
    assert examined.opened.report.track.title == LINES["title"]

    page.click("#told button[type=submit]")
    page.wait_for_url("**/submissions/*")
    assert "Self-declared statement" in page.inner_text("h1")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    page.click("a.button >> text=Certificate")
    assert page.inner_text("h1") == LINES["title"]
    row = certifier.store.certificates_for_audio(examined.audio.sha256)[0]
    assert (row.outcome, parse_code(page.url[-10:])) == ("disclosed", row.code)
    page.goto(f"/v/{row.code}.report.json")
    assert json.loads(page.inner_text("pre")) == json.loads(report)

    # The saved key is the account: the command line signs with it as the same applicant.
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    key = folder / "my-key.pem"
    key.write_bytes(pem)
    key.chmod(0o600)
    assert SigningKey.from_pem(pem, None).public == examined.opened.applicant
    (tmp_path / "report.json").write_bytes(json.dumps(examined.opened.value).encode())
    command = ["report", "sign", str(tmp_path / "report.json"), "--key", str(key), "--audio", str(track)]
    result = CliRunner().invoke(main, [*command, "-o", str(tmp_path / "again.dsse.json")])
    assert result.exit_code == 0, result.output
    assert open_report((tmp_path / "again.dsse.json").read_bytes()).applicant == examined.opened.applicant
    checked = CliRunner().invoke(
        main, ["report", "check", str(tmp_path / "again.dsse.json"), "--audio", str(track), "--json"]
    )
    assert json.loads(checked.stdout)["assessed_g_per_min"] == figure


PLACE_OWN = {"country": "FRA", "site": "local"}
REGION = {"country": "FRA", "site": "datacentre", "provider": "aws", "region": "eu-west-3"}
# name -> (where, choices, selects, lines, what the report has to say of the run)
MACHINES: dict[str, tuple[str, tuple[str, ...], dict[str, str], dict[str, str], dict[str, Any]]] = {
    "own card, nothing measured: full power, read at the chip": (
        "own",
        ("energy-no",),
        {"device": "NVIDIA GeForce RTX 4090", "country": "FRA"},
        {},
        {
            "method": "default",
            "coverage": "accelerator",
            "energy_kwh": "0.0225",
            "location": PLACE_OWN,
            "hardware": [{"name": "NVIDIA GeForce RTX 4090", "count": 1}],
            "shared_service": False,
        },
    ),
    "a laptop with a meter at the socket": (
        "own",
        ("energy-wall",),
        {"device": "cpu-laptop", "country": "USA", "subdivision": "US-WA"},
        {"kwh": "0,0021", "reader": "Example meter", "hours": "", "run-min": "7"},
        {
            "method": "modelled",
            "coverage": "wall",
            "energy_kwh": "0.0021",
            "duration_s": "420",
            "location": {"country": "USA", "site": "local", "subdivision": "US-WA"},
            "hardware": [{"name": "cpu-laptop", "count": 1}],
            "tool": {"name": "Example meter", "version": "not stated"},
        },
    ),
    "two rented cards in a region that names its country": (
        "cloud",
        ("energy-no", "shared-alone"),
        {"device": "NVIDIA T4", "region": "aws:eu-west-3"},
        {"count": "2"},
        {
            "method": "default",
            "energy_kwh": str((Decimal(70 * 2 * 180) / 3_600_000).quantize(Decimal("1e-9"), ROUND_UP).normalize()),
            "location": REGION,
            "hardware": [{"name": "NVIDIA T4", "count": 2}],
            "shared_service": False,
        },
    ),
    "nothing is known of the rented machine: the worst of everything": (
        "cloud",
        ("energy-no", "shared-shared"),
        {"device": "", "region": "", "country": ""},
        {"count": "1"},
        {
            "energy_kwh": "0.07",
            "location": {"country": "ZZZ", "site": "datacentre"},
            "hardware": [{"name": "UNKNOWN ACCELERATOR", "count": 1}],
            "shared_service": True,
        },
    ),
}


@pytest.mark.parametrize(("where", "choices", "selects", "lines", "said"), MACHINES.values(), ids=MACHINES.keys())
def test_a_report_from_a_browser_has_the_bytes_that_the_command_line_would_sign(
    declaring: Page,
    studio: Studio,
    where: str,
    choices: tuple[str, ...],
    selects: dict[str, str],
    lines: dict[str, str],
    said: dict[str, Any],
) -> None:
    page = declaring
    page.evaluate("location.hash = 'step-report'")
    page.check(f"#q-where-{where}")
    for name in choices:
        page.check(f"#q-{name}")
    for name, value in selects.items():
        page.select_option(f"#q-{name}", value)
    answer(page, where, **lines)
    to_send(page)
    opened_report = open_report(saved(page, "#save-report"))
    value, facts = opened_report.value, studio.facts()
    assert opened_report.payload == canonical_bytes(
        statement_for(value, file_name=studio.track.name, essence_sha256=studio.facts().essence_sha256)
    )
    run = value["activities"][0]
    duration = said.get("duration_s", "180")
    assert run == {
        "id": "generating",
        "run_id": f"declared-{value['report_id'].removeprefix('rep_')}",
        "model": "example-song",
        "stage": "inference",
        "started_at": "2026-10-29T19:00:00Z",  # Paris is an hour ahead
        "ended_at": f"2026-10-29T19:0{int(duration) // 60}:00Z",
        "duration_s": duration,
        "coverage": "accelerator",
        "pue_included": False,
        "allocation_share": "1",
        "allocation_method": "whole",
        "method": "default",
        "shared_service": False,
        **said,
    }
    assert value == {
        "report_version": "1.0",
        "report_id": value["report_id"],
        "standard": "LCAL-1.0.0",
        "issuer": {"id": opened_report.applicant.did_key, "key_id": opened_report.applicant.did_key},
        "issued_at": "2026-11-22T12:00:00Z",
        "raw_log_sha256": [],
        "track": {
            "title": LINES["title"],
            "artist": LINES["artist"],
            "audio_sha256": facts.sha256,
            "duration_s": str(int(facts.duration_s)),
            "created_at": "2026-10-30T11:00:00Z",
            "ai_contribution": ["vocals"],
            "ai_audible_s": str(int(facts.duration_s)),
        },
        "models": [
            {
                "id": "example-song",
                "name": "example-song",
                "version": "not stated",
                "class": "neural-audio",
                "trained_by": "other",
                "generated_minutes": "1.5",
                "training": {"source": "default"},
            }
        ],
        "generation": {"takes": 2, "generated_minutes": "1.5"},
        "activities": [run],
        "stages_not_performed": ["fine_tuning"],
        "process": {},
    }


def test_a_signed_report_with_its_logs_is_measured(page: Page, studio: Studio, tmp_path: Path) -> None:
    track = Path(shutil.copy(studio.track, tmp_path / "night-ferry.wav"))
    ready_report(page, track, studio.signed(studio.report()), {"emissions.csv": studio.log})
    page.click("#check")
    expect(page.locator("#told h2")).to_have_text("It would become: Low-Carbon Audio, class 2")
    keys: list[str | None] = []
    page.on("request", lambda sent: keys.append(sent.headers.get("idempotency-key")) if sent.method == "POST" else None)
    page.click("#send")
    page.wait_for_url("**/submissions/*")
    assert "class 2" in page.inner_text("h1")
    assert len(keys[0] or "") == 32
    # The same report again leads to the decision that there is.
    decided = page.url
    page.goto("/submit")
    page.set_input_files("#audio", track)
    expect(page.locator("#track-remark a")).to_be_visible()  # said before anything is asked
    ready_report(page, track, (tmp_path / "report.dsse.json").read_bytes(), {"emissions.csv": studio.log})
    page.click("#send")
    expect(page.locator("#told h2")).to_have_text("This report was decided before")
    page.click("#told a")
    assert page.url == decided


def test_without_script_one_plain_form_does_it(browser: Browser, address: str, studio: Studio, tmp_path: Path) -> None:
    page = opened(browser, address, WIDTH, java_script_enabled=False)
    page.goto("/submit")
    track = write_track(tmp_path / "plain.wav", pitch=501.0)
    report = studio.report(title="Plain (example)", track=track, run_id="run-plain")
    (tmp_path / "report.json").write_bytes(studio.signed(report, track=track))
    page.set_input_files("#audio", track)
    page.set_input_files("#report", tmp_path / "report.json")
    assert page.is_hidden("#make")
    assert "Without scripts a report cannot be made here" in page.inner_text("#step-report")
    page.click("#send")
    page.wait_for_url("**/submissions/*")
    assert "Plain (example)" in page.inner_text(".decision")
    page.context.close()


def test_what_is_missing_is_told_all_at_once_and_leads_to_its_question(page: Page, track: Path) -> None:
    page.click("#step-track [data-next]")
    expect(page.locator("#audio-error")).to_have_text("Choose the audio file.")
    expect(page.locator("#audio")).to_be_focused()
    to_report(page, track)
    page.click("#step-report [data-next]")
    failed = page.locator("#failed")
    expect(failed).to_be_focused()
    expect(failed.locator("h2")).to_have_text("11 answers need a look")
    expect(failed.locator("li").nth(0)).to_have_text("Title – Answer this question.")
    failed.locator("a", has_text="Title").click()
    expect(page.locator("#q-title")).to_be_focused()
    assert page.get_attribute("#q-title", "aria-invalid") == "true"
    answer(page, takes="none", **{"last-day": "2026-10-01"})
    page.check("#q-trained-own")
    page.click("#step-report [data-next]")
    expect(failed.locator("li")).to_have_count(3)
    for words in ("Give a whole number", "The command line makes it", "before the first day"):
        assert words in failed.inner_text()


def bad_audio(page: Page, studio: Studio, track: Path) -> None:
    track.write_bytes(b"this is no sound at all" * 1000)
    to_report_without_length(page, track)
    send_ready(page, track, studio)


def another_audio(page: Page, studio: Studio, track: Path) -> None:
    to_report(page, track)
    send_ready(page, track, studio)


def no_report(page: Page, studio: Studio, track: Path) -> None:
    to_report(page, track)
    send_ready(page, track, studio, b'{"payload": 1, "payload": 2}')


def to_report_without_length(page: Page, track: Path) -> None:
    page.set_input_files("#audio", track)
    page.wait_for_selector("#length-asked:not([hidden])")
    page.fill("#q-length-s", "40")
    page.click("#step-track [data-next]")
    page.wait_for_selector("#step-report:not([hidden])")


def send_ready(page: Page, track: Path, studio: Studio, report: bytes | None = None) -> None:
    page.check("#q-how-ready")
    file = track.parent / "report.json"
    file.write_bytes(report or studio.signed(studio.report()))
    page.set_input_files("#report", file)
    to_send(page)
    page.click("#send")


# name -> (what is done, heading, words)
WRONG = {
    "a file that is no audio": (bad_audio, "The audio file cannot be measured", "Found"),
    "a report about another file": (another_audio, "The audio file is not the one in the report", "Send the master"),
    "a report that is none": (no_report, "The JSON cannot be read", "Found"),
}


@pytest.mark.parametrize(("does", "heading", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_used_is_named_and_nothing_is_lost(
    page: Page, studio: Studio, track: Path, certifier: Certifier, does: Any, heading: str, words: str
) -> None:
    before = certifier.store.counts()
    does(page, studio, track)
    failed = page.locator("#failed")
    expect(failed.locator("h2")).to_have_text(heading)
    expect(failed).to_be_focused()
    assert words in failed.inner_text()
    assert page.is_enabled("#send")
    assert page.evaluate("document.getElementById('audio').files.length") == 1
    assert certifier.store.counts() == before


def test_a_lost_line_and_a_busy_service_keep_everything_for_another_try(rough_page: Page, track: Path) -> None:
    page = rough_page
    keys: list[str | None] = []
    answers = [
        lambda route: route.abort(),
        lambda route: route.fulfill(
            status=503,
            headers={"Retry-After": "5", "Content-Type": "application/problem+json"},
            body=json.dumps({"title": "Too much at once", "detail": "Many requests are being read just now."}),
        ),
    ]

    def answered(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        answers.pop(0)(route) if answers else route.continue_()

    page.route(SUBMISSIONS, answered)
    to_report(page, track)
    answer(page)
    to_send(page)
    page.click("#send")
    failed = page.locator("#failed")
    expect(failed.locator("h2")).to_have_text("The connection was lost")
    assert "Nothing has been decided, or the answer got lost" in failed.inner_text()
    page.click("#failed button")
    expect(failed.locator("h2")).to_have_text("Too much at once")
    assert "Try again in 5 seconds" in failed.inner_text()
    page.click("#failed button")
    page.wait_for_url("**/submissions/*")
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_answers_and_the_signed_report_outlast_a_reload(page: Page, track: Path) -> None:
    to_report(page, track)
    answer(page)
    to_send(page)
    first = saved(page, "#save-report")
    page.reload()
    page.click("#step-track [data-next]")
    assert "Your answers are still here" in page.inner_text("#audio-error")
    to_report(page, track)
    assert page.input_value("#q-title") == LINES["title"]
    assert page.is_checked("#q-parts-vocals")
    to_send(page)
    assert saved(page, "#save-report") == first  # so that it gets the same answer
    page.click("#step-send a >> text=Back")
    page.fill("#q-takes", "3")
    to_send(page)
    second = saved(page, "#save-report")
    assert json.loads(base64.b64decode(json.loads(second)["payload"]))["predicate"]["generation"]["takes"] == 3


def test_a_key_that_somebody_has_signs_and_a_passphrase_is_told(page: Page, track: Path, tmp_path: Path) -> None:
    own = SigningKey.generate()
    for name, passphrase in (("locked.pem", b"secret"), ("own.pem", None)):
        (tmp_path / name).write_bytes(own.to_pem(passphrase))
    to_report(page, track)
    answer(page)
    page.set_input_files("#key-file", tmp_path / "locked.pem")
    expect(page.locator("#key-file-error")).to_contain_text("has a passphrase")
    page.set_input_files("#key-file", tmp_path / "own.pem")
    expect(page.locator("#key-said")).to_contain_text(own.public.did_key)
    to_send(page)
    assert open_report(saved(page, "#save-report")).applicant == own.public
    assert saved(page, "#save-key") == own.to_pem(None)


def test_a_browser_that_cannot_sign_says_so_and_takes_a_ready_report(
    browser: Browser, address: str, track: Path
) -> None:
    page = opened(browser, address, WIDTH)
    page.add_init_script("delete SubtleCrypto.prototype.generateKey")
    page.goto("/submit")
    to_report(page, track)
    assert page.is_visible("text=This browser cannot sign")
    assert page.is_checked("#q-how-ready")
    assert page.is_hidden("#make")
    page.context.close()


def test_the_whole_form_is_filled_by_keyboard(page: Page, track: Path) -> None:
    to_report(page, track)
    page.focus("#q-how-make")
    for text in ("Tab", LINES["title"], "Tab", LINES["artist"], "Tab", "Tab"):
        page.keyboard.press(text) if text == "Tab" else page.keyboard.type(text)
    assert page.evaluate("document.activeElement.id") == "q-finished"
    assert page.input_value("#q-title") == LINES["title"]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_guide_names_the_factors_and_limits_of_the_standard(certifier: Certifier) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "submit.md").read_text()
    parameters = certifier.shelf.newest.parameters
    limits = parameters.limits
    for name, limit in (("Measured", limits.measured), ("class 2", limits.class_2), ("class 1", limits.class_1)):
        assert re.search(rf"^\| {name} \|.*\| {limit:.0f} \|$", guide, re.MULTILINE), name
    factors = certifier.shelf.newest.factors
    assert f"| {factors.unknown_place.g_per_kwh:f} g per kWh |" in guide
    assert f"| {factors.hardware['unknown accelerator'].tdp_w:f} W, and" in guide
    assert f"| {parameters.service_default.kwh_per_minute * 1000:.0f} Wh for each generated minute" in guide
