"""Wording about the climate that should not stand is found in three languages, whatever its typography; what is fine stays."""

from __future__ import annotations

import pytest

from certifier.wording.claims import claims_in
from certifier.wording.lexicon import LANGUAGES, lexicon

# language -> sentence: the kinds that are found in it
ENGLISH = {
    "An eco-friendly song.": ["generic"],
    "ecofriendly": ["generic"],
    "Environmentally friendly music": ["generic"],
    "Good for the planet!": ["generic"],
    "kinder to the climate": ["generic"],
    "Go green with us": ["generic"],
    "a greener album": ["generic"],
    "Sustainable sound": ["generic"],
    "sustainability in music": ["generic"],
    "our most sustainably made record": ["generic"],
    "low-carbon music": ["generic"],
    "Low-Carbon Audio": ["generic"],
    "energy-efficient tracks": ["generic"],
    "carbon neutral": ["neutral"],
    "Climate Neutrality": ["neutral"],
    "climate positive": ["neutral"],
    "a net-zero release": ["neutral"],
    "zero carbon and emission-free": ["neutral", "neutral"],
    "CO₂-neutral": ["neutral"],
    "made without any emissions": ["neutral"],
    "All carbon is offset: carbon offsets": ["offset"],
    "we offset all our emissions": ["offset"],
    "compensates its CO2": ["offset"],
    "We plant two trees for each stream": ["offset"],
    "saves 30 g of CO2": ["saving"],
    "This label saves.": ["saving"],
    "cuts its carbon": ["saving"],
    "help the planet": ["saving"],
    "less CO2 than a studio": ["saving"],
    "the footprint of this album": ["whole"],
    "Our track is certified.": ["certified"],
    "CERTIFIED": ["certified"],
    "an ecolabel for music": ["certified"],
    "officially approved": ["certified"],
    "Emissions halved by 2030": ["future"],
    "We will cut emissions": ["future"],
    "our pledge to reach zero": ["future"],
    "we pledge to cut carbon": ["future"],
    "climate goals": ["future"],
}
GERMAN = {
    "ein umweltfreundlicher Song": ["generic"],
    "KLIMASCHONEND": ["generic"],
    "ökologische Musik": ["generic"],
    "oekologisch": ["generic"],
    "gut für das Klima": ["generic"],
    "grüner Klang": ["generic"],
    "gruene Musik": ["generic"],
    "nachhaltige Musik, Nachhaltigkeit": ["generic", "generic"],
    "CO2-arm": ["generic"],
    "energieeffizienter": ["generic"],
    "klimaneutrale Musik": ["whole"],
    "klimaneutral": ["neutral"],
    "CO₂‑neutral": ["neutral"],
    "treibhausgasneutral": ["neutral"],
    "Netto-Null": ["neutral"],
    "emissionsfrei": ["neutral"],
    "mit CO2-Ausgleich": ["offset"],
    "wir kompensieren alle Emissionen": ["offset"],
    "Wir pflanzen Bäume": ["offset"],
    "spart viel CO2": ["saving"],
    "schützt das Klima": ["saving"],
    "Fußabdruck des ganzen Albums": ["whole"],
    "Unser Track ist zertifiziert.": ["certified"],
    "ein Umweltsiegel": ["certified"],
    "staatlich geprüft": ["certified"],
    "klimaneutral bis 2030": ["future"],
    "Unser Klimaziel": ["future"],
}
FRENCH = {
    "une chanson écologique": ["generic"],
    "Éco-responsable": ["generic"],
    "respectueux de l’environnement": ["generic"],
    "bon pour la planète": ["generic"],
    "musique verte": ["generic"],
    "une musique durable": ["generic"],
    "bas carbone": ["generic"],
    "neutre en carbone": ["neutral"],
    "la neutralité carbone": ["neutral"],
    "zéro émission": ["neutral"],
    "positif pour le climat": ["neutral"],
    "nous compensons nos émissions": ["offset"],
    "crédits carbone": ["offset"],
    "plante des arbres": ["offset"],
    "économise du CO2": ["saving"],
    "moins de carbone": ["saving"],
    "l'empreinte carbone de l'album": ["whole"],
    "Titre certifié": ["certified"],
    "nos titres certifiés": ["certified"],
    "un écolabel": ["certified"],
    "d'ici 2030, zéro émission": ["future"],
    "objectifs climatiques": ["future"],
}
SENTENCES = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}
CASES = [(language, text, kinds) for language, table in SENTENCES.items() for text, kinds in table.items()]


@pytest.mark.parametrize(("language", "text", "kinds"), CASES, ids=[f"{case[0]}: {case[1]}" for case in CASES])
def test_wording_that_should_not_stand_is_found(language: str, text: str, kinds: list[str]) -> None:
    assert [finding.kind for finding in claims_in(text, (language,))] == kinds


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_of_a_list_is_found_by_an_example_and_says_why_where_from_and_what_instead(language: str) -> None:
    found = {finding.why for text in SENTENCES[language] for finding in claims_in(text, (language,))}
    for entry in lexicon(language).terms:
        assert entry.why in found
        assert entry.source
        assert entry.instead.endswith(".")
        assert all(term == term.lower() and term.isascii() for term in entry.terms), "a term is written folded"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_better_way_is_itself_clean(language: str) -> None:
    for entry in lexicon(language).terms:
        assert claims_in(entry.instead, (language,), figures_beside=False) == []


TYPOGRAPHY = {
    "capitals": "CLIMATE NEUTRAL",
    "a hyphen": "climate-neutral",
    "a hyphen that does not break": "climate\u2011neutral",
    "a dash": "climate–neutral",
    "a space that does not break": "climate\u00a0neutral",
    "several spaces": "climate   neutral",
    "a line break": "climate\n   neutral",
    "one word": "climateneutral",
    "a word broken at the line's end": "cli-\n   mate neutral",
    "a hyphen at the line's end": "climate-\nneutral",
    "a soft hyphen": "cli\u00admate neu\u00adtral",
    "an invisible space": "climate\u200b neu\u2060tral",
    "a ligature and wide letters": "ｃｌｉｍａｔｅ neutral",
    "a tag inside": "cli<b>mate</b> neutral",
    "a tag between": "climate<br>neutral",
    "blocks": "<p>climate</p>\n<p>neutral</p>",
    "a tag with attributes": '<span class="x">climate</span> <em>neutral</em>',
    "an alternative text": '<img src="a.png" alt="climate neutral">',
    "a title": "<a href='/x' title='climate neutral'>here</a>",
    "an entity": "climate&nbsp;neutral",
    "an entity for a hyphen": "climate&#8209;neutral",
    "a soft hyphen as an entity": "cli&shy;mate neutral",
    "Markdown": "**climate** _neutral_",
    "a hashtag": "#ClimateNeutral",
    "a name in code": "climate_neutral",
    "quotation marks": "“climate” neutral",
    "accents that do not belong": "clímate neutrál",
    "a template": '{{ _("climate neutral") }}',
}


@pytest.mark.parametrize("text", TYPOGRAPHY.values(), ids=TYPOGRAPHY.keys())
def test_no_typography_hides_a_word(text: str) -> None:
    assert [finding.kind for finding in claims_in(text)] == ["neutral"]


FINE = {
    "the class with its figure": "Low-Carbon Audio, class 2: at most 12.4 g CO2e per minute of finished music.",
    "the figure before the class": "At most 7.64 g per minute: <b>Low-Carbon Audio, class 1</b>",
    "the programme": "Low-Carbon Audio Label",
    "no offsets": "No carbon offsets or credits are counted.",
    "no ecolabel": "Not an ISO 14024 (type I) ecolabel.",
    "certified by somebody": "Certified by Example Office under LCAL 1.0.0.",
    "certified under the standard": "certified under LCAL 1.0.0",
    "an English verb that is a French word without its accent": "The office certifies that the file was measured.",
    "zertifiziert von": "zertifiziert von Example Office; von Example Office zertifiziert",
    "certifié par": "certifié par Example Office",
    "kein Ausgleich": "Es wird kein CO2-Ausgleich angerechnet.",
    "aucune compensation": "Aucune compensation carbone n’est comptée.",
    "a law's name": "the Green Claims Code and the FTC Green Guides",
    "words that only look alike": "The evergreen greenhouse offset by 12 bytes; a neutral face; greening is no word here",
    "a durable write": "Durable when this returns.",
    "a number and an order": "if a < b and c > d, the climate is fine",
    "nothing": "",
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE.keys())
def test_what_is_fine_stays(text: str) -> None:
    assert claims_in(text) == []


def test_a_class_without_its_figure_is_found_unless_the_text_is_put_together_later() -> None:
    assert [finding.found for finding in claims_in("Low-Carbon Audio, class 2")] == ["Low-Carbon"]
    assert claims_in("Low-Carbon Audio, class 2", figures_beside=False) == []
    far = "Low-Carbon Audio, class 2." + " word" * 60 + " 12 g"
    assert len(claims_in(far)) == 1


def test_low_carbon_with_any_other_class_is_found() -> None:
    assert len(claims_in("Low-Carbon Audio, class 3: 90 g per minute")) == 1


def test_a_finding_names_its_place_and_the_words_as_written() -> None:
    (finding,) = claims_in("One line.\nA second, cli&shy;mate\n   <b>Neutral</b>, end.")
    assert (finding.line, finding.column, finding.start) == (2, 11, 20)
    assert finding.found == "cli&shy;mate <b>Neutral"
    assert (finding.language, finding.kind, finding.risk) == ("en", "neutral", "barred")


def test_of_words_that_overlap_the_longest_is_told_once() -> None:
    assert [finding.found for finding in claims_in("carbon neutral by 2030")] == ["carbon neutral by 2030"]


MARKED = {
    "HTML": "a <!-- claims-lint: off -->climate neutral<!-- claims-lint: on --> b",
    "a template": "a {# claims-lint: off #}climate neutral{# claims-lint: on #} b",
    "lines": "# claims-lint: off, quoted from the law\nclimate neutral\n# claims-lint: on\n",
}


@pytest.mark.parametrize("text", MARKED.values(), ids=MARKED.keys())
def test_what_is_quoted_can_be_marked(text: str) -> None:
    assert claims_in(text) == []
    assert len(claims_in(text + "\nand climate neutral")) == 1, "what follows counts again"


def test_a_mark_without_its_end_leaves_nothing_out() -> None:
    assert len(claims_in("<!-- claims-lint: off --> climate neutral")) == 1


def test_long_hostile_texts_are_read_in_time() -> None:
    """No text makes the matcher go back over it again and again."""
    for text in (
        "save " + "-" * 20_000,
        "plant " * 5_000,
        "<a" * 10_000,
        "&" * 20_000,
        "will x-" * 5_000,
        "<!--" * 9_000,
    ):
        claims_in(text)
