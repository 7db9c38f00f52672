"""The sentences that page scripts say, one table for each script: the page brings them, in the reader's language, under ``says``.

Places that a script fills are written ``{name}``.
"""

from __future__ import annotations

from certifier.web.language import N_, gettext

# page -> name of a sentence -> the sentence
SENTENCES: dict[str, dict[str, str]] = {
    "submit": {
        "sent": N_("{done} of {all} MB"),
    },
}


def says(page: str) -> dict[str, str]:
    """The sentences of a page's script in the language of this answer."""
    return {name: gettext(text) for name, text in SENTENCES[page].items()}
