"""The text of a label's QR, read back: ``HTTPS://LABEL.EXAMPLE/V/7K3QZ9M2XA``, on print with ``#`` and digits after it.

Writing it is left to :mod:`certifier.badge.qr`, the meaning of the digits to :mod:`certifier.certificate.compact`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from certifier.certificate.code import CODE_LENGTH, parse_code
from certifier.errors import MalformedCode

MAX_CHARACTERS = 2_000

_FORM = re.compile(
    r"(?P<base>https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:/[a-z0-9-]+(?:[.][a-z0-9-]+)*)*)"
    rf"/v/(?P<code>[0-9a-z]{{{CODE_LENGTH}}})(?:#(?P<digits>[0-9]+))?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True)
class QrText:
    """Where the QR leads: the service's address in small letters, the certificate's code, and the digits where there are any."""

    base_url: str
    code: str
    digits: str | None


def parse_qr_text(text: str) -> QrText:
    """The parts of a QR's text, in any case. Raises MalformedCode for every other text, and for a code that is none."""
    match = _FORM.fullmatch(text.strip()) if len(text) <= MAX_CHARACTERS else None
    if match is None:
        raise MalformedCode(
            "This is not the text of a label's QR.",
            found=f"{text.strip()[:60]!r}, {len(text)} characters",
            expected="https://HOST/v/CODE, on print with # and digits after it",
            hint="Scan the QR on the label again, or type the code below it.",
        )
    code = parse_code(match["code"])
    if code != match["code"].upper():
        raise MalformedCode(
            "The code in the QR is not spelled as labels spell it.",
            found=match["code"],
            expected=code,
            hint="Scan the QR on the label again, or type the code below it.",
        )
    return QrText(match["base"].lower(), code, match["digits"])
