"""The page Verify: one field for a code or pasted text, one for files; each told apart by what it is.

A browser with script checks on the reader's own machine (static/verify.js); these views do the same for all others, and what a
browser cannot do. Nothing that is given here is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request
from werkzeug.datastructures import FileStorage

from certifier.audio.model import AudioFacts
from certifier.certificate.model import OUTCOMES
from certifier.certificate.verification import AudioDigests, Verification
from certifier.crypto.strict_json import DEFAULT_LIMITS
from certifier.errors import CertifierError
from certifier.service.examine import facts_in_turn
from certifier.web.assets import asset
from certifier.web.browser_check import told, trust_text
from certifier.web.documents import VerificationView, verification_view
from certifier.web.problems import MediaTypeUnsupported, ParameterInvalid
from certifier.web.responses import HTML, JSON, checked_query, chosen_form, json_reply, page
from certifier.web.script_words import says
from certifier.web.site import Site
from certifier.web.uploads import FORM, bound_form
from certifier.web.verifications import check_audio, check_code, check_document

MOST_FILES = 20
MOST_TEXT = 20_000  # characters of what is pasted
PROOF = b"c2sp.org/tlog-proof"
COSE = b"\xd2\x84"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIGNED_TEXT = re.compile(r"\s*[{<]|[\w-]+\.[\w-]+\.[\w-]+\s*$|https?://[!-~]+#[0-9]+\s*$", re.IGNORECASE)
_PAGE = re.compile(r"(.*)/v/([\w-]{10,14})(?:[./].*)?", re.IGNORECASE)
JSON_FORM, PAGE_FORM = JSON, HTML.partition(";")[0]


@dataclass(frozen=True)
class Answer:
    """What came out for one thing that was given: a verification, or why there is none."""

    name: str
    view: VerificationView | None
    problem: CertifierError | None = None


@dataclass
class Given:
    """The files of a form, told apart by how they begin."""

    certificates: list[FileStorage] = field(default_factory=list)
    sounds: list[FileStorage] = field(default_factory=list)
    proof: bytes | None = None


def form(site: Site) -> Response:
    """The form, and the answer to what the query holds: a code or another text, or the digest of a file."""
    asked = checked_query(code=None, sha256=None)
    text, audio = asked["code"].strip(), _digests(asked["sha256"])
    if not audio and _DIGEST.fullmatch(text.lower()):
        text, audio = "", _digests(text)
    if text:
        return _page(site, [_answered(site, "", _check_text(site, text, audio))])
    if audio is None:
        return _page(site, None)
    return _page(site, [_answered(site, "", each) for each in check_audio(site, audio)], audio)


def answer(site: Site) -> Response:
    """The answer to files: certificates with a proof beside them, or a recording, which is read here and not kept."""
    checked_query()
    if request.mimetype != FORM:
        raise MediaTypeUnsupported("Files are sent in a form.", found=request.mimetype or "none", expected=FORM)
    bound_form(site.settings, site.settings.max_upload_bytes + 2 * DEFAULT_LIMITS.max_bytes, MOST_FILES)
    given = _given()
    facts = facts_in_turn(Path(given.sounds[0].stream.name)) if given.sounds else None
    audio = AudioDigests(facts.sha256, facts.essence_sha256) if facts else None
    if given.certificates:
        answers = list(_checked(site, given, audio))
    else:
        name = given.sounds[0].filename or ""
        answers = [_answered(site, name, each) for each in check_audio(site, audio)] if audio else []
    if chosen_form((PAGE_FORM, JSON_FORM)) == JSON_FORM:
        return json_reply(_document(facts, answers), "not at all")
    return _page(site, answers, audio)


def _given() -> Given:
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        raise ParameterInvalid(
            "Choose a file.", found="no file", expected="a certificate or an audio file", pointer="file"
        )
    if len(files) > MOST_FILES:
        raise ParameterInvalid(
            "These are too many files at once.", found=f"{len(files)}", expected=f"at most {MOST_FILES}", pointer="file"
        )
    given = Given()
    for file in files:
        start = file.stream.read(DEFAULT_LIMITS.max_bytes + 1)
        file.stream.seek(0)
        if start.startswith(PROOF):
            given.proof = start
        elif start.startswith(COSE) or _SIGNED_TEXT.match(start.decode("utf-8", "replace")):
            given.certificates.append(file)
        else:
            given.sounds.append(file)
    if len(given.sounds) > 1:
        raise ParameterInvalid(
            "Audio is read one file at a time.", found=f"{len(given.sounds)} files", expected="one", pointer="file"
        )
    if not given.certificates and not given.sounds:
        raise ParameterInvalid("A proof goes with a certificate.", found="a proof alone", pointer="file")
    return given


def _checked(site: Site, given: Given, audio: AudioDigests | None) -> Iterator[Answer]:
    """The answer to each certificate; one that is none is told beside the others, and is an error alone."""
    for file in given.certificates:
        name = file.filename or ""
        try:
            yield _answered(site, name, check_document(site, file.stream.read(), given.proof, audio))
        except CertifierError as error:
            if len(given.certificates) == 1:
                raise
            yield Answer(name, None, error)


def _check_text(site: Site, text: str, audio: AudioDigests | None) -> Verification:
    """A code, the address of a certificate's page, or the text of a certificate."""
    if len(text) > MOST_TEXT:
        raise ParameterInvalid(
            "The text is too long.", found=f"{len(text)} characters", expected=f"at most {MOST_TEXT}", pointer="code"
        )
    if _SIGNED_TEXT.match(text):
        return check_document(site, text.encode(), None, audio)
    return check_code(site, _code_in(site, text), audio)


def _code_in(site: Site, text: str) -> str:
    """The code in an address of this site; any other text is left to be judged as a code."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:  # brackets where a host stands
        return text
    match = _PAGE.fullmatch(parts.path)
    if not match:
        return text
    place = f"{parts.netloc}{match[1]}".lower()
    if place not in (*places_of(site), request.host):
        raise ParameterInvalid(
            "This address leads to another site.",
            found=place[:200],
            expected=places_of(site)[0],
            hint="Nothing is known of it here. Ask there, if you trust that address.",
            pointer="code",
        )
    return match[2]


def places_of(site: Site) -> tuple[str, ...]:
    """Where the codes of this installation lead to: host and path, in small letters."""
    base = urlsplit(site.settings.base_url)
    return (f"{base.netloc}{base.path}".rstrip("/").lower(),)


def _digests(text: str) -> AudioDigests | None:
    digest = text.strip().lower()
    if not digest:
        return None
    if not _DIGEST.fullmatch(digest):
        raise ParameterInvalid(
            "This is not a SHA-256.", found=digest[:80], expected="64 hexadecimal digits", pointer="sha256"
        )
    return AudioDigests(digest)


def _answered(site: Site, name: str, verification: Verification) -> Answer:
    return Answer(name, verification_view(verification, site.settings.environment))


def _page(site: Site, answers: list[Answer] | None, audio: AudioDigests | None = None) -> Response:
    cache = "five minutes" if answers is None else "not at all"
    megabytes = site.settings.max_upload_bytes // 1024**2
    return page("verify.html", cache, answers=answers, audio=audio, megabytes=megabytes, brought=_brought(site))


def _document(facts: AudioFacts | None, answers: list[Answer]) -> dict[str, Any]:
    """The same for a script: what was heard, and the verifications."""
    heard = {name: facts.to_dict()[name] for name in ("sha256", "essence_sha256", "format")} if facts else None
    views = [each.view.model_dump(mode="json", by_alias=True) for each in answers if each.view]
    return {"audio": heard, "results": views}


def _brought(site: Site) -> dict[str, Any]:
    """What the page holds for its script."""
    return {
        "host": site.settings.did,
        "places": places_of(site),
        "trust": trust_text(site, site.minute()),
        "words": told(OUTCOMES),
        "says": says("verify") | says("telling"),
        "reader": asset("vendor/jsqr/jsQR.js"),
    }
