"""The register's model statements: put one in, withdraw one, show all (LCAL 6.3, 17.5).

A statement lies in the register as it was signed (`statements/ID.json`), with an entry beside it (`statements/ID.toml`) that says
when it was registered and, once withdrawn, since when and why. Neither is ever deleted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from certifier.certificate.times import time_text
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keyring import Keyring, RegisteredStatement
from certifier.errors import ConflictError, ForeignInputError, NotFoundError
from certifier.report.statements import (
    ID_IS_FREE,
    Bounds,
    Check,
    ModelStatement,
    OpenedStatement,
    check_statement,
    open_statement,
    statement_fact,
)
from certifier.standard.model import Standard
from certifier.storage.files import STATEMENTS, held_alone, load_keyring, save_durably

WH_PER_KWH = 1000
MOST_TRAINING = 100  # times the highest limit of the standard

State = Literal["in force", "not verified", "expired", "withdrawn"]


@dataclass(frozen=True)
class StatementView:
    """A registered statement as people read it: how it stands at a moment, and until when it counts."""

    statement: ModelStatement
    entry: RegisteredStatement
    state: State
    valid_until: datetime
    verifier: str

    @property
    def has_service_figures(self) -> bool:
        return self.statement.service is not None


def bounds_of(standard: Standard) -> Bounds:
    """What the standard allows in a statement."""
    parameters, limits = standard.parameters, standard.limits
    rows = standard.factors.grid
    return Bounds(
        standard=standard.id,
        places=frozenset(key for key in rows if standard.factors.place_row(key) is rows[key] and key != "UNKNOWN"),
        knows_hardware=standard.factors.knows_hardware,
        weight_tolerance=parameters.service_default.weight_tolerance,
        training_most_g=MOST_TRAINING * parameters.limits.measured,
        wh_least=Decimal(limits["limit.energy_least_nkwh"]) * WH_PER_KWH / 10**9,
        wh_most=Decimal(limits["limit.energy_most_nkwh"]) * WH_PER_KWH / 10**9,
        pue_least=Decimal(limits["limit.pue_least_ppm"]) / 10**6,
        pue_most=Decimal(limits["limit.pue_most_ppm"]) / 10**6,
        valid_days=parameters.training.statement_valid_days,
    )


def register_statement(register: Path, envelope: bytes, bounds: Bounds, now: datetime) -> OpenedStatement:
    """Put a signed statement into the register, once every condition is met.

    Raises ForeignInputError that names the first condition that is not, ConflictError for an id or a model that is taken.
    """
    opened = open_statement(envelope)
    with held_alone(register):
        _register(register, envelope, opened, bounds, now)
    return opened


def statement_entry(register: Path, envelope: bytes, standard: Standard, now: datetime) -> tuple[str, str]:
    """The id of a signed statement that may be registered, and the text of its entry. Raises as ``register_statement`` does."""
    entry = _acceptable(register, envelope, open_statement(envelope), bounds_of(standard), now)
    return entry.id, _entry_text(entry)


def _acceptable(
    register: Path, envelope: bytes, opened: OpenedStatement, bounds: Bounds, now: datetime
) -> RegisteredStatement:
    keyring = load_keyring(register)
    refused = next((check for check in check_statement(opened, keyring, bounds, now) if not check.met), None)
    if refused is not None:
        raise _refusal(refused)
    return RegisteredStatement(
        id=opened.statement.id, sha256=sha256_hex(envelope), registered_at=now.astimezone(UTC).replace(microsecond=0)
    )


def _register(register: Path, envelope: bytes, opened: OpenedStatement, bounds: Bounds, now: datetime) -> None:
    entry = _acceptable(register, envelope, opened, bounds, now)
    # The file first: without its entry it is not registered, and an entry without its file would be an alarm.
    save_durably(register / STATEMENTS / f"{entry.id}.json", envelope)
    _save_entry(register, entry)


def _refusal(check: Check) -> ForeignInputError | ConflictError:
    taken = check.name in (ID_IS_FREE, "no other maker states this model")
    kind = ConflictError if taken else ForeignInputError
    return kind(
        "The statement cannot be registered.", found=check.found, expected=check.name, hint=check.advice or None
    )


def withdraw_statement(register: Path, statement_id: str, reason: str, now: datetime) -> RegisteredStatement:
    """Withdraw a registered statement from this moment on; it stays listed with day and reason.

    Raises NotFoundError, or ConflictError when it was withdrawn before.
    """
    with held_alone(register):
        return _withdraw(register, statement_id, reason, now)


def _withdraw(register: Path, statement_id: str, reason: str, now: datetime) -> RegisteredStatement:
    entry = load_keyring(register).statements.get(statement_id)
    if entry is None:
        raise NotFoundError(
            "The register holds no such statement.",
            found=statement_id[:80],
            hint="certifier statement list --home HOME",
        )
    if entry.withdrawn_at is not None:
        raise ConflictError(
            "The statement was withdrawn before.", found=f"{time_text(entry.withdrawn_at)}: {entry.reason}"
        )
    if not reason.strip() or not reason.isprintable() or len(reason) > 500:
        raise ForeignInputError("A withdrawal needs a reason.", expected="one line of text, at most 500 characters")
    moment = max(now.astimezone(UTC).replace(microsecond=0), entry.registered_at)
    withdrawn = entry.model_copy(update={"withdrawn_at": moment, "reason": reason.strip()})
    _save_entry(register, withdrawn)
    return withdrawn


def _save_entry(register: Path, entry: RegisteredStatement) -> None:
    save_durably(register / STATEMENTS / f"{entry.id}.toml", _entry_text(entry).encode())


def _entry_text(entry: RegisteredStatement) -> str:
    lines = [
        "[[statements]]",
        f'id = "{entry.id}"',
        f'sha256 = "{entry.sha256}"',
        f"registered_at = {time_text(entry.registered_at)}",
    ]
    if entry.withdrawn_at is not None:
        lines.append(f"withdrawn_at = {time_text(entry.withdrawn_at)}")
        lines.append(f"reason = {json.dumps(entry.reason, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def statements_in(keyring: Keyring, standard: Standard, now: datetime) -> Sequence[StatementView]:
    """Every registered statement, in the order of ids, as it stands now."""
    return [_view_of(entry, keyring, standard, now) for _, entry in sorted(keyring.statements.items())]


def _view_of(entry: RegisteredStatement, keyring: Keyring, standard: Standard, now: datetime) -> StatementView:
    statement = open_statement(keyring.envelopes[entry.id]).statement
    until = statement.valid_until(standard.parameters.training.statement_valid_days)
    verifier = next((key.name for key in keyring.keys if key.key == statement.verifier.key), statement.verifier.id)
    return StatementView(statement, entry, _state_of(entry, keyring, standard, until, now), until, verifier)


def _state_of(
    entry: RegisteredStatement, keyring: Keyring, standard: Standard, until: datetime, now: datetime
) -> State:
    """As the rules see it: what they do not count is not in force."""
    if entry.withdrawn_at is not None and entry.withdrawn_at <= now:
        return "withdrawn"
    if now > until:
        return "expired"
    fact = statement_fact(entry.id, keyring, standard.id, now)
    counts = fact is not None and fact.registered and fact.verifier_signed and fact.location_based
    return "in force" if counts else "not verified"
