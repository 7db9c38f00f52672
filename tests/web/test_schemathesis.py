"""What the description of the API says is what the service does, tried by a client that knows nothing else.

``make torture`` has the same against a service as it runs, a hundred times as often.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from flask import Flask
from schemathesis import openapi

from certifier.service.api_keys import SCOPES
from certifier.service.home import open_certifier
from certifier.settings import Settings
from certifier.web.app import create_app
from tests.fuzzing import fuzzed, rules
from tests.web.access import bearer, new_key


@pytest.fixture(scope="module")
def sandbox(filled_sandbox: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    """A sandbox that may be written to, and a key that may do everything."""
    home = tmp_path_factory.mktemp("fuzzed") / "home"
    shutil.copytree(filled_sandbox.home, home)
    with closing(open_certifier(replace(filled_sandbox, home=home, environment="sandbox"))) as certifier:
        yield create_app(certifier), new_key(certifier, *SCOPES)


ENDS_THE_KEY = "revokeApiKey"  # else it ends its own, and all the rest is refused
PLAIN = {"Accept-Encoding": "identity"}  # the client of applications without a server does not unpack
# what it does -> the phases, and how many requests it makes at least
TRIED = {
    "every example, and answers followed by their links": (("examples", "stateful"), 100),
    "what the schemas allow and forbid": (("coverage",), 400),
}


@pytest.mark.parametrize(("phases", "least"), TRIED.values(), ids=TRIED.keys())
def test_the_service_answers_as_described(sandbox: tuple[Flask, str], phases: tuple[str, ...], least: int) -> None:
    app, key = sandbox
    config = rules(seed=20261126, examples=20, phases=phases, headers=bearer(key) | PLAIN)
    schema = (
        openapi.from_wsgi("/openapi.json", app, config=config)
        .include(path_regex="^/api/")
        .exclude(operation_id=ENDS_THE_KEY)
    )
    tally = fuzzed(schema)
    assert tally.faults == {}
    assert tally.requests >= least
