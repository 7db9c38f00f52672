"""What the holder of a certificate shows and does: the badge kit, the embed for other people's pages, the renewal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from werkzeug.wrappers import Response as AnyResponse

from certifier.badge.badge import BadgeFace, face_lines, shield_words
from certifier.badge.public_use import EVERYWHERE, artwork_for
from certifier.certificate.code import display_code, parse_code
from certifier.certificate.model import Claims
from certifier.errors import NotFoundError
from certifier.service.renewal import renewal_info
from certifier.web import snippets, words
from certifier.web.badges import SHOWN_IN
from certifier.web.documents import certificate_links, renewal_view
from certifier.web.faces import standing_of
from certifier.web.language import N_, say
from certifier.web.problems import NoSuchCertificate
from certifier.web.records import Record, record_of, row_of
from certifier.web.responses import checked_query, moved, page
from certifier.web.script_words import says
from certifier.web.site import Site

# An embed runs nothing and loads nothing but its own style; any page may show it.
FRAMABLE = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)

# state of a certificate -> what its holder does; the first sentence says why is STATES' own
CLOSED = {
    "suspended": N_(
        "Take the badge off while it is looked into; a badge that is linked as the kit says shows the state by itself. You have "
        "been heard, or will be: an objection goes to the complaints desk."
    ),
    "revoked": N_(
        "Take the badge off every place that you control within 14 days, and tell the shops that show it. You may appeal within "
        "30 days; a new report can be submitted at any time."
    ),
    "superseded": N_("Use the kit of the certificate that took its place, and take the old badge off."),
    "expired": N_("Take the badge off, or renew: a renewal looks at evidence, process and use of the mark again."),
    "not_yet": N_("The kit opens on its first day."),
    "unreliable": N_("Do not use any badge of it. Tell the operator: something is wrong with the stored certificate."),
    "unchecked": N_("Nothing can be said about its state just now. Try again in a moment."),
}


@dataclass(frozen=True)
class Format:
    """One form of the badge; ``least`` is its least size as people show or print it, ``width`` that on a screen in CSS pixels."""

    name: str
    title: str
    use: str
    least: str
    width: int
    height: int
    printed: tuple[str, ...]  # suffixes of its art for print


FORMATS = (
    Format(
        "shield",
        N_("Shield"),
        N_("For a line of text on a web page. It has no room for what is counted, so it is only ever used as a link."),
        N_("20 px high"),
        0,
        20,
        (),
    ),
    Format(
        "square",
        N_("Square sticker"),
        N_("For covers, shop pages and posts: number, unit, class, what is counted, code and QR."),
        N_("240 px or 40 mm"),
        240,
        240,
        ("svg", "png"),
    ),
    Format(
        "label",
        N_("Print label"),
        N_("For sleeves and booklets, with everything that has to stand beside the number."),
        N_("60 × 40 mm"),
        300,
        200,
        ("svg", "png", "pdf"),
    ),
    Format(
        "sheet",
        N_("Certificate, A4"),
        N_("To hang up or to send: where the carbon came from, and a QR that can be checked without a network."),
        N_("A4"),
        210,
        297,
        ("svg", "png", "pdf"),
    ),
)
SHIELD, SQUARE = FORMATS[0], FORMATS[1]


def _code_of(name: str, part: str) -> tuple[str, AnyResponse | None]:
    """The code in an address, and where another spelling of it leads."""
    code = parse_code(name)
    return code, None if code == name else moved(f"/v/{code}/{part}")


def badge_path(code: str, name: str, suffix: str, **choices: str | int) -> str:
    """Where the art of a format lies; what is as by default is left out."""
    chosen = {choice: value for choice, value in choices.items() if value not in (EVERYWHERE, "live")}
    query = "&".join(f"{choice}={value}" for choice, value in chosen.items())
    return f"/v/{code}/badge/{name}.{suffix}" + (f"?{query}" if query else "")


def kit(site: Site, name: str) -> AnyResponse:
    """Previews, downloads and snippets; closed, with the reason, while the certificate is not in force."""
    region = checked_query(region=SHOWN_IN)["region"]
    code, elsewhere = _code_of(name, "kit")
    if elsewhere:
        return elsewhere
    record = record_of(site, code, site.minute())
    shown, links = display_code(code), certificate_links(record.row)
    if record.claims is None or record.face is None or record.state != "active":
        closed = CLOSED[record.state]
        return page("kit.html", closed=closed, record=record, claims=record.claims, code=shown, links=links)
    standing = standing_of(record.claims, record.state, site.scheme.monitored_at(site.minute()))
    face = replace(record.face, artwork=artwork_for(standing, region))
    return page(
        "kit.html",
        closed=None,
        record=record,
        claims=record.claims,
        code=shown,
        links=links,
        face=face,
        region=region,
        regions={EVERYWHERE: N_("everywhere"), **words.REGIONS},
        formats=FORMATS,
        badge_path=partial(badge_path, record.row.code),
        copies=copies_of(site.settings.base_url, record.claims, face, region),
        brought={"says": says("kit")},
    )


@dataclass(frozen=True)
class Copy:
    """One text to copy."""

    name: str
    title: str
    about: str
    text: str


def copies_of(base_url: str, claims: Claims, face: BadgeFace, region: str) -> tuple[Copy, ...]:
    """Every text of the kit, with the public address."""
    certificate, shown = f"{base_url}/v/{claims.code}", display_code(claims.code)

    def picture(form: Format, alt: str) -> snippets.Picture:
        image = base_url + badge_path(claims.code, form.name, "svg", region=region)
        return snippets.Picture(certificate, image, alt, form.width, form.height)

    square = picture(SQUARE, face_lines(face).title)
    # The month on a shield moves on with its picture, and the words beside it would not: they are left without one.
    shield = picture(SHIELD, ": ".join(shield_words(replace(face, checked_month=None, issued=None))))
    endpoint = f"{certificate}/shields.json" + (f"?region={region}" if region != EVERYWHERE else "")
    title = say(
        N_("AI generation footprint of %(title)s, certificate %(code)s"), title=claims.subject.title, code=shown
    )
    return (
        Copy(
            "html",
            N_("HTML, square"),
            N_(
                "The badge as a link to the certificate. The words in alt are those of the badge; leave them as they are."
            ),
            snippets.html_snippet(square),
        ),
        Copy(
            "embed",
            N_("HTML, embed"),
            N_("A small frame without script that says how the certificate stands on the day it is looked at."),
            snippets.embed_snippet(f"{certificate}/embed", title),
        ),
        Copy("html-shield", N_("HTML, shield"), N_("One line high, for texts."), snippets.html_snippet(shield)),
        Copy(
            "markdown", N_("Markdown"), N_("The shield, for README files and blogs."), snippets.markdown_snippet(shield)
        ),
        *(
            Copy(f"tags-{number}", kind, N_("Fields to write into the audio file with any tag editor."), text)
            for number, (kind, text) in enumerate(snippets.tag_lines(shown, certificate), start=1)
        ),
        Copy(
            "record",
            N_("Signed record"),
            N_("The certificate itself (JSON-LD, a W3C credential), for shops and archives that check it by program."),
            f"{certificate}.vc",
        ),
        Copy(
            "shields",
            N_("Shields endpoint"),
            N_("For services that draw shields from an endpoint. Such a service sees who loads the picture."),
            endpoint,
        ),
    )


def embed(site: Site, name: str) -> AnyResponse:
    """The state and the figure in a frame of somebody else's page; also for a code that was never issued."""
    checked_query()
    code, elsewhere = _code_of(name, "embed")
    if elsewhere:
        return elsewhere
    minute = site.minute()
    try:
        record: Record | None = record_of(site, code, minute)
    except NoSuchCertificate:
        record = None
    face = record.face if record else None
    response = page(
        "embed.html",
        "five minutes" if record and record.state != "unchecked" else "a minute",
        record=record,
        face=face,
        words_of_face=face_lines(face) if face else None,
        code=display_code(code),
        certificate=f"{site.settings.base_url}/v/{code}",
        checked=minute,
    )
    if record is None:
        response.status_code = 404
    response.headers["Content-Security-Policy"] = FRAMABLE
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def renewal(site: Site, name: str) -> AnyResponse:
    """When a renewal is best made, why, what a newer version would make of the track, and what to send."""
    checked_query()
    code, elsewhere = _code_of(name, "renewal")
    if elsewhere:
        return elsewhere
    row = row_of(site, code)
    record = record_of(site, code, site.minute())
    try:
        view = renewal_view(renewal_info(site.certifier, code, site.minute()))
    except NotFoundError:  # the version behind it is not at hand, so nothing can be compared
        view = None
    return page(
        "renewal.html",
        record=record,
        claims=record.claims,
        code=display_code(code),
        view=view,
        links=certificate_links(row),
    )
