"""The addresses that a certificate names."""

import pytest

from certifier.certificate.credential import name_and_version, standard_url

IDS = {
    "a version": ("LCAL-1.0.0", ("LCAL", "1.0.0"), "/standards/lcal/1.0.0"),
    "a draft": ("LCAL-1.1.0-draft", ("LCAL", "1.1.0-draft"), "/standards/lcal/1.1.0-draft"),
    "a name with a hyphen": ("MY-LABEL-2.0.0", ("MY-LABEL", "2.0.0"), "/standards/my-label/2.0.0"),
}


@pytest.mark.parametrize(("standard", "parts", "path"), IDS.values(), ids=IDS.keys())
def test_a_standard_stands_at_the_address_of_its_folder(standard: str, parts: tuple[str, str], path: str) -> None:
    assert name_and_version(standard) == parts
    assert standard_url("https://label.example", standard) == f"https://label.example{path}"
