"""The entries of the label's own log: what was done to which certificate, key or standard, and when.

An entry is canonical JSON (RFC 8785) under the tag ``lcal-log/1``. A log cannot forget, so entries hold codes, digests
and short words only, never a title, a name or an address. An ``issue`` entry commits to the payload *before* it is
signed.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedProof
from certifier.log.lines import MAX_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "lcal-log/1"

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_index(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_NUMBER


_CODE = _matches("[0-9A-HJKMNP-TV-Z]{10}")
_DIGEST = _matches("sha256:[0-9a-f]{64}")
_ID = _matches("[!-~]{1,400}")
_WORD = _matches("[a-z][a-z0-9_-]{0,63}")

# For each type of entry, its members beside v, type and at; a member in _OPTIONAL may be absent.
_STATUS = {"code": _CODE, "reason": _WORD}
_MEMBERS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "issue": {"code": _CODE, "payload": _DIGEST, "kid": _ID, "standard": _ID, "report": _DIGEST, "audio": _DIGEST},
    "revoke": {**_STATUS, "replaced_by": _CODE},
    "suspend": _STATUS,
    "reinstate": _STATUS,
    "key-add": {"kid": _ID, "key": _ID},
    "key-retire": {"kid": _ID},
    "key-compromise": {"kid": _ID, "last_good_index": _is_index, "last_good_log": _ID},
    "standard-publish": {"standard": _ID, "digest": _DIGEST},
    "approve": {"kind": _WORD, "id": _ID, "digest": _DIGEST, "reason": _WORD},
    "freeze": {"reason": _WORD},
}
# Of a stolen key: without an index nothing that the log holds under it is good; without a log it is the entry's own one.
_OPTIONAL = {"replaced_by", "last_good_index", "last_good_log"}
LEAF_TYPES = tuple(_MEMBERS)
_CHECKS = {leaf_type: {"at": _is_time, **members} for leaf_type, members in _MEMBERS.items()}
_ALLOWED = {leaf_type: frozenset({"v", "type", *members}) for leaf_type, members in _CHECKS.items()}


def issue_entry(
    *, code: str, payload_sha256: str, kid: str, standard: str, report_sha256: str, audio_sha256: str, at: str
) -> bytes:
    """The entry for a certificate; ``payload_sha256`` is over the exact bytes that will be signed.

    Digests are 64 hex digits, ``at`` is ``2026-11-22T20:00:00Z``. Raises MalformedProof for anything else.
    """
    raw = expected_issue_entry(
        code=code,
        payload_sha256=payload_sha256,
        kid=kid,
        standard=standard,
        report_sha256=report_sha256,
        audio_sha256=audio_sha256,
        at=at,
    )
    parse_entry(raw)
    return raw


def expected_issue_entry(
    *, code: str, payload_sha256: str, kid: str, standard: str, report_sha256: str, audio_sha256: str, at: str
) -> bytes:
    """As ``issue_entry``, to look for in a log: what is no entry is in no log, so its form is not checked."""
    entry = {
        "v": VERSION,
        "type": "issue",
        "at": at,
        "code": code,
        "payload": f"sha256:{payload_sha256}",
        "kid": kid,
        "standard": standard,
        "report": f"sha256:{report_sha256}",
        "audio": f"sha256:{audio_sha256}",
    }
    return canonical_bytes(entry)


def status_entry(
    *,
    type: Literal["revoke", "suspend", "reinstate"],  # noqa: A002 - named as the member is
    code: str,
    reason: str,
    at: str,
    replaced_by: str | None = None,
) -> bytes:
    """The entry for a change of a certificate's status; ``reason`` is a short word such as ``superseded``.

    Only a revocation may name the certificate that replaces this one. Raises MalformedProof for what does not fit.
    """
    replacement = {} if replaced_by is None else {"replaced_by": replaced_by}
    return log_entry(type, at, code=code, reason=reason, **replacement)


def log_entry(leaf_type: str, at: str, **members: Any) -> bytes:
    """The bytes of an entry of any type. Raises MalformedProof for what ``parse_entry`` would refuse."""
    entry = {"v": VERSION, "type": leaf_type, "at": at, **members}
    _check_entry(entry)
    return canonical_bytes(entry)


def parse_entry(raw: bytes) -> dict[str, Any]:
    """The members of an entry. Raises MalformedJson, or MalformedProof when it is not canonical or of no known form."""
    entry = parse_object(raw)
    if canonical_bytes(entry) != raw:
        raise MalformedProof("The log entry is not canonical JSON.", expected="the one spelling of RFC 8785")
    _check_entry(entry)
    return entry


def _check_entry(entry: dict[str, Any]) -> None:
    if entry.get("v") != VERSION:
        raise _misfit("/v", entry.get("v"), VERSION)
    leaf_type = entry.get("type")
    if not isinstance(leaf_type, str) or leaf_type not in _MEMBERS:
        raise _misfit("/type", leaf_type, ", ".join(LEAF_TYPES))
    members = _CHECKS[leaf_type]
    if not entry.keys() <= _ALLOWED[leaf_type]:
        unknown = entry.keys() - _ALLOWED[leaf_type]
        raise _misfit(f"/{min(unknown)}", "an unknown member", f"only {', '.join(members)}")
    for name, fits in members.items():
        if name not in entry and name in _OPTIONAL:
            continue
        if not fits(entry.get(name)):
            raise _misfit(f"/{name}", entry.get(name), f"{name} as the log writes it")


def _misfit(pointer: str, found: Any, expected: str) -> MalformedProof:
    return MalformedProof(
        "This is not an entry of the label's log.", found=repr(found)[:80], expected=expected, pointer=pointer
    )
