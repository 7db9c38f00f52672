"""The must-says M1 to M18 and the never-says, held over every face, page and JSON document, in every kind and state.

docs/wording.md tells what each must-say is and why. F is the face of a label, S the shield, P the page, A the API.
"""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from itertools import product
from typing import Any

import pytest
from flask.testing import FlaskClient

from certifier.badge.badge import ENDED, TIERS, BadgeFace, shield_words
from certifier.badge.drawing import Drawing, Words
from certifier.badge.label import label
from certifier.badge.sheet import Certificate, sheet
from certifier.badge.square import square
from certifier.certificate.code import display_code
from certifier.certificate.model import Claims
from certifier.service.home import open_certifier
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.app import ROUTES, create_app
from certifier.web.records import Record, record_of
from certifier.web.site import Site
from certifier.web.words import LEVELS, STATES
from certifier.wording.claims import claims_in

IN_FORCE = ("class-1", "class-2", "measured", "statement", "successor")
WITH_CLASS = ("class-1", "class-2", "successor")
ENDED_STATES = ("suspended", "revoked", "superseded", "expired")
LABELS = ("class-1", "class-2", "measured", "successor")
ALL = (*IN_FORCE, *ENDED_STATES)
NOTHING_ELSE = {"Accept": "text/html"}


@dataclass(frozen=True)
class Shown:
    """One certificate as people and programs see it."""

    record: Record
    claims: Claims
    face: BadgeFace
    page: str
    view: dict[str, Any]
    report: dict[str, Any]
    scheme_page: str
    scheme: dict[str, Any]


@dataclass(frozen=True)
class World:
    client: FlaskClient
    shown: dict[str, Shown]


def text_of(page: str) -> str:
    """What a page says in its own voice: without tags and addresses, code, and what it quotes."""
    said = re.sub(r"<(script|style|code|pre|q)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(said).split())


def texts_in(document: Any) -> Iterator[str]:
    """Every text in a document of JSON that has a space in it: names of members and values of enumerations are no words."""
    if isinstance(document, (dict, list)):
        for part in document.values() if isinstance(document, dict) else document:
            yield from texts_in(part)
    elif isinstance(document, str) and " " in document:
        yield document


@pytest.fixture(scope="module")
def world(filled_sandbox: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The sandbox with a monitoring body, so that every kind of artwork can be shown."""
    home = tmp_path_factory.mktemp("must-says") / "home"
    shutil.copytree(filled_sandbox.home, home)
    certifier = open_certifier(replace(filled_sandbox, home=home), datetime.now(UTC))
    client = create_app(certifier).test_client()
    site = Site(certifier, lambda: datetime.now(UTC))
    scheme_page, scheme = text_of(client.get("/scheme").text), client.get("/scheme.json").json
    shown = {}
    for state in ALL:
        code = DEMO_CODES[state]
        record = record_of(site, code, site.minute())
        assert record.claims is not None
        assert record.face is not None
        envelope = json.loads(client.get(f"/v/{code}.report.json").data)
        shown[state] = Shown(
            record,
            record.claims,
            record.face,
            client.get(f"/v/{code}", headers=NOTHING_ELSE).text,
            client.get(f"/v/{code}.json").json,
            report_in(envelope),
            scheme_page,
            scheme,
        )
    yield World(client, shown)
    certifier.close()


def report_in(envelope: dict[str, Any]) -> dict[str, Any]:
    """The report inside a signed envelope."""
    return json.loads(b64decode(envelope["payload"]))["predicate"]


# -- P: the page ------------------------------------------------------------------------------------------------------

# id -> (states, what the page has to hold: regular expressions with the certificate's own words in their places)
PAGE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "M1 what is measured, with number and unit": (
        ALL,
        (r"AI generation footprint: at most {assessed} g CO2e per minute of finished music",),
    ),
    "M2 what is counted and what is left out": (ALL, (r"[Tt]raining.*hardware", r"(?i)listening", r"(?i)buildings")),
    "M3 best estimate and evidence level": (ALL, (r"best estimate {central}", r"{level}, {level_words}")),
    "M4 class with its limit": (WITH_CLASS, (r"Low-Carbon Audio, class.{class_number} \(limit {limit} g\)",)),
    "M4 measured with its limit": (("measured",), (r"limit {limit} g",)),
    "M5 standard, version, date and text": (
        ALL,
        (r"{standard}", r'href="/standards/lcal/1\.0\.0"', r"of 20\d\d-\d\d-\d\d"),
    ),
    "M5 whether the version is current": (ALL, (r"{standard}.{{0,200}}current",)),
    "M6 code, days, status and when it was checked": (
        ALL,
        (r"{code}", r"{issued}", r"{expires}", r"{state_word}", r"checked 20\d\d-\d\d-\d\d \d\d:\d\d UTC"),
    ),
    "M7 who issued, who checked, and a way to who stands behind": (
        ALL,
        (r"by {issuer}", r"{assessor}", r'href="/scheme"'),
    ),
    "M7 what the one who checked did": (
        ("class-1",),
        (r"(?i){assessor}.{{0,300}}(checked|looked|examined|read|measured)",),
    ),
    "M8 a way to fees and ties": (ALL, (r'href="/scheme"',)),
    "M9 no offsets": (ALL, (r"[Nn]o carbon offsets or credits are counted",)),
    "M10 location-based": (ALL, (r"location-based",)),
    "M11 not the whole song": (ALL, (r"Nothing about the whole song, the artist or a company",)),
    "M12 climate only, no ecolabel": (ALL, (r"Climate only", r"no ISO 14024 \(type I\) ecolabel", r"public authority")),
    "M14 complaints and the withdrawn": (ALL, (r'href="/complaints\?code={raw_code}"', r'href="/withdrawn"')),
    "M14 reason and day of what ended": (("suspended", "revoked", "superseded"), (r"{changed}",)),
    "M15 a way to how decisions are made": (ALL, (r"How we decide",)),
    "M16 AI in the track, as the applicant says": (ALL, (r"as the applicant says",)),
    "M18 self-declared, and not a label": (
        ("statement",),
        (r"Self-declared measurement, checked by software only\. Not a label\.",),
    ),
}
ON_PAGE = [(name, state) for name, (states, _) in PAGE.items() for state in states]


def places(shown: Shown) -> dict[str, str]:
    """The certificate's own words, as regular expressions."""
    claims = shown.claims
    words = {
        "assessed": claims.figures.assessed_g_per_min,
        "central": claims.figures.central_g_per_min,
        "limit": claims.figures.limit_g_per_min.removesuffix(".00"),
        "level": claims.basis.evidence_level,
        "level_words": LEVELS[claims.basis.evidence_level],
        "class_number": claims.outcome[-1],
        "standard": claims.basis.standard,
        "code": display_code(claims.code),
        "raw_code": claims.code,
        "issued": claims.issued_at.strftime("%Y-%m-%d"),
        "expires": claims.expires_at.strftime("%Y-%m-%d"),
        "state_word": STATES[shown.record.state][0],
        "issuer": claims.issuer.name,
        "assessor": claims.assessor.name,
        "changed": shown.record.changes[-1].at[:10] if shown.record.changes else "",
    }
    return {name: re.escape(word) for name, word in words.items()}


@pytest.mark.parametrize(("name", "state"), ON_PAGE, ids=[f"{name}: {state}" for name, state in ON_PAGE])
def test_the_page_says_what_it_must(world: World, name: str, state: str) -> None:
    shown = world.shown[state]
    said = f"{text_of(shown.page)} {shown.page}"
    for pattern in PAGE[name][1]:
        assert re.search(pattern.format(**places(shown)), said), pattern


def test_the_scheme_page_says_who_decides_what_it_costs_how_to_complain_and_what_comes_next(world: World) -> None:
    """M7, M8, M14, M15: they hold for every certificate, so they have a page of their own."""
    shown = world.shown["class-1"]
    for said in (
        "Owner Example Label Association",
        "Decides Example Label Office",
        "Monitors all of them Example Monitoring Body",
        "Accreditation:",
        "Independent verifiers Example Verifier",
        "Fees",
        "Ties of ownership and money",
        "Complaints, withdrawal, appeal",
        "How decisions are made",
        "Next revision 2027-06-30",
        "Were consulted",
    ):
        assert said in shown.scheme_page


@pytest.mark.parametrize("state", ALL)
def test_a_page_says_nothing_that_it_must_never_say(world: World, state: str) -> None:
    """The never-says and M17: no promise. A class has its figure beside it."""
    found = claims_in(text_of(world.shown[state].page), ("en",))
    assert [(finding.found, finding.kind) for finding in found] == []


def test_a_self_declared_figure_has_neither_class_nor_artwork_anywhere(world: World) -> None:
    """M18."""
    shown = world.shown["statement"]
    assert not shown.face.has_plate
    assert not re.search(r"class.[12]", text_of(shown.page))
    assert "Verified by" not in text_of(shown.page)
    assert not any(permission["allowed"] for permission in shown.view["public_use"].values())


@pytest.mark.parametrize("state", ENDED_STATES)
def test_the_page_of_what_has_ended_makes_no_claim_in_the_present(world: World, state: str) -> None:
    page = text_of(world.shown[state].page)
    assert page.index(STATES[state][0]) < page.index("When it was issued it said")
    assert page.index("When it was issued it said") < page.index("AI generation footprint: at most", page.index("said"))


# -- the embed, the kit, the comparison, and all other pages ---------------------------------------------------------------

# must-say -> (states, what an embed in somebody else's page has to hold)
EMBED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "M1": (IN_FORCE, (r"AI generation footprint: at most {assessed} g CO2e per minute of finished music",)),
    "M2": (IN_FORCE, (r"From data to storage, with hardware", r"Not counted: post-production, listening, buildings")),
    "M3": (IN_FORCE, (r"best estimate {central}", r"evidence {level}")),
    "M4": (WITH_CLASS, (r"Low-Carbon Audio, class {class_number}", r"Limit of class {class_number}: {limit} g")),
    "M6": (ALL, (r"{code}", r"(Status checked|Looked at on)")),
    "M7": (LABELS, (r"{assessor}",)),
    "M9, M10, M12": (IN_FORCE, (r"Climate only, no offsets, location-based electricity",)),
    "M11": (IN_FORCE, (r"Says nothing of the whole song",)),
    "M14": (ENDED_STATES, (r"no longer in force|not in force now",)),
    "M18": (("statement",), (r"Self-declared measurement\. Not a label\.",)),
}
ON_EMBED = [(name, state) for name, (states, _) in EMBED.items() for state in states]


@pytest.mark.parametrize(("name", "state"), ON_EMBED, ids=[f"{name}: {state}" for name, state in ON_EMBED])
def test_an_embed_says_what_it_must(world: World, name: str, state: str) -> None:
    said = text_of(world.client.get(f"/v/{DEMO_CODES[state]}/embed").text)
    for pattern in EMBED[name][1]:
        assert re.search(pattern.format(**places(world.shown[state])), said), pattern


@pytest.mark.parametrize("state", ALL)
def test_an_embed_says_nothing_that_it_must_never_say(world: World, state: str) -> None:
    said = text_of(world.client.get(f"/v/{DEMO_CODES[state]}/embed").text)
    assert claims_in(said, ("en",)) == []
    if state in ENDED_STATES:
        assert "at most" not in said
        assert "Low-Carbon Audio, class" not in said


@pytest.mark.parametrize("state", IN_FORCE)
def test_the_texts_of_the_kit_say_nothing_that_they_must_never_say(world: World, state: str) -> None:
    page = world.client.get(f"/v/{DEMO_CODES[state]}/kit").text
    assert claims_in(text_of(page), ("en",), figures_beside=False) == []
    copied = unescape(" ".join(re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)))
    assert claims_in(copied, ("en",)) == []
    assert f"at most {world.shown[state].claims.figures.assessed_g_per_min} g CO2e per minute" in copied, "M1 in alt"


def test_a_comparison_tells_its_method_its_set_its_suppliers_and_how_it_is_kept_up(world: World) -> None:
    """M13, for two certificates of one unit and one major version."""
    codes = f"{DEMO_CODES['class-1']},{DEMO_CODES['class-2']}"
    said = text_of(world.client.get(f"/compare?codes={codes}").text)
    for words in (
        "g CO2e per minute of finished music",
        "Method: the figures",
        "under LCAL-1.0.0",
        "Only certificates under the same major version are compared",
        "Set: the certificates that you named",
        "Whose figures: each of its own applicant",
        "this page is made anew each minute",
        "Nobody pays for a place in it",
    ):
        assert words in said
    assert claims_in(said, ("en",)) == []


def test_what_cannot_be_told_apart_is_said_to_be_so_and_a_self_declared_figure_is_not_compared(world: World) -> None:
    """M13: no order between ranges that overlap, and none with what nobody checked."""
    codes = ",".join(DEMO_CODES[state] for state in ("class-2", "successor", "statement"))
    said = text_of(world.client.get(f"/compare?codes={codes}").text)
    assert "cannot be told apart" in said
    assert "Not compared" in said


OTHER_PAGES = [route.path for route in ROUTES if route.method == "GET" and "<" not in route.path and route.path != "/v"]


@pytest.mark.parametrize("path", OTHER_PAGES)
def test_nothing_else_that_is_served_says_what_it_must_never_say(world: World, path: str) -> None:
    """Every page without a place in its address, and every text. A class in a list of choices has no figure of its own."""
    answer = world.client.get(path, headers=NOTHING_ELSE)
    said = " ".join(texts_in(answer.get_json())) if answer.is_json else text_of(answer.get_data(as_text=True))
    assert claims_in(said, ("en",), figures_beside=False) == []


# -- A: the API -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ALL)
def test_the_api_says_what_it_must(world: World, state: str) -> None:
    shown = world.shown[state]
    view, claims = shown.view, shown.claims
    assert f"at most {claims.figures.assessed_g_per_min} g CO2e per minute of finished music" in view["sentence"], "M1"
    assert view["boundary"]["included"], "M2"
    assert view["boundary"]["excluded"], "M2"
    assert view["figures"]["central_g_per_min"] == claims.figures.central_g_per_min, "M3"
    assert view["evidence_level"] == claims.basis.evidence_level, "M3"
    assert view["figures"]["limit_g_per_min"] == claims.figures.limit_g_per_min, "M4"
    assert view["standard"]["url"] == "/standards/lcal/1.0.0", "M5"
    assert (view["code"], view["lifecycle"]["state"]) == (display_code(claims.code), shown.record.state), "M6"
    assert view["lifecycle"]["issued_at"] < view["lifecycle"]["expires_at"], "M6"
    assert view["verification"]["checked_at"], "M6"
    assert view["assessor"]["name"] == claims.assessor.name, "M7"
    assert world.client.get(view["links"]["scheme"]).json["fees"], "M8"
    assert view["boundary"]["offsets_counted"] is False, "M9"
    assert view["boundary"]["location_based"] is True, "M10"
    assert view["boundary"]["whole_song"] is False, "M11"
    assert view["boundary"]["climate_only"] is True, "M12"
    assert (view["boundary"]["iso_14024_ecolabel"], view["boundary"]["public_authority_label"]) == (False, False), "M12"
    assert world.client.get(view["links"]["complaints"]).status_code == 200, "M14"
    assert shown.report["track"]["ai_contribution"], "M16: in the signed report, so as its signer says"
    is_label = claims.outcome != "disclosed"
    assert is_label or view["outcome_name"] == "Self-declared measurement. Not a label.", "M18"


def test_the_api_says_who_stands_behind_it(world: World) -> None:
    """M7, M8, M14, M15."""
    scheme = world.shown["class-1"].scheme
    assert scheme["owner"]
    assert scheme["decides"]
    assert scheme["monitoring_body"]["accreditation"]
    assert scheme["verifiers"]
    assert scheme["fees"]["table"]
    assert scheme["ties"]
    assert scheme["complaints"]["finding_in_days"] == 14
    assert scheme["revision"]["next"]


# -- F and S: faces ---------------------------------------------------------------------------------------------------


def whole_sheet(face: BadgeFace) -> Drawing:
    return sheet(Certificate(face, evidence=LEVELS[face.evidence]))


FORMATS: dict[str, Callable[[BadgeFace], Drawing]] = {"square": square, "label": label, "sheet": whole_sheet}
KIND_OF = {"class-1": "class-1", "class-2": "class-2", "measured": "measured", "statement": "statement"}
FACES = list(product(FORMATS, KIND_OF, ("live", "print")))

# id -> (kinds, what the drawn words have to hold)
FACE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "M1": (
        tuple(KIND_OF),
        (r"AI generation footprint: at most", r"{assessed}", r"g CO2e", r"per minute of\s+finished music"),
    ),
    "M2": (
        tuple(KIND_OF),
        (r"(?i)from data to storage, with (the )?hardware", r"(?i)not counted.*listening, buildings"),
    ),
    "M3": (tuple(KIND_OF), (r"best estimate {central}", r"(?i)evidence {level}")),
    "M4": (
        ("class-1", "class-2"),
        (
            r"Low-Carbon Audio, class {class_number}",
            r"(Limit of class {class_number}: {limit} g|at most {limit} g per minute)",
        ),
    ),
    "M5": (tuple(KIND_OF), (r"{standard_words}",)),
    "M6": (tuple(KIND_OF), (r"{code}", r"{expires}")),
    "M7": (("class-1",), (r"Verified by",)),
    "M9": (tuple(KIND_OF), (r"(?i)no offsets",)),
    "M10": (tuple(KIND_OF), (r"location-based electricity|Electricity counts as the place has it",)),
    "M12": (tuple(KIND_OF), (r"Climate only",)),
    "M11": (tuple(KIND_OF), (r"(?i)nothing of the whole song",)),
    "M18": (("statement",), (r"Self-declared measurement\. Not a label\.", r"Declared by")),
}
ON_FACE = [
    (form, state, art, name) for form, state, art in FACES for name, (kinds, _) in FACE.items() if state in kinds
]


def drawn(drawing: Drawing) -> str:
    """What people read on it, in the order of drawing."""
    return " ".join(" ".join(shape.text for shape in drawing.shapes if isinstance(shape, Words)).split())


def face_for(world: World, state: str, art: str) -> BadgeFace:
    face = world.shown[state].face
    return replace(face, checked_month=None) if art == "print" else face


@pytest.mark.parametrize(
    ("form", "state", "art", "name"), ON_FACE, ids=[f"{n}: {s} as {a} {f}" for f, s, a, n in ON_FACE]
)
def test_a_face_says_what_it_must(world: World, form: str, state: str, art: str, name: str) -> None:
    shown = world.shown[state]
    words = places(shown) | {"standard_words": re.escape(shown.claims.basis.standard.replace("-", " ", 1))}
    said = drawn(FORMATS[form](face_for(world, state, art)))
    for pattern in FACE[name][1]:
        assert re.search(pattern.format(**words), said), (pattern, said)


@pytest.mark.parametrize(("form", "state", "art"), FACES, ids=[f"{s} as {a} {f}" for f, s, a in FACES])
def test_no_face_says_what_it_must_never_say(world: World, form: str, state: str, art: str) -> None:
    """M17 and the never-says, in what is drawn and in what is read aloud."""
    drawing = FORMATS[form](face_for(world, state, art))
    assert claims_in(drawn(drawing), ("en",)) == []
    assert claims_in(f"{drawing.title}. {drawing.description}", ("en",)) == []


ENDED_FACES = list(product(FORMATS, TIERS, ENDED))


@pytest.mark.parametrize(("form", "kind", "status"), ENDED_FACES, ids=[f"{k} {s} as {f}" for f, k, s in ENDED_FACES])
def test_a_face_of_what_has_ended_says_so_and_claims_nothing(world: World, form: str, kind: str, status: str) -> None:
    face = replace(world.shown["class-1"].face, kind=kind, status=status)
    said = drawn(FORMATS[form](face))
    assert ENDED[status].word in said
    assert display_code(face.code) in said
    for claim in ("at most", "Low-Carbon Audio, class", "Verified by", "best estimate"):
        assert claim not in said


@pytest.mark.parametrize("state", KIND_OF)
def test_a_shield_says_what_is_measured_the_number_the_tier_and_the_month_of_its_check(
    world: World, state: str
) -> None:
    """M1, M4 and M6 as far as 20 pixels go; it is always a link, and its description says the rest."""
    face = world.shown[state].face
    measured, figure = shield_words(face)
    assert measured == "AI footprint"
    assert figure.startswith(f"{face.assessed} g/min · {TIERS[face.kind].word}")
    assert re.search(r"[A-Z][a-z]{2} 20\d\d$", figure)


@pytest.mark.parametrize("status", ENDED)
def test_a_shield_of_what_has_ended_bears_no_number(world: World, status: str) -> None:
    _, figure = shield_words(replace(world.shown["class-1"].face, status=status))
    assert ENDED[status].word.lower() in figure
    assert "g/min" not in figure
