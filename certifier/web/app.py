"""The whole public surface in one table, and the application that serves it.

Every view is a function of the site and the parts of its path. What holds for all answers (request ids, security headers,
problems) is put on here, once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, NamedTuple

from flask import Flask, Response, g, request

from certifier.certificate.code import display_code
from certifier.certificate.credential import standard_url
from certifier.egress import Egress
from certifier.service.certifier import Certifier
from certifier.web import (
    access,
    acts,
    api,
    assets,
    badges,
    batches,
    browser_check,
    certificate_api,
    certificates,
    compare,
    complaints,
    docs,
    export,
    guides,
    keys,
    kit,
    log_page,
    mine,
    observed,
    oembed,
    operation,
    packs,
    pages,
    register,
    register_api,
    replay_page,
    sandbox,
    scheme,
    service_info,
    standards,
    status_changes,
    vc_api,
    verify_page,
    webhooks,
    wellknown,
    words,
)
from certifier.web.access import ANY_KEY, let_in
from certifier.web.compression import compress
from certifier.web.draining import Draining
from certifier.web.language import name_language, speak
from certifier.web.limits import policy_of
from certifier.web.memory import Headers
from certifier.web.metrics import Metrics
from certifier.web.openapi.document import openapi_document
from certifier.web.problems import register_problems
from certifier.web.ready import ReadyBytes, request_id_of
from certifier.web.responses import JSON, checked_query, reply
from certifier.web.short_way import ShortWay
from certifier.web.site import Site
from certifier.web.uploads import UploadRequest
from certifier.web.wire import is_shared, speak_http


class Route(NamedTuple):
    """``scope`` is what an API key needs for it (web/access.py enforces it); without one the route is public.

    ``a|b``: one of the two is enough.
    """

    method: str
    path: str
    view: Callable[..., Any]
    scope: str = ""

    @property
    def endpoint(self) -> str:
        """The name under which Flask knows it; a full stop would mean something there."""
        return f"{self.method} {self.path}".replace(".", "·")


ROUTES = (
    # the start, and making a submission
    Route("GET", "/", pages.start),
    Route("GET", "/meaning", pages.meaning),
    Route("GET", "/submit", pages.submit_form),
    Route("POST", "/submit", pages.submit),
    Route("GET", "/submissions/<submission_id>", pages.decision),
    Route("GET", "/mine", mine.show),
    # checking
    Route("GET", "/verify", verify_page.form),
    Route("POST", "/verify", verify_page.answer),
    Route("GET", "/compare", compare.show),
    Route("GET", "/replay/<name>", replay_page.show),
    Route("POST", "/replay/<name>", replay_page.run),
    # the register and the log as pages
    Route("GET", "/certificates", register.register),
    Route("GET", "/withdrawn", register.withdrawn),
    Route("GET", "/withdrawn.csv", register.withdrawn_csv),
    Route("GET", "/log", log_page.show),
    # certificates; codes inside QR symbols are written in capitals
    Route("GET", "/v", certificates.find),
    Route("GET", "/v/<name>", certificates.show),
    Route("GET", "/V/<name>", certificates.show),
    Route("GET", "/v/<name>/kit", kit.kit),
    Route("GET", "/v/<name>/embed", kit.embed),
    Route("GET", "/v/<name>/renewal", kit.renewal),
    Route("GET", "/v/<name>/badge/<file>", badges.kit),
    Route("GET", "/v/<name>/shields.json", badges.shields),
    Route("GET", "/oembed", oembed.show),
    # standards
    Route("GET", "/standards", standards.index),
    Route("GET", "/standards.json", standards.index_json),
    Route("GET", "/standards/diff", standards.differences),
    Route("GET", "/standards/<name>/<version>", standards.show),
    Route("GET", "/standards/<name>/<version>.json", standards.document),
    Route("GET", "/standards/<name>/<version>/text", standards.text),
    Route("GET", "/standards/<name>/<version>/tables/<table>", standards.table),
    Route("GET", "/standards/<name>/<version>/outcomes/<outcome>", standards.outcome),
    Route("GET", "/standards/by-digest/<sha256>", standards.digest_index),
    Route("GET", "/standards/by-digest/<sha256>.zip", standards.bundle),
    Route("GET", "/standards/by-digest/<sha256>/<path:path>", standards.file),
    # the scheme and complaints
    Route("GET", "/scheme", scheme.show),
    Route("GET", "/scheme.json", scheme.as_json),
    Route("GET", "/complaints", complaints.form),
    Route("POST", "/complaints", complaints.send),
    Route("GET", "/complaints/find", complaints.find),
    Route("GET", "/complaints/<receipt>", complaints.show),
    # for platforms, and kinds of problems
    Route("GET", "/docs", docs.index),
    Route("GET", "/docs/api", docs.api),
    Route("GET", "/docs/display", docs.display),
    Route("GET", "/docs/guides/<name>", guides.guide),
    Route("GET", "/docs/sandbox", sandbox.show),
    Route("GET", "/docs/sandbox.json", sandbox.document),
    Route("GET", "/problems", pages.problem_kinds),
    Route("GET", "/problems/<slug>", pages.problem),
    # api
    Route("POST", "/api/v1/submissions", api.submit),
    Route("POST", "/api/v1/report-checks", api.check_report),
    Route("GET", "/api/v1/submissions/<submission_id>", api.submission),
    Route("GET", "/api/v1/submissions/<submission_id>/levers", api.levers),
    Route("GET", "/api/v1/submissions/<submission_id>/explanation", api.explanation),
    Route("GET", "/api/v1/certificates", register_api.certificates),
    Route("GET", "/api/v1/certificates/<code>", certificate_api.show),
    Route("GET", "/api/v1/certificates/<code>/decision-record", certificate_api.decision_record),
    Route("GET", "/api/v1/certificates/<code>/report", certificate_api.report),
    Route("GET", "/api/v1/certificates/<code>/log-proof", certificate_api.log_proof),
    Route("GET", "/api/v1/certificates/<code>/status", certificate_api.status),
    Route("GET", "/api/v1/certificates/<code>/verification", certificate_api.verification),
    Route("GET", "/api/v1/certificates.ndjson", export.certificates),
    Route("GET", "/api/v1/certificates/<code>/renewal-info", certificates.renewal),
    Route("GET", "/api/v1/withdrawn-certificates", register_api.withdrawn),
    Route("GET", "/api/v1/standards", standards.listed),
    Route("GET", "/api/v1/standards/<name>/<version>", standards.document),
    Route("GET", "/api/v1/trust-list", wellknown.trust),
    Route("GET", "/api/v1/packs/latest", packs.latest),
    Route("GET", "/api/v1/scheme", scheme.as_json),
    Route("GET", "/api/v1/service-info", service_info.show),
    Route("POST", "/api/v1/complaints", complaints.send_json),
    Route("POST", "/api/v1/verifications", api.verify),
    Route("POST", "/api/v1/verification-batches", batches.verify, "verify:bulk"),
    Route("GET", "/api/v1/key-challenges", mine.challenge),
    Route("POST", "/api/v1/my-tracks", mine.tracks),
    # what an operator does
    Route("POST", "/api/v1/revocations", acts.revoke, "ops:revoke"),
    Route("POST", "/api/v1/suspensions", acts.suspend, "ops:revoke"),
    Route("POST", "/api/v1/reinstatements", acts.reinstate, "ops:revoke"),
    Route("POST", "/api/v1/approvals", acts.approve, "ops:approve"),
    Route("GET", "/api/v1/operator-acts", acts.listed, "ops:revoke|ops:approve"),
    Route("GET", "/api/v1/operator-acts/<act_id>", acts.one, "ops:revoke|ops:approve"),
    # who asks
    Route("GET", "/api/v1/api-keys", keys.listed, "keys:manage"),
    Route("GET", "/api/v1/api-keys/current", keys.current, ANY_KEY),
    Route("DELETE", "/api/v1/api-keys/<string(length=16):key_id>", keys.revoke, "keys:manage"),
    # what happened, and where platforms want to hear of it
    Route("GET", "/api/v1/status-changes", status_changes.feed),
    Route("POST", "/api/v1/webhook-endpoints", webhooks.add, "webhooks:manage"),
    Route("GET", "/api/v1/webhook-endpoints", webhooks.listed, "webhooks:manage"),
    Route("GET", "/api/v1/webhook-endpoints/<endpoint_id>", webhooks.show, "webhooks:manage"),
    Route("PATCH", "/api/v1/webhook-endpoints/<endpoint_id>", webhooks.change, "webhooks:manage"),
    Route("DELETE", "/api/v1/webhook-endpoints/<endpoint_id>", webhooks.remove, "webhooks:manage"),
    Route("POST", "/api/v1/webhook-endpoints/<endpoint_id>/tests", webhooks.test, "webhooks:manage"),
    Route("POST", "/api/v1/webhook-endpoints/<endpoint_id>/secret-rotations", webhooks.rotate, "webhooks:manage"),
    Route("GET", "/api/v1/webhook-endpoints/<endpoint_id>/deliveries", webhooks.deliveries, "webhooks:manage"),
    Route("POST", "/api/v1/deliveries/<delivery_id>/redeliveries", webhooks.replay, "webhooks:manage"),
    # the W3C's API for credentials (VC-API)
    Route("POST", "/vc-api/credentials/issue", vc_api.issue),
    Route("POST", "/vc-api/credentials/verify", vc_api.verify_credential),
    Route("POST", "/vc-api/presentations/verify", vc_api.verify_presentation),
    Route("GET", "/vc-api/status/<purpose>/1", vc_api.status_list),
    # trust, status, log
    Route("GET", "/.well-known/did.json", wellknown.did),
    Route("GET", "/trust.json", wellknown.trust),
    Route("GET", "/packs/latest", packs.latest),
    Route("GET", "/status/<purpose>/<name>", wellknown.status_list),
    Route("GET", "/log/checkpoint", wellknown.checkpoint),
    Route("GET", "/log/log.vkey", wellknown.verifier_key),
    Route("GET", "/log/tile/<path:path>", wellknown.tile),
    Route("GET", "/log/<year>/checkpoint", wellknown.checkpoint),
    Route("GET", "/log/<year>/log.vkey", wellknown.verifier_key),
    Route("GET", "/log/<year>/tile/<path:path>", wellknown.tile),
    # schemas
    Route("GET", "/schemas/report-v1.json", wellknown.report_schema),
    # style sheets and scripts
    Route("GET", "/static/<digest>/<path:name>", assets.serve),
    Route("GET", "/certificate/verdict.json", browser_check.verdict_json),  # where the modules themselves look for it
    # operation
    Route("GET", "/healthz", operation.health),
    Route("GET", "/readyz", operation.readiness),
    Route("GET", "/metrics", operation.metrics),
    Route("GET", "/robots.txt", wellknown.robots),
)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
# What one page needs beyond that: the camera, and drawings that somebody gives it, for the QR in them.
HEADERS_OF = {
    "/verify": {
        "Permissions-Policy": HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)"),
        "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self' blob:"),
    }
}
DESCRIPTION = "/openapi.json"
_FRAMES = "X-Frame-Options"
_STANDING = tuple(HEADERS.items())
_STANDING_OF = {path: tuple((HEADERS | own).items()) for path, own in HEADERS_OF.items()}
SMALL_BODY = 256 * 1024


class _Application(Flask):
    """A Flask whose functions are all plain ones: it need not look at each, for each request, whether it is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    certifier: Certifier,
    clock: Callable[[], datetime] = utc_now,
    egress: Egress | None = None,
    metrics: Metrics | None = None,
    is_draining: Callable[[], bool] = lambda: False,
) -> Flask:
    """The application of one installation; ``egress`` is its way to others, ``is_draining`` tells that it is stopping."""
    app = _Application(__name__, template_folder=str(certifier.settings.templates_dir), static_folder=None)
    app.request_class = UploadRequest
    app.config.update(MAX_CONTENT_LENGTH=SMALL_BODY)
    app.url_map.merge_slashes = False  # a redirect would repeat the Host header of whoever asked
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    speak(app)
    app.jinja_env.globals.update(
        asset=assets.asset, words=words, display_code=display_code, settings=certifier.settings
    )
    app.jinja_env.globals["standard_path"] = partial(standard_url, "")
    app.jinja_env.globals["newest_standard"] = certifier.shelf.newest.id
    app.jinja_env.filters.update(
        printable=printable, day=day, minute=minute, shown_code=display_code, groupby_family=standards.families_of
    )
    site = Site(certifier, clock, egress, metrics, is_draining)
    _add_routes(app, site)
    register_problems(app, certifier.settings.base_url)
    app.before_request(observed.begin)
    app.before_request(_name_request)
    app.after_request(partial(observed.tell, site))  # Flask goes through them from the last to the first
    app.after_request(_finish)
    speak_http(app, {"openapi", *(route.endpoint for route in ROUTES if is_shared(*route[:2], route.scope))})
    plain = ShortWay(site, _dressed(app.wsgi_app), _STANDING)
    ready = ReadyBytes(plain, site.as_of, answered=partial(observed.tell_ready, site))
    app.wsgi_app = Draining(ready, is_draining)  # type: ignore[method-assign]
    return app


def _add_routes(app: Flask, site: Site) -> None:
    scopes = {(route.method, described_path(route.path)): route.scope for route in ROUTES}
    site.description = openapi_document(site.settings, scopes)
    text = json.dumps(site.description, ensure_ascii=False)
    app.add_url_rule(
        DESCRIPTION, "openapi", lambda: _description(text), methods=["GET"], provide_automatic_options=False
    )
    for route in ROUTES:
        app.add_url_rule(
            route.path,
            route.endpoint,
            partial(
                _admitted,
                site,
                (route.scope, policy_of(route.method, route.path)),
                _in_queue if route.method in {"POST", "PATCH"} else _at_once,
                route.view,
            ),
            methods=[route.method],
            provide_automatic_options=False,
        )


def described_path(path: str) -> str:
    """A path as OpenAPI writes it."""
    return re.sub("<(?:[^:<>]+:)?([a-z_0-9]+)>", r"{\1}", path)


def _admitted(
    site: Site, terms: tuple[str, str], serve: Callable[..., Any], view: Callable[..., Any], **parts: str
) -> Any:
    let_in(site, *terms)
    return serve(site, view, **parts)


def _at_once(site: Site, view: Callable[..., Any], **parts: str) -> Any:
    return view(site, **parts)


def _in_queue(site: Site, view: Callable[..., Any], **parts: str) -> Any:
    with site.place_in_queue():
        return view(site, **parts)


def _description(text: str) -> Response:
    checked_query()
    return reply(text, JSON, "five minutes")


def printable(text: str) -> str:
    """Text of others without control and direction characters."""
    return "".join(char if char.isprintable() else "�" for char in text)


def day(moment: date | str) -> str:
    """The day of a moment, or of the text of one, as pages write it."""
    return (moment if isinstance(moment, str) else moment.isoformat())[:10]


def minute(moment: datetime) -> str:
    """A moment in UTC to the minute, as pages write it."""
    return moment.strftime("%Y-%m-%d %H:%M")


def _dressed(application: Callable[..., Any]) -> Callable[..., Any]:
    """An application whose answers have the standing headers, where a view did not set its own.

    They are put on outside Flask, which would look at each of them several times.
    """

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        standing = _STANDING_OF.get(environ["PATH_INFO"], _STANDING)

        def start(status: str, headers: Headers, *rest: Any) -> Any:
            own = {name.lower(): value for name, value in headers}
            # what is made for other people's pages
            is_framed = "frame-ancestors *" in own.get("content-security-policy", "")
            more = (
                header
                for header in standing
                if header[0].lower() not in own and not (is_framed and header[0] == _FRAMES)
            )
            return start_response(status, [*headers, *more], *rest)

        return application(environ, start)

    return serve


def _name_request() -> None:
    g.request_id = request_id_of(request.environ)


def _finish(response: Response) -> Response:
    response.headers.add("X-Request-Id", g.request_id)
    access.close(response)
    name_language(response)
    compress(response)
    return response
