"""Whether a document is a credential or presentation of the W3C data model at all, before anybody looks at its signature.

Only the form is judged here, each rule with its place in the document. What terms mean is JSON-LD's business (``integrity``), who
signed it is the verifier's.

Source: Verifiable Credentials Data Model 2.0, sections 4 and 5; Bitstring Status List 1.0, section 2.1; XML Schema 1.1 part 2
(dateTimeStamp); BCP 47.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from certifier.certificate.rdfc import CREDENTIALS_V2
from certifier.crypto.keys import base58_decode
from certifier.errors import MalformedCredential, MalformedKey

ENVELOPED = "EnvelopedVerifiableCredential"

# RFC 3986: a scheme, a colon, and no character that an address cannot hold.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#$&-;=?-\[\]_a-z~%]+", re.ASCII)
_TIME = re.compile(
    r"-?(?:[1-9][0-9]{3,}|0[0-9]{3})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?)"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))",
    re.ASCII,
)
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*", re.ASCII)
_DIGITS = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_DIGEST_SRI = re.compile(r"sha(?:256|384|512)-[A-Za-z0-9+/]+={0,2}(?:\?[!-~]*)?", re.ASCII)
_MULTIHASHES = {0x12: 32, 0x20: 48, 0x13: 64}  # sha2-256, sha2-384, sha2-512

# member -> whether each of its objects needs an id as well as a type (sections 4.10 to 4.11, 5.4 to 5.6 and 5.9)
TYPED = {
    "credentialStatus": False,
    "credentialSchema": True,
    "refreshService": False,
    "termsOfUse": False,
    "evidence": False,
    "confidenceMethod": False,
    "renderMethod": False,
}


def check_credential(document: dict[str, Any]) -> None:
    """Raises MalformedCredential at the first member that no verifiable credential has like this."""
    _check_contexts(document)
    _check_types(document, "VerifiableCredential")
    _check_id(document, "")
    _check_party(document, "issuer", required=True)
    _check_subjects(document)
    _check_period(document)
    _check_texts(document, "")
    for member, needs_id in TYPED.items():
        for pointer, item in _objects(document, member):
            _check_typed(item, pointer, needs_id=needs_id)
    for pointer, entry in _objects(document, "credentialStatus"):
        if entry["type"] in ("BitstringStatusListEntry", ["BitstringStatusListEntry"]):
            _check_status_entry(entry, pointer)
    _check_resources(document)


def check_presentation(document: dict[str, Any]) -> None:
    """Raises MalformedCredential at the first member that no verifiable presentation has like this.

    The credentials inside are not looked at, only that they are objects.
    """
    _check_contexts(document)
    _check_types(document, "VerifiablePresentation")
    _check_id(document, "")
    _check_party(document, "holder", required=False)
    _check_texts(document, "")
    for pointer, item in _objects(document, "termsOfUse"):
        _check_typed(item, pointer, needs_id=False)
    for _ in _objects(document, "verifiableCredential", may_be_empty=True):
        pass


def party_of(document: dict[str, Any], member: str) -> str | None:
    """The id of the issuer or holder of a checked document."""
    value = document.get(member)
    return value.get("id") if isinstance(value, dict) else value


def moment_of(text: str) -> datetime:
    """The moment that a checked dateTimeStamp names; what lies beyond the calendar of this language counts as its edge."""
    year = int(text[: text.index("-", 1)])
    if not 1 < year < 9999:
        return datetime.min.replace(tzinfo=UTC) if year <= 1 else datetime.max.replace(tzinfo=UTC)
    whole, fraction, zone = _split_time(text)
    ends_day = whole.endswith("T24:00:00")
    moment = datetime.fromisoformat(whole.replace("T24:", "T00:") + fraction + zone)
    return moment + timedelta(days=1) if ends_day else moment


def _split_time(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(.*T[0-9:]{8})(?:(\.[0-9]+))?(Z|[+-][0-9:]{5})", text)
    assert found  # it was checked
    whole, fraction, zone = found.groups(default="")
    return whole, fraction[:7], "+00:00" if zone == "Z" else zone


def check_time(value: Any, pointer: str) -> None:
    """Raises MalformedCredential unless this is a dateTimeStamp: date, time and zone."""
    if not (isinstance(value, str) and len(value) <= 60 and _TIME.fullmatch(value)):
        _refuse(pointer, value, "a date and time with its zone, such as 2026-11-22T20:00:00Z")
    try:
        moment_of(value)
    except ValueError:
        _refuse(pointer, value, "a day that the calendar has")


def is_url(value: Any) -> bool:
    """Whether this is one absolute address."""
    return isinstance(value, str) and len(value) <= 2_000 and _URL.fullmatch(value) is not None


def _refuse(pointer: str, found: Any, expected: str) -> NoReturn:
    shown = found if isinstance(found, str) else type(found).__name__ if found is not None else "nothing"
    raise MalformedCredential(
        "The document does not fit the Verifiable Credentials Data Model 2.0.",
        found=shown[:120],
        expected=expected,
        pointer=pointer or "/",
    )


def _check_contexts(document: dict[str, Any]) -> None:
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not contexts or contexts[0] != CREDENTIALS_V2:
        first = contexts[0] if isinstance(contexts, list) and contexts else contexts
        _refuse("/@context", first, f"an array that begins with {CREDENTIALS_V2}")
    for place, context in enumerate(contexts[1:], 1):
        if not (isinstance(context, dict) or is_url(context)):
            _refuse(f"/@context/{place}", context, "the address of a JSON-LD context, or one as an object")
    addresses = [context for context in contexts if isinstance(context, str)]
    if len(set(addresses)) < len(addresses):
        _refuse("/@context", "one address twice", "an ordered set")


def _check_types(document: dict[str, Any], needed: str) -> None:
    types = document.get("type")
    _check_type_value(types, "/type")
    if needed not in (types if isinstance(types, list) else [types]):
        _refuse("/type", ", ".join(types) if isinstance(types, list) else types, needed)


def _check_type_value(types: Any, pointer: str) -> None:
    items = types if isinstance(types, list) else [types]
    if not items or not all(isinstance(item, str) and item and not re.search(r"\s", item) for item in items):
        _refuse(pointer, types, "one or more terms or absolute addresses")
    if len(set(items)) < len(items):
        _refuse(pointer, "one type twice", "a set")


def _check_id(document: dict[str, Any], pointer: str) -> None:
    if "id" in document and not is_url(document["id"]):
        _refuse(f"{pointer}/id", document["id"], "a single absolute address")


def _check_party(document: dict[str, Any], member: str, *, required: bool) -> None:
    if member not in document and not required:
        return
    party = document.get(member)
    if isinstance(party, dict):
        if not is_url(party.get("id")):
            _refuse(f"/{member}/id", party.get("id"), "a single absolute address")
        _check_texts(party, f"/{member}")
    elif not is_url(party):
        _refuse(f"/{member}", party, "an absolute address, or an object whose id is one")


def _check_subjects(document: dict[str, Any]) -> None:
    found = list(_objects(document, "credentialSubject"))
    if not found:
        _refuse("/credentialSubject", None, "one or more subjects")
    for pointer, subject in found:
        if not subject:
            _refuse(pointer, "{}", "at least one claim")
        _check_id(subject, pointer)


def _check_period(document: dict[str, Any]) -> None:
    for member in ("validFrom", "validUntil"):
        if member in document:
            check_time(document[member], f"/{member}")
    if "validFrom" in document and "validUntil" in document:
        begins, ends = document["validFrom"], document["validUntil"]
        if moment_of(begins) > moment_of(ends):
            _refuse("/validUntil", ends, f"the same time as validFrom or later: {begins}")


def _check_texts(document: dict[str, Any], pointer: str) -> None:
    for member in ("name", "description"):
        if member in document:
            value = document[member]
            for item in value if isinstance(value, list) and value else [value]:
                _check_text(item, f"{pointer}/{member}", alone=not isinstance(value, list))


def _check_text(value: Any, pointer: str, *, alone: bool) -> None:
    """Section 11.1: a string, or one or more objects that name the language."""
    if isinstance(value, str) and alone:
        return
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("@value"), str)
        or set(value) - {"@value", "@language", "@direction"}
    ):
        _refuse(pointer, value, "text, or objects of @value, @language and @direction alone")
    language, direction = value.get("@language", "und"), value.get("@direction", "ltr")
    if not (isinstance(language, str) and _LANGUAGE.fullmatch(language)) or direction not in ("ltr", "rtl"):
        _refuse(pointer, f"{language} {direction}", "a language tag such as en, and ltr or rtl")


def _objects(
    document: dict[str, Any], member: str, *, may_be_empty: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a member that holds one or more, with its place. Raises MalformedCredential for anything else."""
    if member not in document:
        return
    value = document[member]
    if value == [] and may_be_empty:
        return
    for place, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
        pointer = f"/{member}" if place is None else f"/{member}/{place}"
        if not isinstance(item, dict):
            _refuse(pointer, item, "an object")
        yield pointer, item
    if value == []:
        _refuse(f"/{member}", "[]", "one or more objects")


def _check_typed(item: dict[str, Any], pointer: str, *, needs_id: bool) -> None:
    _check_type_value(item.get("type"), f"{pointer}/type")
    _check_id(item, pointer)
    if needs_id and "id" not in item:
        _refuse(f"{pointer}/id", None, "a single absolute address")


def _check_status_entry(entry: dict[str, Any], pointer: str) -> None:
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "statusPurpose": (lambda value: isinstance(value, str) and bool(value), "a purpose, such as revocation"),
        "statusListIndex": (
            lambda value: isinstance(value, str) and _DIGITS.fullmatch(value) is not None,
            "a whole number from 0 on, written as text",
        ),
        "statusListCredential": (is_url, "the address of a status list"),
    }
    for member, (fits, expected) in rules.items():
        if not fits(entry.get(member)):
            _refuse(f"{pointer}/{member}", entry.get(member), expected)
    if entry.get("id") == entry["statusListCredential"]:
        _refuse(f"{pointer}/id", entry["id"], "another address than that of the list")
    size = entry.get("statusSize", 1)
    if type(size) is not int or size < 1:
        _refuse(f"{pointer}/statusSize", str(size), "a whole number from 1 on")


def _check_resources(document: dict[str, Any]) -> None:
    seen = set[str]()
    for pointer, item in _objects(document, "relatedResource"):
        if not is_url(item.get("id")):
            _refuse(f"{pointer}/id", item.get("id"), "a single absolute address")
        if item["id"] in seen:
            _refuse(f"{pointer}/id", item["id"], "each resource once")
        seen.add(item["id"])
        if not {"digestSRI", "digestMultibase"} & set(item):
            _refuse(pointer, "no digest", "digestSRI or digestMultibase")
        _check_digests(item, pointer)


def _check_digests(item: dict[str, Any], pointer: str) -> None:
    sri = item.get("digestSRI", "sha256-AA==")
    if not (isinstance(sri, str) and all(_DIGEST_SRI.fullmatch(part) for part in sri.split(" "))):
        _refuse(f"{pointer}/digestSRI", sri, "sha256-, sha384- or sha512- and base64")
    if "digestMultibase" in item and not _is_multihash(item["digestMultibase"]):
        _refuse(f"{pointer}/digestMultibase", item["digestMultibase"], "a SHA-2 multihash in multibase u or z")


def _is_multihash(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 120:
        return False
    try:
        if value.startswith("u"):
            raw = base64.b64decode(value[1:] + "=" * (-len(value[1:]) % 4), altchars=b"-_", validate=True)
        else:
            raw = base58_decode(value[1:]) if value.startswith("z") else b""
    except (binascii.Error, ValueError, MalformedKey):
        return False
    return len(raw) > 2 and _MULTIHASHES.get(raw[0]) == raw[1] == len(raw) - 2
