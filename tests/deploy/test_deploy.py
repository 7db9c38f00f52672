"""The files in deploy/ are what an operator starts from: each is judged by the program that reads it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from certifier.settings import ELSEWHERE, load_settings, settings_table
from certifier.web.app import ROUTES
from tests.web.replicas import NGINX, configured

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "label@.service"


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    assert NGINX, "no nginx: run make test-deps"
    whole = configured(tmp_path, [8001, 8002, 8003], 8443)
    told = subprocess.run(
        [NGINX, "-t", "-c", whole, "-e", tmp_path / "error.log"], capture_output=True, text=True, check=False
    )
    assert (told.returncode, "warn" in told.stderr) == (0, False), told.stderr


def test_what_nginx_may_send_twice_is_said_twice_alike() -> None:
    """Once for the header that lets a replica say farewell, once for the retry."""
    text = (DEPLOY / "nginx.conf").read_text()
    [mapped] = re.findall(r'"~\^POST (\(.*\))\$" yes;', text)
    [located] = re.findall(r"location ~ \^(\(.*\))\$ \{", text)
    assert mapped == located


# What does something each time, or is a stream that nobody keeps.
ONCE = {
    "/complaints",
    "/api/v1/complaints",
    "/api/v1/verification-batches",
    "/api/v1/revocations",
    "/api/v1/suspensions",
    "/api/v1/reinstatements",
    "/api/v1/approvals",
    "/api/v1/webhook-endpoints",
    "/api/v1/webhook-endpoints/<endpoint_id>/tests",
    "/api/v1/webhook-endpoints/<endpoint_id>/secret-rotations",
    "/api/v1/deliveries/<delivery_id>/redeliveries",
    "/vc-api/credentials/issue",
}


def test_of_every_post_it_is_known_whether_nginx_may_send_it_twice() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    [twice] = re.findall(r"location ~ \^(\(.*\))\$ \{", text)
    paths = {route.path for route in ROUTES if route.method == "POST"}
    assert {path for path in paths if not re.fullmatch(twice, path)} == ONCE


def test_the_container_file_is_without_a_fault() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    told = subprocess.run([hadolint, DEPLOY / "Containerfile"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, "")


def test_the_container_runs_as_nobody_special_and_tells_whether_it_lives() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    stages = text.split("FROM ")[1:]
    assert len(stages) == 2
    assert re.search(r"^USER (?!0\b|root)", stages[-1], re.MULTILINE)
    assert "HEALTHCHECK" in stages[-1]
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for word in line.split()]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"certifier", "standards", "templates", "docs", "keys", "requirements.lock"} <= set(copied)


def unit() -> dict[str, str]:
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_unit_wins_no_rights_and_writes_nowhere_else() -> None:
    told = unit()
    held = {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "CapabilityBoundingSet": "",
        "StateDirectory": "label/%i",
        "StateDirectoryMode": "0700",
        "Restart": "always",
        "KillMode": "mixed",  # SIGTERM to every worker at once would leave out the farewell
        "LimitNOFILE": "65536",
    }
    assert {name: told.get(name) for name in held} == held
    assert "ReadWritePaths" not in told


def test_the_unit_waits_longer_than_the_server_takes_to_stop(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"LCAL_CONFIG": str(DEPLOY / "config.toml")}).settings
    assert settings.drain_seconds + settings.stop_seconds + 10 < int(unit()["TimeoutStopSec"])
    [fail_timeout] = set(re.findall(r"fail_timeout=(\d+)s", (DEPLOY / "nginx.conf").read_text()))
    assert 0 < settings.drain_seconds < int(fail_timeout)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Where systemd is at hand its own judge looks; every line is one that it knows in any case."""
    text = UNIT.read_text().replace("/opt/label/venv/bin/certifier", sys.executable)
    (tmp_path / "label@8001.service").write_text(text)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.*", line)] == []
    judge = shutil.which("systemd-analyze")
    if judge:
        command = [judge, "verify", "--man=no", str(tmp_path / "label@8001.service")]
        told = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
        assert [line for line in told.stderr.splitlines() if "label@" in line] == []


def test_every_setting_of_the_example_is_one_those_behind_a_comment_too(tmp_path: Path) -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", (DEPLOY / "config.toml").read_text(), flags=re.MULTILINE)
    (tmp_path / "config.toml").write_text(text)
    loaded = load_settings(tmp_path, {})
    assert (loaded.settings.environment, loaded.settings.cpu) == ("production", 1)


@pytest.mark.parametrize("file", sorted(path.name for path in DEPLOY.iterdir()))
def test_no_file_names_a_variable_that_nobody_reads(file: str) -> None:
    known = {row.variable for row in settings_table()} | ELSEWHERE.keys()
    assert set(re.findall(r"\bLCAL_[A-Z_]+\b", (DEPLOY / file).read_text())) <= known
