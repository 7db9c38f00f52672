"""The facts of a master file travel as JSON and come back the same, or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.audio.model import FORMATS, AudioFacts, seconds_of
from certifier.errors import MalformedAudio

DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
COUNTS = st.integers(1, 2**40)
FACTS = st.builds(
    AudioFacts,
    sha256=DIGESTS,
    essence_sha256=st.none() | DIGESTS,
    duration_s=st.builds(seconds_of, st.integers(0, 2**32), st.integers(8000, 384_000)),
    silence_s=st.builds(seconds_of, st.integers(0, 2**32), st.integers(8000, 384_000)),
    sample_rate=COUNTS,
    channels=COUNTS,
    format=st.sampled_from(FORMATS),
    frames=COUNTS,
)
GOOD = AudioFacts("0" * 64, None, Decimal("3.000000000"), Decimal("0.000000000"), 44100, 2, "WAV", 132300).to_dict()


@given(FACTS)
def test_facts_survive_their_wire_form(facts):
    assert AudioFacts.from_dict(facts.to_dict()) == facts


def test_seconds_are_decimal_strings_with_nine_digits_never_floats_or_exponents():
    assert (GOOD["duration_s"], GOOD["silence_s"]) == ("3.000000000", "0.000000000")


@pytest.mark.parametrize(
    ("frames", "rate", "seconds"),
    [(132_300, 44_100, "3.000000000"), (1, 48_000, "0.000020833"), (1, 44_100, "0.000022676"), (0, 8_000, "0E-9")],
)
def test_length_is_frames_by_rate_to_nine_digits(frames, rate, seconds):
    assert str(seconds_of(frames, rate)) == seconds


MISFITS = {
    "a digest in capitals": ("sha256", "A" * 64),
    "a missing digest": ("sha256", None),
    "an essence digest that is too short": ("essence_sha256", "00"),
    "seconds as a number": ("duration_s", 3.0),
    "seconds with an exponent": ("duration_s", "3E+0"),
    "seconds in another script": ("duration_s", "٣.000000000"),
    "negative silence": ("silence_s", "-1.000000000"),
    "a rate of zero": ("sample_rate", 0),
    "a truth value for a count": ("channels", True),
    "a format that is not read": ("format", "CAF"),
    "a field that nobody knows": ("title", "x"),
}


@pytest.mark.parametrize(("field", "value"), MISFITS.values(), ids=MISFITS.keys())
def test_facts_that_do_not_fit_are_refused_by_name(field, value):
    with pytest.raises(MalformedAudio) as caught:
        AudioFacts.from_dict({**GOOD, field: value})
    assert field in f"{caught.value.message} {caught.value.found}"
