"""docs/platforms.md is true: a shell runs its commands as they stand there, one after the other, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest

from certifier.web.app import create_app
from tests.internet import Internet
from tests.studio import Studio
from tests.web.access import bearer, new_key

TEXT = (Path(__file__).parents[1] / "docs" / "platforms.md").read_text("utf-8")
PROGRAM = re.compile(r"`(\w+\.py)`[^`]*?\n\n```python\n(.*?)```", re.DOTALL)
COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)
ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after the whole page; ``told`` is what the shell printed. Only the two ports are others."""
    folder = tmp_path_factory.mktemp("platform")
    ports = {"8000": str(free_port()), "9000": str(free_port())}

    def here(text: str) -> str:
        return re.sub(r"\b(8000|9000)\b", lambda found: ports[found[0]], text)

    for name, program in PROGRAM.findall(TEXT):
        (folder / name).write_text(here(program))
    programs = folder / "bin"
    programs.mkdir()
    for name, command in {"certifier": "-m certifier.cli", "python": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
        (programs / name).chmod(0o755)
    script = "set -e\n" + "\n".join(map(here, COMMANDS.findall(TEXT))) + "\necho the end\n"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LCAL_")} | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "NO_COLOR": "1",
    }
    with (folder / "told").open("wb") as told, (folder / "errors").open("wb") as errors:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=errors,
            start_new_session=True,
        )
        try:
            shell.wait(timeout=240)
        finally:
            os.killpg(shell.pid, signal.SIGTERM)  # the sandbox and the receiver that run in its background
    return folder


def test_every_command_of_the_page_is_done(folder: Path) -> None:
    told = (folder / "told").read_text()
    assert told.endswith("the end\n"), told[-2000:] + (folder / "errors").read_text()[-4000:]


def test_one_code_is_valid_and_the_withdrawn_one_is_not(folder: Path) -> None:
    one = (folder / "told").read_text().partition("exit code 3")[0]
    assert ("VALID  Example Song" in one, "NOT VALID" in one) == (True, True)


def test_a_thousand_codes_are_answered_in_order_and_the_client_comes_to_the_same(folder: Path) -> None:
    asked = [json.loads(line)["code"] for line in (folder / "codes.ndjson").read_text().splitlines()]
    answers = [json.loads(line) for line in (folder / "answers.ndjson").read_text().splitlines()]
    counts = Counter(answer["result"] for answer in answers)
    assert len(asked) == len(answers) == 1000
    assert counts == {"valid": 500, "not_valid": 375, "no_certificate": 125}
    assert [answer["code"] for answer in answers if answer["result"] == "valid"] == [
        code for code in asked if code in {"TACT-0000-18", "TACT-0000-2E", "TMEA-0000-1P", "TSTA-0000-1G"}
    ]
    assert f"{counts}" in (folder / "told").read_text()


def test_the_catalogue_has_the_same_results_with_the_service_and_without(folder: Path) -> None:
    online, offline = (pq.read_table(folder / f"{name}.parquet").to_pydict() for name in ("online", "offline"))
    assert online["result"] == offline["result"] == ["valid", "valid", "not_valid", "no_certificate"]
    assert online["title"] == ["One", "Two", "Three", "Four"]


def test_the_receiver_has_the_withdrawal_and_the_certificate_is_not_valid_then(folder: Path) -> None:
    assert (folder / "received.txt").read_text() == "certificate.revoked TACT-0000-2E\n"
    assert (folder / "told").read_text().count("exit code 3") == 5


def test_the_endpoint_of_the_page_is_registered_where_its_name_is_public(studio: Studio, tmp_path: Path) -> None:
    """The one command that asks the public DNS; what stands for it here is tests/internet.py."""
    command = next(found for found in re.findall(r"\$ (curl .*?)```", TEXT, re.DOTALL))
    words = shlex.split(command.replace("\\\n", ""))
    certifier = studio.certifier()
    key = new_key(certifier, "webhooks:manage")
    with Internet(tmp_path) as net:
        net.name("hooks.example.org", "93.184.216.200")
        client = create_app(certifier, egress=net.egress()).test_client()
        answer = client.post(urlsplit(words[2]).path, json=json.loads(words[-1]), headers=bearer(key))
    certifier.close()
    assert (answer.status_code, answer.get_json()["secret"][:6]) == (201, "whsec_"), answer.text
