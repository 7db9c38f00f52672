"""What a face says is fixed by LCAL 1.0.0 section 9 and by law: each sentence is held here, for each kind and status.

First the words, as they are read aloud; then what is drawn of them in each format.
"""

import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.badge.badge import BadgeFace, bare_face, face_lines, plain, shield_words, shown_code
from certifier.badge.drawing import Words
from certifier.badge.label import label
from certifier.badge.sheet import Certificate, Stage, sheet
from certifier.badge.shield import shield
from certifier.badge.square import square

FACE = BadgeFace(
    code="7K3QZ9M2XA",
    kind="class-1",
    assessed="8.42",
    central="6.10",
    limits=("10.00", "30.00", "100.00"),
    standard="LCAL 1.0.0",
    checked_by="Example Assurance Body",
    expires=date(2029, 11, 23),
    base_url="https://label.example",
    verified=True,
    artwork=True,
)
KINDS = ("class-1", "class-2", "measured", "statement")
ENDED = {"revoked": "Withdrawn", "suspended": "Suspended", "expired": "Expired", "superseded": "Replaced"}
NEVER = {"not_yet": "Not yet", "unreliable": "Not valid"}


def all_words(face):
    words = face_lines(face)
    return f"{words.title} {words.description}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_face_gives_the_figure_in_the_words_of_the_standard(kind):
    caution = ". Self-declared measurement. Not a label." if kind == "statement" else ""
    assert face_lines(replace(FACE, kind=kind)).title == (
        f"AI generation footprint: at most 8.42 g CO2e per minute of finished music (best estimate 6.10){caution}"
    )


@pytest.mark.parametrize("artwork", [True, False], ids=["with artwork", "without artwork"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "words",
    [
        "From data to storage, with hardware.",
        "Not counted: post-production, listening, buildings.",
        "Climate only, no offsets, location-based electricity.",
        "LCAL 1.0.0, valid until 2029-11-23",
        "by Example Assurance Body",
        "7K3Q-Z9M2-XA",
    ],
)
def test_every_face_in_force_names_boundary_exclusions_principles_standard_expiry_body_and_code(words, kind, artwork):
    assert words in all_words(replace(FACE, kind=kind, artwork=artwork))


HEADS = {
    "class-1": ("Low-Carbon Audio, class 1", "Limit of class 1: 10.00 g CO2e per minute"),
    "class-2": ("Low-Carbon Audio, class 2", "Limit of class 2: 30.00 g CO2e per minute"),
    "measured": ("Measured footprint", "Limit for a measured figure: 100.00 g CO2e per minute"),
    "statement": ("Self-declared measurement. Not a label.", "Nobody else has checked this figure."),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_names_the_tier_and_its_limit(kind):
    words = face_lines(replace(FACE, kind=kind))
    assert (words.headline, words.subline) == HEADS[kind]


@pytest.mark.parametrize("kind", ["measured", "statement"])
def test_low_carbon_is_written_with_classes_only(kind):
    assert "low-carbon" not in all_words(replace(FACE, kind=kind)).lower()


@pytest.mark.parametrize("kind", KINDS)
def test_no_face_names_a_benefit_that_was_not_measured(kind):
    said = all_words(replace(FACE, kind=kind)).lower()
    assert not [
        word for word in ("green", "neutral", "friendly", "sustainable", "eco", "saves") if word in said.split()
    ]


def test_a_statement_names_no_class():
    assert "class" not in all_words(replace(FACE, kind="statement"))


CHECKED = {
    "an independent verifier on artwork": (FACE, "Verified by Example Assurance Body"),
    "an independent verifier without artwork": (replace(FACE, artwork=False), "Checked by Example Assurance Body"),
    "a measuring party on artwork": (replace(FACE, verified=False), "Attested by Example Assurance Body"),
    "nobody": (replace(FACE, kind="statement", verified=False), "Declared by Example Assurance Body"),
    "a statement is never verified": (replace(FACE, kind="statement"), "Declared by Example Assurance Body"),
}


@pytest.mark.parametrize(("face", "line"), CHECKED.values(), ids=CHECKED.keys())
def test_the_face_says_who_checked_and_how(face, line):
    assert line in face_lines(face).small_print
    assert ("Verified by" in all_words(face)) == line.startswith("Verified")


def test_a_post_production_line_is_printed_apart_and_leaves_the_exclusions():
    said = all_words(replace(FACE, post_production="1.20 (at most 1.60)"))
    assert "Not counted: listening, buildings." in said
    assert "Post-production, separate: 1.20 (at most 1.60) g per minute" in said


def test_a_figure_from_defaults_says_so():
    assert "Calculated with default values" in all_words(replace(FACE, kind="measured", calculated=True))
    assert "default" not in all_words(replace(FACE, kind="measured"))


def test_a_served_image_dates_itself_and_a_printed_one_does_not():
    assert "Status checked Nov 2026" in all_words(replace(FACE, checked_month="2026-11"))
    assert "Status checked" not in all_words(FACE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ENDED | NEVER)
def test_a_face_that_is_no_longer_in_force_says_so_and_claims_nothing(status, kind):
    face = replace(FACE, kind=kind, status=status)
    said = all_words(face)
    assert face_lines(face).title == f"{(ENDED | NEVER)[status]}: AI generation footprint, certificate 7K3Q-Z9M2-XA"
    assert not [claim for claim in ("8.42", "6.10", "Low-Carbon", "class", "Verified", "valid until") if claim in said]


@pytest.mark.parametrize(("artwork", "noun"), [(True, "label"), (False, "statement")])
def test_an_ended_face_calls_itself_what_it_was(artwork, noun):
    assert f"This {noun} is no longer in force" in all_words(replace(FACE, status="revoked", artwork=artwork))


@pytest.mark.parametrize(
    ("status", "standing"), [("not_yet", "is not in force yet"), ("unreliable", "is not to be relied on")]
)
def test_what_was_never_in_force_is_not_called_ended_or_suspended(status, standing):
    said = all_words(replace(FACE, status=status, artwork=True))
    assert f"This label {standing}" in said
    assert not [word for word in ("Suspended", "Withdrawn", "no longer") if word in said]


def test_codes_are_shown_in_groups_of_four_four_and_two():
    assert shown_code("7K3QZ9M2XA") == "7K3Q-Z9M2-XA"


@given(st.text())
def test_foreign_text_is_one_visible_line(text):
    line = plain(text)
    assert not [letter for letter in line if unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029"]
    assert line == " ".join(line.split())


def test_direction_marks_cannot_turn_a_name_around():
    assert plain("Example\u202e ydoB\u0007\n Audit\u200b") == "Example ydoB Audit"


# --- what is drawn ----------------------------------------------------------------------------------------------------

FULL = replace(FACE, issued=date(2026, 11, 23), evidence="A2")
FORMATS = {
    "shield": shield,
    "square": square,
    "label": label,
    "sheet": lambda face: sheet(
        Certificate(
            face,
            "Night Ferry (example)",
            "Example Artist",
            "Example Office",
            "checked by an independent verifier",
            (Stage("Training", "2.10", 0.3, is_estimated=True), Stage("Storage", "4.00", 0.7, is_estimated=False)),
        )
    ),
}
LARGE = ("square", "label", "sheet")


def shown(form, face):
    """What is drawn, without regard to where lines break."""
    return " ".join(shape.text for shape in FORMATS[form](face).shapes if isinstance(shape, Words) and shape.text)


@pytest.mark.parametrize("form", LARGE)
@pytest.mark.parametrize("artwork", [True, False], ids=["with artwork", "without artwork"])
@pytest.mark.parametrize("kind", KINDS)
def test_large_art_shows_all_that_a_figure_must_not_stand_without(kind, artwork, form):
    face = replace(FULL, kind=kind, artwork=artwork and kind != "statement")
    said = shown(form, face)
    musts = [
        "AI generation footprint: at most",
        "8.42",
        "g CO2e",
        "per minute of finished music",
        "(best estimate 6.10)",
        "rom data to storage, with",
        "Not counted: post-production, listening, buildings.",
        "Climate only",
        "o offsets",
        "Says nothing of the whole song",
        "Example Assurance Body",
        "A2",
        "LCAL 1.0.0",
        "2026-11-23",
        "2029-11-23",
        "7K3Q-Z9M2-XA",
        HEADS[kind][0],
    ]
    assert [must for must in musts if must not in said] == []


@pytest.mark.parametrize("form", LARGE)
@pytest.mark.parametrize(("kind", "limit"), [("class-1", "10.00 g"), ("class-2", "30.00 g"), ("measured", "100.00 g")])
def test_the_tier_stands_in_one_line_with_its_limit(kind, limit, form):
    words = [shape for shape in FORMATS[form](replace(FULL, kind=kind)).shapes if isinstance(shape, Words)]
    tier = next(line for line in words if line.text == HEADS[kind][0])
    beside = [line for line in words if limit in line.text and "per minute" in line.text]
    assert any(abs(line.y - tier.y) <= tier.size for line in beside)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["measured", "statement"])
def test_low_carbon_is_drawn_and_read_aloud_with_classes_only(kind, form):
    drawing = FORMATS[form](replace(FULL, kind=kind))
    assert "low-carbon" not in f"{shown(form, replace(FULL, kind=kind))} {drawing.title} {drawing.description}".lower()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("status", ["active", *ENDED, *NEVER])
@pytest.mark.parametrize("kind", KINDS)
def test_no_art_says_what_was_not_measured(kind, status, form):
    said = shown(form, replace(FULL, kind=kind, status=status)).lower()
    barred = ("green", "neutral", "friendly", "sustainable", "eco", "saves", "certified", "offset", "net zero", "best")
    assert [word for word in barred if word in said.replace("best estimate", "").split()] == []


@pytest.mark.parametrize("form", FORMATS)
def test_verified_by_stands_on_label_artwork_of_a_verifier_only(form):
    for artwork, verified, kind in ((False, True, "class-1"), (True, False, "class-1"), (False, True, "statement")):
        face = replace(FULL, artwork=artwork, verified=verified, kind=kind)
        drawing = FORMATS[form](face)
        assert "verified by" not in f"{shown(form, face)} {drawing.title} {drawing.description}".lower()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("status", "word"), (ENDED | NEVER | {"away": "Not here", "unknown": "No such certificate"}).items()
)
def test_art_of_what_is_not_in_force_says_its_word_and_shows_no_figure(status, word, form):
    for face in (replace(FULL, status=status), bare_face("7K3QZ9M2XA", "https://label.example", status)):
        said = shown(form, face)
        assert word.lower() in said.lower()
        assert not [claim for claim in ("8.42", "6.10", "Low-Carbon", "class", "erified") if claim in said]


@pytest.mark.parametrize("form", FORMATS)
def test_art_that_is_served_bears_the_month_of_its_check_and_print_bears_its_days(form):
    live, printed = shown(form, replace(FULL, checked_month="2026-12")), shown(form, FULL)
    assert "Dec 2026" in live
    assert "Dec 2026" not in printed
    assert "Status" not in printed
    assert ("Nov 2026 to Nov 2029" if form == "shield" else "2026-11-23") in printed
    assert "7K3Q-Z9M2-XA" in printed


SHIELDS = {
    "live": (replace(FULL, checked_month="2026-11"), "8.42 g/min · class 1 · Nov 2026"),
    "measured": (
        replace(FULL, kind="measured", assessed="41.33", checked_month="2026-11"),
        "41.33 g/min · measured · Nov 2026",
    ),
    "self-declared": (
        replace(FULL, kind="statement", checked_month="2026-11"),
        "8.42 g/min · self-declared · Nov 2026",
    ),
    "withdrawn": (replace(FULL, status="revoked", checked_month="2026-11"), "withdrawn · Nov 2026"),
    "for print": (FULL, "8.42 g/min · class 1 · Nov 2026 to Nov 2029 · 7K3Q-Z9M2-XA"),
    "never issued": (bare_face("7K3QZ9M2XA", "https://label.example", "unknown"), "no such certificate"),
}


@pytest.mark.parametrize(("face", "figure"), SHIELDS.values(), ids=SHIELDS.keys())
def test_a_shield_says_figure_tier_and_month(face, figure):
    assert shield_words(face) == ("AI footprint", figure)
    assert shield(face).title == f"AI footprint: {figure}"


def test_a_sheet_says_whom_to_ask_what_it_is_not_and_that_the_page_knows_more():
    said = shown("sheet", FULL)
    for words in (
        "Night Ferry (example)",
        "Example Artist",
        "Decided by Example Office",
        "checked by an independent verifier",
        "Says nothing of the whole song, the artist or the company.",
        "Climate only; other effects on the environment are not assessed.",
        "Not an ISO 14024 (type I) ecolabel, and no label of a public authority.",
        "label.example/scheme",
        "How it stands now, the page says: https://label.example/v/7K3QZ9M2XA",
    ):
        assert words in said


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["measured", "statement"])
def test_neutral_art_does_not_bear_the_name_of_the_programme_even_where_the_issuer_does(kind, form):
    face = replace(FULL, kind=kind)
    drawing = sheet(Certificate(face, issuer="Low-Carbon Audio Label")) if form == "sheet" else FORMATS[form](face)
    drawn = " ".join(shape.text for shape in drawing.shapes if isinstance(shape, Words))
    assert "low-carbon" not in f"{drawn} {drawing.title} {drawing.description}".lower()


def test_a_figure_from_default_values_says_so_on_all_large_art():
    for form in LARGE:
        assert "Calculated with default values" in shown(form, replace(FULL, kind="measured", calculated=True))
