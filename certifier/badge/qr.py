"""The QR code of a face: the address of the certificate's page, in capitals, nothing else.

Capitals, digits and ``:/.-`` fit the alphanumeric mode (ISO/IEC 18004 section 7.4.4), which makes the code about a
third smaller than bytes would. Drawing it, with its quiet zone of four modules, is left to
:mod:`certifier.badge.layout`.
"""

from __future__ import annotations

import re

from qrcode.constants import ERROR_CORRECT_Q
from qrcode.main import QRCode
from qrcode.util import MODE_ALPHA_NUM, QRData

from certifier.errors import OperatorError

QUIET_MODULES = 4
# What version 6 holds at level Q; a larger code has modules too fine for print.
MAX_CHARACTERS = 108
# Any mask gives a readable code; trying all eight for the prettiest takes eight times as long.
MASK = 2

_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")


def qr_text(base_url: str, code: str) -> str:
    """What the QR code says: ``HTTPS://LABEL.EXAMPLE/V/ABCDEFGHJK``.

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


def qr_matrix(text: str) -> list[list[bool]]:
    """Rows of modules, true is dark, error correction Q, no quiet zone. The text is one of :func:`qr_text`."""
    code = QRCode(error_correction=ERROR_CORRECT_Q, mask_pattern=MASK, border=0)
    code.add_data(QRData(text, mode=MODE_ALPHA_NUM))
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]
