"""The QR codes of a label: on artwork the address of the certificate's page, on print the compact certificate after it.

Capitals, digits and ``:/.-`` fit the alphanumeric mode (ISO/IEC 18004 section 7.4.4), which makes the code about a
third smaller than bytes would; digits alone fit the numeric mode, at 3.3 bits each. Only ``#`` between the two needs a byte.
Drawing, with a quiet zone of four modules, is left to :mod:`certifier.badge.layout` and :mod:`certifier.badge.print_qr`.
"""

from __future__ import annotations

import re

from certifier.errors import OperatorError

QUIET_MODULES = 4
# What version 6 holds at level Q; a larger code has modules too fine for print.
MAX_CHARACTERS = 108
# Any mask gives a readable code; trying all eight for the prettiest takes eight times as long.
MASK = 2

_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")


def qr_text(base_url: str, code: str) -> str:
    """What the QR code on artwork says: ``HTTPS://LABEL.EXAMPLE/V/ABCDEFGHJK``.

    Raises OperatorError if the public address of this service does not fit the alphanumeric mode or is too long.
    """
    text = f"{base_url.rstrip('/')}/V/{code}".upper()
    if not _ALPHANUMERIC.fullmatch(text) or len(text) > MAX_CHARACTERS:
        raise OperatorError(
            "the public address does not fit into a QR code",
            found=base_url[:200],
            expected=f"letters, digits, dots, hyphens and slashes, at most {MAX_CHARACTERS - len(code) - 3} of them",
            hint="Choose a short host name of plain letters.",
        )
    return text


def print_qr_text(base_url: str, code: str, digits: str) -> str:
    """What the QR code on print says: the address of the page, ``#``, and the compact certificate as decimal digits.

    A browser sends nothing that stands after ``#``. Raises OperatorError as ``qr_text`` does.
    """
    return f"{qr_text(base_url, code)}#{digits}"


def qr_matrix(text: str) -> list[list[bool]]:
    """Rows of modules, true is dark, error correction Q, no quiet zone. The text is one of :func:`qr_text`."""
    return _matrix([(text, "ALPHA_NUM")], "Q")


def print_qr_matrix(text: str) -> list[list[bool]]:
    """Rows of modules, true is dark, error correction M, no quiet zone. The text is one of :func:`print_qr_text`.

    Three segments: the address in alphanumeric mode, ``#`` as a byte, the digits in numeric mode. No other way is
    shorter (but for a code with eight digits at its end, where numeric mode would save up to six bits).
    """
    address, _, digits = text.partition("#")
    return _matrix([(address, "ALPHA_NUM"), (b"#", "8BIT_BYTE"), (digits, "NUMBER")], "M")


def _matrix(segments: list[tuple[str | bytes, str]], level: str) -> list[list[bool]]:
    """``segments`` with the names of their modes."""
    from qrcode import constants, main, util  # noqa: PLC0415 - brings a library of pictures along

    code = main.QRCode(error_correction=getattr(constants, f"ERROR_CORRECT_{level}"), mask_pattern=MASK, border=0)
    for said, mode in segments:
        code.add_data(util.QRData(said, mode=getattr(util, f"MODE_{mode}")))
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]
