"""Builds the outside world for tests: a track, a report about it, its signatures, an installation that judges it.

studio = Studio(tmp_path)
report = studio.report(title="Night Ferry")            # a dict, section 15
envelope = studio.signed(report)                       # by the applicant and the registered measuring party
certifier = studio.certifier()                         # a real installation on SQLite
certifier.submit(studio.upload(envelope), NOW)
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile

from certifier.audio.analyse import analyse_audio
from certifier.audio.model import AudioFacts
from certifier.crypto.signing import SigningKey
from certifier.report.envelope import open_report, sign_report, statement_for
from certifier.service.certifier import Certifier
from certifier.service.examine import Examined, Upload
from certifier.service.home import make_home, open_certifier, register_key
from certifier.settings import Settings
from certifier.storage.store import Store

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
APPLICANT = SigningKey.from_seed(b"applicant".ljust(32, b"."))
PARTY = SigningKey.from_seed(b"measuring party".ljust(32, b"."))
VERIFIER = SigningKey.from_seed(b"verifier".ljust(32, b"."))
STRANGER = SigningKey.from_seed(b"stranger".ljust(32, b"."))

PATIENCE_S = 15.0  # a busy machine may take longer than a service at work is willing to wait
# Limits that no test reaches; what is about limits sets its own. All requests of the tests come from one network.
UNREACHED = dict.fromkeys(
    ("limit_verification", "limit_submission", "limit_reads", "limit_calls", "limit_bulk"), 1_000_000_000
)

CAPABILITY = '\n[keys.capability]\ncoverage = ["system"]\nmethod = ["modelled", "sensor"]\n'
SCOPE = 'standards = ["LCAL-1.0.0"]\n'


def write_track(path: Path, seconds: float = 20.0, pitch: float = 220.0) -> Path:
    """A real stereo WAV with a tone in it."""
    time = np.arange(int(seconds * 22050)) / 22050
    tone = 0.3 * np.sin(2 * np.pi * pitch * time)
    soundfile.write(path, np.stack([tone, tone], axis=1), 22050, subtype="PCM_16")
    return path


def emissions_csv(run_id: str = "run-1", energy_kwh: str = "0.006", duration_s: str = "60") -> bytes:
    """A raw log in CodeCarbon's form, with one run."""
    cells = {
        "timestamp": "2026-10-01T10:01:00",
        "project_name": "take-1",
        "run_id": run_id,
        "duration": duration_s,
        "emissions": "0.0001",
        "energy_consumed": energy_kwh,
        "country_iso_code": "FRA",
        "codecarbon_version": "3.3.2",
        "pue": "1.0",
    }
    return f"{','.join(cells)}\n{','.join(cells.values())}\n".encode()


@cache
def _empty_database() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite"
        Store.open(f"sqlite:///{file}").close()
        return file.read_bytes()


def copy_of_empty_database(settings: Settings) -> None:
    """The tables of a new home, which every test would wait for; making them is what tests/storage shows."""
    settings.home.mkdir(parents=True, exist_ok=True)
    Path(settings.database.removeprefix("sqlite:///")).write_bytes(_empty_database())


class Studio:
    """One applicant with a track and a log, and an installation in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.track = write_track(folder / "track.wav")
        self.log = emissions_csv()
        self.settings = Settings(home=folder / "home", submit_seconds=PATIENCE_S, **UNREACHED)  # type: ignore[arg-type]
        self._facts: dict[Path, AudioFacts] = {}

    def facts(self, track: Path | None = None) -> AudioFacts:
        track = track or self.track
        if track not in self._facts:
            self._facts[track] = analyse_audio(str(track))
        return self._facts[track]

    def report(
        self, *, title: str = "Night Ferry (example)", run_id: str = "run-1", track: Path | None = None
    ) -> dict[str, Any]:
        """A report that earns class 2 with both signatures and class 1 with a verifier's besides."""
        facts = self.facts(track)
        return {
            "report_version": "1.0",
            "report_id": f"rep-{run_id}",
            "issued_at": "2026-10-02T09:00:00Z",
            "standard": "LCAL-1.0.0",
            "issuer": {"id": APPLICANT.public.did_key, "key_id": APPLICANT.public.did_key},
            "raw_log_sha256": [hashlib.sha256(self.log).hexdigest()],
            "track": {
                "title": title,
                "artist": "Example Artist",
                "duration_s": str(facts.duration_s),
                "audio_sha256": facts.sha256,
                "created_at": "2026-10-01T12:00:00Z",
                "ai_contribution": ["instrumentation", "composition"],
                "ai_audible_s": str(facts.duration_s),
            },
            "models": [
                {
                    "id": "m1",
                    "name": "example-model",
                    "version": "1",
                    "class": "neural-audio",
                    "parameters_b": "0.4",
                    "trained_by": "other",
                    "generated_minutes": "2",
                    "training": {"source": "default"},
                }
            ],
            "generation": {"takes": 3, "generated_minutes": "2"},
            "stages_not_performed": ["fine_tuning"],
            "activities": [
                {
                    "id": "take-1",
                    "run_id": run_id,
                    "model": "m1",
                    "stage": "inference",
                    "started_at": "2026-10-01T10:00:00Z",
                    "ended_at": "2026-10-01T10:01:00Z",
                    "method": "sensor",
                    "duration_s": "60",
                    "energy_kwh": "0.006",
                    "coverage": "system",
                    "shared_service": False,
                    "tool": {"name": "codecarbon", "version": "3.3.2"},
                    "location": {"country": "FRA", "provider": "aws", "region": "eu-west-3", "site": "datacentre"},
                    "pue_included": False,
                    "hardware": [{"name": "NVIDIA A100 SXM4 80GB", "count": 1}],
                    "allocation_share": "1",
                    "allocation_method": "whole",
                }
            ],
            "process": {
                "model_efficiency": ["quantised"],
                "dataset_governance": "https://example.org/policy",
                "auditable_pipeline": "https://example.org/log",
                "equipment_off": "https://example.org/power",
                "end_of_life": "https://example.org/weee",
                "take_retention_days": "30",
            },
        }

    def signed(
        self, report: dict[str, Any], keys: tuple[SigningKey, ...] = (APPLICANT, PARTY), track: Path | None = None
    ) -> bytes:
        facts = self.facts(track)
        statement = statement_for(copy.deepcopy(report), file_name="track.wav", essence_sha256=facts.essence_sha256)
        return json.dumps(sign_report(statement, keys)).encode()

    def upload(self, envelope: bytes, *, track: Path | None = None, logs: dict[str, bytes] | None = None) -> Upload:
        return Upload(envelope, track or self.track, {"emissions.csv": self.log} if logs is None else logs)

    def examined(
        self,
        number: int | str,
        keys: tuple[SigningKey, ...] = (APPLICANT, PARTY),
        log: bytes | None = None,
        **changes: Any,
    ) -> Examined:
        """A report of its own for each number about a file of its own, opened, with its audio analysed before.

        The file exists in its digests only: what needs many certificates and no audio takes these.
        """
        log, own = log or emissions_csv(f"run-{number}"), hashlib.sha256(f"file {number}".encode()).hexdigest()
        facts = replace(
            self.facts(), sha256=own, essence_sha256=hashlib.sha256(f"essence {number}".encode()).hexdigest()
        )
        report = self.report(title=f"Track {number} (example)", run_id=f"run-{number}") | changes
        report["track"]["audio_sha256"] = own
        report["raw_log_sha256"] = [hashlib.sha256(log).hexdigest()]
        statement = statement_for(report, file_name="track.wav", essence_sha256=facts.essence_sha256)
        envelope = json.dumps(sign_report(statement, keys)).encode()
        return Examined(open_report(envelope), facts, {report["raw_log_sha256"][0]: log})

    def copied_to(self, folder: Path) -> Studio:
        """Another one with the same track and the same installation, which nobody may have open."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        other = copy.copy(self)
        other.folder, other.track = folder, folder / self.track.name
        other.settings = replace(self.settings, home=folder / self.settings.home.name)
        other._facts = {folder / path.relative_to(self.folder): facts for path, facts in self._facts.items()}
        return other

    def certifier(self, **changes: Any) -> Certifier:
        """The installation of this studio's world; made at the first call, opened again at the next."""
        self.settings = replace(self.settings, **changes)
        if not self.settings.register_dir.exists():
            long_ago = NOW - timedelta(days=300)
            if not self.settings.database_url:
                copy_of_empty_database(self.settings)
            make_home(self.settings, long_ago)
            register_key(
                self.settings, "example-party", "measuring_party", "Example Party", PARTY.public, long_ago, CAPABILITY
            )
            register_key(
                self.settings, "example-verifier", "verifier", "Example Verifier", VERIFIER.public, long_ago, SCOPE
            )
        return open_certifier(self.settings)
