"""In which language a page speaks: one catalogue for all that people read, chosen by what their browser asks for.

English is the text in code and templates; a catalogue ``catalogues/LANGUAGE.po`` translates it (GNU gettext). Tables in code mark
their texts with ``N_`` and templates look them up with the filter ``said``; a template's own sentences stand in ``_()``. Only our
own texts are looked up: what others wrote is shown as it is.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import g, has_request_context, request

if TYPE_CHECKING:
    from flask import Flask, Response

SOURCE = "en"
FOLDER = resources.files("certifier.web").joinpath("catalogues")


def N_(text: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a text for the catalogue; it is looked up when it is shown."""
    return text


@cache
def languages() -> tuple[str, ...]:
    """The languages that pages come in, the source first."""
    found = [file.name.removesuffix(".po") for file in FOLDER.iterdir() if file.name.endswith(".po")]
    return (SOURCE, *sorted(found))


@cache
def catalogue_of(language: str) -> NullTranslations:
    """The texts of a language; those of the source are themselves."""
    if language == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(FOLDER.joinpath(f"{language}.po").read_bytes()), locale=language))
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """The language of this answer (RFC 9110 section 12.5.4); the source where the reader asks for none of ours."""
    if not has_request_context():
        return SOURCE
    if "language" not in g:
        wanted = [value.replace("-", "_") for value in request.accept_languages.values()]
        chosen = negotiate_locale(wanted, list(languages())) if wanted else None
        g.language = chosen or SOURCE
    return str(g.language)


def gettext(text: str) -> str:
    """A text of ours in the reader's language. An empty one stays empty: gettext keeps the catalogue's header under it."""
    return catalogue_of(language()).ugettext(text) if text else ""


def ngettext(one: str, many: str, number: int) -> str:
    return catalogue_of(language()).ungettext(one, many, number)


def say(text: str, **parts: object) -> str:
    """A text of ours in the reader's language, with its named places filled: ``say(N_("%(n)s tracks"), n=3)``."""
    return gettext(text) % parts if parts else gettext(text)


def speak(app: Flask) -> None:
    """Teach the templates of an application to look texts up."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters["said"] = gettext
    app.jinja_env.globals["language"] = language


def name_language(response: Response) -> None:
    """Say which language a page is in, and of all that was worded for its reader that another one may get another."""
    if response.mimetype == "text/html":
        response.headers["Content-Language"] = language()
    if "language" in g:
        response.vary.add("Accept-Language")
