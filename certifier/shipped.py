"""Where the folders lie that come with the program: standards, page templates, guides, public keys.

In a checkout they stand beside the package, where people edit them. A wheel has them inside of the package (setup.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent
_IN_WHEEL = _PACKAGE / "_data"


def shipped(name: Literal["standards", "templates", "docs", "keys"]) -> Path:
    """The folder of this name."""
    return (_IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent) / name
