"""The public register of keys: who owns which key, in which role, between which days.

A keyring is the reading of TOML texts such as ``keys/keyring.toml`` and ``keys/tools/*.toml``; opening the files is the
storage's business. Old keys stay listed with their last day (DESIGN law 6).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from certifier.crypto.keys import PublicKey
from certifier.errors import MalformedKey, OperatorError

Role = Literal["issuer", "log", "status", "measuring_party", "service", "verifier"]


class Capability(BaseModel):
    """What a party is registered to measure (LCAL 10.2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    coverage: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()


class RegisteredKey(BaseModel):
    """One key of the register. ``key`` is a did:key; times carry a zone; ``until`` is the last moment."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(min_length=1, max_length=200)
    owner: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=200)
    role: Role
    key: str
    valid_from: AwareDatetime = Field(alias="from")
    valid_until: AwareDatetime = Field(alias="until")
    capability: Capability = Capability()
    standards: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    demo: bool = False

    @property
    def public(self) -> PublicKey:
        return PublicKey.from_did_key(self.key)

    def is_active(self, moment: datetime) -> bool:
        return self.valid_from <= moment <= self.valid_until


class RegisteredTool(BaseModel):
    """One version of a measuring tool: usable or withdrawn, and whether its energy already holds the PUE (LCAL PLS-15)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    version: str
    ok: bool
    pue: Literal["always", "never", "either"]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    keys: tuple[RegisteredKey, ...] = ()
    tools: tuple[RegisteredTool, ...] = ()


class Keyring:
    """All registered keys and tools, by key and by role."""

    def __init__(self, keys: Iterable[RegisteredKey] = (), tools: Iterable[RegisteredTool] = ()) -> None:
        self.keys = tuple(keys)
        self.tools = {f"{tool.name} {tool.version}": tool for tool in tools}
        self._by_raw = {entry.public.raw: entry for entry in self.keys}

    def entry_for(self, key: PublicKey) -> RegisteredKey | None:
        return self._by_raw.get(key.raw)

    def with_role(self, role: Role) -> tuple[RegisteredKey, ...]:
        """The keys of a role, oldest first; the newest one signs."""
        return tuple(sorted((entry for entry in self.keys if entry.role == role), key=lambda entry: entry.valid_from))

    def named(self, key_id: str) -> RegisteredKey | None:
        return next((entry for entry in self.keys if entry.id == key_id), None)


def parse_keyring(files: Mapping[str, str]) -> Keyring:
    """The keyring in TOML texts by file name. Raises OperatorError that names the file, the entry and what is wrong.

    One public key stands for one owner in one role: a key listed twice is refused.
    """
    parsed = [_parse_file(name, text) for name, text in sorted(files.items())]
    keys = [entry for file in parsed for entry in file.keys]
    _refuse_twins([entry.id for entry in keys], "key id")
    _refuse_twins([entry.key for entry in keys], "key")
    return Keyring(keys, [tool for file in parsed for tool in file.tools])


def _parse_file(name: str, text: str) -> _File:
    try:
        file = _File.model_validate(tomllib.loads(text))
        for entry in file.keys:
            PublicKey.from_did_key(entry.key)
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
            f"The keyring lists the {what} {twins[0]} twice.", hint="Each key stands for one owner in one role."
        )
