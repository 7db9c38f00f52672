"""Fill a sandbox with one certificate for each state, under the codes of ``DEMO_CODES``.

Every one of them comes about as any certificate does: a signed report, a sound file, the rules, the log. Only what a real
case would take years or a fault for is brought about on purpose: one certificate is dated back beyond its end, and of one a
byte is changed in the database. Parties, tracks and keys are examples; their keys are made here and stay here.
"""

from __future__ import annotations

import io
import json
import secrets
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from certifier.audio.analyse import analyse_audio
from certifier.audio.model import AudioFacts
from certifier.certificate.code import RANDOM_BYTES, randomness_for
from certifier.certificate.proof import split_proof
from certifier.certificate.times import time_text
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keyring import Keyring
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import OperatorError
from certifier.report.envelope import open_report, sign_report, statement_for
from certifier.report.statements import Bounds, unsigned_statement
from certifier.service.certifier import ChangeType, Refused
from certifier.service.examine import Examined
from certifier.service.home import key_entry, minute_of, open_certifier, own_key_id, register_key
from certifier.service.sandbox import DEMO_CODES, require_sandbox
from certifier.service.scheme import give_example_scheme
from certifier.service.statements import bounds_of, register_statement
from certifier.settings import Settings
from certifier.storage.files import load_signing_key, save_bytes, save_durably, save_signing_key
from certifier.storage.rows import CertificateRow

AGE = timedelta(days=1130)  # of what is expired: a certificate runs 36 months
KEPT = timedelta(days=365)  # how long the issuer's key of that time was in force
REPORTED, MEASURED, REGISTERED = timedelta(days=2), timedelta(days=30), timedelta(days=60)  # before the certificate
WAIT_S = 60.0
SECONDS, RATE = 20, 22050
FIGURE = b'"value": "'

CAPABILITY = '\n[keys.capability]\ncoverage = ["system"]\nmethod = ["modelled", "sensor"]\n'
SCOPE = 'standards = ["LCAL-1.0.0"]\n'
# id in the register -> role, name, what else the register says
PARTIES = {
    "sandbox-studio": ("measuring_party", "Example Studio (of this sandbox)", CAPABILITY),
    "sandbox-verifier": ("verifier", "Example Verifier (of this sandbox)", SCOPE),
    "sandbox-maker": ("service", "Example Model Maker (of this sandbox)", ""),
}
STATEMENT = "sandbox-example-model"
HOLDER = "sandbox-holder"
BY_HOLDER, BY_STUDIO, BY_ALL = (HOLDER,), (HOLDER, "sandbox-studio"), (HOLDER, "sandbox-studio", "sandbox-verifier")
AFTER: dict[ChangeType, str] = {"suspend": "suspended", "revoke": "revoked"}


@dataclass(frozen=True)
class Example:
    """A track of the sandbox: its number, how many minutes of a graphics card it took, who signed the report about it.

    ``has_statement``: the training is told by its model's maker, and not taken from the defaults.
    ``change`` is what the log says afterwards; ``renews`` is the state whose certificate it takes the place of.
    """

    number: int
    minutes: int
    signers: tuple[str, ...]
    change: tuple[ChangeType, str] | None = None
    renews: str | None = None
    has_statement: bool = False
    age: timedelta = timedelta(0)
    is_damaged: bool = False

    @property
    def title(self) -> str:
        return f"Example Song {self.number}"


# The oldest first: the log's order is that of time. A renewal is about the track of its forerunner.
EXAMPLES = {
    "expired": Example(9, 2, BY_STUDIO, age=AGE),
    "class-1": Example(1, 1, BY_ALL, has_statement=True),
    "class-2": Example(2, 3, BY_STUDIO),
    "measured": Example(3, 9, BY_STUDIO),
    "statement": Example(4, 3, BY_HOLDER),
    "suspended": Example(5, 2, BY_STUDIO, change=("suspend", "evidence")),
    "revoked": Example(6, 2, BY_STUDIO, change=("revoke", "wrong_track")),
    "superseded": Example(7, 3, BY_STUDIO),
    "successor": Example(7, 3, BY_STUDIO, renews="superseded"),
    "broken": Example(8, 2, BY_STUDIO, is_damaged=True),
}


@dataclass(frozen=True)
class Filled:
    """A state with its code, and what was done: ``made`` now, ``there`` before, or ``left out`` and why."""

    state: str
    code: str
    title: str
    done: str
    why: str = ""


def fill_sandbox(settings: Settings, now: datetime, tell: Callable[[Filled], object] = lambda _: None) -> list[Filled]:
    """Issue what is missing of the examples; a second time nothing changes. ``tell`` hears of each.

    Raises SandboxOnly in production, ReadOnlyError where nothing may be issued, OperatorError.
    """
    require_sandbox(settings, "Fill a home that is served with LCAL_ENVIRONMENT=sandbox or demo.")
    settings = replace(
        settings, submit_seconds=WAIT_S
    )  # nobody waits for an answer: whoever publishes may take its time
    left_out = _make_ready(settings, now)
    filled = list[Filled]()
    fill = _Fill(settings, now)
    try:
        for state, example in EXAMPLES.items():
            filled.append(fill.fill(state, example, left_out.get(state)))
            tell(filled[-1])
    finally:
        fill.certifier.close()
    return filled


# -- parties and keys -----------------------------------------------------------------------------------------------


def _make_ready(settings: Settings, now: datetime) -> dict[str, str]:
    """Keys and register entries that the missing examples need; returns why some of those cannot be made, by state."""
    certifier = open_certifier(settings, now)
    try:
        missing = [state for state in EXAMPLES if certifier.store.entry_for(DEMO_CODES[state], "issue") is None]
        newest = max((book.last_time for book in certifier.logbooks if book.last_time), default=None)
        if not missing:
            return {}
        certifier.check_writable(now)
        left_out = {}
        for state in missing:
            if EXAMPLES[state].age and newest:
                left_out[state] = f"the log here goes on from {time_text(newest)}; only a new home takes older entries"
            elif not certifier.own_keys.in_force("issuer", now - EXAMPLES[state].age):
                _register_old_issuer(settings, certifier.keyring, now - EXAMPLES[state].age)
        _register_parties(settings, certifier.keyring, bounds_of(certifier.shelf.newest), now)
        give_example_scheme(settings)
        return left_out
    finally:
        certifier.close()


def _register_old_issuer(settings: Settings, keyring: Keyring, moment: datetime) -> None:
    """A key of this issuer that was in force at a moment long ago, and is not any more."""
    begins = minute_of(moment - REGISTERED)
    key_id = own_key_id("issuer", settings, begins, [key.id for key in keyring.keys])
    key = _key(settings.private_dir / f"sandbox-{key_id}.pem")
    file, text = key_entry(key_id, "issuer", settings.issuer_name, key.public, begins, life=KEPT)
    save_durably(settings.register_dir / file, text.encode())


def _register_parties(settings: Settings, keyring: Keyring, bounds: Bounds, now: datetime) -> None:
    begins = minute_of(now - AGE - REGISTERED)
    for party, (role, name, extra) in PARTIES.items():
        if keyring.named(party) is None:
            register_key(settings, party, role, name, _party_key(settings, party).public, begins, extra)
    if STATEMENT not in keyring.statements:
        register_statement(settings.register_dir, _statement(settings, now), bounds, now)


def _statement(settings: Settings, now: datetime) -> bytes:
    """What the example maker tells of the example model, signed by maker and verifier."""
    maker, verifier = (_party_key(settings, name) for name in ("sandbox-maker", "sandbox-verifier"))
    statement = {
        "form": "lcal-model-statement/1",
        "id": STATEMENT,
        "model": "example-model",
        "version": "1",
        "maker": {"id": "sandbox-maker", "key": maker.public.did_key},
        "verifier": {"id": "sandbox-verifier", "key": verifier.public.did_key, "conflict": False},
        "issued_on": f"{now - REGISTERED:%Y-%m-%d}",
        "training_g_per_minute": "0.02",
        "includes_data": True,
        "location_based": True,
        "evidence": "https://example.org/statement",
    }
    return json.dumps(sign_report(unsigned_statement(statement), (maker, verifier))).encode()


def _party_key(settings: Settings, name: str) -> SigningKey:
    return _key(_folder(settings) / "keys" / f"{name}.pem")


def _folder(settings: Settings) -> Path:
    """Keys and tracks of the examples, for whoever wants to go on with them."""
    return settings.home / "sandbox"


def _key(path: Path) -> SigningKey:
    if not path.exists():
        save_signing_key(path, SigningKey.generate())
    return load_signing_key(path)


class _Fill:
    """One run over an installation that draws its codes from here."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self._settings, self._now = settings, now
        self._wanted = b""
        self.certifier = open_certifier(self._settings, now, randomness=self._drawn)

    def _drawn(self, length: int) -> bytes:
        """A code is drawn as six bytes, places and ids as others."""
        return self._wanted if length == RANDOM_BYTES else secrets.token_bytes(length)

    def fill(self, state: str, example: Example, left_out: str | None) -> Filled:
        code = DEMO_CODES[state]
        if left_out:
            return Filled(state, code, example.title, "left out", left_out)
        done = "there"
        if self.certifier.store.entry_for(code, "issue") is None:
            self._issue(code, example)
            done = "made"
        row = self.certifier.certificate(code)
        if example.change and self.certifier.published.lifecycle(code) != AFTER[example.change[0]]:
            self.certifier.change_status(code, *example.change, self._now)
            done = "made"
        if example.is_damaged and _is_whole(row):
            self.certifier.store.damage_document(code, _damaged(row.document or b""))
            done = "made"
        return Filled(state, code, example.title, done)

    def _issue(self, code: str, example: Example) -> None:
        """Raises OperatorError where the rules of this installation refuse the example."""
        moment = self._now - example.age
        track = _track(_folder(self._settings), example)
        log = _log_of(example, moment)
        facts, log_sha256 = analyse_audio(str(track)), sha256_hex(log)
        envelope = self._signed_report(example, facts, log_sha256, moment)
        self._wanted = randomness_for(code[:-1])
        # As submitted: the sound was analysed just now, for its report.
        answer = self.certifier.certify(Examined(open_report(envelope), facts, {log_sha256: log}), moment)
        if isinstance(answer, Refused):
            found = ", ".join(finding.rule for finding in answer.verdict.failed_must)
            raise OperatorError(
                f"The rules here refuse {example.title} of the sandbox.",
                found=found,
                hint="Fill a home with the standard that this release brings.",
            )

    def _signed_report(self, example: Example, facts: AudioFacts, log_sha256: str, moment: datetime) -> bytes:
        keys = [_party_key(self._settings, name) for name in example.signers]
        report = _report(example, log_sha256, moment)
        report["issuer"] = {"id": keys[0].public.did_key, "key_id": keys[0].public.did_key}
        length = str(facts.duration_s)
        report["track"] |= {"audio_sha256": facts.sha256, "duration_s": length, "ai_audible_s": length}
        statement = statement_for(report, file_name=_file_name(example), essence_sha256=facts.essence_sha256)
        return json.dumps(sign_report(statement, keys)).encode()


# -- tracks, logs, reports ------------------------------------------------------------------------------------------


def _file_name(example: Example) -> str:
    return f"example-song-{example.number}.wav"


def _track(folder: Path, example: Example) -> Path:
    path = folder / "tracks" / _file_name(example)
    if not path.exists():
        save_bytes(path, _wav(110.0 * 2 ** (example.number / 12)))
    return path


def _wav(pitch: float) -> bytes:
    """A tone with a slow swell, so that it is no silence and no two tracks are alike."""
    time = np.arange(SECONDS * RATE) / RATE
    sound = 0.25 * np.sin(2 * np.pi * pitch * time) * (0.6 + 0.4 * np.sin(2 * np.pi * time / 4))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes((sound * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _run_of(example: Example) -> str:
    return f"sandbox-run-{example.number}{'-renewed' if example.renews else ''}"


def _energy_kwh(example: Example) -> str:
    return f"{0.006183 * example.minutes:.6f}"  # 371 W


def _log_of(example: Example, moment: datetime) -> bytes:
    """The raw log of the run, in CodeCarbon's form."""
    cells = {
        "timestamp": time_text(moment - MEASURED).removesuffix("Z"),
        "project_name": "sandbox",
        "run_id": _run_of(example),
        "duration": str(60 * example.minutes),
        "emissions": "0.0001",
        "energy_consumed": _energy_kwh(example),
        "country_iso_code": "FRA",
        "codecarbon_version": "3.3.2",
        "pue": "1.0",
    }
    return f"{','.join(cells)}\n{','.join(cells.values())}\n".encode()


def _report(example: Example, log_sha256: str, moment: datetime) -> dict[str, Any]:
    ended = moment - MEASURED
    started = ended - timedelta(minutes=example.minutes)
    seconds, minutes = 60 * example.minutes, "2"
    training = {"source": "statement", "statement": STATEMENT} if example.has_statement else {"source": "default"}
    report: dict[str, Any] = {
        "report_version": "1.0",
        "report_id": f"report-of-{_run_of(example)}",
        "issued_at": time_text(moment - REPORTED),
        "standard": "LCAL-1.0.0",
        "raw_log_sha256": [log_sha256],
        "track": {
            "title": example.title,
            "artist": "Example Artist",
            "created_at": time_text(ended),
            "ai_contribution": ["instrumentation", "composition"],
        },
        "models": [
            {
                "id": "m1",
                "name": "example-model",
                "version": "1",
                "class": "neural-audio",
                "parameters_b": "0.4",
                "trained_by": "other",
                "generated_minutes": minutes,
                "training": training,
            }
        ],
        "generation": {"takes": 3, "generated_minutes": minutes},
        "stages_not_performed": ["fine_tuning"],
        "activities": [
            {
                "id": "take-1",
                "run_id": _run_of(example),
                "model": "m1",
                "stage": "inference",
                "started_at": time_text(started),
                "ended_at": time_text(ended),
                "method": "sensor",
                "duration_s": str(seconds),
                "energy_kwh": _energy_kwh(example),
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
    return report | ({"renewal_of": DEMO_CODES[example.renews]} if example.renews else {})


# -- damage ---------------------------------------------------------------------------------------------------------


def _is_whole(row: CertificateRow) -> bool:
    """Whether the stored document still says what was signed."""
    unsigned, _ = split_proof(parse_object(row.document or b""))
    return unsigned == parse_object(row.payload)


def _damaged(document: bytes) -> bytes:
    """The document with another first digit of its figure."""
    at = document.index(FIGURE) + len(FIGURE)
    return document[:at] + (b"1" if document[at : at + 1] != b"1" else b"2") + document[at + 1 :]
