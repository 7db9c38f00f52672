"""The pages for platforms: what they need, the reference of the API with a command for each operation, the display guide.

Every command is run by a test as it stands on the page.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from flask import Response

from certifier.badge.badge import face_lines
from certifier.certificate.code import display_code
from certifier.service.sandbox import DEMO_CODES
from certifier.storage.files import load_text
from certifier.web import webhooks
from certifier.web.documents import verification_view
from certifier.web.guides import GUIDES
from certifier.web.keys import EXAMPLE_ID
from certifier.web.language import N_
from certifier.web.problems import problems
from certifier.web.records import Record, record_of
from certifier.web.reference import Operation, Reference, breakable, marked_up, reference_of
from certifier.web.responses import checked_query, page
from certifier.web.site import Site
from certifier.web.verifications import check_code

JSON_BODY = "-H 'Content-Type: application/json'"

# operation -> the rest of its command; files named with @ are yours. Others send the example of their description.
BODIES = {
    "submit": "-F report=@report.dsse.json -F audio=@track.wav -F logs=@emissions.csv",
    "checkReport": "-F report=@report.dsse.json -F audio=@track.wav -F logs=@emissions.csv",
    "verify": f'{JSON_BODY} -d \'{{"code": "{{shown}}"}}\'',
    "verifyMany": f'{JSON_BODY} -d \'{{"items": [{{"ref": "row-1", "code": "{{shown}}"}}]}}\'',
    "myTracks": f"{JSON_BODY} -d @proof.json",
    "complain": f"{JSON_BODY} -d @complaint.json",
    **dict.fromkeys(
        ("revoke", "suspend", "reinstate"),
        f'{JSON_BODY} -d \'{{"code": "{{shown}}", "reason": "evidence"}}\'',
    ),
    "approve": f"{JSON_BODY} -d @approval.json",
    "addWebhookEndpoint": f'{JSON_BODY} -d \'{{"url": "{webhooks.EXAMPLE_URL}", "types": ["certificate.revoked"]}}\'',
    "changeWebhookEndpoint": f"-H 'If-Match: *' {JSON_BODY} -d '{{\"status\": \"active\"}}'",
    "vcIssue": f"{JSON_BODY} -d @unsigned.json",
    "vcVerifyCredential": f"{JSON_BODY} -d @credential.json",
    "vcVerifyPresentation": f"{JSON_BODY} -d @presentation.json",
}
# operation -> its query, where an answer needs one
QUERIES = {
    **dict.fromkeys(("submit", "revoke", "suspend", "reinstate", "approve"), "?dry_run=true"),
    "certificates": "?sha256={audio}",
}


# What is never said, in a few words of each kind; certifier/wording knows them all.
# claims-lint: off
NEVER: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("eco-friendly music", "green", "sustainable sound", "climate-friendly"),
        N_("A benefit for the environment as a whole, which nobody measured."),
        N_("Say the figure and what it counts."),
    ),
    (
        ("carbon-neutral", "climate-positive", "net zero", "zero-carbon"),
        N_("Not what was computed, and barred where it rests on compensation."),
        N_("Say the figure, and that no offsets are counted."),
    ),
    (
        ("carbon offset", "compensated emissions", "with climate credits"),
        N_("It does not change what was emitted; beside this label it is ground for withdrawal."),
        N_("Leave it out."),
    ),
    (
        ("saves carbon", "better for the planet", "protects the climate"),
        N_("A comparison, and nothing says with what."),
        N_("Say the figure of this track alone."),
    ),
    (
        ("a low-carbon song", "a climate-neutral band", "the footprint of this album"),
        N_("Only the AI that helped to make one file was looked at."),
        N_("Write: AI generation footprint."),
    ),
    (
        ("certified", "officially approved", "eco-label"),
        N_("By whom is missing; it is no label of a public authority, and one criterion is no ecolabel."),
        N_("Name the body that checked."),
    ),
)
# claims-lint: on


def index(site: Site) -> Response:
    """What a platform needs, each with one sentence and a link."""
    checked_query()
    return page("docs_index.html", "five minutes", example=_example(site), settings=site.settings, guides=_guides(site))


def _guides(site: Site) -> dict[str, str]:
    """The guides that this installation has."""
    return {
        name: about for name, about in GUIDES.items() if load_text(site.settings.docs_dir / f"{name}.md") is not None
    }


def api(site: Site) -> Response:
    """Every operation with its parameters, bodies, answers and a command to try it."""
    checked_query()
    reference, example = _reference(site), _example(site)
    values = _values(site, example)
    operations = [operation for _, group in reference.groups for operation in group]
    commands = {operation.name: command_for(operation, site.settings.base_url, values) for operation in operations}
    return page(
        "docs_api.html",
        reference=reference,
        marked_up=marked_up,
        breakable=breakable,
        commands=commands,
        answer=_example_answer(site, example.row.code) if example else None,
        shown=values["shown"],
        kinds=sorted(problems().values(), key=lambda kind: (kind.status, kind.slug)),
    )


def display(site: Site) -> Response:
    """What to print next to a track, and what not."""
    checked_query()
    example = _example(site)
    return page(
        "docs_display.html",
        example=example,
        alt=face_lines(example.face).title if example and example.face else None,
        code=display_code(example.row.code) if example else None,
        never=NEVER,
    )


_REFERENCES: WeakKeyDictionary[Site, Reference] = WeakKeyDictionary()


def _reference(site: Site) -> Reference:
    if site not in _REFERENCES:
        _REFERENCES[site] = reference_of(site.description)
    return _REFERENCES[site]


# -- examples ---------------------------------------------------------------------------------------------------------


def command_for(operation: Operation, base_url: str, values: Mapping[str, str]) -> str:
    """A line for a shell that asks for the operation, with values of this very register."""
    path = re.sub(r"\{(\w+)\}", lambda part: values.get(part[1], "…"), operation.path)
    query = re.sub(r"\{(\w+)\}", lambda part: values[part[1]], QUERIES.get(operation.name, ""))
    unknown = f"{JSON_BODY} -d {shlex.quote(operation.sent)}" if operation.sent else ""
    body = BODIES.get(operation.name, unknown).replace("{shown}", values["shown"])
    is_plain = operation.method == "GET" or (operation.method == "POST" and body)
    method = "" if is_plain else f" -X {operation.method}"
    shown_key = '-H "Authorization: Bearer $LCAL_KEY" \\\n ' if operation.scope is not None else ""
    parts = [
        f"curl -s{method}",
        shown_key,
        body and f"{body} \\\n ",
        f"'{base_url}{path}{query}'" if query else f"{base_url}{path}",
    ]
    return " ".join(part for part in parts if part)


def _values(site: Site, example: Record | None) -> dict[str, str]:
    """What stands in the places of paths: the example's; a code of every sandbox where there is none."""
    standard = site.certifier.shelf.newest
    name, _, version = standard.id.rpartition("-")
    code = example.row.code if example else DEMO_CODES["class-1"]
    return {
        "code": code,
        "shown": display_code(code),
        "submission_id": example.row.submission_id if example else "sub_…",
        "audio": example.row.audio_sha256 if example else "0" * 64,
        "name": name.lower(),
        "version": version,
        "sha256": standard.digest,
        "path": "README.md",
        "key_id": EXAMPLE_ID,
        "endpoint_id": webhooks.EXAMPLE_ID,
        "delivery_id": webhooks.EXAMPLE_DELIVERY,
        "purpose": "revocation",
        "number": "1",
        "tile": "0/000.p/1",
        "year": site.certifier.logbook.origin.rpartition("/")[2],
    }


def _example_answer(site: Site, code: str) -> str:
    """What the operation ``verify`` answers to the code of the examples."""
    view = verification_view(check_code(site, code), site.settings.environment)
    return json.dumps(view.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)


def _example(site: Site) -> Record | None:
    """A certificate to show: the newest in force, the sandbox's first where it is here."""
    codes = [row.code for row, _ in site.certifier.store.newest_certificates(20)]
    records = [
        record_of(site, code, site.minute()) for code in sorted(codes, key=lambda code: code != DEMO_CODES["class-1"])
    ]
    good = [record for record in records if record.state == "active" and record.claims]
    classed = [record for record in good if record.claims and record.claims.outcome in ("class-1", "class-2")]
    return next(iter([*classed, *good]), None)
