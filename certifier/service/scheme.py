"""The scheme behind an installation: who owns it, who decides, who monitors, what it costs, who is tied to whom.

``keys/scheme.toml`` in the home says it (LCAL 12, 17; Directive (EU) 2024/825). What the file leaves out is not stated, and
silence never allows more: a home without the file has no monitoring body. Its form is told in docs/scheme.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from certifier.errors import OperatorError
from certifier.settings import Settings
from certifier.shipped import shipped
from certifier.storage.files import SCHEME_FILE, load_bytes, save_durably

ACKNOWLEDGED_IN_DAYS, FINDING_IN_DAYS, APPEAL_IN_DAYS = 5, 14, 30  # LCAL 12.1, 12.3
MOST_CHARACTERS = 64 * 1024
HELP = "See docs/scheme.md for the form of the file."


def _said(text: str) -> str:
    said = " ".join(text.split())
    if not said or any(not letter.isprintable() for letter in said):
        raise ValueError("a text without control characters is expected")
    return said


Text = Annotated[str, Field(max_length=500), AfterValidator(_said)]
Price = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{2})?$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Body(_Part):
    """The independent body that monitors the scheme under contract (LCAL 17.1), and the evidence levels that it monitors."""

    name: Text
    accreditation: Text
    contract_from: date
    contract_until: date
    monitors: Annotated[tuple[Literal["A1", "A2"], ...], Field(strict=False, min_length=1)]
    web: Text | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Body:
        if self.contract_until < self.contract_from:
            raise ValueError("contract_until lies before contract_from")
        return self

    def is_under_contract(self, moment: datetime) -> bool:
        """Both days count whole."""
        return self.contract_from <= moment.date() <= self.contract_until


class Fee(_Part):
    """One line of the fee table; ``small`` is what a small applicant pays."""

    what: Text
    amount: Price
    small: Price

    @model_validator(mode="after")
    def _small_pay_no_more(self) -> Fee:
        if Decimal(self.small) > Decimal(self.amount):
            raise ValueError("small applicants pay more than others (LCAL 17.2: they pay less)")
        return self


class Fees(_Part):
    """The whole table, in one currency; ``small_is`` says who is a small applicant."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    small_is: Text
    table: Annotated[tuple[Fee, ...], Field(strict=False, min_length=1)]


class Tie(_Part):
    """A tie of ownership, of money, or of people between two parties."""

    kind: Literal["ownership", "money", "people"]
    between: Annotated[tuple[Text, Text], Field(strict=False)]
    what: Text


class Complaints(_Part):
    """How to complain; the days may be better than those of LCAL 12, never worse."""

    contact: Text | None = None
    acknowledged_in_days: Annotated[int, Field(ge=1, le=ACKNOWLEDGED_IN_DAYS)] = ACKNOWLEDGED_IN_DAYS
    finding_in_days: Annotated[int, Field(ge=1, le=FINDING_IN_DAYS)] = FINDING_IN_DAYS
    appeal_in_days: Annotated[int, Field(ge=APPEAL_IN_DAYS)] = APPEAL_IN_DAYS
    appeal_to: Text | None = None


class Revision(_Part):
    """How the standard goes on: when it is next revised, who was consulted, where the consultation is."""

    next: date | None = None
    consulted: Annotated[tuple[Text, ...], Field(strict=False)] | None = None
    consultation: Text | None = None


class Scheme(_Part):
    """Everything that was stated; None is not stated. ``ties`` that are empty state that there are none.

    ``demo`` marks a made-up scheme: it is shown as an example, and no production installation takes it.
    """

    demo: bool = False
    owner: Text | None = None
    decides: Text | None = None
    ties: Annotated[tuple[Tie, ...], Field(strict=False)] | None = None
    body: Body | None = None
    fees: Fees | None = None
    complaints: Complaints = Complaints()
    revision: Revision = Revision()

    def body_at(self, moment: datetime) -> Body | None:
        """The independent body whose contract runs at this time."""
        return self.body if self.body and self.body.is_under_contract(moment) else None

    def monitored_at(self, moment: datetime) -> frozenset[str]:
        """The evidence levels whose certificates an independent body monitors at this time."""
        body = self.body_at(moment)
        return frozenset(body.monitors) if body else frozenset()


def load_scheme(settings: Settings) -> Scheme:
    """The scheme of an installation. Raises OperatorError for a file that cannot be used."""
    scheme = _read(settings.register_dir / SCHEME_FILE)
    if scheme.demo and settings.environment == "production":
        raise OperatorError(
            f"{SCHEME_FILE} is an example, and this installation is in production.",
            found="demo = true",
            expected="who truly stands behind this installation",
            hint=f"Write {settings.register_dir / SCHEME_FILE} anew. {HELP}",
        )
    _refuse_dependent(scheme, settings.issuer_name)
    return scheme


def _read(path: Path) -> Scheme:
    raw = load_bytes(path)
    try:
        return Scheme() if raw is None else parse_scheme(raw.decode())
    except UnicodeDecodeError as error:
        raise OperatorError(f"{SCHEME_FILE} is not UTF-8.", found=str(error), hint=HELP) from error


def _refuse_dependent(scheme: Scheme, issuer: str = "", line: int | None = None) -> None:
    """Who monitors is neither owner nor issuer (LCAL 17.2; Directive (EU) 2024/825)."""
    others = {
        name.casefold(): role
        for name, role in ((scheme.owner, "owner"), (scheme.decides, "decides"), (issuer, "issuer"))
        if name
    }
    if scheme.body and (role := others.get(scheme.body.name.casefold())):
        raise OperatorError(
            f"{SCHEME_FILE}{f', line {line}' if line else ''}: the monitoring body is not independent.",
            found=f"{scheme.body.name}, as body and as {role}",
            expected="a body that is neither owner nor issuer of the scheme",
            hint="Leave [body] out until an independent body is under contract.",
        )


def parse_scheme(text: str) -> Scheme:
    """The scheme in a TOML text. Raises OperatorError that names the line, what was found and what was expected."""
    if len(text) > MOST_CHARACTERS:
        raise OperatorError(
            f"{SCHEME_FILE} is too long.", found=f"{len(text)} characters", expected=f"at most {MOST_CHARACTERS}"
        )
    try:
        scheme = Scheme.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(f"{SCHEME_FILE} is not TOML.", found=str(error), hint=HELP) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        line = _line_of(text, first["loc"])
        raise OperatorError(
            f"{SCHEME_FILE}{f', line {line}' if line else ''}: {_place(first['loc'])} cannot be used.",
            found=_found(first),
            expected=_expected(first),
            hint=HELP,
        ) from error
    _refuse_dependent(scheme, line=_line_of(text, ("body", "name")))
    return scheme


def example_scheme() -> str:
    """The text of a made-up scheme with a monitoring body, plainly marked, for demonstrations."""
    return (files("certifier.service") / "scheme-example.toml").read_text("utf-8")


def give_example_scheme(settings: Settings) -> None:
    """Give a home that nobody has written a scheme for the made-up one, so that every face of the label can be shown."""
    path = settings.register_dir / SCHEME_FILE
    if load_bytes(path) in (None, load_bytes(shipped("keys") / SCHEME_FILE)):
        save_durably(path, example_scheme().encode())


def _place(steps: Sequence[int | str]) -> str:
    return ".".join(str(step) for step in steps)


def _found(error: Any) -> str:
    if error["type"] == "missing":
        return "nothing"
    given = error["input"]
    return type(given).__name__ if isinstance(given, dict) else str(given)[:200]


def _expected(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "no such field"
    return str(error["msg"]).removeprefix("Value error, ")


def _line_of(text: str, steps: Sequence[int | str]) -> int | None:
    """The line on which a place of the document stands, or the nearest one that can be found above it."""
    line: int | None = None
    lines, begin = text.splitlines(), 0
    path = ""
    for step in steps:
        if isinstance(step, int):
            heads = [number for number, found in enumerate(lines) if re.match(rf"\s*\[\[\s*{path}\s*\]\]", found)]
            at = heads[step] if step < len(heads) else None
        else:
            path = f"{path}\\.{re.escape(step)}" if path else re.escape(step)
            head, name = re.compile(rf"\s*\[\[?\s*{path}\s*\]"), re.compile(rf"\s*{re.escape(step)}\s*=")
            at = next(
                (n for n, found in enumerate(lines) if n >= begin and (head.match(found) or name.match(found))), None
            )
        if at is not None:
            line, begin = at + 1, at
    return line
