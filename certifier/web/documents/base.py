"""What every JSON document of the API is: a frozen model that takes no members but its own."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from certifier.certificate.model import OUTCOMES


def extensible(*values: str, default: Any = ...) -> Any:
    """A field with the values that there are now: later releases may add some, so readers take any (x-extensible-enum)."""
    return Field(default, json_schema_extra={"x-extensible-enum": list(values)})


# What a decision may be, the best last; what a certificate may be is all of it but ``none``.
DECIDED = ("none", *OUTCOMES)
LEVELS = ("A0", "A1", "A2")
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"  # the pattern of a text without control characters


class Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
