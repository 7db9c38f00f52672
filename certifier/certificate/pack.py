"""One signed file with all that offline verification needs beside a certificate and its proof (``lcal-pack/1``).

It holds the issuer's trust (keys, logs, standards), every status list, the two public JSON-LD contexts and the newest checkpoint
of each log. Trust and lists carry proofs of their own; the contexts are the published bytes as text, because their digests are of
those bytes. A pack has one spelling, its canonical bytes: one changed byte and it is no pack.

Whom a pack is trusted by: with trusted keys at hand, by one of them of role issuer that signed the trust inside; without, by the
person who names it (DESIGN 20). From there the trust says who signs lists and packs. So a status key, which is used all day,
can make no issuer. A pack brings newer keys as the issuer's newest word; it takes nothing back: of two words about one key or
standard the stricter one counts, so that an old pack revives nothing.

The steps:
 (1) read the file
 (2) verify the trust in it, under an issuer's key
 (3) join it with what was trusted before
 (4) verify the whole pack, under a key that this trust lists
 (5) open the status lists, checkpoints and contexts
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from certifier.certificate.age import KNOWN_FOR
from certifier.certificate.proof import sign_document, split_proof, verify_document
from certifier.certificate.rdfc import CONTEXT_FILES
from certifier.certificate.status import LIST_SIGNERS, StatusList, open_status_list
from certifier.certificate.times import parse_time, time_text
from certifier.certificate.trust import (
    SKEW,
    STATES,
    LastGood,
    Trust,
    TrustedKey,
    TrustedStandard,
    parse_trust,
    trust_document,
)
from certifier.certificate.verification import AudioDigests, Material
from certifier.crypto.canonical import canonical_bytes, sha256_hex
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import (
    BadSignature,
    CertifierError,
    MalformedCertificate,
    MalformedPack,
    StolenPackKey,
    UnusableStatusList,
)
from certifier.log.note import Checkpoint, VerifierKey, open_checkpoint

FORM = "lcal-pack/1"
# A million certificates fit, with room; what is larger is read by nobody.
LIMITS = Limits(max_bytes=8 * 1024 * 1024, max_depth=16, max_nodes=50_000)
_MEMBERS = {"form", "issuer", "made_at", "valid_until", "trust", "status_lists", "contexts", "checkpoints", "proof"}
_AGAIN = "Fetch it again with: certifier pack --server URL -o FILE"


@dataclass(frozen=True)
class Pack:
    """A pack whose signatures all hold.

    ``trust`` is what it says together with the keys that were trusted before. ``status_lists`` are documents by their URL,
    ``lists`` the same unpacked. ``status_as_of`` is the moment of the oldest list: no status is known to be newer.
    ``issuer_key`` signed the trust. ``is_vouched_for`` tells whether it was trusted before; else it is trusted only because
    somebody named the pack. ``new_keys`` were not trusted before.
    """

    issuer: str
    made_at: datetime
    valid_until: datetime
    trust: Trust
    status_lists: Mapping[str, bytes]
    lists: tuple[StatusList, ...]
    status_as_of: datetime
    contexts: Mapping[str, bytes]
    checkpoints: tuple[Checkpoint, ...]
    issuer_key: TrustedKey
    is_vouched_for: bool
    new_keys: tuple[TrustedKey, ...]
    size_bytes: int

    @property
    def fingerprint(self) -> str:
        """Of the issuer's key that all of the pack rests on, for people to compare."""
        return self.issuer_key.key.fingerprint

    def material(self, proof: bytes | None, audio: AudioDigests | None = None) -> Material:
        """All that a check needs, with the proof that lies beside the certificate."""
        return Material(self.trust, proof, {}, audio, self.status_lists, self.status_as_of)


def sign_trust(trust: Trust, key: Signer, verification_method: str, now: datetime) -> dict[str, Any]:
    """The trust document with the proof of an issuer's key."""
    return sign_document(trust_document(trust), key, verification_method, time_text(now))


def pack_of(
    signed_trust: dict[str, Any],
    *,
    issuer: str,
    status_lists: Iterable[bytes],
    contexts: Mapping[str, bytes],
    checkpoints: Iterable[bytes],
    now: datetime,
) -> dict[str, Any]:
    """The unsigned pack: status lists and checkpoints as they are served, contexts by their address as they are published."""
    return {
        "form": FORM,
        "issuer": issuer,
        "made_at": time_text(now),
        "valid_until": time_text(now + KNOWN_FOR),
        "trust": signed_trust,
        "status_lists": [parse_object(raw) for raw in status_lists],
        "contexts": {url: raw.decode() for url, raw in contexts.items()},
        "checkpoints": [note.decode() for note in checkpoints],
    }


def sign_pack(unsigned: dict[str, Any], key: Signer, verification_method: str) -> bytes:
    """The pack as it is handed out. The same input gives the same bytes."""
    return canonical_bytes(sign_document(unsigned, key, verification_method, unsigned["made_at"]))


def open_pack(raw: bytes, trusted: Trust | None, now: datetime) -> Pack:
    """The pack, once everything in it is seen to be signed by its issuer; with ``trusted`` keys, by one of those.

    Raises MalformedPack, MalformedJson or BadSignature. An old pack opens: what its age is worth is the verification's business.
    """
    document = _parsed(raw)  # (1)
    issuer = _text(document["issuer"], "issuer")
    made_at, valid_until = _dates(document, now)
    own = _own_trust(document["trust"], issuer)
    issuer_key = _verified(document["trust"], "trust in the pack", issuer, made_at, trusted or own, ("issuer",))  # (2)
    trust = _joined(trusted, own) if trusted else own  # (3)
    # Its own word about this key counts too: a pack that rests on a key which it calls stolen is a forger's.
    _check_may_sign(_key_for(trust, issuer_key.id, issuer, ("issuer",)), made_at, "trust in the pack")
    _verified(document, "pack", issuer, made_at, trust, LIST_SIGNERS)  # (4)
    lists = [_opened_list(entry, trust, issuer, made_at) for entry in _array(document, "status_lists")]  # (5)
    if len({opened.url for _, opened in lists}) < len(lists):
        raise MalformedPack("The pack holds a status list twice.", expected="each list once", hint=_AGAIN)
    known = {key.id for key in trusted.keys} if trusted else set[str]()
    return Pack(
        issuer,
        made_at,
        valid_until,
        trust,
        {opened.url: listed for listed, opened in lists},
        tuple(opened for _, opened in lists),
        min((opened.valid_from for _, opened in lists), default=made_at),
        _contexts(document["contexts"]),
        _opened_checkpoints(_array(document, "checkpoints"), own.logs),
        issuer_key,
        trusted is not None,
        tuple(key for key in trust.keys if key.id not in known),
        len(raw),
    )


def _parsed(raw: bytes) -> dict[str, Any]:
    document = parse_object(raw, LIMITS)
    if document.get("form") != FORM:
        raise MalformedPack(
            "This is no pack of a form that this program reads.",
            found=str(document.get("form"))[:60],
            expected=FORM,
            hint="For a newer form, install a newer certifier.",
        )
    if "proof" not in document:
        raise MalformedPack("The pack is not signed.", expected="a proof by the issuer", hint=_AGAIN)
    if set(document) != _MEMBERS:
        raise MalformedPack(
            "The pack has other members than its form.",
            found=", ".join(sorted(set(document) ^ _MEMBERS))[:200],
            expected=", ".join(sorted(_MEMBERS)),
            hint=_AGAIN,
        )
    if canonical_bytes(document) != raw:
        raise MalformedPack(
            "The pack is not written as it was signed.",
            found="other spaces, order or spelling",
            expected="the bytes as they were served (RFC 8785)",
            hint=_AGAIN,
        )
    return document


def _dates(document: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    try:
        made_at, valid_until = parse_time(document["made_at"]), parse_time(document["valid_until"])
    except MalformedCertificate as error:
        raise MalformedPack("The pack's dates cannot be read.", found=error.found, expected=error.expected) from error
    if made_at > now + SKEW:
        raise MalformedPack(
            "The pack is from the future.",
            found=time_text(made_at),
            expected=f"at most {time_text(now)}",
            hint="Is this machine's clock right?",
        )
    if not made_at <= valid_until <= made_at + KNOWN_FOR:
        raise MalformedPack(
            "The pack promises to hold for longer than a pack may, or ends before it begins.",
            found=f"{time_text(made_at)} to {time_text(valid_until)}",
            expected=f"at most {KNOWN_FOR.days} days",
        )
    return made_at, valid_until


def _own_trust(document: Any, issuer: str) -> Trust:
    """What the pack itself says, which is about its own issuer alone."""
    try:
        trust = parse_trust(canonical_bytes(document))
    except CertifierError as error:
        raise MalformedPack(
            f"The trust in the pack cannot be used: {error.message}", found=error.found, expected=error.expected
        ) from error
    foreign = next((key for key in trust.keys if key.issuer != issuer), None)
    if foreign:
        raise MalformedPack("The pack names a key of another issuer.", found=foreign.issuer[:200], expected=issuer)
    return trust


def _verified(
    document: dict[str, Any], what: str, issuer: str, made_at: datetime, trust: Trust, roles: tuple[str, ...]
) -> TrustedKey:
    """The key of ``trust``, in one of the roles, that signed this part of the pack or the whole when the pack was made."""
    try:
        _, proof = split_proof(document)
    except MalformedCertificate as error:
        raise MalformedPack(
            f"The {what} has no single proof of the right kind.", found=error.found, expected=error.expected
        ) from error
    key = _key_for(trust, str(proof.get("verificationMethod")), issuer, roles)
    _check_may_sign(key, made_at, what)
    if proof.get("created") != time_text(made_at):
        raise MalformedPack(
            f"The {what} was not signed when the pack was made.",
            found=str(proof.get("created"))[:40],
            expected=time_text(made_at),
        )
    try:
        verify_document(document, key.key)
    except BadSignature as error:
        raise BadSignature(
            f"The {what} was changed after it was signed, or another key signed it.",
            found=error.found,
            expected=f"a signature by {key.id}",
            hint=_AGAIN,
        ) from error
    return key


def _key_for(trust: Trust, method: str, issuer: str, roles: tuple[str, ...] = LIST_SIGNERS) -> TrustedKey:
    """The issuer's own key of this name, in one of the roles."""
    own = [key for key in trust.keys if key.issuer == issuer and key.role in roles]
    if not own:
        raise MalformedPack(
            "The pack is of another issuer than the trusted keys.",
            found=issuer[:200],
            expected=", ".join(sorted({key.issuer for key in trust.keys})) or "a trusted issuer",
            hint="Pin that issuer's keys first: certifier init --pin URL",
        )
    key = next((key for key in own if key.id == method), None)
    if key is None:
        raise MalformedPack(
            "The pack is signed by a key that is not trusted for it.",
            found=method[:200],
            expected=", ".join(key.id for key in own),
            hint="Has the issuer changed its keys? Compare the fingerprints, then: certifier init --pin URL",
        )
    return key


def _check_may_sign(key: TrustedKey, moment: datetime, what: str) -> None:
    if not key.was_in_force(moment):
        raise MalformedPack(
            f"The {what} is signed by a key out of its days.",
            found=time_text(moment),
            expected=f"{time_text(key.valid_from)} to {time_text(key.valid_until)}",
        )
    if key.last_good:
        raise StolenPackKey(
            f"The {what} is signed by a key that was stolen.",
            found=key.id,
            expected="another key of the issuer",
            hint="Whoever stole it could have made this. Fetch a newer one.",
        )


def _joined(trusted: Trust, own: Trust) -> Trust:
    """Both words as one. Raises MalformedPack where they cannot both be true."""
    if trusted.environment != own.environment:
        raise MalformedPack(
            "The pack is of another installation than the trusted keys.",
            found=own.environment[:60],
            expected=trusted.environment[:60],
        )
    logs = _joined_logs(trusted.logs, own.logs)
    told = {key.id: key for key in own.keys}
    before = {key.id for key in trusted.keys}
    keys = [_stricter_key(key, told[key.id], logs) if key.id in told else key for key in trusted.keys]
    keys += [key for key in own.keys if key.id not in before]
    return Trust(trusted.environment, tuple(keys), logs, _joined_standards(trusted, own))


def _stricter_key(before: TrustedKey, told: TrustedKey, logs: tuple[VerifierKey, ...]) -> TrustedKey:
    if (before.key, before.role, before.issuer) != (told.key, told.role, told.issuer):
        raise MalformedPack(
            "The pack gives a trusted key's name to another key.",
            found=f"{told.id}, {told.role}, fingerprint {told.key.fingerprint}",
            expected=f"{before.role}, fingerprint {before.key.fingerprint}",
            hint="A key never changes under its name. Ask the issuer before you trust this pack.",
        )
    return replace(
        before,
        valid_from=max(before.valid_from, told.valid_from),
        valid_until=min(before.valid_until, told.valid_until),
        last_good=_earlier(before.last_good, told.last_good, logs),
    )


def _earlier(one: LastGood | None, other: LastGood | None, logs: tuple[VerifierKey, ...]) -> LastGood | None:
    """The earlier of two last good places; a log that nobody names lies before all others."""
    names = [log.name for log in logs]
    places = [place for place in (one, other) if place]
    return min(places, key=lambda it: (names.index(it.origin) if it.origin in names else -1, it.index), default=None)


def _joined_logs(before: tuple[VerifierKey, ...], told: tuple[VerifierKey, ...]) -> tuple[VerifierKey, ...]:
    """The pack's logs, then those that it does not know yet: it is older than they are."""
    by_name = {log.name: log for log in told}
    changed = next((log for log in before if by_name.get(log.name, log) != log), None)
    if changed:
        raise MalformedPack(
            "The pack gives a trusted log another key.",
            found=by_name[changed.name].to_text(),
            expected=changed.to_text(),
            hint="A log's key never changes. Ask the issuer before you trust this pack.",
        )
    return (*told, *(log for log in before if log.name not in by_name))


def _joined_standards(trusted: Trust, own: Trust) -> tuple[TrustedStandard, ...]:
    """Every version once. A version goes from current to superseded to withdrawn, and never back."""
    joined = dict[tuple[str, str], TrustedStandard]()
    for entry in (*own.standards, *trusted.standards):
        known = joined.get((entry.id, entry.sha256), entry)
        joined[(entry.id, entry.sha256)] = max(known, entry, key=lambda each: STATES.index(each.state))
    return tuple(joined.values())


def _opened_list(document: Any, trust: Trust, issuer: str, made_at: datetime) -> tuple[bytes, StatusList]:
    """A status list as it is served and as it reads, once its own proof holds under a key of the pack's issuer."""
    raw = canonical_bytes(document)
    try:
        opened = open_status_list(raw, trust)
    except UnusableStatusList as error:
        raise MalformedPack(
            f"A status list in the pack cannot be used: {error.message}",
            found=error.found,
            expected=error.expected,
            hint=_AGAIN,
        ) from error
    if opened.issuer != issuer:
        raise MalformedPack(
            "A status list in the pack is of another issuer.", found=opened.issuer[:200], expected=issuer
        )
    if opened.valid_from > made_at + SKEW:
        raise MalformedPack(
            "A status list is younger than its pack.", found=time_text(opened.valid_from), expected=time_text(made_at)
        )
    return raw, opened


def _opened_checkpoints(notes: list[Any], logs: tuple[VerifierKey, ...]) -> tuple[Checkpoint, ...]:
    try:
        return tuple(open_checkpoint(_text(note, "checkpoint").encode(), logs) for note in notes)
    except MalformedPack:
        raise
    except CertifierError as error:
        raise MalformedPack(
            f"A checkpoint in the pack is not signed by its log: {error.message}",
            found=error.found,
            expected=error.expected,
            hint=_AGAIN,
        ) from error


def _contexts(document: Any) -> dict[str, bytes]:
    """The contexts by their address. Raises MalformedPack for other bytes than those that are pinned here."""
    if not isinstance(document, dict):
        raise MalformedPack("The contexts in the pack cannot be read.", expected="texts by their address")
    contexts = {url: _text(text, "context").encode() for url, text in document.items()}
    for url, raw in contexts.items():
        _, pinned = CONTEXT_FILES.get(url, ("", sha256_hex(raw)))
        if sha256_hex(raw) != pinned:
            raise MalformedPack(
                f"The pack holds another text of the context {url}.",
                found=f"sha256 {sha256_hex(raw)}",
                expected=f"sha256 {pinned}",
                hint="A published context never changes. Ask the issuer before you trust this pack.",
            )
    return contexts


def _array(document: dict[str, Any], name: str) -> list[Any]:
    value = document[name]
    if not isinstance(value, list):
        raise MalformedPack(f"The member {name} of the pack is no array.", found=type(value).__name__)
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise MalformedPack(f"The {name} in the pack is no text.", found=type(value).__name__, expected="text")
    return value
