"""Whatever goes wrong ends in one answer from one table: a problem document, or a page that says the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from structlog.testing import capture_logs

import certifier
from certifier import errors
from certifier.errors import CertifierError, FieldFinding, MalformedReport, StandardError
from certifier.web import problems
from certifier.web.app import create_app
from certifier.web.problems import BY_STATUS, PROBLEMS
from tests.web.conftest import World


def all_kinds(kind: type[CertifierError] = CertifierError) -> Iterator[type[CertifierError]]:
    for child in kind.__subclasses__():
        if child.__module__ in {errors.__name__, problems.__name__}:
            yield child
            yield from all_kinds(child)


def made(kind: type[CertifierError]) -> CertifierError:
    if kind is StandardError:
        return StandardError("a secret place", file="/secret/rules.toml", line=3)
    if kind is MalformedReport:
        return MalformedReport(
            "Two fields.", findings=(FieldFinding("/a", "a number", "'x'"), FieldFinding("/b", "a word"))
        )
    return kind("a secret place", found="found this", expected="that", hint="do this", pointer="/here")


def failing_app(world: World, error: Exception) -> Flask:
    """The application with one more route, on which everything goes wrong."""
    app = create_app(world.certifier)

    def fail() -> None:
        raise error

    app.add_url_rule("/fail", view_func=fail)
    return app


@pytest.mark.parametrize("kind", sorted(set(all_kinds()), key=lambda kind: kind.__name__))
def test_every_error_is_a_problem_with_a_page_of_its_own(world: World, kind: type[CertifierError]) -> None:
    answer = failing_app(world, made(kind)).test_client().get("/fail")
    body = answer.json
    assert answer.content_type == "application/problem+json"
    assert answer.status_code == body["status"] >= 400
    base, _, slug = body["type"].rpartition("/")
    assert base == "https://label.example/problems"
    assert body["instance"] == f"urn:lcal:req:{body['request_id']}"
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["title"]
    assert body["detail"]
    page = world.client.get(f"/problems/{slug}")
    assert page.status_code == 200
    assert body["title"] in page.text


def test_an_error_says_what_was_found_what_was_expected_and_what_to_do(world: World) -> None:
    error = errors.BadSignature(
        "It does not fit.", found="abc", expected="def", hint="Sign again.", pointer="/signatures/0"
    )
    body = failing_app(world, error).test_client().get("/fail").json
    assert body["detail"] == "It does not fit."
    assert body["errors"] == [
        {
            "pointer": "/signatures/0",
            "code": "signature-invalid",
            "found": "abc",
            "expected": "def",
            "hint": "Sign again.",
        }
    ]


def test_each_field_of_a_report_that_does_not_fit_is_named(world: World) -> None:
    body = failing_app(world, made(MalformedReport)).test_client().get("/fail").json
    assert [(entry["pointer"], entry["expected"]) for entry in body["errors"]] == [("/a", "a number"), ("/b", "a word")]


@pytest.mark.parametrize(
    "error",
    [RuntimeError("secret"), errors.OperatorError("secret"), StandardError("secret", file="/secret")],
    ids=["a fault in the code", "a wrong installation", "a broken standard"],
)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_fault_of_ours_tells_nothing_of_our_inside(world: World, error: Exception, accept: str) -> None:
    answer = failing_app(world, error).test_client().get("/fail", headers={"Accept": accept})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_a_fault_of_ours_is_logged_without_values(world: World) -> None:
    with capture_logs() as written:
        failing_app(world, RuntimeError("a private key")).test_client().get(
            "/fail", headers={"X-Request-Id": "request-4711"}
        )
    [failed] = [line for line in written if line["event"] == "failed"]
    assert (failed["request_id"], failed["kind"]) == ("request-4711", "RuntimeError")
    assert "a private key" not in str(written)


@pytest.mark.parametrize("error", [errors.BusyError("full"), errors.ReadOnlyError("moving house")])
def test_later_is_told_with_a_time(world: World, error: Exception) -> None:
    answer = failing_app(world, error).test_client().get("/fail")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_browser_gets_a_page_with_the_same_content(world: World) -> None:
    answer = world.client.get("/v/ABCDEFGHJK", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 400
    assert answer.content_type.startswith("text/html")
    assert "typing error" in answer.text
    assert "ABCDEFGHJK" in answer.text


def test_a_command_in_an_advice_is_shown_as_code(world: World) -> None:
    for path in ("/problems", "/problems/report-envelope-malformed"):
        page = world.client.get(path).text
        assert "<code>certifier report sign</code>" in page
        assert "`" not in page


REFUSED_BY_FLASK = {
    "an unknown page": ("GET", "/nothing", {}, 404, "not-found"),
    "an unknown api": ("GET", "/api/v1/nothing", {"Accept": "text/html"}, 404, "not-found"),
    "a wrong method": ("DELETE", "/api/v1/submissions", {}, 405, "method-not-allowed"),
    "no such form": ("GET", "/v/{code}", {"Accept": "audio/mpeg"}, 406, "not-acceptable"),
    "a wrong body": ("POST", "/api/v1/submissions", {"Content-Type": "text/plain"}, 415, "media-type-unsupported"),
    "a wrong question": ("POST", "/api/v1/verifications", {"Content-Type": "text/xml"}, 415, "media-type-unsupported"),
}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "slug"), REFUSED_BY_FLASK.values(), ids=REFUSED_BY_FLASK.keys()
)
def test_what_http_itself_refuses_is_a_problem_too(
    world: World, method: str, path: str, headers: dict[str, str], status: int, slug: str
) -> None:
    answer = world.client.open(path.format(code=world.code), method=method, headers=headers)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == f"https://label.example/problems/{slug}"


def test_a_wrong_method_names_the_right_ones(world: World) -> None:
    assert "POST" in world.client.delete("/api/v1/submissions").headers["Allow"]


REQUEST_IDS = {
    "a plain one is kept": ("01JDK9ABCDEF", True),
    "one with a line break is replaced": ("abc def\x0bghi", False),
    "a very long one is replaced": ("a" * 300, False),
}


@pytest.mark.parametrize(("given", "is_kept"), REQUEST_IDS.values(), ids=REQUEST_IDS.keys())
def test_the_callers_request_id(world: World, given: str, is_kept: bool) -> None:
    answer = world.client.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) is is_kept


# -- code and table ---------------------------------------------------------------------------------------------------


# What people and programs elsewhere are told, by their command line or library, and never over HTTP.
NOT_OF_THE_SERVICE = (
    "certifier.cli",
    "certifier.client",
    "certifier.catalogue",
    "certifier.measure",
    "certifier.log.growth",
)


@cache
def raised_names() -> set[str]:
    """The names of everything that is raised anywhere in the package, or given back to be raised."""
    found = set()
    for file in Path(certifier.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                found.add(node.func.id if isinstance(node.func, ast.Name) else node.func.attr)
    return found


def descendants(kind: type[CertifierError]) -> Iterator[type[CertifierError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


def test_every_kind_of_problem_in_the_table_can_come_about() -> None:
    raised = raised_names()
    # What stands between kinds may be raised by none of its own.
    silent = {
        problem.slug
        for kind, problem in PROBLEMS.items()
        if not any(each.__name__ in raised for each in descendants(kind))
    }
    assert silent == set()


def test_every_error_that_is_raised_has_a_kind_of_its_own_or_of_its_family() -> None:
    raised = raised_names()
    kinds = {kind for kind in descendants(CertifierError) if kind.__name__ in raised and kind is not CertifierError}
    assert len(kinds) > 30
    own = (kind for kind in kinds if not kind.__module__.startswith(NOT_OF_THE_SERVICE))
    lost = {kind.__name__ for kind in own if not any(parent in PROBLEMS for parent in kind.__mro__)}
    assert lost == set()


def test_a_slug_means_one_thing() -> None:
    """The table of classes and that of what Flask refuses agree, and each slug has one status."""
    kinds = {(problem.slug, problem.status, problem.title) for problem in (*PROBLEMS.values(), *BY_STATUS.values())}
    assert len(kinds) == len({slug for slug, _, _ in kinds}) == len(problems.problems())
