"""Messages about releases: what is to be verified is read, and hostile XML is refused by name. All messages are examples."""

from __future__ import annotations

import pytest

from certifier.ddex import MAX_BYTES, ReleaseTrack, read_release
from certifier.errors import ForeignInputError

SHA256 = "3b" * 32
FILE = (
    "<File><URI>resources/a.wav</URI><HashSum><Algorithm>{}</Algorithm><HashSumValue>{}</HashSumValue></HashSum></File>"
)
TITLES = (
    "<DisplayTitleText>Example Song</DisplayTitleText>"
    "<DisplayTitle><TitleText>Example Song</TitleText></DisplayTitle>"
    "<DisplayArtistName>Example Artist</DisplayArtistName>"
)


def message(*resources: str, version: str = "43", prolog: str = "", root: str = "NewReleaseMessage") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<ern:{root} xmlns:ern="http://ddex.net/xml/ern/{version}">'
        "<MessageHeader><MessageId>1</MessageId></MessageHeader>"
        f"<ResourceList>{''.join(resources)}</ResourceList>"
        "<ReleaseList><Release><ReleaseReference>R0</ReleaseReference></Release></ReleaseList>"
        f"</ern:{root}>"
    ).encode()


def in_41(ref: str = "A1", isrc: str = "XXABC2600001", algorithm: str = "SHA-256", digest: str = SHA256) -> str:
    details = f"<TechnicalDetails>{FILE.format(algorithm, digest)}</TechnicalDetails>"
    ids = f"<ResourceId><ISRC>{isrc}</ISRC></ResourceId>"
    return f"<SoundRecording><ResourceReference>{ref}</ResourceReference>{ids}{TITLES}{details}</SoundRecording>"


def in_43(*digests: str, ref: str = "A1", isrc: str = "XX-ABC-26-00001") -> str:
    editions = "".join(
        f"<SoundRecordingEdition><ResourceId><ISRC>{isrc}</ISRC></ResourceId><TechnicalDetails><DeliveryFile>"
        f"{FILE.format('SHA-256', digest)}</DeliveryFile></TechnicalDetails></SoundRecordingEdition>"
        for digest in digests
    )
    return f"<SoundRecording><ResourceReference>{ref}</ResourceReference>{editions}{TITLES}</SoundRecording>"


TRACK = ReleaseTrack("A1", "XXABC2600001", "Example Song", "Example Artist", SHA256)
READ = {
    "ERN 4.1": (message(in_41(), version="41"), [TRACK]),
    "ERN 4.1.1": (message(in_41(), version="411"), [TRACK]),
    "ERN 4.2": (message(in_43(SHA256), version="42"), [TRACK]),
    "ERN 4.3": (message(in_43(SHA256)), [TRACK]),
    "ERN 4.3.2": (message(in_43(SHA256.upper()), version="432"), [TRACK]),
    "a file in two editions": (
        message(in_43(SHA256, "1a" * 32)),
        [
            ReleaseTrack("A1", "XXABC2600001", "Example Song", "Example Artist", digest)
            for digest in ("1a" * 32, SHA256)
        ],
    ),
    "two recordings, in their order": (
        message(in_43(SHA256, ref="A2"), in_43(SHA256)),
        [ReleaseTrack("A2", "XXABC2600001", "Example Song", "Example Artist", SHA256), TRACK],
    ),
    "another kind of sum": (
        message(in_41(algorithm="MD5", digest="00")),
        [ReleaseTrack("A1", "XXABC2600001", "Example Song", "Example Artist", None)],
    ),
    "nothing but a reference": (
        message("<SoundRecording><ResourceReference>A7</ResourceReference></SoundRecording>"),
        [ReleaseTrack("A7", None, None, None, None)],
    ),
    "pictures beside the sound": (
        message("<Image><ResourceReference>A9</ResourceReference></Image>", in_43(SHA256)),
        [TRACK],
    ),
}


@pytest.mark.parametrize(("raw", "tracks"), READ.values(), ids=READ.keys())
def test_every_sound_recording_is_a_track_to_verify(raw: bytes, tracks: list[ReleaseTrack]) -> None:
    assert read_release(raw) == tracks


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
REFUSED = {
    "no XML": (b"hello", "not XML"),
    "nothing": (b"", "not XML"),
    "half a message": (message(in_41())[:-20], "not XML"),
    "an encoding that there is not": (b'<?xml version="1.0" encoding="klingon"?><a/>', "not XML"),
    "a bomb of entities": (message(in_41(), prolog=BOMB), "document type"),
    "a file of ours as entity": (message(in_41(), prolog=OUTSIDE), "document type"),
    "a document type alone": (message(in_41(), prolog="<!DOCTYPE a>"), "document type"),
    "ERN 3": (message(in_41(), version="382"), "no message about a release"),
    "a message about something else": (message(in_41(), root="PurgeReleaseMessage"), "no message about a release"),
    "XML of others": (b"<html><SoundRecording/></html>", "no message about a release"),
    "too deep": (message("<a>" * 100 + "</a>" * 100), "too deeply"),
    "too large": (b" " * (MAX_BYTES + 1), "too large"),
    "no recording": (message("<Image/>"), "no sound recording"),
    "a recording without a reference": (message("<SoundRecording/>"), "no reference"),
    "an ISRC that is none": (message(in_41(isrc="NIGHT-FERRY")), "ISRC"),
    "a digest that is none": (message(in_41(digest="3b")), "SHA-256"),
    "a digest in base64": (message(in_41(digest="OzuHfkN4" * 5)), "SHA-256"),
}


@pytest.mark.parametrize(("raw", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_release_is_refused_and_said(raw: bytes, words: str) -> None:
    with pytest.raises(ForeignInputError, match=words):
        read_release(raw)


def test_a_message_of_ever_more_elements_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifier.ddex.MAX_ELEMENTS", 1000)
    assert len(read_release(message(in_41()))) == 1
    with pytest.raises(ForeignInputError, match="too many elements"):
        read_release(message(f"<SoundRecording>{'<a/>' * 1000}</SoundRecording>"))
