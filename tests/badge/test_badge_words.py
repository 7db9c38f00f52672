"""What a face says is fixed by LCAL 1.0.0 section 9 and by law: each sentence is held here, for each kind and status."""

import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.badge.badge import BadgeFace, face_lines, plain, shown_code

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
    assert face_lines(replace(FACE, kind=kind)).title == (
        "AI generation footprint: at most 8.42 g CO2e per minute of finished music (best estimate 6.10)"
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
