"""The examples of docs/vc-api.md are run as they stand, against a server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.web.conftest import World

TEXT = (Path(__file__).parents[2] / "docs/vc-api.md").read_text()
VERIFY, ISSUE = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, world.client.application, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(command: str, address: str, code: str) -> dict[str, object]:
    environment = {"PATH": os.environ["PATH"], "URL": address, "CODE": code}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_the_example_verifies_a_certificate(world: World, address: str) -> None:
    told = run(VERIFY, address, world.code)
    assert (told["verified"], told["verdict"]) == (True, "valid")
    told = run(VERIFY, address, world.withdrawn.certificate.code)
    assert (told["verified"], told["verdict"]) == (False, "not_valid")


def test_the_example_issues_in_a_sandbox(world: World, address: str) -> None:
    issued = run(ISSUE, address, "")
    assert issued["proof"]["cryptosuite"] == "eddsa-jcs-2022"  # type: ignore[index]
    assert len(issued["credentialStatus"]) == 2  # type: ignore[arg-type]


def test_every_option_and_reason_that_the_page_names_exists(world: World) -> None:
    served = json.loads(world.client.get("/openapi.json").data)["paths"]
    options = served["/vc-api/credentials/issue"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    named = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    assert named == set(options["properties"]["options"]["properties"])
    assert world.client.get("/problems/sandbox-only").status_code == 200
