"""Which logs and witnesses a checkpoint must be signed by, as a policy file says it.

Source: c2sp.org/tlog-policy. The reader takes what the specification says and nothing that only looks like it. Where the
file lies is the caller's business; how cosignatures are verified is ``note``'s, how they are obtained ``witness``'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certifier.errors import CertifierError, OperatorError
from certifier.log.lines import parse_number
from certifier.log.note import COSIGNATURE, ED25519, VerifierKey, parse_verifier_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NONE = "none"

# Section "Character set": of the control characters only tab and line feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPACE = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class KnownLog:
    """A log whose checkpoints are accepted; its key has the log's origin as its name."""

    key: VerifierKey
    url: str | None


@dataclass(frozen=True)
class KnownWitness:
    """A witness under the name that it has in this policy only; ``url`` is its submission prefix (tlog-witness)."""

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True)
class Group:
    """It has witnessed what ``threshold`` of its members, witnesses or earlier groups, have witnessed."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A policy file; ``quorum`` names a witness or a group, or is None when nobody needs to cosign."""

    logs: tuple[KnownLog, ...]
    witnesses: tuple[KnownWitness, ...]
    groups: tuple[Group, ...]
    quorum: str | None

    def is_satisfied(self, cosigning_keys: Iterable[VerifierKey]) -> bool:
        """Are these keys, whose cosignatures the caller has verified, enough? Keys of nobody's are passed over."""
        keys = set(cosigning_keys)
        witnessed = {witness.name for witness in self.witnesses if witness.key in keys}
        for group in self.groups:  # a group has only members that stand above it
            if len(witnessed.intersection(group.members)) >= group.threshold:
                witnessed.add(group.name)
        return self.quorum is None or self.quorum in witnessed


def parse_policy(text: str) -> Policy:
    """The policy in a file's text. Raises OperatorError that names the line."""
    if control := _CONTROL.search(text):
        number = text.count("\n", 0, control.start()) + 1
        raise _wrong(number, "holds a control character", repr(control[0]), "tabs and line feeds only")
    *lines, rest = text.split("\n")
    if rest:
        raise _wrong(len(lines) + 1, "does not end in a line feed", repr(rest)[:80], "a whole file")
    reader = _Reader()
    for number, line in enumerate(lines, start=1):
        reader.read(number, line)
    return reader.policy()


class _Reader:
    """The definitions so far: a line can only refer to what stands above it (section "Structure")."""

    def __init__(self) -> None:
        self._logs: list[KnownLog] = []
        self._witnesses: list[KnownWitness] = []
        self._groups: list[Group] = []
        self._members: set[str] = set()
        self._quorum: str | None = None
        self._directives: dict[str, Callable[[int, list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._read_quorum,
        }

    def read(self, number: int, line: str) -> None:
        # Not str.split() and str.strip(): white space is the space and the tab only.
        items = _SPACE.split(line.strip(" \t"))
        if items == [""] or items[0].startswith("#"):
            return
        directive = self._directives.get(items[0])
        if directive is None:
            raise _wrong(number, "has an unknown keyword", repr(items[0])[:80], ", ".join(self._directives))
        directive(number, items[1:])

    def policy(self) -> Policy:
        if self._quorum is None:
            raise OperatorError(
                "The witness policy has no quorum.",
                expected="exactly one line: quorum, and the name of a witness or group, or none",
                hint=f"Write `quorum {NONE}` when no cosignature is asked for.",
            )
        quorum = None if self._quorum == NONE else self._quorum
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), quorum)

    def _log(self, number: int, items: list[str]) -> None:
        if len(items) not in {1, 2}:
            raise _wrong(number, "does not define a log", _count(items), "log <vkey> [<url>]")
        key = _key(number, items[0], ED25519)
        _check_new_key(number, key, [log.key for log in self._logs])
        self._logs.append(KnownLog(key, items[1] if len(items) == 2 else None))

    def _witness(self, number: int, items: list[str]) -> None:
        if len(items) not in {2, 3}:
            raise _wrong(number, "does not define a witness", _count(items), "witness <name> <vkey> [<url>]")
        self._check_new_name(number, items[0])
        key = _key(number, items[1], COSIGNATURE)
        _check_new_key(number, key, [witness.key for witness in self._witnesses])
        self._witnesses.append(KnownWitness(items[0], key, items[2] if len(items) == 3 else None))

    def _group(self, number: int, items: list[str]) -> None:
        if len(items) < 3:
            raise _wrong(number, "does not define a group", _count(items), "group <name> <all|any|number> <name>…")
        name, wanted, *members = items
        self._check_new_name(number, name)
        for member in members:
            self._check_defined(number, member)
            if member in self._members:
                # Section "Defining a witness group": else one witness could count twice.
                raise _wrong(number, "lists a member for the second time", repr(member)[:80], "each in one group, once")
            self._members.add(member)
        self._groups.append(Group(name, _threshold(number, wanted, len(members)), tuple(members)))

    def _read_quorum(self, number: int, items: list[str]) -> None:
        if len(items) != 1:
            raise _wrong(number, "does not define the quorum", _count(items), f"quorum <name> or quorum {NONE}")
        if self._quorum is not None:
            raise _wrong(number, "is a second quorum line", repr(items[0])[:80], "exactly one")
        if items[0] != NONE:
            self._check_defined(number, items[0])
        self._quorum = items[0]

    def _names(self) -> set[str]:
        return {witness.name for witness in self._witnesses} | {group.name for group in self._groups}

    def _check_new_name(self, number: int, name: str) -> None:
        if name == NONE or name in self._names():
            raise _wrong(number, "defines a name that is taken", repr(name)[:80], f"a new name, and not {NONE}")

    def _check_defined(self, number: int, name: str) -> None:
        if name not in self._names():
            expected = "a witness or group that is defined on a line above"
            raise _wrong(number, "refers to an unknown name", repr(name)[:80], expected)


def _key(number: int, text: str, signature_type: int) -> VerifierKey:
    try:
        key = parse_verifier_key(text)
    except CertifierError as error:
        raise _wrong(
            number, "has an unfit key", error.found or repr(text)[:80], error.expected, error.message
        ) from error
    if key.type != signature_type:
        found, expected = f"type 0x{key.type:02x}", f"type 0x{signature_type:02x}"
        raise _wrong(number, "has a key for another kind of signature", found, expected)
    return key


def _check_new_key(number: int, key: VerifierKey, known: list[VerifierKey]) -> None:
    # Section "Public key representation": the same public key is a duplicate under any name.
    if key.key in [other.key for other in known]:
        raise _wrong(number, "has a public key that is listed already", key.to_text()[:80], "each key once")


def _threshold(number: int, wanted: str, members: int) -> int:
    threshold = {"any": 1, "all": members}.get(wanted, parse_number(wanted))
    if threshold is None or not 1 <= threshold <= members:
        raise _wrong(number, "has an unfit threshold", repr(wanted)[:80], f"all, any, or a number from 1 to {members}")
    return threshold


def _count(items: list[str]) -> str:
    return f"{len(items)} item{'' if len(items) == 1 else 's'} after the keyword"


def _wrong(number: int, what: str, found: str, expected: str | None, hint: str | None = None) -> OperatorError:
    return OperatorError(f"Line {number} of the witness policy {what}.", found=found, expected=expected, hint=hint)
