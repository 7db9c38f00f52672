"""The public register: who owns which key, in which role, between which days; tools, model statements, models.

A keyring is the reading of TOML texts such as ``keys/keyring.toml`` and ``keys/tools/*.toml``; opening the files is the
storage's business. Old keys stay listed with their last day (DESIGN law 6): an entry is never changed or deleted. That a key was
retired or stolen is an entry of its own, which names it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keys import PublicKey
from certifier.errors import MalformedKey, OperatorError

Role = Literal["issuer", "log", "status", "measuring_party", "service", "verifier"]
OWN_ROLES: tuple[Role, ...] = ("issuer", "status", "log")  # whose private halves an installation has
State = Literal["in_force", "retired", "compromised", "not_yet", "ended"]
_OTHER_NAMES = {"tool": "measuring_party"}


class Capability(BaseModel):
    """What a party is registered to measure (LCAL 10.2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    coverage: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()


def _role_named(name: Any) -> Any:
    return _OTHER_NAMES.get(name, name) if isinstance(name, str) else name


class Compromise(BaseModel):
    """A key was stolen: found out ``at`` a time; in ``log``, what stands up to ``last_good_index`` stays good.

    An index of -1 stands before the log's first entry. What older logs hold stays good, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    at: AwareDatetime
    log: str = Field(min_length=1, max_length=200)
    last_good_index: int = Field(ge=-1)


class Retirement(BaseModel):
    """A key signs nothing new since a time; what it signed before stays good."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    at: AwareDatetime


class _KeyEntry(BaseModel):
    """As an entry of the register says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(min_length=1, max_length=200)
    owner: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=200)
    role: Annotated[Role, BeforeValidator(_role_named)]
    key: str
    valid_from: AwareDatetime = Field(alias="from")
    valid_until: AwareDatetime = Field(alias="until")
    capability: Capability = Capability()
    standards: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    accreditation: str = Field(default="", max_length=500)
    demo: bool = False


class RegisteredKey(_KeyEntry):
    """One key of the register. ``key`` is a did:key; times carry a zone; ``until`` is the last moment.

    A retired or stolen key has its last moment then, if that is earlier.
    """

    retired_at: AwareDatetime | None = None
    compromise: Compromise | None = None

    @property
    def public(self) -> PublicKey:
        return PublicKey.from_did_key(self.key)

    def is_active(self, moment: datetime) -> bool:
        return self.valid_from <= moment <= self.valid_until

    def state(self, moment: datetime) -> State:
        """How it stands: only one that is ``in_force`` signs anything new, and one that is ``compromised`` nothing at all."""
        if self.compromise:
            return "compromised"
        if self.retired_at:  # from the moment that the register says so; its last moment is a little later
            return "retired"
        if moment < self.valid_from:
            return "not_yet"
        return "in_force" if self.is_active(moment) else "ended"


class RegisteredTool(BaseModel):
    """One version of a measuring tool: usable or withdrawn, and whether its energy already holds the PUE (LCAL PLS-15)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    version: str
    ok: bool
    pue: Literal["always", "never", "either"]


STATEMENT_ID = r"[a-z0-9]+(-[a-z0-9]+)*"  # it names files, and some file systems do not tell capitals apart


class RegisteredStatement(BaseModel):
    """A model statement's place in the register (LCAL 6.3, 17.5): since when, of which bytes, and until when if withdrawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(pattern=f"^{STATEMENT_ID}$", max_length=80)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    registered_at: AwareDatetime
    withdrawn_at: AwareDatetime | None = None
    reason: str = Field(default="", max_length=500)

    def is_active(self, moment: datetime) -> bool:
        """Registered, and not withdrawn: a withdrawal counts from its moment on."""
        return self.registered_at <= moment and (self.withdrawn_at is None or moment < self.withdrawn_at)


Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class RegisteredUse(BaseModel):
    """How much a model is used, as its evidence shows (LCAL 6.2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    months: Amount
    minutes_last_12m: Amount
    evidence: str = Field(min_length=1, max_length=2000)


class RegisteredModel(BaseModel):
    """A model whose trainer, or an affiliate, applies for labels: by the did:keys of those applicants (LCAL 6.2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    version: str = Field(min_length=1, max_length=200)
    affiliated_with: tuple[str, ...] = Field(min_length=1)
    use: RegisteredUse | None = None


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    keys: tuple[_KeyEntry, ...] = ()
    retired: tuple[Retirement, ...] = ()
    compromised: tuple[Compromise, ...] = ()
    tools: tuple[RegisteredTool, ...] = ()
    statements: tuple[RegisteredStatement, ...] = ()
    models: tuple[RegisteredModel, ...] = ()


class Keyring:
    """All registered keys and tools, by key and by role; statements by id with their signed envelopes; models."""

    def __init__(
        self,
        keys: Iterable[RegisteredKey] = (),
        tools: Iterable[RegisteredTool] = (),
        statements: Iterable[RegisteredStatement] = (),
        envelopes: Mapping[str, bytes] | None = None,
        models: Iterable[RegisteredModel] = (),
    ) -> None:
        self.keys = tuple(keys)
        self.tools = {f"{tool.name} {tool.version}": tool for tool in tools}
        self.statements = {entry.id: entry for entry in statements}
        self.envelopes = dict(envelopes or {})
        self.models = tuple(models)
        self._by_raw = {entry.public.raw: entry for entry in self.keys}

    def entry_for(self, key: PublicKey) -> RegisteredKey | None:
        return self._by_raw.get(key.raw)

    def with_role(self, role: Role) -> tuple[RegisteredKey, ...]:
        """The keys of a role, oldest first; the newest one signs."""
        return tuple(sorted((entry for entry in self.keys if entry.role == role), key=lambda entry: entry.valid_from))

    def named(self, key_id: str) -> RegisteredKey | None:
        return next((entry for entry in self.keys if entry.id == key_id), None)


def parse_keyring(files: Mapping[str, str], envelopes: Mapping[str, bytes] | None = None) -> Keyring:
    """The register in TOML texts by file name, and the signed statements by id.

    Raises OperatorError that names the file, the entry and what is wrong. One public key stands for one owner in one role: a
    key listed twice is refused. A signed statement that no entry names is not registered, and is left out.
    """
    parsed = [_parse_file(name, text) for name, text in sorted(files.items())]
    entries = [entry for file in parsed for entry in file.keys]
    retired = [fact for file in parsed for fact in file.retired]
    compromised = [fact for file in parsed for fact in file.compromised]
    statements = [entry for file in parsed for entry in file.statements]
    models = [entry for file in parsed for entry in file.models]
    _refuse_twins([entry.id for entry in entries], "key id")
    _refuse_twins([entry.key for entry in entries], "key")
    _refuse_twins([fact.id for fact in retired], "retirement of")
    _refuse_twins([fact.id for fact in compromised], "theft of")
    _refuse_strangers([*retired, *compromised], {entry.id for entry in entries})
    keys = _keys_of(entries, {fact.id: fact for fact in retired}, {fact.id: fact for fact in compromised})
    _refuse_twins([entry.id for entry in statements], "statement")
    _refuse_twins([f"{entry.name} {entry.version}" for entry in models], "model")
    registered = {entry.id: _checked_envelope(entry, (envelopes or {}).get(entry.id)) for entry in statements}
    return Keyring(keys, [tool for file in parsed for tool in file.tools], statements, registered, models)


def _keys_of(
    entries: Iterable[_KeyEntry], retired: Mapping[str, Retirement], compromised: Mapping[str, Compromise]
) -> list[RegisteredKey]:
    """Each entry together with what became of its key."""
    keys = []
    for entry in entries:
        facts = [fact for fact in (retired.get(entry.id), compromised.get(entry.id)) if fact]
        until = min([entry.valid_until, *(fact.at for fact in facts)])
        keys.append(
            RegisteredKey(
                **entry.model_dump(by_alias=True) | {"until": until},
                retired_at=retired[entry.id].at if entry.id in retired else None,
                compromise=compromised.get(entry.id),
            )
        )
    return keys


def _refuse_strangers(facts: Iterable[Retirement | Compromise], known: set[str]) -> None:
    unknown = sorted({fact.id for fact in facts} - known)
    if unknown:
        raise OperatorError(
            f"The register says what became of the key {unknown[0]}, and does not list it.",
            hint="Bring its entry back; an entry is never deleted.",
        )


def _checked_envelope(entry: RegisteredStatement, envelope: bytes | None) -> bytes:
    if envelope is None or sha256_hex(envelope) != entry.sha256:
        raise OperatorError(
            f"The signed statement {entry.id} is not the one that was registered.",
            found="no such file" if envelope is None else f"sha256 {sha256_hex(envelope)}",
            expected=f"statements/{entry.id}.json with sha256 {entry.sha256}",
            hint="Bring the file back; a registered statement is never changed, it is withdrawn.",
        )
    return envelope


def _parse_file(name: str, text: str) -> _File:
    try:
        file = _File.model_validate(tomllib.loads(text, parse_float=Decimal))
        for key in [entry.key for entry in file.keys] + [key for entry in file.models for key in entry.affiliated_with]:
            PublicKey.from_did_key(key)
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(f"{name} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise OperatorError(
            f"{name}: {place}: {first['msg']}", hint="See keys/README.md for the form of an entry."
        ) from error
    except MalformedKey as error:
        raise OperatorError(f"{name}: {error.message}", found=error.found, expected=error.expected) from error
    return file


def _refuse_twins(values: list[str], what: str) -> None:
    twins = sorted({value for value in values if values.count(value) > 1})
    if twins:
        raise OperatorError(
            f"The register lists the {what} {twins[0]} twice.",
            hint="Each key stands for one owner in one role." if what.startswith("key") else "Keep one entry.",
        )
