"""``make demo``: the whole journey on real input, on one machine, from nothing to a verified certificate.

A track is generated and measured (examples/studio), reported and signed by two keys, submitted to a running service,
certified, badged, and verified three ways: by the service, by the command line offline, and with one changed byte.
All that is left behind lies in ``var/demo``. The parties are plainly examples; their keys are made here and stay here.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from certifier.badge.qr import qr_text
from certifier.certificate.code import parse_code
from certifier.certificate.model import OUTCOMES
from certifier.certificate.status import status_entries_of, status_file_name
from certifier.cli.output import show_error
from certifier.client import LIMITS, Client
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, UnreachableError
from certifier.service.home import make_home, register_key
from certifier.service.sandbox_fill import fill_sandbox
from certifier.service.scheme import give_example_scheme
from certifier.settings import Settings
from certifier.storage.files import load_signing_key, save_bytes, save_signing_key
from examples.studio.settings import settings_from
from examples.studio.studio import Progress as StudioProgress
from examples.studio.studio import run_studio

DEMO = Path("var/demo")
CERTIFIER = [sys.executable, "-m", "certifier.cli"]
PARTY = "Demo studio (an example, not a real measuring party)"
CAPABILITY = 'demo = true\n\n[keys.capability]\ncoverage = ["system"]\nmethod = ["modelled"]\n'
STARTUP_SECONDS = 30
out = Console(highlight=False, emoji=False)


@dataclass(frozen=True)
class Take:
    """One measured session of the studio, in a folder of its own."""

    folder: Path

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def is_complete(self) -> bool:
        return (self.folder / "session.json").is_file()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description="The whole journey on real input.")
    parser.add_argument("--fast", action="store_true", help="reuse the last measured take")
    fast: bool = parser.parse_args().fast
    started = time.monotonic()
    DEMO.mkdir(parents=True, exist_ok=True)
    settings = Settings(home=DEMO / "service")
    try:
        keys = _prepare_keys(settings)
        take = _take(fast=fast)
        report = _report(take, keys)
        with _service(settings) as client:
            answer = _submit(client, take, report)
            _collect(client, settings, parse_code(answer["code"]))
            _verify_by_service(client, answer["code"])
        _verify_offline()
        _verify_changed_byte()
    except CertifierError as error:
        show_error(error)
        return 1
    _summary(answer, time.monotonic() - started)
    return 0


def _prepare_keys(settings: Settings) -> dict[str, Path]:
    """The service's home, the studio's two keys, and the studio's entry in the register; made once."""
    now = datetime.now(UTC)
    if not settings.register_dir.exists():
        make_home(settings, now)
    give_example_scheme(settings)
    keys = {name: DEMO / "studio-keys" / f"{name}.pem" for name in ("artist", "party")}
    for path in keys.values():
        if not path.exists():
            save_signing_key(path, SigningKey.generate())
    # Before the track: the expired example can only be the first entry of a log.
    made = [filled.state for filled in fill_sandbox(settings, now) if filled.done == "made"]
    _done("examples", "a certificate for each state, under fixed codes" if made else "all there already")
    if not (settings.register_dir / "tools" / "demo-studio.toml").exists():
        party = load_signing_key(keys["party"]).public
        register_key(settings, "demo-studio", "measuring_party", PARTY, party, now, CAPABILITY)
    return keys


def _take(*, fast: bool) -> Take:
    """A newly measured take, or with ``fast`` the last one that there is."""
    takes = sorted((Take(path) for path in (DEMO / "takes").glob("[0-9]*")), key=lambda take: take.number)
    complete = [take for take in takes if take.is_complete]
    if fast and complete:
        _done("measured", f"take {complete[-1].number} from before (FAST=1)")
        return complete[-1]
    number = takes[-1].number + 1 if takes else 1
    take = Take(DEMO / "takes" / f"{number:03d}")
    with _progress() as show:
        run_studio(take.folder, show, number, settings_from(os.environ))
    return take


WORDS = {"data": "reading Bach chorales", "training": "training the model", "rendering": "rendering and mastering"}


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[StudioProgress], None]]:
    """A bar for each activity of the studio on a terminal; a line when it ends anywhere."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<26}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def show(step: StudioProgress) -> None:
            words = WORDS.get(step.activity, f"composing {step.activity}".replace("-", " "))
            if step.activity not in tasks:
                for task in tasks.values():
                    _finish(task)
                tasks[step.activity] = [bars.add_task(words, total=1.0), words, time.monotonic(), step.energy_kwh]
            bars.update(tasks[step.activity][0], completed=step.fraction)

        def _finish(task: list[Any]) -> None:
            if task[0] is not None:
                _done("measured", f"{task[1]:<26}{time.monotonic() - task[2]:6.1f} s")
                bars.update(task[0], visible=False)
                task[0] = None

        yield show
        for task in tasks.values():
            _finish(task)


def _report(take: Take, keys: dict[str, Path]) -> Path:
    """The signed report of a take. A take keeps its report, so that a second submission is the same one."""
    report = take.folder / "report.dsse.json"
    track, log = take.folder / "track.wav", take.folder / "emissions.csv"
    if not report.exists():
        unsigned = take.folder / "report.json"
        session = take.folder / "session.json"
        _run("report", "new", session, "--audio", track, "--key", keys["artist"], "--log", log, "-o", unsigned)
        _run(
            "report", "sign", unsigned, "--audio", track, "--key", keys["artist"], "--key", keys["party"], "-o", report
        )
    shutil.copyfile(track, DEMO / "track.wav")
    shutil.copyfile(report, DEMO / "report.dsse.json")
    _done("signed", "report by the artist's key and the registered demo studio")
    return report


@contextlib.contextmanager
def _service(settings: Settings) -> Iterator[Client]:
    """The service as a process of its own, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (DEMO / "service.log").open("ab")
    process = subprocess.Popen(
        [*CERTIFIER, "serve", "--home", settings.home, "--port", str(port)], stdout=log, stderr=log
    )
    try:
        client = Client(f"http://127.0.0.1:{port}")
        _wait_for(client, process)
        _done("running", f"the service on port {port}, as a process of its own")
        yield client
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _wait_for(client: Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTUP_SECONDS * 10):
        with contextlib.suppress(UnreachableError):
            client.get("/readyz")
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise UnreachableError("The service did not start.", hint=f"Read {DEMO / 'service.log'}")


def _submit(client: Client, take: Take, report: Path) -> dict[str, Any]:
    started = time.monotonic()
    answer = dict(client.submit(report, take.folder / "track.wav", [take.folder / "emissions.csv"]).document)
    if answer.get("certificate_state") not in (None, "active"):
        state = answer["certificate_state"]
        raise CertifierError(
            f"This take's certificate is {state}.", hint="Make a new take: make demo (without FAST=1)."
        )
    if not answer.get("code"):
        failed = [
            finding for finding in answer["findings"] if finding["outcome"] == "fail" and finding["level"] == "must"
        ]
        reasons = "; ".join(f"{finding['rule']} {finding['title']}: {finding['found']}" for finding in failed)
        raise CertifierError(
            "The service refused the track.", found=reasons, hint="Read the decision; the figures are real ones."
        )
    how = (
        "the same certificate as before"
        if answer.get("duplicate")
        else f"logged, signed, delivered in {time.monotonic() - started:.1f} s"
    )
    _done("certified", how)
    return answer


def _collect(client: Client, settings: Settings, code: str) -> None:
    """Everything that a third party needs, fetched as a third party would."""
    paths = {
        "decision.json": f"/v/{code}.decision.json",
        "certificate.json": f"/v/{code}.vc",
        "certificate.openbadge.json": f"/v/{code}.openbadge.json",
        "certificate.jwt": f"/v/{code}.jwt",
        "certificate.cose": f"/v/{code}.cose",
        "certificate.tlog-proof": f"/v/{code}.tlog-proof",
        "badge.svg": f"/v/{code}.svg",
        "badge.png": f"/v/{code}.png",
        "badge.baked.svg": f"/v/{code}.baked.svg",
        "qr-print.png": f"/v/{code}.qr.png",
        "offline.html": f"/v/{code}.offline.html",
        "did.json": "/.well-known/did.json",
        "trust.json": "/trust.json",
        "pack": "/packs/latest",
    }
    for name, path in paths.items():
        save_bytes(DEMO / name, client.get(path))
    save_bytes(DEMO / "qr.txt", qr_text(settings.base_url, code).encode())
    certificate = parse_object((DEMO / "certificate.json").read_bytes(), LIMITS)
    for url, body in client.status_lists(entry.url for entry in status_entries_of(certificate)).items():
        name = status_file_name(url)
        save_bytes(DEMO / name, body)
        save_bytes(DEMO / name.replace(".json", ".jwt"), client.get(f"{urlsplit(url).path}.jwt"))
    _done("badged", "SVG, PNG and QR; the certificate in every form, and a page to keep")


def _verify_by_service(client: Client, code: str) -> None:
    answer = client.ask(code)
    _expect("over HTTP", answer.verdict, "valid")


def _verify_offline() -> None:
    done = _verify("certificate.json", "--audio", DEMO / "track.wav")
    _expect("offline, by the command line", "valid" if done == 0 else f"exit code {done}", "valid")
    for name in ("certificate.openbadge.json", "certificate.jwt", "badge.baked.svg"):
        done = _verify(name, "--pack", DEMO / "pack")
        _expect(f"offline, {name} by the pack", "valid" if done == 0 else f"exit code {done}", "valid")


def _verify_changed_byte() -> None:
    """One byte of the certificate is changed; everything beside it stays."""
    raw = bytearray((DEMO / "certificate.json").read_bytes())
    at = raw.index(b'"value": "') + len(b'"value": "')
    raw[at] = ord("1") if raw[at] != ord("1") else ord("0")
    bent = DEMO / "changed" / "certificate.json"
    save_bytes(bent, bytes(raw))
    for name in ("certificate.tlog-proof", "status-revocation.json", "status-suspension.json"):
        shutil.copyfile(DEMO / name, bent.parent / name)
    done = _verify("changed/certificate.json")
    _expect("with one changed byte", "refused" if done == 3 else f"exit code {done}", "refused")


def _verify(name: str, *options: Any) -> int:
    command = [*CERTIFIER, "verify", DEMO / name, "--trust", DEMO / "trust.json", *options]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode


def _expect(how: str, found: str, expected: str) -> None:
    if found != expected:
        raise CertifierError(f"Verification {how} came out wrong.", found=found, expected=expected)
    _done("verified", f"{how}: {found}")


def _run(*arguments: Any) -> None:
    done = subprocess.run([*CERTIFIER, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CertifierError(f"certifier {arguments[0]} {arguments[1]} failed.", found=done.stderr.strip())


def _done(word: str, what: str) -> None:
    out.print(f"  [green]{word:<10}[/]{what}", markup=True)


STAGES = {
    "data": "preparing data",
    "training": "training",
    "fine_tuning": "fine-tuning",
    "inference": "takes and rendering",
    "storage": "a year of storage",
    "embodied": "making the hardware",
}


def _summary(answer: dict[str, Any], seconds: float) -> None:
    footprint = answer["footprint"]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("g CO2e per minute of music", no_wrap=True)
    table.add_column("best", justify="right")
    table.add_column("at most", justify="right")
    table.add_column("", no_wrap=True)
    largest = max(float(stage["assessed_g_per_min"]) for stage in footprint["stages"])
    for stage in footprint["stages"]:
        best, most = (float(stage[f"{name}_g_per_min"]) for name in ("central", "assessed"))
        bar = "█" * max(1, round(18 * most / largest)) if most else ""
        table.add_row(STAGES.get(stage["stage"], stage["stage"]), f"{best:.2f}", f"{most:.2f}", f"[cyan]{bar}[/]")
    sums = (footprint["central_g_per_min"], footprint["assessed_g_per_min"])
    table.add_row("[bold]AI generation footprint[/]", *(f"[bold]{value}[/]" for value in sums), "")
    subtitle = f"{answer['outcome']}  ·  {answer['evidence_level']}  ·  {answer['code']}"
    out.print()
    out.print(Panel(table, title=f"[bold]{answer['title']}[/]", subtitle=subtitle, expand=False, padding=(1, 2)))
    out.print(f"  outcome   {OUTCOMES[answer['outcome']]}", markup=False)
    out.print(f"  code      {answer['code']}")
    out.print(f"  files     {DEMO}/  track.wav, certificate.json, badge.png and their proofs")
    out.print(f"  took      {seconds:.0f} s")
    out.print()
    out.print("  [bold]next[/]      listen to var/demo/track.wav and look at var/demo/badge.png")
    out.print("            make serve, then open http://127.0.0.1:8000")
    out.print("            http://127.0.0.1:8000/docs/sandbox shows a certificate of each state")
    out.print("            STUDIO_COUNTRY=SWE make demo   (not said counts as the worst)")
    out.print(
        f"            {command_beside(Path(sys.executable), Path.cwd())} verify var/demo/certificate.json \\",
        markup=False,
    )
    out.print("                --trust var/demo/trust.json --audio var/demo/track.wav", markup=False)


def command_beside(python: Path, folder: Path) -> Path:
    """The command line that is installed beside this Python, as somebody in the folder calls it."""
    command = python.parent / "certifier"
    return command.relative_to(folder) if command.is_relative_to(folder) else command


if __name__ == "__main__":
    sys.exit(main())
